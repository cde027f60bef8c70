"""Clocks."""

import time

import pytest

from drivers.clock import PerfClock, VirtualClock


def test_a_virtual_clock_moves_only_when_somebody_sleeps():
    """Tests of an hour take no hour."""
    clock = VirtualClock(5.0)
    clock.sleep_until(8.0)
    clock.sleep_until(2.0)
    assert clock.now_s() == 8.0
    clock.advance(0.5)
    assert clock.now_s() == 8.5


@pytest.mark.realtime
def test_the_real_clock_wakes_in_time():
    """A replay is as regular as its clock."""
    clock = PerfClock()
    start_s = time.perf_counter()
    clock.sleep_until(start_s + 0.05)
    assert 0.05 <= time.perf_counter() - start_s < 0.15
    clock.sleep_until(start_s)
    assert clock.now_s() - start_s < 0.2
