"""Leave each session out, learn from the others, and tell who speaks in it."""

from typing import Any, Final

from models.evaluation.findings import Cell, Findings, Table
from models.evaluation.metrics.decisions import confusion
from models.evaluation.settings import Size
from models.evaluation.speaker.jobs import SYSTEMS, Described, Features, describe, fold
from models.evaluation.study import Study
from models.evaluation.unseen_sessions import (
    Decision,
    session_figures,
    session_table,
    several_sessions,
)
from models.training.forest import TREES

_FEATURES: Final[tuple[Features, ...]] = ("paper", "log")
_HEADLINE: Final[Features] = "paper"
_NAMES: Final = {"lda": "LDA", "forest": "random forest"}
_PAPER: Final = {"lda": (83.0, 73.0), "forest": (84.0, 64.0)}  # accuracy and UAR in percent
_TREES: Final[dict[Size, int]] = {"quick": 30, "default": TREES, "full": TREES}


def speaker(study: Study) -> Findings:
    """Tell speakers of sessions that training has not seen, by LDA and by a random forest.

    Parameters
    ----------
    study : Study
        Corpus and size.

    Returns
    -------
    Findings
        Empty, with the reason, where no two speakers have two sessions each.
    """
    findings = Findings("speaker", "Speaker, straight from EMG")
    findings.figures = {name: {"accuracy": None, "uar": None} for name in SYSTEMS}
    names = [one.name for one in several_sessions(study.material.all_sessions(), None)]
    if not names:
        findings.missing.append(
            "Two speakers with two sessions each are needed to leave a session out; "
            "nobody was told apart."
        )
        return findings
    described = study.run(
        "features of utterances", describe, [(n,) for n in study.material.sessions]
    )
    few = [one for one in described if one.session in names]
    further = sorted({one.speaker for one in described} - {one.speaker for one in few})
    results: dict[str, dict[str, list[Decision]]] = {}
    for features in _FEATURES:
        results[features] = _told(study, few, few, features)
    if further:
        results["further_speakers"] = _told(study, few, described, _HEADLINE)
    else:
        findings.missing.append("No speaker with one session only, to be a further training class.")
    _report(findings, results, further, study.settings.size)
    return findings


def _told(
    study: Study, tested: list[Described], known: list[Described], features: Features
) -> dict[str, list[Decision]]:
    trees, seed = _TREES[study.settings.size], study.settings.seed
    folds = study.run(
        f"speakers of unseen sessions, {features} features",
        fold,
        [
            (one, [other for other in known if other.session != one.session], features, trees, seed)
            for one in tested
        ],
    )
    return {system: [one for each in folds for one in each[system]] for system in SYSTEMS}


def _report(
    findings: Findings,
    results: dict[str, dict[str, list[Decision]]],
    further: list[str],
    size: Size,
) -> None:
    figures = {
        name: {system: _figures(told[system]) for system in SYSTEMS}
        for name, told in results.items()
    }
    findings.figures = {
        "features": _HEADLINE,
        **figures[_HEADLINE],
        "log_features": figures["log"],
        "further_speakers": {"speakers": further} | figures.get("further_speakers", {}),
    }
    findings.tables.append(_overview(figures, further))
    findings.tables += [
        session_table(
            f"{_NAMES[system]}, session by session, {name} features", figures[name][system], system
        )
        for system in SYSTEMS
        for name in _FEATURES
    ]
    findings.differs += [
        "The headline figures are those of the paper's features, as they are named there, and of "
        "its classifiers. Beside them stand log features, with sums divided by the length of the "
        "utterance and equal weight for all speakers.",
        "Classifiers learn from the training subsets of the other sessions; a session that is left "
        "out is tested as a whole, in all modes. The paper does not speak of subsets.",
        "EMG is high-passed at 1 Hz first (causal): each channel carries a DC offset that alone "
        "tells sessions apart. The paper does not say what it did.",
    ]
    if size == "quick":
        findings.differs.append(f"The forest has {_TREES[size]} trees; the paper's has {TREES}.")
    findings.tuned.append("LDA and forest: nothing; features and settings are the paper's.")


def _figures(decisions: list[Decision]) -> dict[str, Any]:
    figures = session_figures(decisions)
    assert figures is not None
    truth, said = [one.truth for one in decisions], [one.said for one in decisions]
    classes = sorted(set(truth) | set(said))
    counts = confusion(truth, said, classes).tolist()
    by_mode = {
        mode: session_figures([one for one in decisions if one.mode == mode])
        for mode in sorted({one.mode for one in decisions})
    }
    return figures | {
        "confusion": {"classes": classes, "counts": counts},
        "modes": {
            mode: {key: found[key] for key in ("utterances", "accuracy", "uar")}
            for mode, found in by_mode.items()
            if found is not None
        },
    }


def _overview(figures: dict[str, dict[str, Any]], further: list[str]) -> Table:
    kinds = {
        "paper": "features as in the paper",
        "log": "log features, speakers weigh equally",
        "further_speakers": f"as in the paper; {', '.join(further)} as further training class",
    }
    rows: list[tuple[Cell, ...]] = []
    for system in SYSTEMS:
        for kind, what in kinds.items():
            if kind in figures:
                found = figures[kind][system]
                shares = [100 * found[one] for one in ("accuracy", "uar", "prevalence")]
                paper = _PAPER[system] if kind == "paper" else (None, None)
                rows.append((_NAMES[system], what, found["utterances"], *shares, *paper))
    return Table(
        "Speaker from EMG: sessions that training has not seen",
        ("system", "features", "utterances", "accuracy (%)", "UAR (%)", "largest class (%)")
        + ("paper: accuracy (%)", "paper: UAR (%)"),
        tuple(rows),
        digits=1,
        note="One decision an utterance. UAR: mean recall of the speakers. The paper has five "
        "speakers with several sessions; it quotes 12.5 % as chance of the UAR, with five speakers "
        "it is 20 %.",
    )
