"""Mel-cepstral distortion, with and without time alignment.

Needs nothing of the training side: a session reports it while it runs.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.distance import cdist

from drivers.errors import SignalMismatchError

Array = NDArray[np.float64]

_DB = 10.0 / np.log(10.0) * np.sqrt(2.0)
_SPARE_FRAMES = 5  # EMG framing gives 1-2 frames fewer than the audio's


def frame_distortion(a: ArrayLike, b: ArrayLike) -> Array:
    """Compare two series of mel-cepstra frame by frame.

    10 / ln 10 * sqrt(2 * sum over m >= 1 of (a_m - b_m)^2): Kubichek (1993), "Mel-cepstral
    distance measure for objective speech quality assessment", with c0, the level, left out.

    Parameters
    ----------
    a, b : array_like, shape (n, order + 1)
        Mel-cepstra; the longer one is cut to the shorter.

    Returns
    -------
    ndarray, shape (n,)
        Distortion in dB.

    Raises
    ------
    SignalMismatchError
        If the orders differ, if there is no frame, or if the lengths differ by more than
        what framing explains.
    """
    x, y = _checked(a, b)
    if abs(len(x) - len(y)) > _SPARE_FRAMES:
        raise SignalMismatchError(
            "mel-cepstra to compare frame by frame",
            value=f"{len(x)} and {len(y)} frames",
            allowed=f"a difference of {_SPARE_FRAMES}",
            way_out="use dtw_distortion for speech that is not parallel",
        )
    n = min(len(x), len(y))
    result: Array = _DB * np.sqrt(((x[:n] - y[:n]) ** 2).sum(axis=1))
    return result


def mel_cepstral_distortion(a: ArrayLike, b: ArrayLike) -> float:
    """Compare two parallel utterances: the mean of `frame_distortion` over all frames.

    Parameters
    ----------
    a, b : array_like, shape (n, order + 1)
        Mel-cepstra, silence included.

    Returns
    -------
    float
        MCD in dB.
    """
    return float(frame_distortion(a, b).mean())


def dtw_path(a: ArrayLike, b: ArrayLike) -> NDArray[np.intp]:
    """Align two utterances in time so that the sum of the frames' distortions is least.

    Unconstrained dynamic time warping with the steps (1, 1), (1, 0) and (0, 1) of equal
    weight; of equally good steps (1, 1) is taken, then (1, 0).

    Parameters
    ----------
    a, b : array_like, shapes (n, order + 1) and (m, order + 1)
        Mel-cepstra.

    Returns
    -------
    ndarray of int, shape (length, 2)
        Frames of `a` and `b` that belong together, from (0, 0) to (n - 1, m - 1).

    Raises
    ------
    SignalMismatchError
        If the orders differ, or if there is no frame.
    """
    x, y = _checked(a, b)
    return _path(_DB * cdist(x, y))


def dtw_distortion(a: ArrayLike, b: ArrayLike) -> float:
    """Compare two utterances of different timing: mean distortion over `dtw_path`.

    Parameters
    ----------
    a, b : array_like, shapes (n, order + 1) and (m, order + 1)
        Mel-cepstra.

    Returns
    -------
    float
        DTW-MCD in dB.
    """
    x, y = _checked(a, b)
    distances = _DB * cdist(x, y)
    path = _path(distances)
    return float(distances[path[:, 0], path[:, 1]].mean())


def _checked(a: ArrayLike, b: ArrayLike) -> tuple[Array, Array]:
    """Return both without c0."""
    x, y = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    fits = x.ndim == y.ndim == 2 and x.shape[1] == y.shape[1] > 1 and 0 not in (len(x), len(y))
    if not fits:
        raise SignalMismatchError(
            "mel-cepstra to compare",
            value=f"shapes {x.shape} and {y.shape}",
            allowed="(frames, order + 1) with one order and at least one frame",
        )
    return x[:, 1:], y[:, 1:]


def _path(distances: Array) -> NDArray[np.intp]:
    """Find the cheapest way through a matrix, one anti-diagonal at a time."""
    n, m = distances.shape
    best = np.full((n + 1, m + 1), np.inf)
    best[0, 0] = 0.0
    for diagonal in range(n + m - 1):
        i = np.arange(max(0, diagonal - m + 1), min(n, diagonal + 1))
        j = diagonal - i
        before = np.minimum(np.minimum(best[i, j], best[i, j + 1]), best[i + 1, j])
        best[i + 1, j + 1] = distances[i, j] + before
    i, j = n, m
    path = [(n - 1, m - 1)]
    while (i, j) != (1, 1):
        steps = ((i - 1, j - 1), (i - 1, j), (i, j - 1))
        i, j = min(steps, key=lambda step: best[step])
        path.append((i - 1, j - 1))
    return np.array(path[::-1], dtype=np.intp)
