"""Clocks."""

import time

from drivers.clock import PerfClock, VirtualClock


def test_a_virtual_clock_moves_only_when_somebody_sleeps():
    """Tests of an hour take no hour."""
    clock = VirtualClock(5.0)
    clock.sleep_until(8.0)
    clock.sleep_until(2.0)
    assert clock.now_s() == 8.0
    clock.advance(0.5)
    assert clock.now_s() == 8.5


class Sleeper:
    """A system that wakes a sleeper before his time, as a signal does."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.slept_s: list[float] = []

    def perf_counter(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.slept_s.append(seconds)
        self.now_s += 0.75 * seconds if len(self.slept_s) < 3 else seconds


def test_the_real_clock_wakes_nobody_too_early(monkeypatch):
    """A replay is as regular as its clock."""
    system = Sleeper()
    monkeypatch.setattr("drivers.clock.time", system)
    clock = PerfClock()
    clock.sleep_until(101.0)
    assert clock.now_s() == system.now_s == 101.0
    assert system.slept_s == [1.0, 0.25, 0.0625]  # for as long as is left
    clock.sleep_until(100.5)
    assert len(system.slept_s) == 3


def test_the_real_clock_is_the_machines():
    """Whoever compares the session's times with his own needs to know the clock."""
    before_s = time.perf_counter()
    now_s = PerfClock().now_s()
    assert before_s <= now_s <= time.perf_counter()
