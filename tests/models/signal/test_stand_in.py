"""What models see of a channel that fails depends on the others alone."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from drivers.errors import SignalMismatchError
from models.signal.stand_in import StandIn, columns_of

CHANNELS, BLOCKS = 4, (5, 2)
FEATURES = sum(BLOCKS)
COLUMNS = columns_of(CHANNELS, BLOCKS)
Array = NDArray[np.float64]


def frames(count: int = 400, seed: int = 0) -> Array:
    """Make frames whose channels go together, each at a level of its own."""
    rng = np.random.default_rng(seed)
    common = rng.normal(0, 1, (count, FEATURES, 1))
    values = np.arange(1, CHANNELS + 1) * common + rng.normal(0, 0.1, (count, FEATURES, CHANNELS))
    made = np.empty((count, CHANNELS * FEATURES))
    made[:, COLUMNS] = values + 10 * np.arange(CHANNELS)
    return made


def learned(made: Array) -> dict[str, Array]:
    values = made[:, COLUMNS]
    moved = values - values.mean(axis=0)
    covariance = np.einsum("nfc,nfd->fcd", moved, moved) / len(values)
    return {"level": values.mean(axis=0), "covariance": covariance}


def of(count: int, *channels: int) -> NDArray[np.bool_]:
    return np.tile(np.isin(np.arange(CHANNELS), channels), (count, 1))


def test_columns_are_those_of_td_features_and_bands() -> None:
    """Another channel's columns would be replaced, and the dead one's kept."""
    assert COLUMNS.shape == (FEATURES, CHANNELS)
    assert COLUMNS[:, 1].tolist() == [5, 6, 7, 8, 9, 22, 23]


@pytest.mark.parametrize("failing", [(0,), (3,), (0, 2), (0, 1, 2)])
def test_others_let_expect_what_the_channel_would_have_said(failing: tuple[int, ...]) -> None:
    """A voice must go on nearly as it was, without an electrode of six."""
    made = frames()
    broken = made.copy()
    broken[:, COLUMNS[:, list(failing)]] = 1e6
    replaced = StandIn(CHANNELS, BLOCKS, **learned(frames(seed=1))).process(
        broken, of(len(made), *failing)
    )
    assert np.abs(replaced - made).max() < 1.5  # of a spread of 1 to 4
    others = COLUMNS[:, [k for k in range(CHANNELS) if k not in failing]]
    np.testing.assert_array_equal(replaced[:, others], made[:, others])


def test_the_level_alone_and_nothing_at_all() -> None:
    """Bundles that know less, those from before among them, have a stated fallback."""
    made = frames()
    level = learned(made)["level"]
    replaced = StandIn(CHANNELS, BLOCKS, level).process(made, of(len(made), 2))
    np.testing.assert_allclose(replaced[:, COLUMNS[:, 2]], np.tile(level[:, 2], (len(made), 1)))
    replaced = StandIn(CHANNELS, BLOCKS).process(made, of(len(made), 2))
    mean = made[:, COLUMNS[:, [0, 1, 3]]].mean(axis=2)
    np.testing.assert_allclose(replaced[:, COLUMNS[:, 2]], mean)


@given(
    failing=st.lists(st.sets(st.integers(0, CHANNELS - 1)), min_size=1, max_size=12),
    cut=st.integers(0, 12),
)
def test_frames_one_by_one_and_at_once_are_the_same_bits(failing: list[set[int]], cut: int) -> None:
    """What is measured offline must be what is heard; and a frame is never changed in place."""
    made = frames(len(failing))
    before = made.copy()
    mask = np.array([np.isin(np.arange(CHANNELS), list(one)) for one in failing])
    at_once = StandIn(CHANNELS, BLOCKS, **learned(frames(seed=1))).process(made, mask)
    live = StandIn(CHANNELS, BLOCKS, **learned(frames(seed=1)))
    parts = [live.process(made[:cut], mask[:cut]), live.process(made[cut:], mask[cut:])]
    np.testing.assert_array_equal(np.concatenate(parts), at_once)
    np.testing.assert_array_equal(made, before)


def test_where_all_channels_fail_frames_stay_as_they_are() -> None:
    """Nothing is made up from nothing: dead channels are rest."""
    made = frames(5)
    np.testing.assert_array_equal(StandIn(CHANNELS, BLOCKS).process(made, of(5, 0, 1, 2, 3)), made)


def test_channels_that_are_alike_or_never_moved_can_be_learned_from() -> None:
    """A corpus with a dead electrode, or one recorded twice, must give numbers."""
    made = frames()
    made[:, COLUMNS[:, 1]] = made[:, COLUMNS[:, 0]]
    made[:, COLUMNS[:, 3]] = 7.0
    for failing in ((0,), (2,), (3,)):
        replaced = StandIn(CHANNELS, BLOCKS, **learned(made)).process(made, of(len(made), *failing))
        assert np.abs(replaced - made).max() < 30


@pytest.mark.parametrize("name", ["level", "covariance"])
def test_another_number_of_channels_is_refused(name: str) -> None:
    """Features of the wrong channel would be taken."""
    tables = learned(frames())
    tables[name] = tables[name][:, :3]
    with pytest.raises(SignalMismatchError, match=name):
        StandIn(CHANNELS, BLOCKS, **tables)
