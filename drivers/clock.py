"""The session's clock, injectable: a real one live, a stepped one in tests."""

import time
from typing import Protocol


class Clock(Protocol):
    """Seconds since some fixed instant, never running backwards."""

    def now_s(self) -> float:
        """Return the time in seconds."""

    def sleep_until(self, time_s: float) -> None:
        """Return at `time_s`, or at once if that is past."""


class PerfClock:
    """The machine's monotonic clock, `time.perf_counter`."""

    def now_s(self) -> float:
        """Return the time in seconds."""
        return time.perf_counter()

    def sleep_until(self, time_s: float) -> None:
        """Return at `time_s`, or at once if that is past."""
        while (left_s := time_s - time.perf_counter()) > 0:
            time.sleep(left_s)


class VirtualClock:
    """A clock that stands still until somebody sleeps on it.

    Parameters
    ----------
    start_s : float
        Its first reading.
    """

    def __init__(self, start_s: float = 0.0) -> None:
        self._now_s = start_s

    def now_s(self) -> float:
        """Return the time in seconds."""
        return self._now_s

    def sleep_until(self, time_s: float) -> None:
        """Step to `time_s`; a time that is past changes nothing."""
        self._now_s = max(self._now_s, time_s)

    def advance(self, seconds: float) -> None:
        """Step by `seconds`, as if the caller had been busy that long."""
        self.sleep_until(self._now_s + seconds)
