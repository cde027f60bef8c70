"""Jobs: the classifiers of a bundle, as a session runs them over its sliding window."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from drivers.recordings.emg_uka.files import RATE_HZ
from models.classifier import over_windows, utterance_windows, window_vector
from models.evaluation.material import Material
from models.evaluation.metrics.courses import Course
from models.evaluation.rolling.hearing import Observed
from models.evaluation.rolling.observed import observed
from models.manifest import FeatureSet
from models.signal.operator import Array
from models.training.classifiers import window_examples
from models.training.examples import SignalSettings, Utterance
from models.training.parts import (
    LDA,
    MODE_FEATURES,
    MODE_LDA,
    ROLLING_WINDOW_S,
    SPEAKER_FEATURES,
    WINDOWS_S,
    Method,
)

SETS: Final[dict[str, tuple[FeatureSet, ...]]] = {
    "mode": MODE_FEATURES,
    "speaker": SPEAKER_FEATURES,
}
METHODS: Final[dict[str, Method]] = {"mode": MODE_LDA, "speaker": LDA}
SHORTEST_S: Final = 0.5
"""EMG before a session's first answer."""


@dataclass(frozen=True, eq=False)
class Windows:
    """A session's windows: of its training utterances to learn from, of the others to tell.

    Attributes
    ----------
    vectors : ndarray, shape (n, features)
        Of training windows.
    classes : tuple of str
        Of each.
    utterances : ndarray of int, shape (n,)
        Its utterance in the session.
    judged : ndarray of bool, shape (n,)
        Whether to calibrate on it.
    tested : tuple of Tested
        Test utterances.
    """

    vectors: NDArray[np.float64]
    classes: tuple[str, ...]
    utterances: NDArray[np.int64]
    judged: NDArray[np.bool_]
    tested: tuple["Tested", ...]


@dataclass(frozen=True, eq=False)
class Tested:
    """A test utterance.

    Attributes
    ----------
    observed : Observed
        When its updates come, and what is heard by then; without profiles and examples.
    truth : str
        Its class.
    rolling : ndarray, shape (updates, features)
        The sliding window at each; nan where there is too little EMG.
    whole : ndarray, shape (windows, features)
        Windows of the whole utterance.
    """

    observed: Observed
    truth: str
    rolling: Array
    whole: Array


def windows(material: Material, name: str, what: str, every: int) -> Windows:
    """Cut a session into the windows of a classifier.

    Parameters
    ----------
    material : Material
        The corpus.
    name : str
        Of the session.
    what : str
        ``"mode"`` or ``"speaker"``.
    every : int
        As for `observed`.

    Returns
    -------
    Windows
        Exactly those that `streamer train` learns from, and those that a session sees.
    """
    session = material.session(name)
    by_name = {one.name: one for one in session.utterances}
    heard = observed(material, name, every).utterances
    train = [by_name[one.name] for one in heard if one.split == "train"]
    learned = _examples(train, what)
    tested = [
        _tested(one, by_name[one.name], str(getattr(one, what)), SETS[what])
        for one in heard
        if one.split == "test"
    ]
    return Windows(*learned, tuple(tested))


def _examples(
    train: Sequence[Utterance], what: str
) -> tuple[Array, tuple[str, ...], NDArray[np.int64], NDArray[np.bool_]]:
    if not train:
        return np.empty((0, 0)), (), np.empty(0, dtype=np.int64), np.empty(0, dtype=np.bool_)
    vectors, _, numbers, longest = window_examples(
        [one.emg for one in train],
        [0] * len(train),
        SETS[what],
        WINDOWS_S,
        RATE_HZ,
        SignalSettings().features,
    )
    classes = tuple(str(getattr(train[number], what)) for number in numbers)
    return vectors, classes, numbers, longest


def _tested(
    one: Observed, utterance: Utterance, truth: str, sets: tuple[FeatureSet, ...]
) -> Tested:
    shift_s = SignalSettings().features.shift_s
    samples, frames = utterance.emg.samples, utterance.emg.frames
    whole = np.stack(
        [
            window_vector(*window, sets, RATE_HZ)
            for window in utterance_windows(samples, frames, ROLLING_WINDOW_S, RATE_HZ, shift_s)
        ]
    )
    rolling = np.full((len(one.frames), whole.shape[1]), np.nan)
    for row, last in zip(rolling, one.frames, strict=True):
        first = max(0, last - round(ROLLING_WINDOW_S / shift_s))
        if last * shift_s >= SHORTEST_S - 1e-9:
            begin, stop = (round(k * shift_s * RATE_HZ) for k in (first, last))
            row[:] = window_vector(samples[begin:stop], frames[first:last], sets, RATE_HZ)
    bare = replace(one, profiles=one.profiles[:0], examples=one.examples[:0])
    return Tested(bare, truth, rolling, whole)


def courses(
    _: Material, what: str, known: Sequence[Windows], tested: Sequence[Windows]
) -> list[Course]:
    """Train a bundle's classifier, and follow what it says of test utterances.

    Parameters
    ----------
    what : str
        ``"mode"`` or ``"speaker"``.
    known : sequence of Windows
        Sessions to learn from.
    tested : sequence of Windows
        Sessions to tell.

    Returns
    -------
    list of Course
        One a test utterance; none where fewer than two classes, or fewer than two utterances of
        one, are left to learn from: a calibration needs some that a fit has not seen.
    """
    given = [one for one in known if len(one.vectors)]
    said = {
        (label, number, utterance)
        for number, one in enumerate(given)
        for label, utterance in zip(one.classes, one.utterances, strict=True)
    }
    counts = Counter(label for label, *_ in said)
    if len(counts) < 2 or min(counts.values()) < 2:
        return []
    labels, numbers = np.unique([c for one in given for c in one.classes], return_inverse=True)
    offsets = np.cumsum([0] + [one.utterances.max() + 1 for one in given])
    groups = np.concatenate([o + one.utterances for one, o in zip(given, offsets, strict=False)])
    more = {
        "judged": np.concatenate([one.judged for one in given]),
        "sessions": np.repeat(np.arange(len(given)), [len(one.vectors) for one in given]),
    }
    method = METHODS[what]
    classifier = method.fit(
        np.concatenate([one.vectors for one in given]),
        numbers,
        groups,
        **{name: more[name] for name in method.takes},
    )
    names = tuple(str(one) for one in labels)
    return [_course(each, names, classifier.predict_proba) for one in tested for each in one.tested]


def _course(
    one: Tested, labels: tuple[str, ...], probabilities: Callable[[Array], Array]
) -> Course:
    said = np.full((len(one.rolling), len(labels)), np.nan)
    there = ~np.isnan(one.rolling).any(axis=1)
    if there.any():
        said[there] = probabilities(one.rolling[there])
    whole = over_windows(probabilities(one.whole))
    heard = one.observed
    seconds = np.minimum(heard.frames * SignalSettings().features.shift_s, ROLLING_WINDOW_S)
    return Course(one.truth, labels, heard.time_s, heard.heard_s, seconds, said, whole)
