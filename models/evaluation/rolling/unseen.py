"""Jobs: the speaker of sessions that training has not seen, while they go on."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from models.evaluation.material import Material
from models.evaluation.metrics.courses import Course
from models.evaluation.metrics.decisions import equal_error_rate
from models.evaluation.rolling.hearing import Observed
from models.evaluation.rolling.observed import heard_through, observed
from models.evaluation.unseen_sessions import check_learned
from models.signal.operator import Array
from models.training.evidence import TrainedEvidence, fit_evidence

VERIFIED_AFTER_S: Final = {"1000": 1.0, "whole": np.inf}
"""Speech heard, by the name of the figure: in milliseconds."""

_EPSILON: Final = 1e-6


def utterances_of(
    material: Material, sessions: Sequence[str], every: int, notch: bool = False
) -> list[Observed]:
    """Return the observed utterances of sessions, one after the other."""
    return [one for name in sessions for one in observed(material, name, every, notch).utterances]


def fit(known: Sequence[Observed], calibrate: bool = True) -> TrainedEvidence:
    """Learn speakers from the training subsets among some utterances.

    Parameters
    ----------
    known : sequence of Observed
        Of two speakers or more.
    calibrate : bool
        As for `fit_evidence`.

    Returns
    -------
    TrainedEvidence
        Of the speakers.
    """
    learned = [one for one in known if one.split == "train"]
    counts = [len(one.examples) for one in learned]
    check_learned(np.repeat([one.speaker for one in learned], counts).tolist())
    return fit_evidence(
        np.concatenate([one.examples for one in learned]).astype(np.float64),
        np.concatenate([one.example_s for one in learned]),
        np.repeat([one.speaker for one in learned], counts),
        np.repeat(np.arange(len(learned)), counts),
        calibrate=calibrate,
    )


def course(one: Observed, classifier: TrainedEvidence) -> Course:
    """Tell an utterance's speaker from all speech heard so far, update by update."""
    said = classifier.probabilities(one.profiles.astype(np.float64), one.speech_s)
    whole = None if np.isnan(said[-1]).any() else said[-1]
    return Course(
        one.speaker, classifier.labels, one.time_s, one.heard_s, one.speech_s[:-1], said[:-1], whole
    )


def told(
    material: Material, session: str, known: Sequence[str], every: int, own_gate: bool = True
) -> list[tuple[str, Course]]:
    """Tell who speaks in a session by a classifier trained on others.

    Parameters
    ----------
    material : Material
        The corpus.
    session : str
        The session that is left out; all of it is told.
    known : sequence of str
        Sessions to learn from.
    every : int
        As for `observed`.
    own_gate : bool
        Speech is told from rest by the gate of the session itself, as by that of a bundle that
        was trained on it. Otherwise by one that learned from the others.

    Returns
    -------
    list of (str, Course)
        Split of each utterance, and what was said of it.
    """
    classifier = fit(utterances_of(material, known, every))
    if own_gate:
        own = utterances_of(material, [session], every)
    else:
        own = list(heard_through(material, session, known, every))
    return [(one.split, course(one, classifier)) for one in own]


def told_known(material: Material, sessions: Sequence[str], every: int) -> list[Course]:
    """Tell who speaks in the test utterances of sessions whose training utterances are known.

    Parameters
    ----------
    material, sessions, every
        As for `utterances_of`.

    Returns
    -------
    list of Course
        One a test utterance; what `evidence` of a bundle says.
    """
    utterances = utterances_of(material, sessions, every)
    classifier = fit(utterances)
    return [course(one, classifier) for one in utterances if one.split == "test"]


def verified(
    material: Material,
    session: str,
    sessions: Sequence[str],
    every: int,
    notch: bool,
) -> dict[str, dict[str, tuple[list[float], list[float]]]]:
    """Score a session's utterances, and impostors', as its speaker's.

    The target learns from the speaker's other sessions, against all other speakers but the
    impostor, whom training has never seen.

    Parameters
    ----------
    material : Material
        The corpus.
    session : str
        Of the target; left out of training.
    sessions : sequence of str
        All sessions.
    every, notch
        As for `observed`.

    Returns
    -------
    dict
        By impostor, then by moment, see `VERIFIED_AFTER_S`: scores of the target's
        utterances, and of the impostor's.
    """
    groups: dict[str, list[Observed]] = {}
    for one in utterances_of(material, [n for n in sessions if n != session], every, notch):
        groups.setdefault(one.speaker, []).append(one)
    own = utterances_of(material, [session], every, notch)
    target = own[0].speaker
    results = {}
    for impostor in sorted(set(groups) - {target}):
        known = {who for who in groups if who != impostor}
        if len(known) < 2:
            continue
        classifier = fit([one for who in known for one in groups[who]], calibrate=False)
        results[impostor] = {
            after: (
                classifier.familiarity(heard_by(own, seconds), target).tolist(),
                classifier.familiarity(heard_by(groups[impostor], seconds), target).tolist(),
            )
            for after, seconds in VERIFIED_AFTER_S.items()
        }
    return results


