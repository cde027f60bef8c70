"""What the paper leaves open: how soon, how surely, from how little, and against whom."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from models.evaluation.findings import Findings, as_text
from models.evaluation.metrics.courses import (
    PROBABILITIES,
    STATED_ERROR,
    Course,
    course_figures,
    decisions,
)
from models.evaluation.mode.figures import told_figures
from models.evaluation.mode.heard import LEAST, Variant
from models.evaluation.mode.jobs import Told, sessions_with_modes, told_live
from models.evaluation.rolling import live
from models.evaluation.rolling.observed import Heard, listen
from models.evaluation.rolling.presentation import drawings_of, tables_of
from models.evaluation.rolling.unseen import (
    enrolled,
    told,
    told_known,
    verification_figures,
    verified,
)
from models.evaluation.settings import Size
from models.evaluation.study import Study
from models.training.evidence import SHRINKAGE

ENROLLED: Final = (1, 3, 10, 40)
"""Utterances of one session that a speaker is enrolled from."""

SURE: Final = 0.9999
"""Probability from which a speaker of an unseen session is decided on. The calibration knows
no other session than the training's: errors are more than it says."""

_DRAWS_A_JOB: Final = 20


@dataclass(frozen=True)
class _Scale:
    every: int  # one of so many utterances is taken
    draws: int  # enrolments of each size


_SIZES: Final[dict[Size, _Scale]] = {
    "quick": _Scale(every=6, draws=2),
    "default": _Scale(every=1, draws=60),
    "full": _Scale(every=1, draws=200),
}


def rolling(study: Study) -> Findings:
    """Follow mode and speaker while somebody speaks.

    Parameters
    ----------
    study : Study
        Corpus and size.

    Returns
    -------
    Findings
        What the corpus does not have is None and named.
    """
    findings = Findings("rolling", "Rolling answers: how soon, how surely, from how little")
    scale = _SIZES[study.settings.size]
    names = study.material.sessions
    sessions = study.run("listening to the sessions", listen, [(n, scale.every) for n in names])
    modes = _pooled(study, "mode", [one for one in sessions if len(one.modes) > 1], scale)
    speakers = _pooled(study, "speaker", sessions, scale)
    evidence = _known(study, sessions, scale)
    unseen = _unseen(study, sessions, scale)
    findings.figures = {
        "mode": {"pooled": _with_control(study, course_figures(modes), scale)},
        "speaker": {
            "pooled": course_figures(evidence),
            "pooled_window": course_figures(speakers),
            "unseen_session": _unseen_figures(unseen),
            "enrolment": _enrolment(study, sessions, scale),
            "verification": _verification(study, sessions, scale),
        },
        "activity": _activity(sessions),
    }
    courses = {
        "mode, sessions known": modes,
        "speaker, sessions known": evidence,
        "speaker, session unseen": unseen["evidence"],
        "speaker, session unseen, window": unseen["window"],
    }
    findings.tables += tables_of(findings.figures)
    findings.drawings += drawings_of(courses, findings.figures)
    _say(findings, sessions, scale)
    return findings


def _speakers(sessions: Sequence[Heard]) -> list[str]:
    return [one.speaker for one in sessions if one.modes]


def _several(sessions: Sequence[Heard]) -> list[Heard]:
    """Return the sessions of speakers with several, where there are two such speakers."""
    speakers = _speakers(sessions)
    found = [one for one in sessions if one.modes and speakers.count(one.speaker) > 1]
    return found if len({one.speaker for one in found}) > 1 else []


def _windows(
    study: Study, what: str, sessions: Sequence[Heard], scale: _Scale
) -> list[live.Windows]:
    jobs = [(one.name, what, scale.every) for one in sessions]
    return study.run(f"windows to tell the {what} from", live.windows, jobs)


def _pooled(study: Study, what: str, sessions: Sequence[Heard], scale: _Scale) -> list[Course]:
    """Train as for a bundle, on all sessions, and follow their test utterances."""
    cut = _windows(study, what, sessions, scale)
    known = [{(c, u) for c, u in zip(one.classes, one.utterances, strict=True)} for one in cut]
    counts: dict[str, int] = {}
    for pairs in known:
        for name, _ in pairs:
            counts[name] = counts.get(name, 0) + 1
    if len(counts) < 2 or min(counts.values()) < 2:
        return []
    [courses] = study.run(f"rolling {what}, sessions known", live.courses, [(what, cut, cut)])
    return courses


def _with_control(
    study: Study, figures: dict[str, Any] | None, scale: _Scale
) -> dict[str, Any] | None:
    """Put beside the mode what the same classifier tells before anybody speaks, if it can learn."""
    if figures is None:
        return None
    before = Variant(every=scale.every, rest=True)
    [names] = study.run("looking for rest in several modes", sessions_with_modes, [(before,)])
    control: list[Told] = []
    if names:
        [control] = study.run("mode, before anybody speaks", told_live, [(names, before)])
    return figures | {"rest_only": told_figures(control)}


