"""Time stamps of a recorded stream that are late."""

import numpy as np
from numpy.typing import NDArray

_LATE_S = 0.5


def on_time(times_s: NDArray[np.float64], rate_hz: float) -> NDArray[np.float64]:
    """Take back the lateness of stamps that those behind them give away.

    A chunk that was stamped late looks like a loss, until the next one is on time again.

    Parameters
    ----------
    times_s : ndarray of float64, shape (n,)
        Finite stamps of a stream.
    rate_hz : float
        At which its samples came.

    Returns
    -------
    ndarray of float64, shape (n,)
        No stamp is later than one of the next half second allows.
    """
    line_s = np.arange(len(times_s)) / rate_hz
    earliest_s = times_s - line_s
    left, reach = round(_LATE_S * rate_hz), 1
    while left > 0:  # the least of the next 1, 2, 4 ... and so of all within reach
        step = min(reach, left)
        if step < len(earliest_s):
            earliest_s[:-step] = np.minimum(earliest_s[:-step], earliest_s[step:])
        left -= step
        reach += step
    on_time_s = earliest_s + line_s
    # what is later still is no lateness: the clock was set
    return np.where(times_s - on_time_s > _LATE_S, times_s, on_time_s)