def heard_by(utterances: Sequence[Observed], seconds: float) -> Array:
    """Return each utterance's profile after so much speech, or after all of it.

    Parameters
    ----------
    utterances : sequence of Observed
        One or more.
    seconds : float
        Speech heard.

    Returns
    -------
    ndarray, shape (utterances, columns)
        Profiles.
    """
    rows = []
    for one in utterances:
        there = np.flatnonzero(~np.isnan(one.profiles).any(axis=1))
        enough = np.searchsorted(one.speech_s[there[:-1]], seconds - _EPSILON)
        rows.append(one.profiles[there[enough]])
    return np.array(rows, dtype=np.float64)


def enrolled(
    material: Material,
    sessions: Sequence[str],
    background: Sequence[str],
    count: int,
    draws: Sequence[int],
    every: int,
    seed: int,
) -> list[dict[str, float]]:
    """Enrol speakers from a few utterances of one session each, and tell their other sessions.

    Parameters
    ----------
    material : Material
        The corpus.
    sessions : sequence of str
        Of speakers with several.
    background : sequence of str
        Of others, who are no answer: from them the classifier learns how much the windows of
        one speaker vary.
    count : int
        Utterances from which each speaker is enrolled; sessions with fewer are not drawn.
    draws : sequence of int
        Numbers of the draws; each takes a session of each speaker in turn and utterances at
        random.
    every : int
        As for `observed`.
    seed : int
        Of the draws.

    Returns
    -------
    list of dict of str to float
        Recall of each speaker, over all whole utterances of the sessions that were not
        enrolled; empty where a speaker has no session with so many utterances.
    """
    by_session = {name: utterances_of(material, [name], every) for name in sessions}
    pools: dict[str, list[list[Observed]]] = {}
    for found in by_session.values():
        train = [one for one in found if one.split == "train"]
        pool = pools.setdefault(found[0].speaker, [])
        if len(train) >= count:
            pool.append(train)
    if any(not pool for pool in pools.values()):
        return []
    others = utterances_of(material, background, every)
    results = []
    for draw in draws:
        rng = np.random.default_rng((seed, count, draw))
        turn = draw
        learned: list[Observed] = []
        for pool in pools.values():
            chosen = pool[turn % len(pool)]
            turn //= len(pool)
            learned += [chosen[i] for i in rng.choice(len(chosen), count, replace=False)]
        classifier = fit([*learned, *others], calibrate=False)
        taken = {one.session for one in learned}
        rest = [one for name, one in by_session.items() if name not in taken]
        results.append(_recalls(rest, classifier, list(pools)))
    return results


def _recalls(
    sessions: Sequence[Sequence[Observed]], classifier: TrainedEvidence, speakers: Sequence[str]
) -> dict[str, float]:
    columns = [classifier.labels.index(one) for one in speakers]
    right: dict[str, list[bool]] = {}
    for session in sessions:
        profiles = heard_by(session, np.inf)
        said = classifier.probabilities(profiles, np.ones(len(profiles)))[:, columns]
        for one, number in zip(session, said.argmax(axis=1), strict=True):
            right.setdefault(one.speaker, []).append(speakers[number] == one.speaker)
    return {speaker: float(np.mean(found)) for speaker, found in right.items()}


def verification_figures(
    results: Sequence[dict[str, dict[str, tuple[list[float], list[float]]]]],
) -> dict[str, Any] | None:
    """Return equal error rates of one target.

    Parameters
    ----------
    results : sequence of dict
        What `verified` returned for each of its sessions.

    Returns
    -------
    dict or None
        By impostor in ``impostors``, with the number of scores; and their mean in
        ``eer_after_ms``, for each impostor is unknown to classifiers of its own. None without.
    """
    names = sorted({who for one in results for who in one})
    if not names:
        return None
    impostors: dict[str, dict[str, Any]] = {}
    for who in names:
        found = [one[who] for one in results if who in one]
        pooled = {
            after: tuple([score for one in found for score in one[after][side]] for side in (0, 1))
            for after in VERIFIED_AFTER_S
        }
        impostors[who] = {
            "eer_after_ms": {after: equal_error_rate(*both) for after, both in pooled.items()},
            "target_scores": len(pooled["whole"][0]),
            "impostor_scores": len(pooled["whole"][1]),
        }
    mean = {
        after: float(np.mean([one["eer_after_ms"][after] for one in impostors.values()]))
        for after in VERIFIED_AFTER_S
    }
    return {"eer_after_ms": mean, "impostors": impostors}
