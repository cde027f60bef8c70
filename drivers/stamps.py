"""Time stamps that are none."""

import numpy as np
from numpy.typing import NDArray

LATEST_S = 1e10
"""In 300 years, where stamps count from 1970."""


def are_times(times_s: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Say of each stamp whether it can be a time at all.

    Parameters
    ----------
    times_s : ndarray of float64
        Stamps, of any clock.

    Returns
    -------
    ndarray of bool
        False where a stamp is not finite, or beyond `LATEST_S`.
    """
    within: NDArray[np.bool_] = np.abs(times_s) < LATEST_S
    return within


def repaired(times_s: NDArray[np.float64], rate_hz: float) -> tuple[NDArray[np.float64], int]:
    """Replace stamps that are no times by what their neighbours tell.

    Parameters
    ----------
    times_s : ndarray of float64, shape (n,)
        Of a regular stream.
    rate_hz : float
        Its nominal rate.

    Returns
    -------
    times_s : ndarray of float64, shape (n,)
        All finite; empty where no stamp is a time.
    replaced : int
        How many were none.
    """
    good = are_times(times_s)
    replaced = int(len(times_s) - np.count_nonzero(good))
    if not replaced:
        return times_s, 0
    rows = np.flatnonzero(good)
    if not len(rows):
        return times_s[:0], replaced
    every = np.arange(len(times_s))
    last = rows[np.maximum(np.searchsorted(rows, every, side="right") - 1, 0)]
    return times_s[last] + (every - last) / rate_hz, replaced
