"""The course of the EMG, small enough to keep for hours and to draw."""

import numpy as np
from numpy.typing import NDArray

from models.compiled import compiled
from models.signal.operator import Array

_MOST_BINS = 1 << 16  # finer than any picture
_FIRST_BINS = 1 << 10


class Envelope:
    """Lowest and highest value of each channel in successive bins.

    Memory is bounded: when there are too many bins, each two become one.

    Parameters
    ----------
    rate_hz : float
        Sampling rate of the EMG.
    channels : int
        Columns.
    bin_s : float
        Length of a bin at first.
    """

    def __init__(self, rate_hz: float, channels: int, bin_s: float = 0.02) -> None:
        self.bin_s = bin_s
        self._rate_hz = rate_hz
        self._bins = 0  # that are in use; there is room for more
        self._low: NDArray[np.float32] = np.full((_FIRST_BINS, channels), np.nan, dtype=np.float32)
        self._high: NDArray[np.float32] = self._low.copy()

    def add(self, start_s: float, samples: Array) -> None:
        """Take samples that follow each other.

        Parameters
        ----------
        start_s : float
            EMG time of the first on the session's timeline.
        samples : ndarray, shape (n, channels)
            DC-free EMG.
        """
        if not len(samples):
            return
        last_s = start_s + (len(samples) - 1) / self._rate_hz
        while last_s / self.bin_s >= _MOST_BINS:
            self._coarsen()
        self._grow(_bin(last_s, self.bin_s) + 1)
        rows = np.ascontiguousarray(samples, dtype=np.float64)
        _widen(self._low, self._high, rows, start_s, self._rate_hz, self.bin_s)

    def extremes(self) -> tuple[Array, NDArray[np.float32], NDArray[np.float32]]:
        """Return what is known so far.

        Returns
        -------
        times_s : ndarray, shape (bins,)
            Start of each bin on the session's timeline, as ``Estimate.time_s``.
        low_uv, high_uv : ndarray, shape (bins, channels)
            Extremes of the DC-free EMG; NaN where it was lost.
        """
        times_s = np.arange(self._bins, dtype=np.float64) * self.bin_s
        return times_s, self._low[: self._bins].copy(), self._high[: self._bins].copy()

    def _grow(self, bins: int) -> None:
        self._bins = max(self._bins, bins)
        while self._bins > len(self._low):
            more = np.full_like(self._low, np.nan)
            self._low = np.concatenate((self._low, more))
            self._high = np.concatenate((self._high, more))

    def _coarsen(self) -> None:
        """Make one bin of each two, in place: the rows behind them are free again."""
        half = len(self._low) // 2
        for rows, extreme in ((self._low, np.fmin), (self._high, np.fmax)):
            rows[:half] = extreme(rows[::2], rows[1::2])
            rows[half:] = np.nan
        self._bins = (self._bins + 1) // 2
        self.bin_s *= 2


@compiled
def _bin(time_s: float, bin_s: float) -> int:
    return int(time_s / bin_s + 1e-9)


@compiled
def _widen(
    low: NDArray[np.float32],
    high: NDArray[np.float32],
    samples: Array,
    start_s: float,
    rate_hz: float,
    bin_s: float,
) -> None:
    """Let the bins hold samples too, the first of them at `start_s`."""
    for n in range(len(samples)):
        place = _bin(start_s + n / rate_hz, bin_s)
        for channel in range(samples.shape[1]):
            low[place, channel] = np.fmin(low[place, channel], samples[n, channel])
            high[place, channel] = np.fmax(high[place, channel], samples[n, channel])
