"""When each sample of a device was acquired, from the arrivals of its bytes."""

import math
from bisect import bisect_left
from collections import deque
from typing import NamedTuple

from drivers.arrival import SampleClock
from drivers.varioport.profile import Profile

_REMEMBERED_BLOCKS = 4096  # far more than any decoder holds back
_LATE_S = 0.1  # no sample that is later than this was acquired when its number says
_SETTLE_S = 0.5  # what was only held up has caught up by then


class _Arrival(NamedTuple):
    end: int  # bytes of the connection up to the end of the block
    arrival_s: float


class SampleTimes:
    """Relates the samples of a device to the arrivals of their bytes.

    Parameters
    ----------
    profile : Profile
        The device's rate, and how many bytes a sample takes.
    """

    def __init__(self, profile: Profile) -> None:
        self._nominal_hz = profile.rate_hz
        self._size = profile.frame_bytes
        self._clock = SampleClock(profile.rate_hz)
        self.connect()

    def connect(self) -> None:
        """Begin a connection: its bytes are counted anew, its samples are on a line of their own.

        What is known of the device's rate is kept.
        """
        self._blocks: deque[_Arrival] = deque(maxlen=_REMEMBERED_BLOCKS)
        self.restart()

    def restart(self) -> None:
        """Begin a line of its own for what comes, after a gap whose length is an estimate."""
        self._clock.restart()
        self._fresh = True  # no sample on the line yet
        self._doubtful = False
        self._late_from_s: float | None = None
        self._least_late_s = 0.0

    @property
    def drift_ppm(self) -> float | None:
        """See `Health`."""
        return self._clock.drift_ppm

    @property
    def jitter_ms(self) -> float | None:
        """See `Health`."""
        return self._clock.jitter_ms

    @property
    def rate_hz(self) -> float:
        """The device's rate on this host's clock, as far as it is known."""
        return self._nominal_hz * (1 + (self._clock.drift_ppm or 0.0) * 1e-6)

    def arrived(self, end: int, arrival_s: float) -> None:
        """Take note of a block of bytes.

        Parameters
        ----------
        end : int
            Bytes of the connection up to its end.
        arrival_s : float
            When it came.
        """
        self._blocks.append(_Arrival(end, arrival_s))

    def arrival_s(self, end: int) -> float:
        """Return when the last of so many bytes arrived."""
        return self._blocks[bisect_left(self._blocks, end, key=lambda b: b.end)].arrival_s

    def doubt(self) -> None:
        """Take note of a silence or a hole: what comes may be on another line at once."""
        self._doubtful = True

    def overdue_s(self, number: int, end: int) -> float:
        """Return how late samples are for good, 0 where they are not.

        Samples that were held up catch up with their line. Those of a device that paused, or
        of which many are lost unseen, never do.

        Parameters
        ----------
        number : int
            Of the latest sample.
        end : int
            Bytes of the connection up to its end.

        Returns
        -------
        float
            In seconds; then `restart` is due.
        """
        if self._fresh:
            return 0.0
        arrival_s = self.arrival_s(end)
        late_s = arrival_s - self._clock.time_s(number)
        doubtful, self._doubtful = self._doubtful, False
        if late_s <= _LATE_S:
            self._late_from_s = None
            return 0.0
        if self._late_from_s is None:
            self._late_from_s, self._least_late_s = arrival_s, late_s
        self._least_late_s = min(late_s, self._least_late_s)
        lasting = arrival_s - self._late_from_s >= _SETTLE_S
        return self._least_late_s if lasting or doubtful else 0.0

    def learn(self, samples: int, next_number: int, end: int) -> None:
        """Take note of samples: which of them had come by when.

        Parameters
        ----------
        samples : int
            How many; they followed each other.
        next_number : int
            Of the sample behind them.
        end : int
            Bytes of the connection up to the end of the last one.
        """
        self._fresh = False
        known = next_number - samples
        for block in self._within(end - samples * self._size, end):
            behind = max(0, math.ceil((end - block.end) / self._size))
            if (total := next_number - behind) > known:
                self._clock.add(total, block.arrival_s, total - known)
                known = total

    def time_s(self, number: int) -> float:
        """Return when a sample was acquired, as is known by now; see `SampleClock`."""
        return self._clock.time_s(number)

    def _within(self, begin: int, end: int) -> list[_Arrival]:
        """Return the blocks that brought bytes from `begin` to `end`; older ones are forgotten."""
        while len(self._blocks) > 1 and self._blocks[0].end <= begin:
            self._blocks.popleft()
        last = bisect_left(self._blocks, end, key=lambda b: b.end)
        return [self._blocks[k] for k in range(last + 1)]
