"""Tables and drawings of the rolling experiment."""

from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from models.evaluation.drawing import svg_of
from models.evaluation.findings import Cell, Drawing, Table
from models.evaluation.metrics.courses import SECONDS, Course, reliability

_COLOURS: Final = ("#4269d0", "#efb118", "#3ca951", "#9c6b4e")
_HEARD: Final = tuple(f"{1000 * one:g}" for one in SECONDS)


def tables_of(figures: dict[str, Any]) -> list[Table]:
    """Return the tables.

    Parameters
    ----------
    figures : dict
        Of the experiment.

    Returns
    -------
    list of Table
        Those that have rows.
    """
    tables = [
        _accuracy(figures),
        _decisions(figures),
        _enrolment(figures["speaker"]["enrolment"]),
        _verification(figures["speaker"]["verification"]),
        _activity(figures["activity"]),
    ]
    return [one for one in tables if one.rows]


def systems_of(figures: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Name what was followed while it went on, by its figures."""
    speaker = figures["speaker"]
    unseen = speaker["unseen_session"] or {}
    gate = unseen.get("gate_of_others") or {}
    systems = {
        "mode, sessions known": figures["mode"]["pooled"],
        "speaker, sessions known, evidence": speaker["pooled"],
        "speaker, sessions known, lda": speaker["pooled_window"],
        "speaker, session unseen, evidence": speaker["unseen_session"],
        "the same on test subsets alone": unseen.get("test_subset"),
        "the same with further speakers as classes": unseen.get("further_speakers"),
        "the same, gate of the others": gate or None,
        "the same, gate of the others, test subsets alone": gate.get("test_subset"),
        "speaker, session unseen, lda": unseen.get("window_classifier"),
    }
    return {name: found for name, found in systems.items() if found is not None}


def _accuracy(figures: dict[str, Any]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for name, found in systems_of(figures).items():
        shares = [100 * found["after_ms"][one]["uar"] for one in (*_HEARD, "whole")]
        full = found.get("rolling")
        window = None if full is None else 100 * full["uar"]
        ece = None if found["ece"] is None else 100 * found["ece"]
        rows.append((name, found["utterances"], *shares, window, ece))
    return Table(
        "Mean recall (%) against seconds of speech heard",
        ("system", "utterances", *(f"{one:g} s" for one in SECONDS))
        + ("whole utterance", "full windows", "ECE (%)"),
        tuple(rows),
        digits=1,
        note="The mode and `lda` are told over the last 2 s of EMG with whatever rest is in them. "
        "They say nothing before half a second of EMG, which counts as wrong; *full windows* "
        "counts all answers on 2 s of EMG. Evidence adds up over the latest 3 s of speech. "
        "Sessions known: test utterances; unseen: all utterances, unless it says otherwise. "
        "ECE: expected calibration error over all answers after some speech. "
        + _control(figures["mode"]["pooled"]),
    )


def _control(mode: dict[str, Any] | None) -> str:
    if mode is None or mode["rest_only"] is None:
        return ""
    rest = 100 * mode["rest_only"]["balanced_accuracy"]
    return (
        "Modes were recorded in blocks: from the beginning of the same utterances, before anybody "
        f"speaks, the mode is told with {rest:.1f} % by what drifts from block to block."
    )


def _decisions(figures: dict[str, Any]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for name, found in systems_of(figures).items():
        decided = found["decision"]["at_stated_error"]
        if decided is not None:
            rows.append((name, "errors within 1 %", *_decided(decided)))
        if "sure" in found:
            rows.append((name, "fixed before", *_decided(found["sure"])))
    return Table(
        "Time to decision",
        ("system", "threshold", "probability", "errors (%)", "by class (%)", "undecided (%)")
        + ("median speech (s)", "median time (s)"),
        tuple((*row[:2], f"{row[2]:g}", *row[3:]) for row in rows),
        note="Decided once, as soon as a class is so probable; medians over all utterances, of the "
        "speech heard and of the EMG since the utterance began, rest included.",
    )


def _decided(found: dict[str, Any]) -> tuple[Any, ...]:
    errors, by_class = found["errors"], found["balanced_errors"]
    return (
        found["probability"],
        None if errors is None else 100 * errors,
        None if by_class is None else 100 * by_class,
        100 * found["undecided"],
        found["median_heard_s"],
        found["median_time_s"],
    )


def _enrolment(figures: dict[str, Any]) -> Table:
    rows = tuple(
        (
            int(count),
            *(100 * found[one] for one in ("recall", "sd", "worst")),
            100 * found["alone"]["recall"],
            found["draws"],
        )
        for count, found in figures.items()
        if found is not None
    )
    return Table(
        "Speaker enrolled from a few utterances of one session",
        ("utterances", "recall (%)", "SD", "worst (%)", "without background (%)", "draws"),
        rows,
        digits=1,
        note="Mean recall of the speakers over whole utterances of their other sessions; SD and "
        "worst over draws of sessions and utterances, in all modes that were recorded.",
    )


def _verification(figures: dict[str, dict[str, Any]]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for target, found in figures["as_recorded"].items():
        notch = figures["notch"].get(target, {})
        for who in ("mean", *found["impostors"]):
            both = (
                [found, notch]
                if who == "mean"
                else [kind.get("impostors", {}).get(who, {}) for kind in (found, notch)]
            )
            rates = [kind.get("eer_after_ms", {}) for kind in both]
            shares = [rate.get(after) for rate in rates for after in ("1000", "whole")]
            rows.append((target, who, *(None if one is None else 100 * one for one in shares)))
    return Table(
        "Verification against impostors that training has not seen: equal error rate (%)",
        ("target", "impostor", "1 s", "whole", "1 s, notch", "whole, notch"),
        tuple(rows),
        digits=1,
        note="All other speakers are known to the classifier: with few of them it does not know "
        "how others differ. The session of the target that is tested has not been seen either. "
        "Notch: 50 Hz and harmonics removed, so that no speaker is known by hum.",
    )


def _activity(figures: dict[str, Any]) -> Table:
    rows = tuple(
        (
            name,
            found["false_activations_per_min"],
            found["rest_min"],
            None if found["missed_speech"] is None else 100 * found["missed_speech"],
            found["cross_validated_per_min"],
        )
        for name, found in figures["sessions"].items()
    )
    return Table(
        "False activations at rest",
        ("session", "per minute", "rest (min)", "speech missed (%)", "cross-validated, per minute"),
        rows,
        note="Runs of frames that the activity gate takes for speech and that touch rest and no "
        "frame known as speech, on test utterances; frames of which nothing is known may be in "
        "them, so a word that begins early can count. Last, on training utterances that a fold had "
        "not seen. The test subsets hold little rest: a few activations decide.",
    )


def drawings_of(courses: dict[str, list[Course]], figures: dict[str, Any]) -> list[Drawing]:
    """Return the drawings.

    Parameters
    ----------
    courses : dict of str to list of Course
        What was followed.
    figures : dict
        Of the experiment.

    Returns
    -------
    list of Drawing
        Those that have something to show.
    """
    if not any(courses.values()):
        return []
    return [
        _curve(figures),
        *_sooner(figures),
        _reliability(courses),
        *_enrolment_curve(figures["speaker"]["enrolment"]),
    ]


def _curve(figures: dict[str, Any]) -> Drawing:
    figure, axis = _axes()
    last = 2 * SECONDS[-1]
    for (name, found), colour in zip(_drawn(figures), _COLOURS, strict=False):
        shares = [100 * found["after_ms"][one]["uar"] for one in (*_HEARD, "whole")]
        axis.plot((*SECONDS, last), shares, "o-", color=colour, label=name, ms=4, lw=1.5)
    axis.set_xscale("log")
    axis.set_xticks((*SECONDS, last), [*(f"{one:g}" for one in SECONDS), "whole"])
    axis.minorticks_off()
    axis.set_xlabel("speech heard (s)")
    axis.set_ylabel("mean recall (%)")
    axis.legend(frameon=False, fontsize=9)
    return Drawing("Right answers against seconds of speech heard", svg_of(figure))


def _sooner(figures: dict[str, Any]) -> list[Drawing]:
    figure, axis = _axes()
    for (name, found), colour in zip(_drawn(figures), _COLOURS, strict=False):
        points = [
            (one["median_heard_s"], 100 * one["errors"])
            for one in found["decision"]["curve"]
            if one["median_heard_s"] is not None and one["errors"] is not None
        ]
        if points:
            axis.plot(*zip(*points, strict=True), "o-", color=colour, label=name, ms=4, lw=1.5)
    if not axis.lines:
        return []
    axis.axhline(1, color="#888", lw=0.8, ls=":")
    axis.set_yscale("symlog", linthresh=1)
    axis.set_yticks([0, 1, 2, 5, 10, 20], ["0", "1", "2", "5", "10", "20"])
    axis.set_ylim(bottom=-0.1)
    axis.set_xlim(left=0)
    axis.set_xlabel("median time to decision (s of speech heard)")
    axis.set_ylabel("errors (%)")
    axis.legend(frameon=False, fontsize=9)
    return [
        Drawing(
            "Deciding sooner, and erring more often",
            svg_of(figure),
            "One point a threshold of the probability. A threshold that more than half of the "
            "utterances never reach has no median and no point.",
        )
    ]


def _drawn(figures: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    systems = systems_of(figures)
    return [(name, found) for name, found in systems.items() if "the same" not in name]


def _reliability(courses: dict[str, list[Course]]) -> Drawing:
    figure, axis = _axes((4.8, 4.4))
    axis.plot([0, 1], [0, 1], color="#888", lw=0.8, ls=":")
    for (name, found), colour in zip(courses.items(), _COLOURS, strict=True):
        curve = reliability(found) if found else None
        if curve is not None:
            there = curve.count > 0
            axis.plot(
                curve.confidence[there],
                curve.accuracy[there],
                "-",
                color=colour,
                label=name,
                lw=1.5,
            )
            size = 4 + 60 * curve.count[there] / curve.count.sum()
            axis.scatter(curve.confidence[there], curve.accuracy[there], size, color=colour)
    axis.set_xlim(0, 1.02)
    axis.set_ylim(0, 1.02)
    axis.set_xlabel("probability of the answer")
    axis.set_ylabel("part that is right")
    axis.legend(frameon=False, fontsize=8, loc="upper left")
    return Drawing(
        "Whether probabilities mean what they say",
        svg_of(figure),
        "All answers after some speech, in ten bins; larger dots hold more of them.",
    )


def _enrolment_curve(figures: dict[str, Any]) -> list[Drawing]:
    there = {int(count): found for count, found in figures.items() if found is not None}
    if not there:
        return []
    figure, axis = _axes((4.8, 3.0))
    recall = np.array([100 * one["recall"] for one in there.values()])
    sd = np.array([100 * one["sd"] for one in there.values()])
    upper = np.minimum(sd, 100 - recall)
    axis.errorbar(list(there), recall, (sd, upper), fmt="o-", color=_COLOURS[0], lw=1.5, capsize=3)
    axis.set_xscale("log")
    axis.set_xticks(list(there), [str(one) for one in there])
    axis.minorticks_off()
    axis.set_xlabel("utterances enrolled")
    axis.set_ylabel("mean recall (%)")
    return [
        Drawing(
            "Enrolment from a few utterances of one session",
            svg_of(figure),
            "Whole utterances of other sessions; lines are SDs over draws.",
        )
    ]


def _axes(size: tuple[float, float] = (7.0, 3.6)) -> tuple[Figure, Axes]:
    figure = Figure(figsize=size, layout="constrained")
    axis = figure.subplots()
    axis.spines[["top", "right"]].set_visible(False)
    axis.grid(lw=0.4, color="#ccc")
    axis.set_axisbelow(True)
    return figure, axis
