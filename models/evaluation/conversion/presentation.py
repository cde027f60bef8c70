"""Tables and the drawing of the conversion experiment."""

from typing import Any, Final

import numpy as np
from matplotlib.figure import Figure

from models.evaluation.drawing import svg_of
from models.evaluation.findings import Cell, Drawing, Table

PAPER: Final = {
    "audible": (6.48, 0.79, 4.5, 9.06),
    "silent": (6.38, 0.57, 4.86, 8.86),
}
"""MCD and DTW-MCD of the paper's section 3: mean, SD, least, largest."""

_SETTINGS: Final = (
    ("symmetric", "ours, 150 ms look-ahead"),
    ("causal", "ours, no look-ahead"),
    ("paper", "the paper's network, here"),
)
_TRAININGS: Final = {
    "audible_trained": "trained on audible speech, rescaled",
    "audible_trained_as_is": "trained on audible speech, as it is",
    "silent_trained": "trained on silent speech",
}
_BLUE, _ORANGE = "#3b6ea8", "#d9822b"


def tables_of(figures: dict[str, Any]) -> list[Table]:
    """Return all tables.

    Parameters
    ----------
    figures : dict
        As `figures.figures_of` returns them.

    Returns
    -------
    list of Table
        Distortion beside the paper's, session by session, pitch and intelligibility.
    """
    audible = {name: figures["audible"].get(name) for name, _ in _SETTINGS}
    silent = [(said, _silent(figures, *path)) for path, said in _silent_rows()]
    return [
        Table(
            "Mel-cepstral distortion, audible speech",
            ("", "MCD (dB)", "SD", "least", "largest", "sessions", "utterances"),
            (
                ("Diener et al. (2020)", *PAPER["audible"], 63, None),
                *(_row(said, audible[name], "mcd_db") for name, said in _SETTINGS),
            ),
            note="Mean over all frames of an utterance, silence included, without c0; then over "
            "the utterances of a session's test subset; mean, SD and range over sessions. The "
            "paper does not state the unit of its SD and range.",
        ),
        Table(
            "Mel-cepstral distortion, session by session (dB)",
            ("session", *(said for _, said in _SETTINGS)),
            _by_session(audible),
        ),
        Table(
            "DTW-MCD against the audible utterance of the same sentence",
            ("", "DTW-MCD (dB)", "SD", "least", "largest", "sessions", "utterances"),
            (
                ("silent: Diener et al. (2020)", *PAPER["silent"], 32, None),
                *(_row(f"silent: {said}", one, "dtw_mcd_db") for said, one in silent),
                *(
                    _row(f"whispered: {said}{_how(name)}", _whispered(figures, name), "dtw_mcd_db")
                    for name, said in _SETTINGS
                ),
            ),
            note="Unconstrained dynamic time warping with steps (1, 1), (1, 0), (0, 1); mean over "
            "the path. *Trained on silent speech*: the targets are those of the audible utterance "
            "of the same sentence, warped to the time of the silent EMG.",
        ),
        Table(
            "Pitch and intelligibility",
            ("", "F0 RMSE (cents)", "voicing error (%)", "ESTOI"),
            (
                *((f"audible: {said}", *_quality(audible[name])) for name, said in _SETTINGS),
                *((f"silent: {said}", *_quality(one)) for said, one in silent),
            ),
            note="F0 over the frames that are voiced in both; voicing over all frames. ESTOI "
            "(Jensen and Taal, 2016) of the vocoder's sound against the natural one; of silent "
            "speech after alignment. The paper has no such figures.",
        ),
    ]


