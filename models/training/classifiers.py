"""Training of the classifiers: linear discriminants with calibrated probabilities.

Speaker and mode are told from windows of EMG (Diener et al., 2020, sections 4 and 6), speech
from rest frame by frame. The pipeline has the one form that converts to ONNX exactly:
a scaler before a linear discriminant calibrated as a whole by sigmoids.
"""

import warnings
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.calibration import CalibratedClassifierCV
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from models.classifier import utterance_windows, window_vector
from models.embedding import Encoder
from models.manifest import FeatureSet
from models.signal.operator import Array
from models.signal.td_features import TDSettings
from models.training.examples import Emg

FOLDS = 5
CALIBRATION = "sigmoid, on utterances that the fold had not seen"


def discriminant(classes: int) -> LinearDiscriminantAnalysis:
    """Return a linear discriminant for many features and few examples.

    Its covariance is shrunk by Ledoit and Wolf (2004), so columns that depend on each other
    do no harm, and all classes count equally.
    """
    return LinearDiscriminantAnalysis(
        solver="lsqr", shrinkage="auto", priors=np.full(classes, 1 / classes)
    )


def fit_discriminant(
    vectors: Array, labels: NDArray[np.int64], utterances: NDArray[np.int64]
) -> Pipeline:
    """Fit a linear discriminant with calibrated probabilities, all classes equally likely.

    Parameters
    ----------
    vectors : ndarray, shape (n, features)
        Windows or frames.
    labels : ndarray of int, shape (n,)
        Classes, from 0.
    utterances : ndarray of int, shape (n,)
        The utterance of each row: calibration never sees an utterance that it fitted.
        Every class needs two.

    Returns
    -------
    Pipeline
        Scaler and classifier.
    """
    classes = len(np.unique(labels))
    splits = folds_of(labels, utterances)
    calibrated = CalibratedClassifierCV(discriminant(classes), cv=splits, ensemble=False)
    pipeline = make_pipeline(StandardScaler(), calibrated)
    # Sigmoids fitted to unequal numbers would undo the discriminant's equal priors.
    weights = len(labels) / (classes * np.bincount(labels))[labels]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Since LinearDiscriminantAnalysis")  # takes no weights
        pipeline.fit(vectors, labels, calibratedclassifiercv__sample_weight=weights)
    return pipeline


def window_examples(
    utterances: Sequence[Emg],
    labels: Sequence[int],
    sets: Sequence[FeatureSet],
    windows_s: Sequence[float],
    rate_hz: float,
    features: TDSettings,
    encoder: Encoder | None = None,
) -> tuple[Array, NDArray[np.int64], NDArray[np.int64]]:
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
    """
    rows, classes, numbers = [], [], []
    for number, (emg, label) in enumerate(zip(utterances, labels, strict=True)):
        for window_s in windows_s:
            for samples, frames in utterance_windows(
                emg.samples, emg.frames, window_s, rate_hz, features.shift_s
            ):
                rows.append(window_vector(samples, frames, sets, rate_hz, encoder))
                classes.append(label)
                numbers.append(number)
    return np.stack(rows), np.array(classes), np.array(numbers)


def cross_validated(
    vectors: Array, labels: NDArray[np.int64], utterances: NDArray[np.int64], method: str
) -> Array:
    """Return what discriminants say of utterances that they have not seen.

    Parameters
    ----------
    vectors, labels, utterances : ndarray
        As for `fit_discriminant`.
    method : str
        ``"predict"`` or ``"decision_function"``.

    Returns
    -------
    ndarray, shape (n,) or (n, classes)
        One row for each of `vectors`. The calibration, which is monotonic, is left out.
    """
    scored = make_pipeline(StandardScaler(), discriminant(len(np.unique(labels))))
    unseen: Array = cross_val_predict(
        scored, vectors, labels, cv=folds_of(labels, utterances), method=method
    )
    return unseen


def folds_of(
    labels: NDArray[np.int64], utterances: NDArray[np.int64]
) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
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
    rarest = min(len(np.unique(utterances[labels == label])) for label in np.unique(labels))
    folds = StratifiedGroupKFold(min(FOLDS, rarest))
    return list(folds.split(labels, labels, utterances))
