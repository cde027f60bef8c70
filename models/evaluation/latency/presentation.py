"""The picture of the latency experiment."""

from typing import Any, Final

from matplotlib.figure import Figure

from models.evaluation.drawing import svg_of
from models.evaluation.findings import Drawing

_COLOURS: Final = ("#4269d0", "#efb118", "#3ca951", "#9c6b4e")


def drawing_of(sweep: dict[str, dict[str, Any]]) -> Drawing:
    """Draw distortion against latency, and against the effective lead.

    Parameters
    ----------
    sweep : dict of str to dict
        As in the findings.

    Returns
    -------
    Drawing
        Two panels of one scale.
    """
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    names = list(dict.fromkeys(one["series"] for one in sweep.values()))
    for colour, name in zip(_COLOURS, names, strict=False):
        points = [one for one in sweep.values() if one["series"] == name]
        points.sort(key=lambda one: -float(one["algorithmic_ms"]))
        mcd_db = [one["mcd_db"] for one in points]
        style = {"color": colour, "marker": "o", "markersize": 4, "label": name}
        left.plot([one["algorithmic_ms"] for one in points], mcd_db, **style)
        lead_ms = [one["effective_lead_ms"] - one["future_ms"] for one in points]
        right.plot(lead_ms, mcd_db, **style)
    left.set(xlabel="algorithmic latency (ms)", ylabel="MCD (dB)")
    right.set(xlabel="effective lead, less what is heard ahead (ms)")
    for axes in (left, right):
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    left.invert_xaxis()
    left.legend(frameon=False, fontsize="small", loc="upper left")
    return Drawing(
        "Distortion against latency",
        svg_of(figure),
        "Held-out training sentences; each point is a converter. To the right speech comes sooner.",
    )