def _known(study: Study, sessions: Sequence[Heard], scale: _Scale) -> list[Course]:
    """Tell the speakers of test utterances by the evidence classifier of a bundle."""
    names = [one.name for one in sessions if one.modes]
    if len(set(_speakers(sessions))) < 2:
        return []
    [courses] = study.run("rolling speaker, evidence", told_known, [(names, scale.every)])
    return courses


def _unseen(study: Study, sessions: Sequence[Heard], scale: _Scale) -> dict[str, list[Course]]:
    """Tell each session's speaker by classifiers that have not seen it."""
    few = [one.name for one in _several(sessions)]
    if not few:
        return {kind: [] for kind in ("evidence", "test", "further", "window", "gate", "gate_test")}
    every = [one.name for one in sessions if one.modes]
    what = "rolling speaker, session unseen"
    found = {}
    for kind, known in (("evidence", few), ("further", every)):
        jobs = [(name, [n for n in known if n != name], scale.every) for name in few]
        folds = study.run(what, told, jobs)
        found[kind] = [one for fold in folds for _, one in fold]
        if kind == "evidence":
            found["test"] = [one for fold in folds for split, one in fold if split == "test"]
    through = [(name, [n for n in few if n != name], scale.every, False) for name in few]
    folds = study.run(f"{what}, gate of others", told, through)
    found["gate"] = [one for fold in folds for _, one in fold]
    found["gate_test"] = [one for fold in folds for split, one in fold if split == "test"]
    cut = dict(zip(few, _windows(study, "speaker", _several(sessions), scale), strict=True))
    pairs = [("speaker", [cut[n] for n in few if n != name], [cut[name]]) for name in few]
    by_window = study.run(f"{what}, window", live.courses, pairs)
    found["window"] = [one for fold in by_window for one in fold]
    return found


def _unseen_figures(unseen: dict[str, list[Course]]) -> dict[str, Any] | None:
    figures, further = (course_figures(unseen[kind]) for kind in ("evidence", "further"))
    if figures is None or further is None:
        return None
    test, gate, gate_test = (course_figures(unseen[k]) for k in ("test", "gate", "gate_test"))
    for found in (figures, further, test or {}, gate or {}, gate_test or {}):
        found.pop("rolling", None)  # there is no window of a fixed length
    if test is not None:
        test["sure"] = decisions(unseen["test"], SURE)
    return figures | {
        "sure": decisions(unseen["evidence"], SURE),
        "test_subset": test,
        "further_speakers": further,
        "gate_of_others": None if gate is None else gate | {"test_subset": gate_test},
        "window_classifier": course_figures(unseen["window"]),
    }


def _enrolment(
    study: Study, sessions: Sequence[Heard], scale: _Scale
) -> dict[str, dict[str, Any] | None]:
    """Enrol with the speakers of one session as background, and without."""
    names = [one.name for one in _several(sessions)]
    if not names:
        return {str(count): None for count in ENROLLED}
    background = [one.name for one in sessions if one.modes and one.name not in names]
    starts = range(0, scale.draws, _DRAWS_A_JOB)
    draws = [list(range(start, min(start + _DRAWS_A_JOB, scale.draws))) for start in starts]
    jobs = [
        (names, others, count, some, scale.every, study.settings.seed)
        for others in (background, [])
        for count in ENROLLED
        for some in draws
    ]
    results = iter(study.run("enrolment from a few utterances", enrolled, jobs))
    found: list[dict[str, dict[str, Any] | None]] = []
    for _ in ("background", "alone"):
        drawn = {str(count): [one for _ in draws for one in next(results)] for count in ENROLLED}
        found.append({count: _recall(recalls) for count, recalls in drawn.items()})
    with_background, alone = found
    return {
        count: None if one is None else one | {"alone": alone[count]}
        for count, one in with_background.items()
    }


def _recall(draws: list[dict[str, float]]) -> dict[str, Any] | None:
    if not draws:
        return None
    recalls = [float(np.mean(list(one.values()))) for one in draws]
    return {
        "recall": float(np.mean(recalls)),
        "sd": float(np.std(recalls)),
        "worst": min(recalls),
        "draws": len(recalls),
    }


