"""An estimate of intelligibility that needs no listener and no trained model."""

import warnings

import numpy as np
from numpy.typing import ArrayLike
from pystoi import stoi

_LEAST_S = 0.4


def extended_stoi(made: ArrayLike, natural: ArrayLike, rate_hz: int) -> float | None:
    """Return the extended short-time objective intelligibility of speech against its original.

    Jensen and Taal (2016), "An algorithm for predicting the intelligibility of speech masked by
    modulated noise maskers", IEEE/ACM TASLP 24(11), as pystoi implements it: frames 40 dB below
    the loudest one of the original are left out.

    Parameters
    ----------
    made, natural : array_like, shape (n,)
        Time-aligned; the longer one is cut.
    rate_hz : int
        Sampling rate.

    Returns
    -------
    float or None
        About 0 (nothing in common) to 1 (the same); None where less than 0.4 s of the original
        is loud enough.
    """
    x, y = np.asarray(natural, dtype=np.float64), np.asarray(made, dtype=np.float64)
    n = min(len(x), len(y))
    if n < _LEAST_S * rate_hz or not x[:n].any():
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", RuntimeWarning)  # pystoi's word for too little speech
            # Its last bits depend on where in memory a signal lies.
            return round(float(stoi(x[:n], y[:n], rate_hz, extended=True)), 6)
    except RuntimeWarning:
        return None
