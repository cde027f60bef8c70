"""Whether probabilities mean what they say."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from drivers.errors import SignalMismatchError

Array = NDArray[np.float64]

BINS = 10


@dataclass(frozen=True, eq=False)
class Reliability:
    """How often the most probable class was right, by how probable it was said to be.

    Attributes
    ----------
    edges : ndarray, shape (bins + 1,)
        Of equally wide bins of the most probable class's probability, 0 to 1; a bin holds
        its upper edge.
    count : ndarray of int, shape (bins,)
        Decisions in each.
    confidence, accuracy : ndarray, shape (bins,)
        Mean probability, and part that was right; nan in an empty bin.
    """

    edges: Array
    count: NDArray[np.int64]
    confidence: Array
    accuracy: Array


def reliability(probabilities: ArrayLike, truth: ArrayLike, bins: int = BINS) -> Reliability:
    """Sort decisions by their confidence.

    Parameters
    ----------
    probabilities : array_like, shape (n, classes)
        Each row adds up to 1.
    truth : array_like of int, shape (n,)
        Column of the true class; -1 where it is none of them, so that no answer is right.
    bins : int
        Number of bins.

    Returns
    -------
    Reliability
        The curve.

    Raises
    ------
    SignalMismatchError
        When the shapes do not fit, or there is no row.
    """
    said = np.asarray(probabilities, dtype=np.float64)
    true = np.asarray(truth)
    if said.ndim != 2 or true.shape != said.shape[:1] or not len(said):
        raise SignalMismatchError(
            "probabilities and truths to compare",
            value=f"shapes {said.shape} and {true.shape}",
            allowed="(n, classes) and (n,) with n >= 1",
        )
    top = said.max(axis=1)
    right = said.argmax(axis=1) == true
    edges = np.linspace(0.0, 1.0, bins + 1)
    where = np.clip(np.searchsorted(edges, top, side="left") - 1, 0, bins - 1)
    count = np.bincount(where, minlength=bins)
    with np.errstate(invalid="ignore"):
        confidence = np.bincount(where, top, bins) / count
        accuracy = np.bincount(where, right, bins) / count
    return Reliability(edges, count, confidence, accuracy)


def expected_calibration_error(
    probabilities: ArrayLike, truth: ArrayLike, bins: int = BINS
) -> float:
    """Return the mean gap between confidence and accuracy, weighted by the decisions in a bin.

    Naeini, Cooper and Hauskrecht (2015), "Obtaining well calibrated probabilities using
    Bayesian binning", for the most probable class as in Guo et al. (2017), "On calibration of
    modern neural networks".

    Parameters
    ----------
    probabilities, truth, bins
        As for `reliability`.

    Returns
    -------
    float
        ECE, 0 to 1.
    """
    curve = reliability(probabilities, truth, bins)
    gap = np.abs(curve.confidence - curve.accuracy)
    return float(np.nansum(gap * curve.count) / curve.count.sum())
