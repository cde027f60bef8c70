"""Training of the activity gate: speech against rest, frame by frame."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drivers.errors import RecordingError
from models.signal.operator import Array
from models.signal.stacking import StackingSettings
from models.signal.td_features import TDSettings
from models.training.classifiers import (
    Discriminant,
    fit_discriminant,
    fit_scores,
    folds_of,
)
from models.training.examples import Utterance, stack

STACKING = StackingSettings(past=20, future=0)
PASSED = 0.98
"""Part of the speech that the gate's threshold lets pass. Speech lost is worse than rest
heard: where EMG tells little, the gate stays open."""

LEARNED = 120
"""Utterances that `gate_of` takes at the most: more say the same again."""

_EVERY = 2  # neighbouring frames are nearly equal
_SEED = 0


@dataclass(frozen=True, eq=False)
class TrainedActivity:
    """A detector and what it does on utterances that it has not seen.

    Attributes
    ----------
    classifier : Discriminant
        Stacked frames to the probabilities of rest and speech.
    threshold : float
        Probability from which on a frame counts as speech.
    missed_speech, false_speech : float
        Parts of the speech and rest frames on the wrong side of the threshold.
    false_activations_per_min : float
        How often the detector took a stretch of rest for speech, in a minute of rest.

    All figures are on frames of training utterances that a fold had not seen.
    """

    classifier: Discriminant
    threshold: float
    missed_speech: float
    false_speech: float
    false_activations_per_min: float


def train_activity(
    frames: Sequence[Array], labels: Sequence[Array], features: TDSettings
) -> TrainedActivity:
    """Train on one recording session: levels of EMG differ too much between sessions.

    Parameters
    ----------
    frames : sequence of ndarray, shape (n, columns)
        TD features of each training utterance, of every mode.
    labels : sequence of ndarray, shape (n,)
        Rest (0), speech (1) or unknown (nan).
    features : TDSettings
        Grid of the frames.

    Returns
    -------
    TrainedActivity
        With equal priors: as much rest as speech is used.

    Raises
    ------
    RecordingError
        When one of the two does not occur in two utterances or more.
    """
    if not frames:
        raise RecordingError("training utterances", value=0, allowed="2 or more")
    rows, classes, numbers = [], [], []
    for number, (one, label) in enumerate(zip(frames, labels, strict=True)):
        known = np.flatnonzero(~np.isnan(label))[::_EVERY]
        rows.append(stack(one, STACKING, features)[known])
        classes.append(label[known].astype(np.int64))
        numbers.append(np.full(len(known), number))
    x, y, utterance = np.concatenate(rows), np.concatenate(classes), np.concatenate(numbers)
    for code, name in enumerate(("rest", "speech")):
        if len(np.unique(utterance[y == code])) < 2:
            raise RecordingError(
                f"training utterances with frames of {name}",
                value=len(np.unique(utterance[y == code])),
                allowed="2 or more",
                way_out="train on utterances that begin and end at rest",
            )
    chosen = _as_many_of_each(y)
    x, y, utterance = x[chosen], y[chosen], utterance[chosen]
    classifier = fit_discriminant(x, y, utterance)
    unseen = [np.empty(0)] * len(frames)
    for learn, test in folds_of(y, utterance):
        fold = fit_scores(x[learn], y[learn], np.eye(2)).calibrated_as(classifier)
        for number in np.unique(utterance[test]):
            stacked = stack(frames[number], STACKING, features)  # all at once are a gigabyte
            unseen[number] = fold.predict_proba(stacked)[:, 1]
    tested = [number for number, one in enumerate(unseen) if len(one)]
    probability = np.concatenate([unseen[number] for number in tested])
    label = np.concatenate([labels[number] for number in tested])
    threshold = float(np.quantile(probability[label == 1], 1 - PASSED))
    false = sum(false_activations(unseen[n] >= threshold, labels[n]) for n in tested)
    rest_min = (label == 0).sum() * features.shift_s / 60
    return TrainedActivity(
        classifier,
        threshold,
        float((probability[label == 1] < threshold).mean()),
        float((probability[label == 0] >= threshold).mean()),
        float(false / rest_min),
    )


def gate_of(utterances: Sequence[Utterance], features: TDSettings) -> TrainedActivity | None:
    """Train the gate of a session on some of its utterances.

    Parameters
    ----------
    utterances : sequence of Utterance
        Training utterances; `LEARNED` of them at the most are learned from.
    features : TDSettings
        Grid of the frames.

    Returns
    -------
    TrainedActivity or None
        None where there is no speech or no rest to learn from.
    """
    some = utterances[:: 1 + max(0, len(utterances) - 1) // LEARNED]
    try:
        return train_activity([one.emg.frames for one in some], [u.rest for u in some], features)
    except RecordingError:
        return None


def speech_of(gate: TrainedActivity | None, one: Utterance, features: TDSettings) -> Array:
    """Return the probability of speech of each frame.

    Parameters
    ----------
    gate : TrainedActivity or None
        Of the session.
    one : Utterance
        An utterance.
    features : TDSettings
        Grid of the frames.

    Returns
    -------
    ndarray, shape (frames,)
        1 without a gate.
    """
    if gate is None:
        return np.ones(len(one.emg.frames))
    stacked = stack(one.emg.frames, STACKING, features)
    probability: Array = gate.classifier.predict_proba(stacked)[:, 1]
    return probability


def false_activations(active: NDArray[np.bool_], labels: Array) -> int:
    """Count the runs of active frames that touch rest and no speech.

    Parameters
    ----------
    active : ndarray of bool, shape (n,)
        Frames of an utterance that were taken for speech.
    labels : ndarray, shape (n,)
        Rest (0), speech (1) or unknown (nan).

    Returns
    -------
    int
        A run that reaches into speech is early or late, not false.
    """
    edges = np.flatnonzero(np.diff(active.astype(np.int8), prepend=0, append=0))
    runs = [labels[first:last] for first, last in zip(edges[::2], edges[1::2], strict=True)]
    return sum(1 for run in runs if (run == 0).any() and not (run == 1).any())


def _as_many_of_each(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Choose equally many rows of both classes, in their order."""
    rng = np.random.default_rng(_SEED)
    count = int(min((labels == 0).sum(), (labels == 1).sum()))
    chosen: NDArray[np.int64] = np.sort(
        np.concatenate(
            [rng.choice(np.flatnonzero(labels == c), count, replace=False) for c in (0, 1)]
        )
    )
    return chosen
