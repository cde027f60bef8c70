"""The autoencoder and its training."""

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from models.evaluation.autoencoder.network import (  # noqa: E402
    Autoencoder,
    AutoencoderSettings,
    reconstruction_error,
    represent,
    train_on,
)

SMALL = AutoencoderSettings(layers=2, hidden=8, epochs=30, batch=8, learning_rate=0.02, dropout=0.0)
BANDS = 5


def spectrograms(count: int = 16) -> list[np.ndarray]:
    """Bands that swing together, each utterance at its own speed; lengths differ."""
    rng = np.random.default_rng(0)
    found = []
    for _ in range(count):
        at = np.arange(rng.integers(6, 12))[:, np.newaxis] * rng.uniform(0.2, 1.0)
        found.append(np.sin(at + np.arange(BANDS)).astype(np.float32))
    return found


@pytest.fixture
def network() -> Autoencoder:
    torch.manual_seed(0)
    return Autoencoder(BANDS, SMALL).eval()


def test_it_learns():
    """Representations would be those of random weights."""
    training = train_on(spectrograms(), SMALL, 30)
    assert len(training.losses) == 30
    assert training.losses[-1] < 0.6 * training.losses[0]


def test_training_in_stages_is_the_same_training():
    """After an interruption the figures would be others than without one."""
    settings = replace(SMALL, dropout=0.2)
    whole = train_on(spectrograms(), settings, 4)
    stages = train_on(spectrograms(), settings, 1)
    stages = train_on(spectrograms(), settings, 3, stages)
    assert stages.losses == whole.losses
    for name, array in whole.arrays.items():
        np.testing.assert_array_equal(stages.arrays[name], array)
    other = train_on(spectrograms(), replace(settings, seed=1), 1)
    assert other.losses[0] != whole.losses[0]


def test_padding_changes_nothing(network):
    """An utterance's representation would depend on what else is in its batch."""
    one = torch.tensor(spectrograms(1)[0])[None]
    lengths = torch.tensor([one.shape[1]])
    padded = torch.cat((one, torch.full((1, 4, BANDS), 9.0)), dim=1)
    with torch.no_grad():
        assert torch.allclose(
            network.representation(one, lengths), network.representation(padded, lengths), atol=1e-6
        )
        short, long = network(one, lengths), network(padded, lengths)
    assert torch.allclose(short, long[:, : one.shape[1]], atol=1e-6)
    error, padded_error = (
        float(reconstruction_error(x, y, lengths)) for x, y in ((one, short), (padded, long))
    )
    assert error == pytest.approx(padded_error, abs=1e-6)


def test_no_frame_is_seen_before_it_is_written(network):
    """The decoder would copy, and the representation would hold nothing."""
    one = torch.tensor(spectrograms(1)[0])[None]
    lengths = torch.tensor([one.shape[1]])
    kept = network.representation(one, lengths).detach()
    network.representation = lambda x, lengths: kept  # what the encoder saw stays the same
    changed = one.clone()
    changed[0, 3] += 1.0
    with torch.no_grad():
        difference = (network(changed, lengths) - network(one, lengths)).abs().sum(dim=2)[0]
    assert difference[3] == 0
    assert (difference[[2, 4]] > 0).all()


def test_representation_has_the_size_of_the_decoder():
    """The fused features would not be the paper's: 4 x 1024."""
    training = train_on(spectrograms(3), SMALL, 1)
    kept = represent(spectrograms(3), SMALL, training)
    assert kept.shape == (3, 2 * 2 * 8)
    assert (np.abs(kept) < 1).all()
    settings = AutoencoderSettings()
    assert Autoencoder(128, settings).link.out_features == 1024
