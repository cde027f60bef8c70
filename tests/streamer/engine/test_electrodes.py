"""A channel that fails is found, and one that lives is left alone."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from streamer.engine.electrodes import FAILS, REASONS, RETURNS, WORKS, Electrodes

RATE_HZ = 600.0
BRIDGE = 12
Rows = NDArray[np.float64]


def emg(seconds: float, channels: int = 3, level_uv: float = 50.0) -> Rows:
    shape = (round(seconds * RATE_HZ), channels)
    return np.random.default_rng(1).normal(0, level_uv, shape) + 300


def codes_of(rows: Rows, cuts: list[int] | None = None) -> tuple[NDArray[np.uint8], Electrodes]:
    electrodes = Electrodes(rows.shape[1], RATE_HZ, BRIDGE)
    parts = []
    for part in np.split(rows, sorted(cuts or [])):
        codes = electrodes.process(part)
        parts.append(np.zeros(part.shape, np.uint8) if codes is None else codes)
    return np.concatenate(parts), electrodes


def hum(t: Rows) -> Rows:
    return np.asarray(np.clip(5000 * np.sin(2 * np.pi * 50 * t), -1000, 1000))


@pytest.mark.parametrize(
    ("how", "reason", "most_s"),
    [
        (lambda t: np.nan, "no numbers", 0.03),
        (lambda t: np.inf, "no numbers", 0.03),
        (lambda t: np.where(np.arange(len(t)) % 3, np.nan, 300.0), "no numbers", 0.5),
        (lambda t: 312.5, "does not change", 0.5),
        (lambda t: 0.0, "lowest", 0.3),
        (lambda t: 5000.0, "highest", 0.3),
        (lambda t: -5000.0, "lowest", 0.3),
        (hum, "highest", 0.5),
    ],
)
def test_a_channel_that_fails_is_told_from_the_others_and_taken_back(
    how: Callable[[Rows], Rows], reason: str, most_s: float
) -> None:
    """One dead electrode must not speak through all six, nor be missed once it is mended."""
    rows = emg(6.0)
    t = np.arange(1200) / RATE_HZ
    rows[1200:2400, 1] = how(t)
    codes, electrodes = codes_of(rows)
    assert not codes[:, [0, 2]].any()
    found = np.flatnonzero(codes[:, 1])
    assert 1200 <= found[0] <= 1200 + most_s * RATE_HZ
    assert 2400 + 0.4 * RATE_HZ <= found[-1] <= 2400 + 0.8 * RATE_HZ
    assert np.array_equal(np.arange(found[0], found[-1] + 1), found)
    assert reason in electrodes.counts()[1].reason
    assert [one.failures for one in electrodes.counts()] == [0, 1, 0]
    assert electrodes.counts()[1].failing_samples == len(found)
    # The filters settle on the first good sample after all bad ones.
    assert codes[2400:, 1].tolist().index(RETURNS) <= 10
    assert set(codes[2420 : found[-1] + 1, 1]) == {FAILS}
    assert np.isfinite(rows).all()


@pytest.mark.parametrize("level_uv", [50.0, 5.0, 0.5, 0.05])
@pytest.mark.parametrize("step_uv", [0.033, 1.0, 5.0])
@pytest.mark.parametrize("drift_uv", [0.0, 300.0, 3000.0, 60000.0])
def test_quiet_emg_and_drifting_electrodes_live(
    level_uv: float, step_uv: float, drift_uv: float
) -> None:
    """A user would look for a loose electrode, while a face is at rest."""
    if level_uv / step_uv < 0.3:
        pytest.skip("less than the converter sees: that is a flat line")
    drift = np.linspace(0, drift_uv, round(60 * RATE_HZ))[:, np.newaxis]
    rows = np.round((emg(60.0, level_uv=level_uv) + drift) / step_uv) * step_uv
    codes, electrodes = codes_of(rows)
    assert not codes.any()
    assert electrodes.counts()[0].failures == 0


def test_a_steep_drift_in_rough_steps_is_no_limit() -> None:
    """An electrode that is pressed on has a new highest value all the time, and each for long."""
    drift = np.linspace(0, 20_000, 12_000)[:, np.newaxis]
    rows = np.round((emg(20.0, level_uv=0.5) + drift) / 50) * 50
    codes, _ = codes_of(rows)
    assert not codes.any()


def test_a_burst_that_clips_is_still_emg() -> None:
    """Loud speech at an amplifier's limit is better than none."""
    rows = emg(4.0, level_uv=20)
    rows[600:1200] = np.clip((rows[600:1200] - 300) * 40, -1000, 1000)
    codes, electrodes = codes_of(rows)
    assert not codes.any()
    assert electrodes.counts()[0].equal_values < 100


