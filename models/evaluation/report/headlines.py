"""The figures that come first, each beside the paper's where it has one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from models.evaluation.findings import Table
from models.evaluation.part import Part


@dataclass(frozen=True)
class Headline:
    """A figure that people ask for first.

    Attributes
    ----------
    experiment, path : str
        Where it stands: ``mode.json``, ``pooled.balanced_accuracy``.
    what : str
        For people.
    unit : str
        ``"%"`` shows a fraction in percent.
    paper : float, optional
        The paper's, in the unit shown.
    speakers : str
        Where the speakers are counted, for figures that chance has a share in.
    """

    experiment: str
    path: str
    what: str
    unit: Literal["dB", "%", "s"]
    paper: float | None = None
    speakers: str = ""


HEADLINES: Final = (
    Headline(
        "conversion",
        "audible.paper.mcd_db.mean",
        "EMG to speech, audible, the paper's network: MCD",
        "dB",
        6.48,
    ),
    Headline(
        "conversion",
        "audible.symmetric.mcd_db.mean",
        "EMG to speech, audible, ours with look-ahead: MCD",
        "dB",
    ),
    Headline(
        "conversion",
        "audible.causal.mcd_db.mean",
        "EMG to speech, audible, ours, causal: MCD",
        "dB",
    ),
    Headline(
        "conversion",
        "silent.paper.audible_trained.dtw_mcd_db.mean",
        "EMG to speech, silent, the paper's network, trained on audible: DTW-MCD",
        "dB",
        6.38,
    ),
    Headline(
        "conversion",
        "silent.audible_trained.dtw_mcd_db.mean",
        "EMG to speech, silent, ours, trained on audible, rescaled: DTW-MCD",
        "dB",
    ),
    Headline(
        "conversion",
        "silent.silent_trained.dtw_mcd_db.mean",
        "EMG to speech, silent, ours, trained on silent: DTW-MCD",
        "dB",
    ),
    Headline("speaker", "lda.uar", "Speaker, LDA: UAR", "%", 73.0, "lda.speakers"),
    Headline("speaker", "forest.uar", "Speaker, random forest: UAR", "%", 64.0, "forest.speakers"),
    Headline("embedding", "uar", "Speaker, embedding transfer: UAR", "%", 45.23, "speakers"),
    Headline(
        "autoencoder",
        "direct.audible.uar",
        "Speaker, autoencoder on EMG: UAR",
        "%",
        51.7,
        "direct.audible.speakers",
    ),
    Headline(
        "autoencoder",
        "indirect.audible.uar",
        "Speaker, autoencoder on converted speech: UAR",
        "%",
        56.32,
        "indirect.audible.speakers",
    ),
    Headline(
        "mode",
        "paper.balanced_accuracy",
        "Speaking mode, all sessions together, the paper's features: balanced accuracy",
        "%",
        58.44,
    ),
    Headline(
        "mode",
        "paper.rest_only.balanced_accuracy",
        "Speaking mode, the paper's features, control: before anybody speaks",
        "%",
    ),
    Headline(
        "mode",
        "pooled.balanced_accuracy",
        "Speaking mode, all sessions together, ours: balanced accuracy",
        "%",
    ),
    Headline(
        "mode",
        "pooled.rolling_2s.balanced_accuracy",
        "Speaking mode, all sessions together, ours, windows of 2 s: balanced accuracy",
        "%",
    ),
    Headline(
        "mode",
        "pooled.rest_only.balanced_accuracy",
        "Speaking mode, all sessions together, control: before anybody speaks",
        "%",
    ),
    Headline(
        "mode",
        "unseen_session.none.balanced_accuracy",
        "Speaking mode, session never seen, as it is: balanced accuracy",
        "%",
    ),
    Headline(
        "mode",
        "unseen_session.unlabelled.training_part.balanced_accuracy",
        "Speaking mode, session never seen, adapted to its unlabelled training part",
        "%",
    ),
    Headline(
        "mode",
        "unseen_session.unlabelled.balanced_accuracy",
        "Speaking mode, session never seen, adapted to all of it, unlabelled, those told included",
        "%",
    ),
    Headline(
        "mode",
        "unseen_session.unlabelled.rest_only.balanced_accuracy",
        "Speaking mode, session never seen, the same, control: before anybody speaks",
        "%",
    ),
    Headline(
        "rolling",
        "speaker.unseen_session.test_subset.after_ms.500.uar",
        "Speaker, session never seen, after 0.5 s of speech, test subsets: UAR",
        "%",
    ),
    Headline(
        "rolling",
        "speaker.unseen_session.gate_of_others.test_subset.after_ms.500.uar",
        "Speaker, the same, speech told from rest by the other sessions' gate: UAR",
        "%",
    ),
    Headline(
        "rolling",
        "speaker.unseen_session.test_subset.sure.median_heard_s",
        "Speaker, session never seen, decided at a fixed probability, test subsets: median",
        "s",
    ),
    Headline(
        "rolling",
        "speaker.unseen_session.test_subset.sure.errors",
        "Speaker, the same, errors",
        "%",
    ),
    Headline(
        "rolling",
        "speaker.enrolment.3.recall",
        "Speaker, enrolled from 3 utterances, all utterances: recall",
        "%",
    ),
)

_NOTE: Final = (
    "The paper's figure stands beside the system that is the paper's, at its smallest difference; "
    "each experiment says what differs. Chance is one in so many speakers, here and in the paper. "
    "*All utterances*: those of the training subsets, on which choices were made, count among them."
)


def headlines(parts: Sequence[Part]) -> Table:
    """Put the headline figures of the experiments that were run into a table.

    Parameters
    ----------
    parts : sequence of Part
        The experiments.

    Returns
    -------
    Table
        Empty where none of them has any.
    """
    figures = {part.findings.name: part.findings.figures for part in parts}
    rows = tuple(
        (
            one.what,
            _said(at(figures[one.experiment], one.path), one.unit),
            _of_paper(one),
            _chance(figures[one.experiment], one.speakers),
        )
        for one in HEADLINES
        if one.experiment in figures
    )
    return Table("Headline figures", ("", "here", "paper", "chance"), rows, note=_NOTE)


def at(figures: Mapping[str, Any], path: str) -> float | None:
    """Return a figure by its path, None where it is not there or could not be measured."""
    value = _found(figures, path)
    return value if isinstance(value, int | float) else None


def _found(figures: Mapping[str, Any], path: str) -> Any:
    found: Any = figures
    for key in path.split("."):
        found = found.get(key) if isinstance(found, Mapping) else None
    return found


def _said(value: float | None, unit: str) -> str | None:
    if value is None:
        return None
    return f"{100 * value:.1f} %" if unit == "%" else f"{value:.2f} {unit}"


def _chance(figures: Mapping[str, Any], path: str) -> str | None:
    """Return the UAR of chance, from where the speakers of a figure are counted."""
    found = _found(figures, path)
    return f"{100 / len(set(found) - {'all'}):.0f} %" if found else None


def _of_paper(one: Headline) -> str | None:
    if one.paper is None:
        return None
    return f"{one.paper:.1f} %" if one.unit == "%" else f"{one.paper:.2f} {one.unit}"
