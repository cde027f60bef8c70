"""What stands in for a channel that fails is what costs least on held-out utterances."""

import numpy as np
import pytest

pytest.importorskip("torch")

from models.bundle import Bundle  # noqa: E402
from models.signal.stand_in import columns_of  # noqa: E402
from models.training.examples import Emg, Utterance  # noqa: E402
from models.training.stand_in import train_stand_in  # noqa: E402

CHANNELS, BLOCKS = 3, (5, 4)
COLUMNS = columns_of(CHANNELS, BLOCKS)


def utterance(seed, together):
    """Make an utterance that rests at the end, where all is 0, with channels that go together."""
    rng = np.random.default_rng(seed)
    shape = (200, len(COLUMNS), CHANNELS)
    values = together * rng.normal(0, 1, (200, len(COLUMNS), 1)) + rng.normal(5, 0.1, shape)
    values[150:] = 0.0
    joined = np.empty((200, COLUMNS.size))
    joined[:, COLUMNS] = values
    rest = (np.arange(200) >= 150).astype(float) * -1 + 1
    emg = Emg(np.zeros((1200, CHANNELS)), joined[:, :15], joined[:, 15:])
    return Utterance(f"u{seed}", "s", "p", "audible", "train", None, emg, rest)


def trained(together, wanted):
    learned = [utterance(seed, together) for seed in range(4)]
    held_out = [utterance(9, together)]

    def distortion(one, frames):
        return float(np.abs(frames - wanted(one)).mean())

    return train_stand_in(learned, held_out, lambda one: one.emg.joined, BLOCKS, distortion)


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        ("others", lambda one: one.emg.joined),
        ("mean", lambda one: np.full(one.emg.joined.shape, 3.75)),
        ("rest", lambda one: np.zeros(one.emg.joined.shape)),
    ],
)
def test_the_cheapest_is_kept(kind, wanted):
    """A choice that was made for one corpus would cost another one's voice."""
    made = trained(1.0, wanted)
    assert made.part.kind == kind
    costs = {name: cost for name, cost in made.figures.items() if name != "all_channels_mcd_db"}
    assert min(costs, key=costs.get) == f"{kind}_mcd_db"
    assert made.part.fits(len(COLUMNS), CHANNELS)
    if kind == "rest":
        assert not np.any(made.part.level)


def test_a_trained_bundle_knows_what_stands_in(bundle_path):
    """A dead electrode would close the gate for good: its features are like nobody's rest."""
    manifest = Bundle.open(bundle_path).manifest
    assert manifest.stand_in is not None
    assert set(manifest.figures["stand_in"]) == {
        *("all_channels_mcd_db", "others_mcd_db", "mean_mcd_db", "rest_mcd_db")
    }