@given(
    bad=st.lists(
        st.tuples(st.integers(0, 2500), st.integers(1, 700), st.integers(0, 2), st.integers(0, 2)),
        max_size=5,
    ),
    cuts=st.lists(st.integers(0, 2500), max_size=6),
)
def test_chunks_do_not_matter(bad: list[tuple[int, int, int, int]], cuts: list[int]) -> None:
    """Live and offline must lose the same channels at the same samples."""
    rows = emg(4.0)
    for first, length, channel, kind in bad:
        rows[first : first + length, channel] = (np.nan, 300.0, 9000.0)[kind]
    whole, parts = rows.copy(), rows.copy()
    codes, electrodes = codes_of(whole)
    again, others = codes_of(parts, cuts)
    np.testing.assert_array_equal(codes, again)
    np.testing.assert_array_equal(whole, parts)
    assert electrodes.counts() == others.counts()


def test_a_missing_value_is_held_and_not_yet_a_failure() -> None:
    """A value that a radio lost in one channel must cost the models no more than that."""
    rows = emg(1.0)
    rows[300 : 300 + BRIDGE, 2] = np.nan
    codes, electrodes = codes_of(rows)
    assert not codes.any()
    assert (rows[300 : 300 + BRIDGE, 2] == rows[299, 2]).all()
    assert electrodes.counts()[2].missing_values == BRIDGE


def test_a_channel_without_any_number_fails_at_once() -> None:
    """There is nothing to hold, and zero is no EMG."""
    rows = emg(0.1)
    rows[:, 1] = np.nan
    codes, _ = codes_of(rows)
    assert (codes[:, 1] == FAILS).all()
    assert (codes[:, 0] == WORKS).all()


def test_samples_before_an_epoch_count_for_nothing_but_the_state() -> None:
    """An utterance of a corpus whose electrode is dead must not begin with half a second of it."""
    rows = emg(1.0)
    rows[:, 0] = 300.0
    electrodes = Electrodes(3, RATE_HZ, BRIDGE)
    electrodes.settle(rows[:400].copy())
    assert REASONS[electrodes.reasons[0]] == "a value that does not change"
    assert all(one.failing_samples == one.equal_values == 0 for one in electrodes.counts())
    assert [one.failures for one in electrodes.counts()] == [1, 0, 0]
    codes = electrodes.process(rows[400:])
    assert codes is not None
    assert (codes[:, 0] == FAILS).all()
    electrodes.reset()
    assert not electrodes.reasons.any()


def test_filters_settle_on_what_a_channel_gives_since_its_return() -> None:
    """The step from nothing to an electrode's offset would drown the first words."""
    rows = emg(0.5)
    rows[:100, 1] = np.nan
    assert len(Electrodes(3, RATE_HZ, BRIDGE).settle(rows)) == 200


def reference(values: list[int]) -> int:
    """Count by run lengths."""
    count, run = 0, 0
    for n, value in enumerate(values):
        run = run + 1 if n and values[n - 1] == value else 1
        if n + 1 == len(values) or values[n + 1] != value:
            count += run if run >= 5 else 0
    return count


@given(
    values=st.lists(st.integers(0, 1), max_size=80),
    cuts=st.lists(st.integers(0, 80), max_size=5),
)
def test_runs_of_five_equal_values_are_counted_however_they_are_cut(
    values: list[int], cuts: list[int]
) -> None:
    """Clipped EMG must show in the summary, whatever the source's chunks are."""
    rows = np.array([values, list(range(len(values)))], dtype=np.float64).T
    _, electrodes = codes_of(rows, cuts)
    assert [one.equal_values for one in electrodes.counts()] == [reference(values), 0]


@pytest.mark.parametrize("forget", [True, False])
def test_a_gap_ends_a_run(forget: bool) -> None:
    """Values on both sides of a loss are no run."""
    electrodes = Electrodes(1, RATE_HZ, BRIDGE)
    electrodes.process(np.full((3, 1), 7.0))
    electrodes.interrupt(forget=forget)
    electrodes.process(np.full((3, 1), 7.0))
    assert electrodes.counts()[0].equal_values == 0
