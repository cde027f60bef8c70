"""Losses from time stamps."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.timeline import Timeline

RATE = 600.0


def follow(stamps_s: np.ndarray, sizes: list[int]) -> dict[int, int]:
    """Losses by sample, the stamps fed in pieces of these sizes, over and over."""
    timeline = Timeline(RATE)
    gaps: dict[int, int] = {}
    begin = turn = 0
    while begin < len(stamps_s):
        piece = stamps_s[begin : begin + sizes[turn % len(sizes)]]
        for gap in timeline.follow(piece):
            gaps[begin + gap.row] = gap.lost
        begin += len(piece)
        turn += 1
    return gaps


sizes = st.lists(st.integers(1, 40), min_size=1, max_size=8)


@given(
    sizes,
    st.dictionaries(st.integers(400, 1000), st.integers(2, 5000), max_size=4),
    st.floats(-3e-4, 3e-4),
)
def test_regular_stamps_tell_every_loss(sizes, losses, drift):
    """With stamps as our own outlet gives them no lost sample goes unseen, none is invented."""
    numbers = np.arange(1100, dtype=float)
    for row, lost in losses.items():
        numbers[row:] += lost
    stamps_s = 1e5 + numbers / RATE * (1 + drift)
    gaps = follow(stamps_s, sizes)
    assert gaps.keys() == losses.keys()
    for row, lost in losses.items():
        assert gaps[row] == pytest.approx(lost, abs=1 + 3e-4 * lost)


def stamped_at_arrival(rng, packets: int, size: int, jitter_s: float) -> np.ndarray:
    """A device that is stamped packet by packet when it arrives, late by up to `jitter_s`."""
    ends = (np.arange(packets) + 1) * size / RATE + rng.uniform(0, jitter_s, packets)
    return (ends[:, None] - np.arange(size)[::-1] / RATE).ravel()


@given(st.integers(0, 2**32 - 1), st.integers(2, 20), st.floats(0.002, 0.02))
def test_jitter_is_no_loss(seed, size, jitter_s):
    """A device whose stamps jitter by some samples is not riddled with false gaps."""
    rng = np.random.default_rng(seed)
    stamps_s = stamped_at_arrival(rng, 6000 // size, size, jitter_s)
    assert follow(stamps_s, [size]) == {}


@given(st.integers(0, 2**32 - 1), st.integers(20, 120))
def test_a_loss_under_jitter_is_seen_when_it_lasts(seed, lost):
    """What is lost shows in the counters, if a little later and not to the sample."""
    rng = np.random.default_rng(seed)
    stamps_s = stamped_at_arrival(rng, 1000, 6, 0.01)
    stamps_s[3000:] += lost / RATE
    gaps = follow(stamps_s, [6])
    assert sum(gaps.values()) == pytest.approx(lost, abs=6)
    assert 3000 <= min(gaps) <= 3000 + 0.5 * RATE + 12


def test_stamps_that_jump_back_are_counted():
    """A sender whose clock was set loses nothing."""
    timeline = Timeline(RATE)
    stamps_s = np.arange(1200) / RATE
    assert timeline.follow(stamps_s) == []
    assert timeline.follow(stamps_s) == []
    assert timeline.backward == 1


def test_what_an_interruption_costs():
    """After a stream's return the user learns how much he missed."""
    timeline = Timeline(RATE)
    timeline.follow(np.arange(600) / RATE)
    assert timeline.restart(3.0) == 1200
    assert timeline.follow(3.0 + np.arange(600) / RATE) == []
    assert timeline.restart(1.0) == 0
    timeline.follow(1.0 + np.arange(600) / RATE)
    assert timeline.restart(0.0, clock_change_s=3.0) == 600


@pytest.mark.parametrize("size", [6, 60, 1800])
def test_a_push_that_is_late_by_a_sample_is_no_loss(size):
    """Of stamps that are read from a clock, some are late by chance as long as a sample takes."""
    rng = np.random.default_rng(0)
    stamps_s = stamped_at_arrival(rng, 36000 // size, size, 0.0004)
    for push in range(3, 36000 // size, 10):
        stamps_s[push * size : (push + 1) * size] += 1 / RATE
    assert follow(stamps_s, [size]) == {}


def test_another_rate_from_now_on():
    """What was late by the old rate is no loss by the new one."""
    timeline = Timeline(RATE)
    stamps_s = np.arange(1200) / 300.0
    timeline.follow(stamps_s[:600])
    timeline.change_rate(300.0, float(stamps_s[599]))
    assert timeline.follow(stamps_s[600:]) == []
