"""Tables and drawings of the mode."""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from models.evaluation.drawing import svg_of
from models.evaluation.findings import Cell, Drawing, Table

PAPER: Final = 0.5844
"""Balanced accuracy in Diener et al. (2020), figure 3; 32 sessions."""

Figures = dict[str, Any]


def systems_of(figures: Figures) -> Iterator[tuple[str, Figures | None]]:
    """Name everything that was told, in the order of the report.

    Parameters
    ----------
    figures : dict
        Of the experiment.

    Yields
    ------
    name : str
        For people.
    found : dict or None
        Its figures.
    """
    paper, pooled = figures["paper"] or {}, figures["pooled"] or {}
    yield "the paper's features and LDA, pooled", paper or None
    yield "the same, log features", paper.get("log_features")
    yield "our classifier, pooled", pooled or None
    yield "the same, windows of 2 s", pooled.get("rolling_2s")
    yield "our classifier, pooled, channel 5 left out", pooled.get("without_channel_5")
    yield "our classifier, pooled, 50 Hz notch", pooled.get("notch")
    yield "our classifier, within the session", figures["within_session"]
    unseen = figures["unseen_session"] or {}
    unlabelled = unseen.get("unlabelled") or {}
    yield "session unseen, not normalised", unseen.get("none")
    yield "session unseen, by its audible training part", unseen.get("audible")
    yield "session unseen, by its unlabelled data, scaled only", unlabelled.get("scaled_only")
    yield "session unseen, adapted to all its unlabelled data", unlabelled or None
    yield "session unseen, adapted to that of its training part", unlabelled.get("training_part")
    yield "the same, channel 5 left out", unlabelled.get("without_channel_5")
    yield "the same, 50 Hz notch", unlabelled.get("notch")


def tables_of(figures: Figures) -> list[Table]:
    """Return the tables that have rows."""
    tables = [_accuracy(figures), _by_session(figures), *_validated(figures["validated"])]
    return [one for one in tables if one.rows]


def _accuracy(figures: Figures) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for name, found in systems_of(figures):
        if found is None:
            continue
        every = found.get("all_utterances") or {}
        rest = (found.get("rest_only") or {}).get("balanced_accuracy")
        every_rest = (every.get("rest_only") or {}).get("balanced_accuracy")
        rows.append(
            (
                name,
                _percent(found["balanced_accuracy"]),
                _percent(rest),
                found.get("utterances", found.get("windows")),
                _percent(every.get("balanced_accuracy")),
                _percent(every_rest),
                _percent(PAPER) if name.startswith("the paper") else None,
            )
        )
    return Table(
        "Speaking mode, balanced accuracy (%)",
        (
            "classifier",
            "test utterances",
            "at rest only",
            "number",
            "all utterances",
            "at rest only ",
            "paper",
        ),
        tuple(rows),
        digits=1,
        note=f"*At rest only* is the control: the first {figures['rest_s']:g} s of each utterance. "
        "Modes were recorded in blocks, and what the control tells is drift of the session. With "
        "90 test utterances a figure is good to ±7 points. A session never seen is also told over "
        "*all* its utterances, none of which was learned from.",
    )


def _by_session(figures: Figures) -> Table:
    systems = [
        (name, found) for name, found in systems_of(figures) if found and "sessions" in found
    ]
    sessions = sorted({one for _, found in systems for one in found["sessions"]})
    rows: list[tuple[Cell, ...]] = [
        (name, *(_percent(found["sessions"].get(one)) for one in sessions))
        for name, found in systems
    ]
    return Table(
        "Speaking mode by session, balanced accuracy on test utterances (%)",
        ("classifier", *sessions),
        tuple(rows),
        digits=0,
    )


def _validated(found: Figures | None) -> Iterator[Table]:
    if found is None:
        return
    if found["pooled_windows"]:
        yield Table(
            "How sessions are pooled: windows of sentences not learned, training subsets (%)",
            ("a group of the discriminant is", "balanced accuracy"),
            tuple(
                (label, _percent(found["pooled_windows"][name]))
                for name, label in (
                    ("mode", "a mode"),
                    ("mode_and_session", "a mode in a session"),
                )
            ),
            digits=1,
        )
    if found["unseen_session"]:
        yield Table(
            "Shrinkage for a session never seen: training subsets, one left out (%)",
            ("shrinkage", "scaled only", "adapted"),
            tuple(
                (f"{one['shrinkage']:g}", _percent(one["scaled"]), _percent(one["adapted"]))
                for one in found["unseen_session"]
            ),
            digits=1,
        )


def drawings_of(figures: Figures) -> list[Drawing]:
    """Draw confusion matrices as in the paper's figure 3.

    Parameters
    ----------
    figures : dict
        Of the experiment.

    Returns
    -------
    list of Drawing
        One with a panel for each system; none without any.
    """
    unseen = (figures["unseen_session"] or {}).get("unlabelled")
    panels = [
        (name, found)
        for name, found in (
            ("the paper's classifier, pooled", figures["paper"]),
            ("our classifier, pooled", figures["pooled"]),
            ("session unseen, unlabelled data", unseen),
        )
        if found is not None
    ]
    if not panels:
        return []
    figure = Figure(figsize=(3.6 * len(panels), 4.5), layout="constrained")
    axes = figure.subplots(1, len(panels), squeeze=False)[0]
    for number, (axis, (name, found)) in enumerate(zip(axes, panels, strict=True)):
        _matrix(axis, found)
        accuracy = 100 * found["balanced_accuracy"]
        axis.set_title(f"{name}\naccuracy: {accuracy:.2f} % (balanced)", fontsize=9)
        axis.set_xlabel("told")
        axis.set_ylabel("spoken" if number == 0 else "")
    return [
        Drawing(
            "Confusion of the speaking modes",
            svg_of(figure),
            "As figure 3 of the paper (58.44 %, 32 sessions). Per cent of the utterances spoken in "
            "a mode, and their number; test subsets.",
        )
    ]


def _matrix(axis: Axes, found: Figures) -> None:
    counts = np.array(found["confusion"])
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axis.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    modes = found["modes"]
    axis.set_xticks(range(len(modes)), modes)
    axis.set_yticks(range(len(modes)), modes, rotation=90, va="center")
    axis.tick_params(length=0)
    for row, column in np.ndindex(counts.shape):
        axis.text(
            column,
            row,
            f"{100 * shares[row, column]:.0f} %\n({counts[row, column]})",
            ha="center",
            va="center",
            color="white" if shares[row, column] > 0.55 else "black",
        )


def _percent(part: float | None) -> float | None:
    return None if part is None else 100 * part
