"""Time stamps of a recorded stream that are late."""

import numpy as np
from numpy.typing import NDArray

_LATE_S = 0.5
_MADE_UP = 1e-3  # of a sample, as is:
_REGULAR = 0.02


def as_sent(times_s: NDArray[np.float64], nominal_hz: float, rate_hz: float) -> NDArray[np.float64]:
    """Stamp samples that were pushed together by the rate at which they came.

    A push has one stamp, that of its first or its last sample. Those of the others are made up
    by the nominal rate: with another rate, the whole push would seem to come at once.

    Parameters
    ----------
    times_s : ndarray of float64, shape (n,)
        Finite stamps of a stream.
    nominal_hz, rate_hz : float
        What it says, and at which rate its samples came.

    Returns
    -------
    ndarray of float64, shape (n,)
        The same where each sample has a stamp of its own.
    """
    if not len(times_s):
        return times_s
    rows = np.arange(len(times_s))
    starts = np.append(True, np.abs(np.diff(times_s) * nominal_hz - 1) >= _MADE_UP)
    push = np.cumsum(starts) - 1
    first = np.flatnonzero(starts)
    last = np.append(first[1:], len(times_s)) - 1
    # that is the right one whose stamps jitter less
    jitter = [np.median(np.abs(np.diff(times_s[own] - own / rate_hz))) for own in (first, last)]
    own = last if len(first) > 1 and jitter[1] < jitter[0] / 2 else first
    stamped: NDArray[np.int64] = own[push]
    return np.asarray(times_s[stamped] + (rows - stamped) / rate_hz, np.float64)


def push_rows(times_s: NDArray[np.float64], rate_hz: float) -> NDArray[np.int64]:
    """Return the first row of each push, the first one of all apart."""
    return np.flatnonzero(np.abs(np.diff(times_s) * rate_hz - 1) > _REGULAR) + 1


def on_time(
    times_s: NDArray[np.float64], rate_hz: float, reach_s: float = _LATE_S
) -> NDArray[np.float64]:
    """Take back the lateness of stamps that those behind them give away.

    A chunk that was stamped late looks like a loss, until the next one is on time again.

    Parameters
    ----------
    times_s : ndarray of float64, shape (n,)
        Finite stamps of a stream.
    rate_hz : float
        At which its samples came.
    reach_s : float
        How much later a stamp may come that tells.

    Returns
    -------
    ndarray of float64, shape (n,)
        No stamp is later than one within reach allows.
    """
    line_s = np.arange(len(times_s)) / rate_hz
    earliest_s = times_s - line_s
    left, reach = round(reach_s * rate_hz), 1
    while left > 0:  # the least of the next 1, 2, 4 ... and so of all within reach
        step = min(reach, left)
        if step < len(earliest_s):
            earliest_s[:-step] = np.minimum(earliest_s[:-step], earliest_s[step:])
        left -= step
        reach += step
    on_time_s = earliest_s + line_s
    # what is later still is no lateness: the clock was set
    return np.where(times_s - on_time_s > _LATE_S, times_s, on_time_s)
