"""Training of the classifiers: linear discriminants with calibrated probabilities.

Speaker and mode are told from windows of EMG (Diener et al., 2020, sections 4 and 6), speech
from rest frame by frame.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import softmax
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.preprocessing import StandardScaler

from drivers.errors import RecordingError
from models.classifier import utterance_windows, window_vector
from models.embedding import Encoder
from models.manifest import FeatureSet
from models.signal.operator import Array
from models.signal.td_features import TDSettings
from models.training.examples import Emg

Labels = NDArray[np.int64]

FOLDS = 5
CALIBRATION = "temperature and a bias a class, on utterances that the fold had not seen"

_GROUP = 3  # utterances: one to test on, and two to show a spread
_LOG_SLOPES = (-10.0, 10.0)  # of scores as large as their spread
_OFFSETS = (-10.0, 10.0)


@dataclass(frozen=True, eq=False)
class Discriminant:
    """A linear discriminant of groups, of which one or several make a class.

    With the scores ``z = ((x - mean) / scale) weights + bias`` of the groups, the classes'
    probabilities are ``softmax(slope z + offsets) members``.

    Attributes
    ----------
    mean, scale : ndarray, shape (features,)
        Of the training data.
    weights : ndarray, shape (features, groups)
        Of the scaled features.
    bias : ndarray, shape (groups,)
        Of the scores.
    members : ndarray, shape (groups, classes)
        How probable a group makes each class; each row adds up to 1.
    slope : float
        Inverse temperature of the scores: 1 believes them.
    offsets : ndarray, shape (groups,)
        Added to the scores.
    """

    mean: Array
    scale: Array
    weights: Array
    bias: Array
    members: Array
    slope: float
    offsets: Array

    def scores(self, vectors: Array) -> Array:
        """Return the groups' scores before calibration.

        Parameters
        ----------
        vectors : ndarray, shape (n, features)
            Windows or frames.

        Returns
        -------
        ndarray, shape (n, groups)
            Log likelihoods of the groups, but for what all have in common.
        """
        scores: Array = (vectors - self.mean) / self.scale @ self.weights + self.bias
        return scores

    def predict_proba(self, vectors: Array) -> Array:
        """Return the classes' probabilities, all equally likely before.

        Parameters
        ----------
        vectors : ndarray, shape (n, features)
            Windows or frames.

        Returns
        -------
        ndarray, shape (n, classes)
            Each row adds up to 1.
        """
        return _probabilities(self.scores(vectors), self.slope, self.offsets, self.members)

    def predict(self, vectors: Array) -> Labels:
        """Return the most probable classes, shape (n,)."""
        return np.asarray(self.predict_proba(vectors).argmax(axis=1))

    def folded(self) -> dict[str, Array]:
        """Return the formula with its scales folded in.

        Returns
        -------
        dict of str to ndarray
            ``weights``, ``bias`` and ``members``: the classes' probabilities are
            ``softmax(x weights + bias) members``.
        """
        weights = self.slope * self.weights / self.scale[:, np.newaxis]
        bias = self.slope * self.bias + self.offsets - self.mean @ weights
        return {"weights": weights, "bias": bias, "members": self.members}

    def calibrated_as(self, other: "Discriminant") -> "Discriminant":
        """Return this discriminant with the calibration of another one of the same groups."""
        return replace(self, slope=other.slope, offsets=other.offsets, members=other.members)


def _probabilities(scores: Array, slope: float, offsets: Array, members: Array) -> Array:
    probabilities: Array = softmax(slope * scores + offsets, axis=1) @ members
    return probabilities


def discriminant(classes: int) -> LinearDiscriminantAnalysis:
    """Return a linear discriminant for many features and few examples.

    Its covariance is shrunk by Ledoit and Wolf (2004), so columns that depend on each other
    do no harm, and all classes count equally.
    """
    return LinearDiscriminantAnalysis(
        solver="lsqr", shrinkage="auto", priors=np.full(classes, 1 / classes)
    )


def fit_discriminant(
    vectors: Array,
    labels: Labels,
    utterances: Labels,
    sessions: Labels | None = None,
    judged: NDArray[np.bool_] | None = None,
) -> Discriminant:
    """Fit a linear discriminant with calibrated probabilities, all classes equally likely.

    Calibration is by one temperature and one bias a class (Alexandari et al., 2020, "Maximum
    likelihood with bias-corrected calibration is hard-to-beat at label shift adaptation"), which
    make the classes of utterances that a fold had not seen as likely as they can be, all
    classes weighing equally. However well these are told apart, n utterances of a class do not
    show that the next one will be: no class is more probable than (n + 1) / (n + classes), by
    Laplace's rule of succession.

    Parameters
    ----------
    vectors : ndarray, shape (n, features)
        Windows or frames.
    labels : ndarray of int, shape (n,)
        Classes, from 0.
    utterances : ndarray of int, shape (n,)
        The utterance of each row: calibration never sees an utterance that it fitted.
        Every class needs two.
    sessions : ndarray of int, shape (n,), optional
        The recording session of each row. With it, each class of each session is a group of
        its own, and what separates sessions is no spread within a class; without it, or where a
        class has fewer than three utterances in a session, a class is one group.
    judged : ndarray of bool, shape (n,), optional
        Rows to calibrate on, of all classes; without it all of them.

    Returns
    -------
    Discriminant
        Calibrated.
    """
    groups, members = _groups(labels, utterances, sessions)
    scores = np.empty((len(labels), len(members)))
    for learn, test in folds_of(groups, utterances):
        scores[test] = fit_scores(vectors[learn], groups[learn], members).scores(vectors[test])
    rarest, classes = _rarest(labels, utterances), members.shape[1]
    doubting = (rarest * members + 1) / (rarest + classes)
    rows = np.full(len(labels), True) if judged is None else judged
    slope, offsets = _calibration(scores[rows], labels[rows], members, doubting)
    fitted = fit_scores(vectors, groups, members)
    return replace(fitted, slope=slope, offsets=offsets, members=doubting)


def fit_scores(vectors: Array, groups: Labels, members: Array) -> Discriminant:
    """Fit a linear discriminant that is not calibrated.

    Parameters
    ----------
    vectors : ndarray, shape (n, features)
        Windows or frames.
    groups : ndarray of int, shape (n,)
        Their groups, from 0; all occur.
    members : ndarray, shape (groups, classes)
        1 where a group belongs to a class, else 0.

    Returns
    -------
    Discriminant
        Of equally likely classes, a class of equally likely groups.
    """
    scaler = StandardScaler().fit(vectors)
    fitted = discriminant(len(members)).fit(scaler.transform(vectors), groups)
    weights, bias = fitted.coef_.T, fitted.intercept_
    if len(members) == 2:  # scikit-learn keeps the difference alone
        weights, bias = weights * [0.0, 1.0], bias * [0.0, 1.0]
    bias = bias - np.log(members @ members.sum(axis=0))
    offsets = np.zeros(len(members))
    return Discriminant(scaler.mean_, scaler.scale_, weights, bias, members, 1.0, offsets)


def _groups(labels: Labels, utterances: Labels, sessions: Labels | None) -> tuple[Labels, Array]:
    """Return the group of each row, and the class of each group as rows of one 1."""
    classes = int(labels.max()) + 1
    pairs = np.stack((labels, np.zeros_like(labels) if sessions is None else sessions), axis=1)
    kinds, groups = np.unique(pairs, axis=0, return_inverse=True)
    groups = groups.ravel()
    if _rarest(groups, utterances) < _GROUP:
        return labels, np.eye(classes)
    return groups, np.eye(classes)[kinds[:, 0]]


def _calibration(
    scores: Array, labels: Labels, members: Array, doubting: Array
) -> tuple[float, Array]:
    """Fit slope and offsets, one a class, to scores of utterances that were not seen."""
    classes = members.shape[1]
    rows = np.arange(len(labels))
    weights = 1 / np.bincount(labels)[labels]
    spread = max(float((scores - scores.mean(axis=1, keepdims=True)).std()), 1e-9)
    scores = scores / spread

    def surprise(parameters: Array) -> float:
        slope, offsets = float(np.exp(parameters[0])), np.append(0.0, parameters[1:])
        said = _probabilities(scores, slope, members @ offsets, doubting)
        return float(-np.average(np.log(said[rows, labels]), weights=weights))

    bounds = [_LOG_SLOPES] + [_OFFSETS] * (classes - 1)
    found = minimize(surprise, np.zeros(classes), method="L-BFGS-B", bounds=bounds).x
    return float(np.exp(found[0])) / spread, members @ np.append(0.0, found[1:])


def window_examples(
    utterances: Sequence[Emg],
    labels: Sequence[int],
    sets: Sequence[FeatureSet],
    windows_s: Sequence[float],
    rate_hz: float,
    features: TDSettings,
    encoder: Encoder | None = None,
) -> tuple[Array, Labels, Labels, NDArray[np.bool_]]:
    """Cut utterances into windows of several lengths and describe each.

    Parameters
    ----------
    utterances : sequence of Emg
        Training utterances.
    labels : sequence of int
        Class of each.
    sets : sequence of FeatureSet
        Features of a window.
    windows_s : sequence of float
        Lengths of the windows.
    rate_hz : float
        Sampling rate of the EMG.
    features : TDSettings
        Grid of the frames.
    encoder : Encoder, optional
        Of embeddings, where they are among the features.

    Returns
    -------
    vectors : ndarray, shape (n, features)
        One row a window.
    labels : ndarray of int, shape (n,)
        Its class.
    utterances : ndarray of int, shape (n,)
        Number of its utterance.
    longest : ndarray of bool, shape (n,)
        Whether it is of the longest of `windows_s`, as far as its utterance reaches.

    Raises
    ------
    RecordingError
        There is no window: no utterance, or none of a frame or more.
    """
    rows, classes, numbers, longest = [], [], [], []
    for number, (emg, label) in enumerate(zip(utterances, labels, strict=True)):
        for window_s in windows_s:
            for samples, frames in utterance_windows(
                emg.samples, emg.frames, window_s, rate_hz, features.shift_s
            ):
                if not len(frames):  # an utterance shorter than a frame
                    continue
                rows.append(window_vector(samples, frames, sets, rate_hz, encoder))
                classes.append(label)
                numbers.append(number)
                longest.append(window_s == max(windows_s))
    if not rows:
        raise RecordingError(
            "windows of EMG to learn from",
            value=f"none in {len(utterances)} training utterances",
            allowed="1 or more",
            way_out="record more utterances, or longer ones",
        )
    return np.stack(rows), np.array(classes), np.array(numbers), np.array(longest)


def cross_validated(
    vectors: Array, labels: Labels, utterances: Labels, sessions: Labels | None = None
) -> Labels:
    """Return what discriminants say of utterances that they have not seen.

    Parameters
    ----------
    vectors, labels, utterances, sessions : ndarray
        As for `fit_discriminant`.

    Returns
    -------
    ndarray of int, shape (n,)
        Classes. The calibration is left out.
    """
    groups, members = _groups(labels, utterances, sessions)
    unseen = np.empty_like(labels)
    for learn, test in folds_of(groups, utterances):
        unseen[test] = fit_scores(vectors[learn], groups[learn], members).predict(vectors[test])
    return unseen


def folds_of(labels: Labels, utterances: Labels) -> list[tuple[Labels, Labels]]:
    """Split rows into folds of whole utterances, each class spread over all of them.

    Parameters
    ----------
    labels, utterances : ndarray of int, shape (n,)
        Class and utterance of each row; every class needs two utterances.

    Returns
    -------
    list of (ndarray of int, ndarray of int)
        Rows to learn from and rows to test on, `FOLDS` pairs at the most.
    """
    folds = StratifiedGroupKFold(min(FOLDS, _rarest(labels, utterances)))
    return list(folds.split(labels, labels, utterances))


def _rarest(labels: Labels, utterances: Labels) -> int:
    """Return the number of utterances of the class that has the fewest."""
    return min(len(np.unique(utterances[labels == label])) for label in np.unique(labels))
