"""What was heard, and when: a recording on the clock of this host."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from drivers.errors import StreamerError

_BLOCK_S = 1.0  # of these arrivals, the earliest stands for all
_START_UP_S = 2.0  # until then arrivals come as they like
_LEAST_BLOCKS = 3


@dataclass(frozen=True, eq=False)
class Heard:
    """Audio whose samples have times on ``perf_counter``.

    Attributes
    ----------
    audio : ndarray of float32, shape (n,)
        Full scale is 1.
    rate_hz : int
        Nominal sampling rate.
    start_s : float
        Time of the first sample.
    period_s : float
        From one sample to the next.
    unsteady_ms : float
        How far the earliest arrivals of each second are off that line at the most.
    """

    audio: NDArray[np.float32]
    rate_hz: int
    start_s: float
    period_s: float
    unsteady_ms: float = 0.0

    @classmethod
    def from_arrivals(
        cls, audio: NDArray[np.float32], rate_hz: int, arrivals: Sequence[tuple[int, float]]
    ) -> Self:
        """Time a recording by the lower envelope of its arrivals.

        A sample cannot arrive before it was played, but it can arrive late: the earliest
        arrival of each second lies on a line. The start-up is left out.

        Parameters
        ----------
        audio : ndarray of float32, shape (n,)
            All that arrived.
        rate_hz : int
            Nominal sampling rate.
        arrivals : sequence of (int, float)
            Samples so far, and when, on ``perf_counter``.

        Returns
        -------
        Heard
            On this host's clock.

        Raises
        ------
        StreamerError
            It lasts less than a few seconds.
        """
        totals = np.array([total for total, _ in arrivals], dtype=np.float64)
        times_s = np.array([time_s for _, time_s in arrivals])
        waits_s = times_s - totals / rate_hz
        block = (totals / rate_hz // _BLOCK_S).astype(int)
        earliest = [
            np.flatnonzero(block == k)[np.argmin(waits_s[block == k])]
            for k in np.unique(block)
            if k * _BLOCK_S >= _START_UP_S
        ][:-1]  # the last second is not whole
        if len(earliest) < _LEAST_BLOCKS:
            raise StreamerError(
                "recording of the virtual card",
                value=f"{len(audio) / rate_hz:.1f} s",
                allowed=f"{_START_UP_S + (_LEAST_BLOCKS + 1) * _BLOCK_S:g} s or more",
            )
        slope, wait_s = np.polyfit(totals[earliest], waits_s[earliest], 1)
        off_s = waits_s[earliest] - (wait_s + slope * totals[earliest])
        period_s = 1 / rate_hz + float(slope)
        start_s = float(wait_s) + period_s  # the first sample ends a period after nothing
        return cls(audio, rate_hz, start_s, period_s, 1000 * float(np.abs(off_s).max()))

    def time_s(self, index: float) -> float:
        """Return when a sample was heard."""
        return self.start_s + index * self.period_s

    def index(self, time_s: float) -> float:
        """Return which sample was heard at a time, with its fraction."""
        return (time_s - self.start_s) / self.period_s

    def between(self, begin_s: float, end_s: float) -> tuple[NDArray[np.float32], float]:
        """Cut a stretch out.

        Parameters
        ----------
        begin_s, end_s : float
            On ``perf_counter``.

        Returns
        -------
        ndarray of float32, shape (n,)
            Silence where nothing was recorded.
        float
            Time of its first sample: `begin_s` or up to a sample earlier.
        """
        first = int(np.floor(self.index(begin_s)))
        length = max(0, round((end_s - begin_s) / self.period_s))
        cut = np.zeros(length, dtype=np.float32)
        low, high = max(0, first), min(len(self.audio), first + length)
        if low < high:
            cut[low - first : high - first] = self.audio[low:high]
        return cut, self.time_s(first)
