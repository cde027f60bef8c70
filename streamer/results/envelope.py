"""The course of the EMG, small enough to keep for hours and to draw."""

import numpy as np
from numpy.typing import NDArray

from models.signal.operator import Array

_MOST_BINS = 1 << 16  # finer than any picture


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
        self._low: NDArray[np.float32] = np.full((0, channels), np.nan, dtype=np.float32)
        self._high: NDArray[np.float32] = self._low

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
        times_s = start_s + np.arange(len(samples)) / self._rate_hz
        while times_s[-1] / self.bin_s >= _MOST_BINS:
            self._coarsen()
        bins = (times_s / self.bin_s + 1e-9).astype(np.int64)
        self._grow(int(bins[-1]) + 1)
        edges = np.flatnonzero(np.diff(bins, prepend=-1))
        touched = bins[edges]
        low, high = np.minimum.reduceat(samples, edges), np.maximum.reduceat(samples, edges)
        self._low[touched] = np.fmin(self._low[touched], low)
        self._high[touched] = np.fmax(self._high[touched], high)

    def extremes(self) -> tuple[Array, NDArray[np.float32], NDArray[np.float32]]:
        """Return what is known so far.

        Returns
        -------
        times_s : ndarray, shape (bins,)
            Start of each bin on the session's timeline, as ``Estimate.time_s``.
        low_uv, high_uv : ndarray, shape (bins, channels)
            Extremes of the DC-free EMG; NaN where it was lost.
        """
        times_s = np.arange(len(self._low), dtype=np.float64) * self.bin_s
        return times_s, self._low.copy(), self._high.copy()

    def _grow(self, bins: int) -> None:
        missing = bins - len(self._low)
        if missing > 0:
            more = np.full((missing, self._low.shape[1]), np.nan, dtype=np.float32)
            self._low = np.concatenate((self._low, more))
            self._high = np.concatenate((self._high, more))

    def _coarsen(self) -> None:
        self._grow(len(self._low) + len(self._low) % 2)
        self._low = np.fmin(self._low[::2], self._low[1::2])
        self._high = np.fmax(self._high[::2], self._high[1::2])
        self.bin_s *= 2
