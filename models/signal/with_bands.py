"""TD features with the spectrum of the same frames beside them."""

import numpy as np

from drivers.errors import SignalMismatchError
from models.signal.log_bands import LogBands, LogBandSettings
from models.signal.operator import Array


class WithBands:
    """Puts log energies in bands behind the columns of TD features, frame by frame.

    Band k of a frame is known before its TD features, which wait for their smoothing: the
    bands wait for them here, and cost no delay.

    Parameters
    ----------
    settings : LogBandSettings
        Bands, on the grid of the TD features; None passes the features on as they are.
    rate_hz : float
        Sampling rate.
    channels : int
        Columns of the signal.
    """

    def __init__(self, settings: LogBandSettings | None, rate_hz: float, channels: int) -> None:
        self._bands = None if settings is None else LogBands(settings, rate_hz, channels)
        self._waiting = np.empty((0, self.more_columns))

    @property
    def more_columns(self) -> int:
        """Columns beside those of the TD features."""
        return 0 if self._bands is None else self._bands.columns

    def process(self, samples: Array, frames: Array) -> Array:
        """Take the next samples, and the TD frames that they complete.

        Parameters
        ----------
        samples : ndarray, shape (n, channels)
            DC-free EMG in microvolts; not modified.
        frames : ndarray, shape (m, columns)
            TD features.

        Returns
        -------
        ndarray, shape (m, columns + more_columns)
            The same frames.

        Raises
        ------
        SignalMismatchError
            The frames are none of these samples.
        """
        if self._bands is None:
            return frames
        waiting = self._bands.process(samples)
        if len(self._waiting):
            waiting = np.concatenate((self._waiting, waiting))
        if len(frames) > len(waiting):
            raise SignalMismatchError(
                "frames to join with bands",
                value=len(frames),
                allowed=f"{len(waiting)} or fewer, as the samples hold",
            )
        self._waiting = waiting[len(frames) :]
        return np.concatenate((frames, waiting[: len(frames)]), axis=1)

    def flush(self, frames: Array) -> Array:
        """Take the TD frames that an ending signal still owed; then reset.

        Parameters
        ----------
        frames : ndarray, shape (m, columns)
            TD features.

        Returns
        -------
        ndarray, shape (m, columns + more_columns)
            The same frames.
        """
        samples = np.empty((0, 0 if self._bands is None else self._bands.channels))
        joined = self.process(samples, frames)
        self.reset()
        return joined

    def reset(self) -> None:
        """Forget the past: the next sample is the first of an epoch."""
        self._waiting = np.empty((0, self.more_columns))
        if self._bands is not None:
            self._bands.reset()
