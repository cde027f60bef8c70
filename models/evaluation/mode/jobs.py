"""The jobs: modes told in known sessions, and in one that training has not seen."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import balanced_accuracy_score

from drivers.recordings.emg_uka.files import RATE_HZ
from models.classifier import over_windows, utterance_windows, window_vector
from models.evaluation.material import Material
from models.evaluation.mode.adaptation import ROUNDS, scaled, tell
from models.evaluation.mode.heard import Variant, heard, several_modes
from models.manifest import FeatureSet
from models.signal.operator import Array
from models.signal.window_features import statistics
from models.training.classifiers import (
    cross_validated,
    fit_discriminant,
    fit_scores,
    window_examples,
)
from models.training.examples import SignalSettings, Utterance
from models.training.parts import MODE_FEATURES, ROLLING_WINDOW_S, WINDOWS_S
from models.training.train import MODES

Normalisation = Literal["none", "audible", "unlabelled"]

UNSEEN_FEATURES: Final[tuple[FeatureSet, ...]] = ("band_statistics",)
"""Logarithms of energies in bands: a gain of the electrodes only shifts them."""


@dataclass(frozen=True)
class Told:
    """What was said of an utterance.

    Attributes
    ----------
    session, split : str
        Where it belongs.
    truth, said : str
        Modes.
    probabilities : tuple of float
        Of the modes.
    windows : tuple of tuple of float
        The same of its windows of `ROLLING_WINDOW_S`; empty where only the whole was looked at.
    modes : tuple of str
        Order of the probabilities.
    """

    session: str
    split: str
    truth: str
    said: str
    probabilities: tuple[float, ...]
    windows: tuple[tuple[float, ...], ...]
    modes: tuple[str, ...]


def sessions_with_modes(material: Material, variant: Variant) -> list[str]:
    """Return the sessions that take part."""
    return several_modes(material, variant)


def told_live(material: Material, sessions: Sequence[str], variant: Variant) -> list[Told]:
    """Train the classifier of a bundle on sessions, and tell their test utterances.

    Parameters
    ----------
    material : Material
        The corpus.
    sessions : sequence of str
        With several modes.
    variant : Variant
        What is heard.

    Returns
    -------
    list of Told
        One a test utterance, by all its windows as a session answers at its end.
    """
    train = _heard(material, sessions, "train", variant)
    modes = _modes(train)
    features = SignalSettings().features
    vectors, labels, utterances, longest = window_examples(
        [one.emg for one in train], [modes.index(one.mode) for one in train],
        MODE_FEATURES, (ROLLING_WINDOW_S,) if variant.rest else WINDOWS_S, RATE_HZ, features,
    )  # fmt: skip
    classifier = fit_discriminant(
        vectors, labels, utterances, _session_of(train)[utterances], longest
    )
    found = []
    for one in _heard(material, sessions, "test", variant):
        windows = utterance_windows(
            one.emg.samples, one.emg.frames, ROLLING_WINDOW_S, RATE_HZ, features.shift_s
        )
        rows = np.stack([window_vector(*each, MODE_FEATURES, RATE_HZ) for each in windows])
        rolling = classifier.predict_proba(rows)
        found.append(_told(one, over_windows(rolling), modes, rolling))
    return found


def told_as_paper(material: Material, sessions: Sequence[str], variant: Variant) -> list[Told]:
    """Tell test utterances by the paper's classifier: six statistics of the TD features, LDA.

    Parameters
    ----------
    material, sessions, variant
        As for `told_live`.

    Returns
    -------
    list of Told
        One a test utterance, by one vector for all of it.
    """
    train = _heard(material, sessions, "train", variant)
    test = _heard(material, sessions, "test", variant)
    modes = _modes(train)
    if not test:
        return []
    labels = np.array([modes.index(one.mode) for one in train])
    vectors = np.stack([statistics(one.emg.frames) for one in train])
    fitted = fit_scores(vectors, labels, np.eye(len(modes)))
    said = fitted.predict_proba(np.stack([statistics(one.emg.frames) for one in test]))
    return [_told(one, row, modes) for one, row in zip(test, said, strict=True)]


def told_unseen(
    material: Material,
    sessions: Sequence[str],
    left_out: str,
    normalisation: Normalisation,
    variant: Variant,
) -> tuple[list[Told], list[Told], list[Told]]:
    """Tell all utterances of a session by the training utterances of others.

    Parameters
    ----------
    material : Material
        The corpus.
    sessions : sequence of str
        To learn from.
    left_out : str
        The session.
    normalisation : str
        What scales the features of each session: nothing, its audible training utterances, or
        all that there is of it, labels unused.
    variant : Variant
        What is heard.

    Returns
    -------
    scaled, adapted, ahead : list of Told
        By the discriminant of the others alone; adapted to the session's own utterances; and its
        test utterances alone, scaled by and adapted to its training utterances, which come
        before. The latter two only where its own utterances are what it is normalised by.
    """
    train = _heard(material, sessions, "train", variant)
    new = _heard(material, [left_out], "train", variant)
    new += _heard(material, [left_out], "test", variant)
    modes = _modes(train)
    labels = np.array([modes.index(one.mode) for one in train])
    vectors, raw = _normalised(train, normalisation), _vectors(new)
    others = _scaled_by_session(raw, new, normalisation)
    if normalisation == "none":  # the units still have to be brought together
        vectors, others = scaled(vectors, vectors), scaled(others, vectors)
    plain = tell(vectors, labels, others, rounds=0)
    first = [_told(one, row, modes) for one, row in zip(new, plain, strict=True)]
    if normalisation != "unlabelled":
        return first, [], []
    adapted = tell(vectors, labels, others)
    second = [_told(one, row, modes) for one, row in zip(new, adapted, strict=True)]
    before = np.array([one.split == "train" for one in new])
    if before.all() or not before.any():
        return first, second, []
    own, later = (scaled(raw[rows], raw[before]) for rows in (before, ~before))
    ahead = tell(vectors, labels, own, later=later)
    last = [one for one, known in zip(new, before, strict=True) if not known]
    return first, second, [_told(one, row, modes) for one, row in zip(last, ahead, strict=True)]


def validated_unseen(
    material: Material, sessions: Sequence[str], left_out: str, shrinkages: Sequence[float]
) -> list[tuple[float, float]]:
    """Compare shrinkages, with and without adaptation, inside the training subsets.

    Parameters
    ----------
    material, sessions, left_out
        As for `told_unseen`; only the session's own training utterances are looked at.
    shrinkages : sequence of float
        To compare.

    Returns
    -------
    list of (float, float)
        Balanced accuracy of each, scaled only and adapted.
    """
    train = _heard(material, sessions, "train", Variant())
    new = _heard(material, [left_out], "train", Variant())
    modes = _modes(train)
    labels = np.array([modes.index(one.mode) for one in train])
    truth = np.array([modes.index(one.mode) if one.mode in modes else -1 for one in new])
    vectors, others = _normalised(train, "unlabelled"), _normalised(new, "unlabelled")

    def right(rounds: int, shrinkage: float) -> float:
        return _right(truth, tell(vectors, labels, others, rounds, shrinkage).argmax(axis=1))

    return [(right(0, one), right(ROUNDS, one)) for one in shrinkages]


def validated_pooled(material: Material, sessions: Sequence[str]) -> dict[str, float]:
    """Compare ways to pool sessions inside their training subsets, by sentence.

    Parameters
    ----------
    material, sessions
        As for `told_live`.

    Returns
    -------
    dict of str to float
        Part of the windows of unseen sentences that was right, with one group a mode, and with
        one a mode and session. Empty where there are too few sentences.
    """
    train = _heard(material, sessions, "train", Variant())
    sentences = np.unique([one.transcript or one.name for one in train], return_inverse=True)[1]
    if sentences.max() < 1:
        return {}
    modes = _modes(train)
    said = {(one.mode, int(s)) for s, one in zip(sentences, train, strict=True)}
    if (
        min(sum(mode == one for one, _ in said) for mode in modes) < 2
    ):  # a drill of one word: no sentence is left to tell
        return {}
    vectors, labels, utterances, _ = window_examples(
        [one.emg for one in train], [modes.index(one.mode) for one in train],
        MODE_FEATURES, WINDOWS_S, RATE_HZ, SignalSettings().features,
    )  # fmt: skip
    groups = sentences[utterances]
    where = _session_of(train)[utterances]
    return {
        "mode": _right(labels, cross_validated(vectors, labels, groups)),
        "mode_and_session": _right(labels, cross_validated(vectors, labels, groups, where)),
    }


def _heard(
    material: Material, sessions: Sequence[str], split: str, variant: Variant
) -> list[Utterance]:
    return [one for name in sessions for one in heard(material.session(name), split, variant)]


def _modes(utterances: Sequence[Utterance]) -> list[str]:
    return [mode for mode in MODES if any(one.mode == mode for one in utterances)]


def _session_of(utterances: Sequence[Utterance]) -> NDArray[np.int64]:
    return np.unique([one.session for one in utterances], return_inverse=True)[1]


def _told(
    one: Utterance, probabilities: Array, modes: Sequence[str], windows: Array | None = None
) -> Told:
    return Told(
        one.session,
        one.split,
        one.mode,
        modes[int(probabilities.argmax())],
        tuple(probabilities.tolist()),
        () if windows is None else tuple(tuple(row) for row in windows.tolist()),
        tuple(modes),
    )


def _normalised(utterances: Sequence[Utterance], normalisation: Normalisation) -> Array:
    """Return one vector an utterance, scaled session by session."""
    return _scaled_by_session(_vectors(utterances), utterances, normalisation)


def _vectors(utterances: Sequence[Utterance]) -> Array:
    rows = [
        window_vector(one.emg.samples, one.emg.frames, UNSEEN_FEATURES, RATE_HZ)
        for one in utterances
    ]
    return np.stack(rows)


def _scaled_by_session(
    raw: Array, utterances: Sequence[Utterance], normalisation: Normalisation
) -> Array:
    vectors = raw.copy()
    if normalisation == "none":
        return vectors
    known = np.array(
        [
            normalisation == "unlabelled" or (one.mode == "audible" and one.split == "train")
            for one in utterances
        ]
    )
    where = _session_of(utterances)
    for session in range(where.max() + 1):
        rows = where == session
        if (rows & known).any():
            vectors[rows] = scaled(vectors[rows], vectors[rows & known])
    return vectors


def _right(truth: NDArray[np.int64], said: NDArray[np.int64]) -> float:
    return float(balanced_accuracy_score(truth, said))
