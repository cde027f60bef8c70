"""Training of the random forest that Diener et al. (2020) tell speakers by."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import Pipeline, make_pipeline

from models.signal.operator import Array
from models.training.classifiers import folds_of
from models.training.threads import THREADS

TREES = 290
DEPTH = 120
CALIBRATION = "none: the mean of the trees' leaves, and of one more tree that knows nothing"


@dataclass(frozen=True, eq=False)
class Forest:
    """A forest and one more tree that knows nothing.

    Probabilities of 0 would let one window rule out a speaker for a whole utterance, and in
    logarithms they turn the last bits of single precision into other answers.

    Attributes
    ----------
    pipeline : Pipeline
        The forest alone: trees need no scaler.
    """

    pipeline: Pipeline

    @property
    def share(self) -> float:
        """Weight of the trees that know something."""
        return TREES / (TREES + 1)

    @property
    def rest(self) -> float:
        """What the other one gives to each class."""
        return (1 - self.share) / len(self.pipeline.classes_)

    def predict_proba(self, vectors: Array) -> Array:
        """Return the probabilities of the classes, shape (n, classes)."""
        probabilities: Array = self.share * self.pipeline.predict_proba(vectors) + self.rest
        return probabilities


def forest(seed: int) -> RandomForestClassifier:
    """Return the paper's forest; all classes count equally.

    Parameters
    ----------
    seed : int
        Of the examples and features that each tree sees.

    Returns
    -------
    RandomForestClassifier
        Not fitted; what it becomes does not depend on the number of threads.
    """
    return RandomForestClassifier(
        TREES, max_depth=DEPTH, class_weight="balanced", random_state=seed, n_jobs=THREADS
    )


def fit_forest(vectors: Array, labels: NDArray[np.int64], seed: int) -> Forest:
    """Fit the forest.

    Parameters
    ----------
    vectors : ndarray, shape (n, features)
        Windows.
    labels : ndarray of int, shape (n,)
        Classes, from 0.
    seed : int
        As for `forest`.

    Returns
    -------
    Forest
        Fitted.
    """
    return Forest(make_pipeline(forest(seed)).fit(vectors, labels))


def forest_cross_validated(
    vectors: Array, labels: NDArray[np.int64], utterances: NDArray[np.int64], seed: int
) -> NDArray[np.int64]:
    """Return what forests say of utterances that they have not seen.

    Parameters
    ----------
    vectors, labels : ndarray
        As for `fit_forest`.
    utterances : ndarray of int, shape (n,)
        The utterance of each row.
    seed : int
        As for `forest`.

    Returns
    -------
    ndarray of int, shape (n,)
        A class for each row.
    """
    unseen: NDArray[np.int64] = cross_val_predict(
        forest(seed), vectors, labels, cv=folds_of(labels, utterances)
    )
    return unseen
