"""Samples that an amplifier at its limit, or a dead channel, repeats."""

import numpy as np

from models.signal.operator import Array

_RUN = 5  # EMG and its amplifier's noise never repeat a value so often


class Saturation:
    """Count samples in runs of equal values, channel by channel.

    Full scale differs from device to device and is rarely known. An amplifier that has
    reached it repeats one value, and so does a channel without an electrode.

    Parameters
    ----------
    channels : int
        Columns of the signal.

    Attributes
    ----------
    samples : int
        Values in runs of five equal ones or more, of all channels.
    """

    def __init__(self, channels: int) -> None:
        self.samples = 0
        self._last = np.full(channels, np.nan)
        self._run = np.zeros(channels, dtype=np.int64)

    def process(self, rows: Array) -> None:
        """Take the next samples.

        Parameters
        ----------
        rows : ndarray, shape (n, channels)
            Raw EMG.
        """
        if not len(rows):
            return
        equal = rows == np.concatenate((self._last[np.newaxis], rows[:-1]))
        self._last = rows[-1].copy()
        if not equal.any():
            self._run[:] = 1
            return
        # Length of the run that each sample belongs to, so far.
        number = np.arange(len(rows))[:, np.newaxis]
        started = np.where(equal, -self._run, number)
        run = number - np.maximum.accumulate(started, axis=0) + 1
        self._run = run[-1]
        self.samples += int((run > _RUN).sum() + _RUN * (run == _RUN).sum())

    def reset(self) -> None:
        """Forget the past: the next sample follows no other."""
        self._last[:] = np.nan
        self._run[:] = 0
