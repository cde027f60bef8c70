"""Samples that are late for a moment, and samples that are late for good."""

import pytest

from drivers.varioport.profile import FRAMED
from drivers.varioport.times import SampleTimes

SIZE = FRAMED.frame_bytes
PERIOD_S = 1 / FRAMED.rate_hz
BLOCK = 6  # samples


def feed(times: SampleTimes, first: int, end: int, late_s: float = 0.0) -> list[float]:
    """Samples in blocks, so much late; return how overdue each block is said to be."""
    overdue_s = []
    for n in range(first + BLOCK, end + 1, BLOCK):
        times.arrived(n * SIZE, 100.0 + n * PERIOD_S + late_s)
        overdue_s.append(times.overdue_s(n - 1, n * SIZE))
        times.learn(BLOCK, n, n * SIZE)
    return overdue_s


@pytest.fixture
def times() -> SampleTimes:
    """Of a device that has run for five seconds."""
    times = SampleTimes(FRAMED)
    assert not any(feed(times, 0, 3000))
    return times


def test_a_sample_was_acquired_when_its_number_says(times):
    """The plain case, for samples that are still to come as well."""
    assert times.time_s(2999) == pytest.approx(105.0, abs=1e-6)
    assert times.arrival_s(3000 * SIZE - 1) == pytest.approx(105.0)


def test_late_for_good_is_said_after_half_a_second(times):
    """A device that paused would be timed wrongly for a minute."""
    overdue_s = feed(times, 3000, 3600, late_s=0.3)
    assert not any(overdue_s[:50])
    assert overdue_s[51] == pytest.approx(0.3, abs=1e-3)
    times.restart()
    assert not any(feed(times, 3600, 4200, late_s=0.3))
    assert times.time_s(4199) == pytest.approx(107.3, abs=1e-3)


def test_what_catches_up_was_only_held_up(times):
    """A slow link is no loss, however often it is slow."""
    for first in range(3000, 6000, 300):
        assert not any(feed(times, first, first + 240, late_s=0.3))
        assert not any(feed(times, first + 240, first + 300))


def test_in_doubt_it_is_said_at_once(times):
    """After a silence nobody need wait to see that the line is another one."""
    times.doubt()
    assert feed(times, 3000, 3006, late_s=0.3) == [pytest.approx(0.3, abs=1e-3)]
    times.restart()
    times.doubt()
    assert feed(times, 3006, 3012, late_s=0.3) == [0.0]


def test_a_new_connection_has_a_line_of_its_own(times):
    """Nothing of the line before holds, but for the rate."""
    times.connect()
    assert feed(times, 0, 60, late_s=50.0)[0] == 0.0
    assert times.time_s(59) == pytest.approx(150.1, abs=1e-6)
