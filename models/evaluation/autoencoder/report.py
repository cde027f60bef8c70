"""What the experiment found, for people."""

from typing import Any, Final

from models.evaluation.findings import Cell, Findings, Table
from models.evaluation.settings import Size
from models.evaluation.unseen_sessions import session_table

_PAPER: Final = {
    ("direct", "audible"): (86.6, 51.7),
    ("direct", "whispered"): (82.1, 55.2),
    ("direct", "silent"): (82.0, 55.4),
    ("indirect", "audible"): (80.63, 56.32),
}
"""Accuracy and UAR in percent."""

_SYSTEMS: Final = {"direct": "EMG", "indirect": "converted speech"}


def report(findings: Findings, size: Size) -> None:
    """Add tables and sentences to what was found.

    Parameters
    ----------
    findings : Findings
        With its figures; changed in place.
    size : str
        Of the evaluation.
    """
    figures = findings.figures
    systems = {name: figures[name] for name in _SYSTEMS if figures[name]}
    findings.tables.append(_overview(systems))
    for name, system in systems.items():
        if system["audible"]:
            title = f"Autoencoders on {_SYSTEMS[name]}, audible, session by session"
            findings.tables.append(session_table(title, system["audible"]))
    for mode in ("whispered", "silent"):
        if systems and not systems["direct"][mode]:
            findings.missing.append(
                f"The paper's protocol on {mode} EMG needs two speakers with two such sessions "
                "each: what there is of it is told by what was learned from audible EMG, and "
                "called cross-mode."
            )
    findings.differs += _differs(figures["settings"], size)
    findings.tuned.append(
        "Autoencoders: nothing. What the default size leaves out was set by time, not by results."
    )


def _overview(systems: dict[str, Any]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for name, system in systems.items():
        for mode in ("audible", "whispered", "silent"):
            paper = _PAPER.get((name, mode), (None, None))
            if system[mode] or mode == "audible":
                rows.append((_SYSTEMS[name], mode, mode, *_row(system[mode]), *paper))
                paper = (None, None)
            if mode != "audible":
                figures = system["cross_mode"][mode]
                rows.append(
                    (_SYSTEMS[name], "audible", f"{mode} (cross-mode)", *_row(figures), *paper)
                )
    return Table(
        "Speaker by autoencoders: sessions that the classifier has not seen",
        ("system", "trained on", "tested on", "utterances", "accuracy (%)", "UAR (%)")
        + ("largest class (%)", "paper: accuracy (%)", "paper: UAR (%)"),
        tuple(rows),
        note="The autoencoders, which see no labels, have seen the training subsets of all "
        "sessions, also of the one that is left out. Where a row is cross-mode the paper's figures "
        "beside it come from training in the mode itself.",
    )


def _row(figures: dict[str, Any] | None) -> tuple[Cell, ...]:
    if figures is None:
        return (0, None, None, None)
    shares = (figures["accuracy"], figures["uar"], figures["prevalence"])
    return (figures["utterances"], *(100 * one for one in shares))


def _differs(settings: dict[str, Any], size: Size) -> list[str]:
    network, conversion = settings["network"], settings["conversion"]
    sentences = [
        "The autoencoders are trained once for all folds and modes, so they have seen the "
        "unlabelled training subsets of the session that is left out. Support vector machines "
        "learn from training subsets of the other sessions; a session that is left out is tested "
        "as a whole.",
        "The channels' mean is taken after the causal high-pass of the live system has removed "
        "their DC; each 40 ms window loses what mean is left, as in auDeep. At 600 Hz a window has "
        "24 samples: it is padded with zeros to 512, where auDeep would leave most of 128 bands "
        "empty.",
        "auDeep takes recordings of equal length; here they keep their own, and what pads a batch "
        "counts for nothing. auDeep projects the decoder's outputs twice; here once.",
        f"Converted speech: audible training utterances by {conversion['folds']} models of their "
        "session, each without the sentences that it converts; all other utterances by a model of "
        "the session's audible training subset. These converters are neither the paper's TD-15 nor "
        "the one that goes live: a feed-forward network on log TD features of the frames -15 to 0.",
    ]
    if size != "full":
        left_out = settings["reduction"]
        sentences.append(
            f"Smaller than the paper: {network['layers']} layers of {network['hidden']} units "
            f"(paper: 2 of 256), {network['epochs']} epochs in batches of {network['batch']} "
            f"(64, 256), at most {left_out['utterances']} utterances of a subset of a session and "
            f"the middle {left_out['seconds']:g} s of each (all); converters trained for "
            f"{conversion['epochs']} epochs at most."
        )
    return sentences
