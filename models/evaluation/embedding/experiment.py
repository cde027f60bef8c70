"""Diener et al. (2020), section 4.3: who speaks, by embeddings that EMG learns from speech."""

from dataclasses import asdict, replace
from typing import Any, Final

from models.evaluation.embedding.jobs import Fold, acoustic, fold
from models.evaluation.findings import Cell, Findings, Table
from models.evaluation.settings import Size
from models.evaluation.study import Study
from models.evaluation.unseen_sessions import session_figures, session_table, several_sessions
from models.training.embedding import EmbeddingSettings

TESTED: Final = ("train", "test")
"""Subsets of a session that was left out: all of it, for training saw nothing of it."""

_SIZES: Final[dict[Size, EmbeddingSettings]] = {
    "quick": EmbeddingSettings(layers=1, hidden=32, size=16, slices_seen=2_000),
    "default": EmbeddingSettings(slices_seen=32_000),
    "full": EmbeddingSettings(slices_seen=260_000),
}
_PAPER: Final = (72.03, 45.23)  # accuracy and UAR in percent


def embedding(study: Study) -> Findings:
    """Leave each session out, learn from the others, and tell who speaks in it.

    Parameters
    ----------
    study : Study
        Corpus and size.

    Returns
    -------
    Findings
        Empty, with the reason, where the corpus has not what it takes.
    """
    settings = replace(_SIZES[study.settings.size], seed=study.settings.seed)
    findings = Findings("embedding", "Speaker, by embeddings transferred from speech")
    sessions = study.material.all_sessions()
    chosen = [one.name for one in several_sessions(sessions)]
    findings.figures = {"accuracy": None, "uar": None, "settings": asdict(settings)}
    if not chosen:
        findings.missing.append(
            "Two speakers with two sessions each are needed to leave a session out; "
            "no embeddings were learned."
        )
        return findings
    [teacher] = study.run("acoustic speaker encoder", acoustic, [(settings, TESTED)])
    if teacher is None:
        findings.missing.append(
            "The loss of the acoustic encoder compares speakers: two or more with audio are "
            "needed; no embeddings were learned."
        )
        return findings
    folds = study.run(
        "EMG speaker encoders",
        fold,
        [(session, teacher, settings, TESTED) for session in chosen],
    )
    _report(findings, folds, settings, study.settings.size)
    return findings


def _report(findings: Findings, folds: list[Fold], settings: EmbeddingSettings, size: Size) -> None:
    by_mode = {
        mode: session_figures([one for each in folds for one in each.priors if one.mode == mode])
        for mode in ("audible", "whispered", "silent")
    }
    audible = by_mode["audible"]
    equal = session_figures([one for each in folds for one in each.equal])
    speech = session_figures([one for each in folds for one in each.speech])
    assert audible is not None
    findings.figures |= audible | {
        "equal_priors": equal,
        "cross_mode": {mode: by_mode[mode] for mode in ("whispered", "silent")},
        "speech_itself": speech,
    }
    findings.tables += [
        _overview(audible, equal, by_mode, speech),
        session_table("Embedding transfer, session by session", audible, "transfer"),
    ]
    for mode in ("whispered", "silent"):
        if by_mode[mode] is None:
            findings.missing.append(f"No {mode} EMG of a speaker with several sessions.")
    findings.differs += [
        "The acoustic encoder is trained once, on all sessions, so it has heard the speech of the "
        "session that is left out, as in the paper. The EMG encoder and the discriminant have not.",
        "All encoders and discriminants learn from training subsets only; a session that is left "
        "out is tested as a whole. The discriminant learns from audible EMG, because a speaker "
        "with one multi-mode session would otherwise be known by mode; whispered and silent "
        "utterances are therefore cross-mode.",
        "An utterance's embedding is the mean of those of its slices, every "
        f"{settings.slice_shift} frames, brought to length 1; the paper does not say how it makes "
        "them. F0 is logarithmic, and the middle of its range where an utterance has no voice.",
    ]
    if size != "full":
        findings.differs.append(
            f"Each encoder learns from {settings.slices_seen} slices drawn at random; the full "
            f"size takes {_SIZES['full'].slices_seen}, the paper does not say. "
            + (
                "Layers are as in the paper."
                if size == "default"
                else f"Layers are cut to {settings.layers} x {settings.hidden}, "
                f"the embedding to {settings.size}."
            )
        )
    findings.tuned.append(
        "Embeddings: nothing. Optimiser, learning rate and number of slices, which the paper does "
        "not give, were set by what is usual and by time, not by results."
    )


def _overview(
    audible: dict[str, Any],
    equal: dict[str, Any] | None,
    by_mode: dict[str, dict[str, Any] | None],
    speech: dict[str, Any] | None,
) -> Table:
    rows: list[tuple[Cell, ...]] = [
        (*_row("audible EMG, priors of the examples (as the paper)", audible), *_PAPER)
    ]
    rows += [
        (*_row(name, figures), None, None)
        for name, figures in (
            ("audible EMG, equal priors", equal),
            ("whispered EMG (cross-mode)", by_mode["whispered"]),
            ("silent EMG (cross-mode)", by_mode["silent"]),
            ("the speech itself, by the acoustic encoder", speech),
        )
    ]
    return Table(
        "Speaker by embeddings: sessions that the EMG encoder has not seen",
        ("of", "utterances", "accuracy (%)", "UAR (%)", "largest class (%)")
        + ("paper: accuracy (%)", "paper: UAR (%)"),
        tuple(rows),
        note="The acoustic encoder has heard all sessions. The last row is what the teacher itself "
        "makes of these sessions, which it knows: no result, but a bound.",
    )


def _row(name: str, figures: dict[str, Any] | None) -> tuple[Cell, ...]:
    if figures is None:
        return (name, 0, None, None, None)
    shares = (figures["accuracy"], figures["uar"], figures["prevalence"])
    return (name, figures["utterances"], *(100 * one for one in shares))
