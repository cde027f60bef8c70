"""A classifier for a session whose modes nobody has told it."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from models.signal.operator import Array

SHRINKAGE: Final = 0.8
"""Of the covariance, towards a multiple of the identity."""

TEMPERATURE: Final = 2.0
"""Of the probabilities that adaptation weights by: features depend on each other, and count as if
they did not."""

ROUNDS: Final = 50
_SETTLED: Final = 1e-3


def scaled(vectors: Array, reference: Array) -> Array:
    """Count features from the mean of a reference, in its standard deviations.

    Parameters
    ----------
    vectors : ndarray, shape (n, features)
        Utterances of a session.
    reference : ndarray, shape (m, features)
        Those of it that are known.

    Returns
    -------
    ndarray, shape (n, features)
        What does not vary in the reference is only centred.
    """
    spread = reference.std(axis=0)
    counted: Array = (vectors - reference.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    return counted


def tell(
    vectors: Array,
    labels: NDArray[np.int64],
    others: Array,
    rounds: int = ROUNDS,
    shrinkage: float = SHRINKAGE,
    later: Array | None = None,
) -> Array:
    """Tell the classes of a session by a discriminant of others, adapted to what it hears.

    The discriminant of the known sessions is the start of an expectation-maximisation
    (Dempster, Laird and Rubin, 1977) of normal distributions with equal priors: each round
    takes the class means of the new session from its own utterances, each weighted by the
    probabilities of the round before, and the common covariance from both. Labels of the new
    session are never seen. It makes a good start better and a bad one worse: what it finds are
    the groups that the session falls into, and the start alone names them.

    Parameters
    ----------
    vectors : ndarray, shape (n, features)
        Utterances of the known sessions, each scaled by its own session.
    labels : ndarray of int, shape (n,)
        Their classes, from 0; all occur.
    others : ndarray, shape (m, features)
        All utterances of the new session, scaled in the same way.
    rounds : int
        At most; 0 is the discriminant of the known sessions.
    shrinkage : float
        0 believes the covariance, 1 only its trace.
    later : ndarray, shape (k, features), optional
        Utterances to tell that are not adapted to; by default the others themselves are told.

    Returns
    -------
    ndarray, shape (m or k, classes)
        Probabilities. No more than relative: they are not calibrated.
    """
    classes = int(labels.max()) + 1
    means = np.stack([vectors[labels == one].mean(axis=0) for one in range(classes)])
    residual = vectors - means[labels]
    known = residual.T @ residual
    covariance = known / len(vectors)
    probabilities = _posterior(others, means, covariance, shrinkage)
    for _ in range(rounds):
        weights = probabilities.sum(axis=0)
        means = probabilities.T @ others / np.maximum(weights, 1e-9)[:, np.newaxis]
        spread = others.T @ others - means.T @ (weights[:, np.newaxis] * means)
        covariance = (known + spread) / (len(vectors) + len(others))
        before, probabilities = (
            probabilities,
            _posterior(others, means, covariance, shrinkage),
        )
        if np.abs(probabilities - before).max() < _SETTLED:
            break
    return probabilities if later is None else _posterior(later, means, covariance, shrinkage)


def _posterior(vectors: Array, means: Array, covariance: Array, shrinkage: float) -> Array:
    columns = len(covariance)
    level = np.trace(covariance) / columns
    shrunk = (1 - shrinkage) * covariance + shrinkage * level * np.eye(columns)
    weights = np.linalg.solve(shrunk, means.T)
    bias = 0.5 * np.einsum("cf,fc->c", means, weights)
    probabilities: Array = softmax((vectors @ weights - bias) / TEMPERATURE, axis=1)
    return probabilities