def drawing_of_ccc(figures: dict[str, Any]) -> Drawing | None:
    """Draw the paper's figure 2: the CCC of each coefficient, audible above, silent below.

    Parameters
    ----------
    figures : dict
        As `figures.figures_of` returns them.

    Returns
    -------
    Drawing or None
        None where nothing was converted.
    """
    panels = [
        ("audible", figures["audible"].get("symmetric"), figures["audible"].get("causal")),
        (
            "silent (DTW), networks trained on audible speech, EMG as it is",
            _silent(figures, "audible_trained_as_is"),
            _silent(figures, "causal", "audible_trained_as_is"),
        ),
    ]
    panels = [one for one in panels if one[1] or one[2]]
    if not panels:
        return None
    figure = Figure(figsize=(7.5, 2.4 * len(panels)), layout="constrained")
    axes = np.atleast_1d(figure.subplots(len(panels), 1, sharex=True, sharey=True))
    for axis, (title, symmetric, causal) in zip(axes, panels, strict=True):
        for shift, one, colour, label in (
            (-0.2, symmetric, _BLUE, "150 ms look-ahead"),
            (0.2, causal, _ORANGE, "no look-ahead"),
        ):
            if one:
                mean, sd = one["ccc"]["mean"], one["ccc"]["sd"]
                place = np.arange(len(mean)) + shift
                axis.bar(
                    place,
                    mean,
                    0.4,
                    yerr=sd,
                    color=colour,
                    label=label,
                    ecolor="#888",
                    error_kw={"lw": 0.8},
                )
        axis.set_ylabel("CCC")
        axis.set_title(title, loc="left", fontsize=10)
        axis.spines[["top", "right"]].set_visible(False)
        axis.grid(axis="y", lw=0.4, color="#ccc")
        axis.set_axisbelow(True)
    axes[0].legend(frameon=False, fontsize=9)
    axes[-1].set_xlabel("mel-cepstral coefficient")
    axes[-1].set_xticks(range(0, len(mean), 2))
    return Drawing(
        "How well each coefficient is followed (as the paper's figure 2, by our networks)",
        svg_of(figure),
        "Concordance correlation coefficient between predicted and natural mel-cepstra over all "
        "frames of a session's test subset; bars are means, lines SDs over sessions. c0 is the "
        "level.",
    )


def _silent_rows() -> list[tuple[tuple[str, ...], str]]:
    rows: list[tuple[tuple[str, ...], str]] = []
    for setting, said in _SETTINGS:
        above: tuple[str, ...] = () if setting == "symmetric" else (setting,)
        for training, how in _TRAININGS.items():
            if setting != "paper":
                rows.append(((*above, training), f"{said}, {how}"))
        if setting == "paper":
            how = _TRAININGS["audible_trained_as_is"]
            rows.append(((*above, "audible_trained"), f"{said}, {how}"))
    return rows


def _silent(figures: dict[str, Any], *path: str) -> dict[str, Any] | None:
    found: Any = figures["silent"]
    for key in path:
        found = (found or {}).get(key)
    return found if found and "sessions" in found else None


def _whispered(figures: dict[str, Any], setting: str) -> dict[str, Any] | None:
    there = figures["whispered"]
    one = there if setting == "symmetric" else there.get(setting, {})
    found: dict[str, Any] | None = one.get("audible_trained")
    return found if found and "sessions" in found else None


def _how(setting: str) -> str:
    how = "audible_trained_as_is" if setting == "paper" else "audible_trained"
    return f", {_TRAININGS[how]}"


def _row(said: str, one: dict[str, Any] | None, name: str) -> tuple[Cell, ...]:
    if not one:
        return (said, None, None, None, None, None, None)
    spread = one[name]
    values = (spread["mean"], spread["sd"], spread["min"], spread["max"], spread["sessions"])
    return (said, *values, one["utterances"])


def _quality(one: dict[str, Any] | None) -> tuple[Cell, ...]:
    if not one:
        return (None, None, None)
    wrong = one["voicing_error"]["mean"]
    return (
        one["f0_rmse_cents"]["mean"],
        None if wrong is None else 100 * wrong,
        one["estoi"]["mean"],
    )


def _by_session(audible: dict[str, dict[str, Any] | None]) -> tuple[tuple[Cell, ...], ...]:
    names = sorted({name for one in audible.values() if one for name in one["sessions"]})

    def cell(setting: str, name: str) -> Cell:
        one = audible[setting]
        return one["sessions"][name]["mcd_db"] if one and name in one["sessions"] else None

    return tuple((name, *(cell(setting, name) for setting, _ in _SETTINGS)) for name in names)
