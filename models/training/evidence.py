"""Training of a classifier whose evidence adds up while somebody speaks.

The score of a linear classifier on means over t seconds, times t, is the sum of what each frame
says: the cumulative log likelihood ratio of a sequential test (Wald, 1945, "Sequential tests of
statistical hypotheses"). One number per classifier says how much a second is worth.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.spatial.distance import cdist
from scipy.special import log_softmax, softmax
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from models.signal.operator import Array
from models.training.classifiers import folds_of

SHRINKAGE = 0.3
"""Of the covariance. Windows of one utterance are no independent examples, for which Ledoit
and Wolf take them; on training utterances of unseen sessions anything from 0.1 to 0.6 was as
good."""

BROADER = 2.0
"""Variance of somebody unknown around a known class, in variances of that class."""

_LOG_SCALES = (-4.0, 4.0)


@dataclass(frozen=True, eq=False)
class EvidenceClassifier:
    """A linear classifier of what was heard so far.

    Attributes
    ----------
    pipeline : Pipeline
        Scaler and linear discriminant.
    labels : tuple of str
        Classes, in the order of the probabilities.
    per_s : float
        What the score of a second is worth.
    """

    pipeline: Pipeline
    labels: tuple[str, ...]
    per_s: float

    def probabilities(self, profiles: Array, seconds: Array) -> Array:
        """Return the probabilities of the classes, all equally likely before.

        Parameters
        ----------
        profiles : ndarray, shape (n, columns)
            Features of the speech heard; rows may be nan.
        seconds : ndarray, shape (n,)
            How much it was.

        Returns
        -------
        ndarray, shape (n, classes)
            Rows of nan where the features are.
        """
        evidence = np.full((len(profiles), len(self.labels)), np.nan)
        there = ~np.isnan(profiles).any(axis=1)
        if there.any():
            scores = _scores(self.pipeline, profiles[there])
            evidence[there] = scores * (self.per_s * seconds[there])[:, np.newaxis]
        probabilities: Array = softmax(evidence, axis=1)
        return probabilities

    def familiarity(self, profiles: Array, label: str) -> Array:
        """Return how much more speech is like one class than like somebody unknown.

        Log likelihood ratio of two hypotheses, but for a constant: a normal distribution
        around the class, and one around the nearest other class that is `BROADER`, for an
        impostor is none of those that are known.

        Parameters
        ----------
        profiles : ndarray, shape (n, columns)
            Features of the speech heard.
        label : str
            The class.

        Returns
        -------
        ndarray, shape (n,)
            To compare with a threshold.
        """
        discriminant = self.pipeline[-1]
        square = (
            cdist(
                self.pipeline[:-1].transform(profiles),
                discriminant.means_,
                "mahalanobis",
                VI=np.linalg.inv(discriminant.covariance_),
            )
            ** 2
        )
        number = self.labels.index(label)
        nearest = np.delete(square, number, axis=1).min(axis=1)
        scores: Array = (nearest / BROADER - square[:, number]) / 2
        return scores


def fit_evidence(
    profiles: Array,
    seconds: Array,
    labels: NDArray[np.str_],
    utterances: NDArray[np.int64],
    *,
    calibrate: bool = True,
) -> EvidenceClassifier:
    """Fit a classifier, and what a second is worth on utterances that a fold had not seen.

    Parameters
    ----------
    profiles : ndarray, shape (n, columns)
        Windows of speech.
    seconds : ndarray, shape (n,)
        Their lengths.
    labels : ndarray of str, shape (n,)
        Their classes, two or more.
    utterances : ndarray of int, shape (n,)
        Their utterances; to calibrate, every class needs two.
    calibrate : bool
        Without it, or with a class of one utterance, a second is worth its score.

    Returns
    -------
    EvidenceClassifier
        With equal priors.
    """
    classes, numbers = np.unique(labels, return_inverse=True)
    numbers = numbers.astype(np.int64)
    per_s = 1.0
    rarest = min(len(np.unique(utterances[numbers == one])) for one in range(len(classes)))
    if calibrate and rarest > 1:
        scores = np.empty((len(labels), len(classes)))
        for learn, test in folds_of(numbers, utterances):
            scores[test] = _scores(_fitted(profiles[learn], numbers[learn]), profiles[test])
        per_s = _worth(scores * seconds[:, np.newaxis], numbers)
    return EvidenceClassifier(_fitted(profiles, numbers), tuple(str(one) for one in classes), per_s)


def _fitted(profiles: Array, numbers: NDArray[np.int64]) -> Pipeline:
    classes = len(np.unique(numbers))
    discriminant = LinearDiscriminantAnalysis(
        solver="lsqr", shrinkage=SHRINKAGE, priors=np.full(classes, 1 / classes)
    )
    return make_pipeline(StandardScaler(), discriminant).fit(profiles, numbers)


def _scores(pipeline: Pipeline, profiles: Array) -> Array:
    """Return one score a class, whose differences count."""
    scores: Array = pipeline.decision_function(profiles)
    return np.stack((np.zeros(len(scores)), scores), axis=1) if scores.ndim == 1 else scores


def _worth(evidence: Array, numbers: NDArray[np.int64]) -> float:
    """Return the factor under which evidence means what it says, all classes weighing equally."""
    weights = 1 / np.bincount(numbers)[numbers]
    rows = np.arange(len(numbers))

    def surprise(log_scale: float) -> float:
        said = log_softmax(np.exp(log_scale) * evidence, axis=1)[rows, numbers]
        return float(-np.average(said, weights=weights))

    return float(np.exp(minimize_scalar(surprise, bounds=_LOG_SCALES, method="bounded").x))
