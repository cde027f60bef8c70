"""How far predicted speech trails the speech that it predicts."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

LONGEST = 20
"""Frames either way."""


def prediction_lag(made: Sequence[Array], natural: Sequence[Array]) -> float:
    """Find the shift at which prediction and target are most alike.

    A network that is unsure answers late and smooths: its lead is shorter than the one it was
    trained for by this lag.

    Parameters
    ----------
    made : sequence of ndarray, shape (n, order + 1)
        Mel-cepstra of utterances as predicted.
    natural : sequence of ndarray, shape (n, order + 1)
        Their targets.

    Returns
    -------
    float
        Frames, between two of them too, at the peak of the cross-correlation of the
        coefficients above the zeroth over all utterances; positive where the prediction is late.
    """
    lags = np.arange(-LONGEST, LONGEST + 1)
    sums = np.zeros((3, len(lags)))
    for ours, theirs in zip(made, natural, strict=True):
        x, y = (one[:, 1:] - one[:, 1:].mean(axis=0) for one in (ours, theirs))
        for k, lag in enumerate(lags):
            late, early = x[max(0, lag) :], y[max(0, -lag) :]
            count = min(len(late), len(early))
            a, b = late[:count], early[:count]
            sums[:, k] += (a * b).sum(), (a * a).sum(), (b * b).sum()
    likeness = sums[0] / np.sqrt(np.maximum(sums[1] * sums[2], 1e-30))
    return float(lags[0] + peak(likeness))


def peak(values: Array) -> float:
    """Return where values are highest, on the parabola through the highest and its neighbours.

    Parameters
    ----------
    values : ndarray, shape (n,)
        A curve.

    Returns
    -------
    float
        An index; whole at the edges, where there is no parabola.
    """
    return parabola(values)[0]


def parabola(values: Array) -> tuple[float, float]:
    """Return place and height of `peak`.

    Parameters
    ----------
    values : ndarray, shape (n,)
        A curve.

    Returns
    -------
    place, height : float
        Of the parabola's highest point, or of the curve's where it lies at an edge.
    """
    k = int(np.argmax(values))
    if not 0 < k < len(values) - 1:
        return float(k), float(values[k])
    before, at, after = values[k - 1 : k + 2]
    bend = before - 2 * at + after
    shift = 0.0 if bend == 0 else 0.5 * (before - after) / bend
    return float(k + shift), float(at - 0.25 * (before - after) * shift)
