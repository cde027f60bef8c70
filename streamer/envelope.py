"""The course of the EMG, small enough to keep for hours and to draw."""

import numpy as np
from numpy.typing import NDArray


class Envelope:
    """Lowest and highest value of each channel in successive bins.

    Parameters
    ----------
    rate_hz : float
        Sampling rate of the EMG.
    channels : int
        Columns.
    bin_s : float
        Length of a bin.
    """

    def __init__(self, rate_hz: float, channels: int, bin_s: float = 0.02) -> None: ...

    def extremes(self) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        """Return what is known so far.

        Returns
        -------
        times_s : ndarray, shape (bins,)
            Start of each bin on the session's EMG time, as ``Estimate.time_s``.
        low_uv, high_uv : ndarray, shape (bins, channels)
            Extremes of the DC-free EMG; NaN where samples were lost.
        """
        raise NotImplementedError