def _verification(
    study: Study, sessions: Sequence[Heard], scale: _Scale
) -> dict[str, dict[str, Any]]:
    names = [one.name for one in sessions if one.modes]
    speakers = _speakers(sessions)
    targets = {
        one.name: one.speaker
        for one in sessions
        if one.modes and speakers.count(one.speaker) > 1 and len(set(speakers)) > 2
    }
    found: dict[str, dict[str, Any]] = {"as_recorded": {}, "notch": {}}
    if not targets:
        return found
    for kind, notch in (("as_recorded", False), ("notch", True)):
        jobs = [(name, names, scale.every, notch) for name in targets]
        folds = study.run(f"verification, {kind.replace('_', ' ')}", verified, jobs)
        for speaker in sorted(set(targets.values())):
            own = [one for one, who in zip(folds, targets.values(), strict=True) if who == speaker]
            figures = verification_figures(own)
            if figures is not None:
                found[kind][speaker] = figures
    return found


def _activity(sessions: Sequence[Heard]) -> dict[str, Any]:
    gates = {one.name: one.gate for one in sessions if one.gate is not None}
    by_session = {
        name: {
            "false_activations_per_min": 60 * gate.false_activations / gate.rest_s
            if gate.rest_s
            else None,
            "rest_min": gate.rest_s / 60,
            "missed_speech": gate.missed_speech,
            "cross_validated_per_min": gate.cross_validated_per_min,
        }
        for name, gate in gates.items()
    }
    rest_s = sum(one.rest_s for one in gates.values())
    activations = sum(one.false_activations for one in gates.values())
    rates = [
        one["false_activations_per_min"]
        for one in by_session.values()
        if one["false_activations_per_min"] is not None
    ]
    return {
        "false_activations_per_min": 60 * activations / rest_s if rest_s else None,
        "median_session_per_min": float(np.median(rates)) if rates else None,
        "rest_min": rest_s / 60,
        "sessions": by_session,
    }


def _say(findings: Findings, sessions: Sequence[Heard], scale: _Scale) -> None:
    figures = findings.figures
    findings.differs += [
        "None of this is in the paper, which tells whole utterances.",
        "*Speech heard* counts the updates (every 100 ms) of an utterance in which the session's "
        "activity gate takes speech for at least as likely as rest; rest before it begins and "
        "pauses do not count. An utterance that has less is told by the whole of it.",
        "Enrolment: speakers with one session only are background, from whom the classifier learns "
        "how much one speaker varies; they are no answer. Recall without them stands beside it.",
        "The gate of each session, which says what is speech, learns from the labels of its own "
        "training subsets: as in a bundle of that session, also where the *speaker* classifier has "
        "not seen it. The row *gate of the others* is for a day of which nothing is labelled.",
        "Two clocks: answers are counted against *speech heard* as above, while the evidence rests "
        "on all frames beyond the gate's threshold, which lets 98 % of the speech pass and some "
        "rest with it.",
    ]
    if scale.every > 1:
        findings.differs.append(f"One of {scale.every} utterances is taken.")
    findings.tuned += [
        "Speaker, session unseen: features, shrinkage of the covariance "
        f"({SHRINKAGE:g}; 0.1 to 0.6 was as good) and the probability of a decision ({SURE:g} of "
        f"{', '.join(f'{one:g}' for one in PROBABILITIES)}) were chosen on the training subsets "
        "of nine sessions of EMG-UKA, each left out in turn. On these sessions the figures over "
        "all utterances are therefore mostly those of development; those of the test subsets, on "
        "which nothing was chosen, stand beside them. The scale of the probabilities is fitted "
        "in each fold, on utterances of its training sessions.",
        "Enrolment: the background, on the same training subsets; its recalls count utterances of "
        "these, too. So was it that evidence is of the latest 3 s of speech at the most.",
        "Verification: a first score, the log odds among the known speakers, failed on impostors "
        "in a run over all utterances; the present one was chosen on the same training subsets.",
        f"The time to decision at {100 * STATED_ERROR:g} % errors is read off the curve of errors "
        "against times, as an equal error rate is; the one at a fixed probability is not.",
    ]
    for name, what in (
        ("mode", "No two modes in one session: nothing is said of the mode."),
        ("speaker", "One speaker only: nobody is told apart."),
    ):
        if figures[name]["pooled"] is None:
            findings.missing.append(what)
    pooled = figures["mode"]["pooled"]
    if pooled is not None and pooled["rest_only"] is None:
        findings.missing.append(
            "The mode before anybody speaks: no session has two modes of "
            f"{LEAST} training utterances each."
        )
    if figures["speaker"]["unseen_session"] is None:
        findings.missing.append(
            "Two speakers with two sessions each are needed for unseen sessions and enrolment."
        )
    if not figures["speaker"]["verification"]["as_recorded"]:
        findings.missing.append(
            "Three speakers, one of them with two sessions, are needed for verification."
        )
    if short := [n for n, one in figures["speaker"]["enrolment"].items() if one is None]:
        findings.missing.append(f"No enrolment from {', '.join(short)} utterances.")
    if open_gates := [one.name for one in sessions if one.gate is None]:
        findings.missing.append(
            f"No gate could be trained for {', '.join(map(as_text, open_gates))}: all counts as "
            "speech there."
        )
