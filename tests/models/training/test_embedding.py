"""Speaker embeddings, and the loss that makes them."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from drivers.errors import StreamerError  # noqa: E402
from models.training.embedding import (  # noqa: E402
    EmbeddingSettings,
    SoftmaxGE2E,
    SpeakerEncoder,
    acoustic_frames,
    train_acoustic_encoder,
    train_emg_encoder,
    utterance_embedding,
)
from models.training.examples import Speech  # noqa: E402

SMALL = EmbeddingSettings(
    slice_frames=8, layers=1, hidden=16, size=4, slice_shift=4, slices_seen=2400, batch=16
)


def ge2e(embeddings: np.ndarray, weight: float, bias: float) -> float:
    """Wan et al. (2018), eq. 4-6 with 8 and 9, embedding by embedding."""

    def cosine(a: np.ndarray, b: np.ndarray) -> float:
        return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))

    losses = []
    for j, own in enumerate(embeddings):
        for i, e in enumerate(own):
            similarity = []
            for k, other in enumerate(embeddings):
                centroid = np.delete(own, i, axis=0).mean(axis=0) if k == j else other.mean(axis=0)
                similarity.append(weight * cosine(e, centroid) + bias)
            losses.append(-similarity[j] + np.log(np.sum(np.exp(similarity))))
    return float(np.mean(losses))


def speakers(seed: int = 0, count: int = 6) -> tuple[list[np.ndarray], list[np.ndarray], list[str]]:
    """EMG and speech of two speakers; who it is lies in the slope of both."""
    rng = np.random.default_rng(seed)
    emg, speech, names = [], [], []
    for number in range(2 * count):
        sign = 1 if number % 2 else -1
        ramp = sign * np.tile(np.arange(8), 5)[:, np.newaxis]
        emg.append(ramp * [0.5, -0.2, 0.1] + rng.normal(0, 0.5, (40, 3)) + 20)
        speech.append(ramp * [0.3, 1.0] + rng.normal(0, 0.5, (40, 2)) - 7)
        names.append("ab"[number % 2])
    return emg, speech, names


def test_loss_is_that_of_the_paper():
    """Figures beside the paper's would be of another method."""
    embeddings = np.random.default_rng(0).normal(size=(3, 4, 5))
    embeddings /= np.linalg.norm(embeddings, axis=2, keepdims=True)
    loss = SoftmaxGE2E()
    with torch.no_grad():
        found = float(loss(torch.tensor(embeddings, dtype=torch.float32)))
        assert found == pytest.approx(ge2e(embeddings, 10.0, -5.0), abs=1e-4)
        loss.log_weight.fill_(np.log(3.0))
        found = float(loss(torch.tensor(embeddings, dtype=torch.float32)))
    assert found == pytest.approx(ge2e(embeddings, 3.0, -5.0), abs=1e-4)


def test_embeddings_have_length_one_and_the_scaler_is_inside():
    """Whoever exports the network would have to carry the scaler along."""
    rng = np.random.default_rng(1)
    mean, scale = np.array([5.0, -2.0]), np.array([3.0, 0.1])
    torch.manual_seed(0)
    encoder = SpeakerEncoder(mean, scale, SMALL)
    torch.manual_seed(0)
    plain = SpeakerEncoder(np.zeros(2), np.ones(2), SMALL)
    slices = torch.tensor(rng.normal(size=(7, 8, 2)), dtype=torch.float32)
    with torch.no_grad():
        found = encoder(slices * torch.tensor(scale).float() + torch.tensor(mean).float())
        expected = plain(slices)
    assert found.shape == (7, 4)
    np.testing.assert_allclose(found.norm(dim=1), 1, atol=1e-6)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_emg_agrees_with_the_speech_beside_it():
    """An EMG encoder that does not follow its teacher knows nobody."""
    emg, speech, names = speakers()
    acoustic = train_acoustic_encoder(speech, names, SMALL)
    before = {name: value.clone() for name, value in acoustic.state_dict().items()}
    encoder = train_emg_encoder(emg, speech, acoustic, SMALL)
    assert all(torch.equal(before[name], one) for name, one in acoustic.state_dict().items())
    emg, speech, names = speakers(seed=1)
    heard = np.stack([utterance_embedding(acoustic, one, SMALL) for one in speech])
    felt = np.stack([utterance_embedding(encoder, one, SMALL) for one in emg])
    same = np.array(names)[:, None] == np.array(names)
    assert (heard @ heard.T)[same].min() > (heard @ heard.T)[~same].max()
    assert (felt * heard).sum(axis=1).min() > 0.8


def test_same_seed_same_encoder():
    """A figure that cannot be had again proves nothing."""
    _, speech, names = speakers()
    short = EmbeddingSettings(8, 1, 16, 4, slices_seen=64, batch=16)
    one, two = (train_acoustic_encoder(speech, names, short) for _ in range(2))
    for name, value in one.state_dict().items():
        assert torch.equal(value, two.state_dict()[name])


def test_one_speaker_is_refused_in_a_line():
    """A division by zero or a loss of zero would be all that a user sees."""
    with pytest.raises(StreamerError, match="speakers to learn embeddings from"):
        train_acoustic_encoder([np.zeros((40, 2))] * 3, ["a"] * 3, SMALL)


def test_speech_without_voice_has_a_usual_f0():
    """A zero would make whispered speech the widest difference that the encoder sees."""
    silent = Speech(np.zeros((5, 3)), np.zeros(5), np.zeros(5, dtype=bool))
    voiced = Speech(np.zeros((5, 3)), np.full(5, np.log(120.0)), np.ones(5, dtype=bool))
    assert 100 < np.exp(acoustic_frames(silent)[0, -1]) < 200
    assert np.exp(acoustic_frames(voiced)[0, -1]) == pytest.approx(120)
