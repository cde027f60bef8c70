"""Training of a classifier whose evidence adds up while somebody speaks.

The score of a linear classifier on means over t seconds, times t, is the sum of what each frame
says: the cumulative log likelihood ratio of a sequential test (Wald, 1945, "Sequential tests of
statistical hypotheses"). One number per classifier says how much a second is worth.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.spatial.distance import cdist
from scipy.special import log_softmax, softmax
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from models.evidence import WINDOW_S, evidence_vectors
from models.signal.band_profile import band_profiles
from models.signal.filters import NotchSettings, SosFilter
from models.signal.log_bands import LogBands, LogBandSettings
from models.signal.operator import Array
from models.training.classifiers import folds_of

SHRINKAGE = 0.3
"""Of the covariance. Windows of one utterance are no independent examples, for which Ledoit
and Wolf take them; on training utterances of unseen sessions anything from 0.1 to 0.6 was as
good."""

BROADER = 2.0
"""Variance of somebody unknown around a known class, in variances of that class."""

BANDS: Final = LogBandSettings()
"""Of the frames; their shift is that of the TD features."""

WINDOWS_S: Final = (0.2, 0.4, 0.8, 1.6)
"""Speech in the windows that is learned from."""

START_S: Final = 0.5
"""Speech from the start of one of them to the next."""

_LOG_SCALES = (-4.0, 4.0)


@dataclass(frozen=True, eq=False)
class TrainedEvidence:
    """A linear classifier of what was heard so far.

    Attributes
    ----------
    pipeline : Pipeline
        Scaler and linear discriminant.
    labels : tuple of str
        Classes, in the order of the probabilities.
    per_s : float
        What the score of a second is worth.
    unseen : ndarray of str, shape (n,)
        What classifiers that had not seen its utterance said of each window that was learned
        from; empty without calibration.
    """

    pipeline: Pipeline
    labels: tuple[str, ...]
    per_s: float
    unseen: NDArray[np.str_]

    def probabilities(self, profiles: Array, seconds: Array) -> Array:
        """Return the probabilities of the classes, all equally likely before.

        Parameters
        ----------
        profiles : ndarray, shape (n, columns)
            Features of the speech heard; rows may be nan.
        seconds : ndarray, shape (n,)
            How much it was; more than `WINDOW_S` counts as that.

        Returns
        -------
        ndarray, shape (n, classes)
            Rows of nan where the features are.
        """
        return self.predict_proba(evidence_vectors(profiles, np.minimum(seconds, WINDOW_S)))

    @property
    def weights(self) -> Array:
        """What `evidence_vectors` are multiplied with, shape (columns + 1, classes)."""
        scaler, discriminant = self.pipeline
        slope = discriminant.coef_ / scaler.scale_
        bias = discriminant.intercept_ - slope @ scaler.mean_
        weights: Array = self.per_s * np.concatenate((slope.T, bias[np.newaxis]))
        # Of two classes, scikit-learn keeps the difference alone.
        return weights * [0.0, 1.0] if weights.shape[1] == 1 else weights

    def predict_proba(self, vectors: Array) -> Array:
        """Return the probabilities of the classes, all equally likely before.

        Parameters
        ----------
        vectors : ndarray, shape (n, columns + 1)
            As `evidence_vectors` makes them.

        Returns
        -------
        ndarray, shape (n, classes)
            Rows of nan where there is one in the vector.
        """
        probabilities: Array = softmax(vectors @ self.weights, axis=1)
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
) -> TrainedEvidence:
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
    TrainedEvidence
        With equal priors.
    """
    classes, numbers = np.unique(labels, return_inverse=True)
    numbers = numbers.astype(np.int64)
    per_s, unseen = 1.0, np.empty(0, dtype=np.str_)
    rarest = min(len(np.unique(utterances[numbers == one])) for one in range(len(classes)))
    if calibrate and rarest > 1:
        scores = np.empty((len(labels), len(classes)))
        for learn, test in folds_of(numbers, utterances):
            scores[test] = _scores(_fitted(profiles[learn], numbers[learn]), profiles[test])
        per_s = _worth(scores * seconds[:, np.newaxis], numbers)
        unseen = classes[scores.argmax(axis=1)]
    fitted = _fitted(profiles, numbers)
    return TrainedEvidence(fitted, tuple(str(one) for one in classes), per_s, unseen)


def evidence_bands(samples: Array, rate_hz: float, *, notch: bool = False) -> Array:
    """Return the frames that evidence is of.

    Parameters
    ----------
    samples : ndarray, shape (n, channels)
        DC-free EMG in microvolts.
    rate_hz : float
        Sampling rate.
    notch : bool
        Remove the hum first.

    Returns
    -------
    ndarray, shape (frames, channels * bands)
        Log energies.
    """
    channels = samples.shape[1]
    if notch:
        samples = SosFilter(NotchSettings().sections(rate_hz), channels).process(samples)
    return LogBands(BANDS, rate_hz, channels).process(samples)


def evidence_examples(speech: Array, channels: int, shift_s: float) -> tuple[Array, Array]:
    """Describe stretches of several lengths, from every half second of speech on.

    Parameters
    ----------
    speech : ndarray, shape (n, channels * bands)
        The frames of an utterance that hold speech.
    channels : int
        Channels of the EMG.
    shift_s : float
        Shift of the frames.

    Returns
    -------
    profiles : ndarray, shape (windows, columns)
        Of each stretch.
    seconds : ndarray, shape (windows,)
        Its length.
    """
    lengths = [round(one / shift_s) for one in WINDOWS_S]
    profiles, seconds = [], []
    for start in range(0, max(1, len(speech) - lengths[0]), round(START_S / shift_s)):
        stretch = speech[start : start + lengths[-1]]
        ends = np.unique(np.minimum(lengths, len(stretch)))
        profiles.append(band_profiles(stretch, channels, ends))
        seconds.append(ends * shift_s)
    return np.concatenate(profiles), np.concatenate(seconds)


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
