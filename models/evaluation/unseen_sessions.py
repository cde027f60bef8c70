"""Who speaks in a session that training has not seen: the split and its figures, as Table 3.

Diener et al. (2020), section 4.1: speakers with more than one session, each session is left out
once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from drivers.errors import RecordingError
from models.evaluation.findings import Cell, Table
from models.evaluation.material import Session
from models.evaluation.metrics.decisions import accuracy, unweighted_average_recall

_PAPER: dict[str, dict[str, tuple[float, float, float, float]]] = {
    "lda": {
        "1": (0.97, 0.99, 0.98, 0.01),
        "2": (0.34, 1.0, 0.95, 0.13),
        "4": (0.0, 1.0, 0.5, 0.5),
        "7": (0.0, 0.0, 0.0, 0.0),
        "8": (0.99, 1.0, 1.0, 0.0),
        "all": (0.0, 1.0, 0.92, 0.24),
    },
    "forest": {
        "1": (0.58, 0.99, 0.85, 0.19),
        "2": (0.96, 1.0, 0.99, 0.01),
        "4": (0.01, 0.68, 0.35, 0.33),
        "7": (0.0, 0.0, 0.0, 0.0),
        "8": (0.83, 1.0, 0.99, 0.04),
        "all": (0.0, 1.0, 0.93, 0.22),
    },
    "transfer": {
        "1": (0.25, 0.33, 0.29, 0.03),
        "2": (0.1, 0.98, 0.81, 0.2),
        "4": (0.29, 0.49, 0.39, 0.1),
        "7": (0.01, 0.04, 0.02, 0.01),
        "8": (0.43, 0.9, 0.75, 0.14),
        "all": (0.01, 0.98, 0.72, 0.25),
    },
}
"""Worst, best, mean and standard deviation of the sessions' accuracy; the paper's Table 3."""


@dataclass(frozen=True)
class Decision:
    """What was said of one utterance of a session that was left out.

    Attributes
    ----------
    session, mode : str
        Where it belongs.
    truth, said : str
        Speakers.
    """

    session: str
    mode: str
    truth: str
    said: str


def several_sessions(sessions: Sequence[Session], mode: str | None = "audible") -> list[Session]:
    """Return the sessions of the speakers that have more than one.

    Parameters
    ----------
    sessions : sequence of Session
        All of a corpus.
    mode : str or None
        Only sessions with training utterances in this mode count; None for any.

    Returns
    -------
    list of Session
        Empty where there are fewer than two such speakers: nobody is to be told apart then.
    """
    learned = [
        one
        for one in sessions
        if any(len(utterance.emg.frames) for utterance in one.subset("train", mode))
    ]
    speakers = [one.speaker for one in learned]
    found = [one for one in learned if speakers.count(one.speaker) > 1]
    return found if len({one.speaker for one in found}) > 1 else []


def check_learned(speakers: Sequence[str]) -> None:
    """Refuse to tell speakers apart where nothing shows how much one of them varies.

    Parameters
    ----------
    speakers : sequence of str
        Of each example to learn from.

    Raises
    ------
    RecordingError
        There is a single example of each.
    """
    different = len(set(speakers))
    if len(speakers) <= different:
        raise RecordingError(
            "examples to learn speakers from",
            value=f"{len(speakers)} of {different} speakers",
            allowed="two of a speaker or more",
            way_out="record more training utterances, or longer ones",
        )


def session_figures(decisions: Sequence[Decision]) -> dict[str, Any] | None:
    """Count what is right: over all utterances, and session by session.

    Parameters
    ----------
    decisions : sequence of Decision
        Of all sessions that were left out.

    Returns
    -------
    dict or None
        Accuracy, UAR, prevalence of the commonest speaker, accuracy by session, and its worst,
        best, mean and standard deviation by speaker; None without decisions.
    """
    if not decisions:
        return None
    truth, said = [one.truth for one in decisions], [one.said for one in decisions]
    speakers = sorted(set(truth))
    sessions = {
        session: _session([one for one in decisions if one.session == session])
        for session in sorted({one.session for one in decisions})
    }
    by_speaker = {
        speaker: [one["accuracy"] for one in sessions.values() if one["speaker"] == speaker]
        for speaker in speakers
    } | {"all": [one["accuracy"] for one in sessions.values()]}
    return {
        "utterances": len(decisions),
        "accuracy": accuracy(truth, said),
        "uar": unweighted_average_recall(truth, said),
        "prevalence": max(truth.count(one) for one in speakers) / len(truth),
        "speakers": {
            speaker: {
                "sessions": len(found),
                "worst": min(found),
                "best": max(found),
                "mean": float(np.mean(found)),
                "sd": float(np.std(found)),
            }
            for speaker, found in by_speaker.items()
        },
        "sessions": sessions,
    }


def _session(decisions: Sequence[Decision]) -> dict[str, Any]:
    return {
        "speaker": decisions[0].truth,
        "utterances": len(decisions),
        "accuracy": accuracy([one.truth for one in decisions], [one.said for one in decisions]),
    }


def session_table(title: str, figures: dict[str, Any], system: str | None = None) -> Table:
    """Show figures by speaker beside those of the paper's Table 3.

    Parameters
    ----------
    title : str
        Of the table.
    figures : dict
        As `session_figures` returns them.
    system : str, optional
        Column of Table 3; None where the paper has none.

    Returns
    -------
    Table
        One row a speaker, and one for all.
    """
    paper = _PAPER.get(system or "", {})
    rows: list[tuple[Cell, ...]] = []
    for speaker, found in figures["speakers"].items():
        theirs = paper.get(speaker.lstrip("0"))
        rows.append(
            (speaker, found["sessions"], found["worst"], found["best"], found["mean"], found["sd"])
            + ((_row(theirs),) if paper else ())
        )
    columns = ("speaker", "sessions", "worst", "best", "mean", "SD")
    return Table(
        title,
        columns + (("paper: worst / best / mean ± SD",) if paper else ()),
        tuple(rows),
        note="Accuracy over the utterances of a session that training had not seen; worst, best, "
        "mean and standard deviation over the sessions of a speaker."
        + (" The paper's speakers are those of the same number." if paper else ""),
    )


def _row(numbers: tuple[float, float, float, float] | None) -> str | None:
    return None if numbers is None else "{:.2f} / {:.2f} / {:.2f} ± {:.2f}".format(*numbers)
