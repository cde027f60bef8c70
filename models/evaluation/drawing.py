"""Pictures of the report."""

from io import StringIO

from matplotlib import rc_context
from matplotlib.figure import Figure


def svg_of(figure: Figure) -> str:
    """Return a figure as SVG.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Made without pyplot, so that no window system is asked for.

    Returns
    -------
    str
        The same for the same figure: without a date, with names that do not change, and
        text as text.
    """
    buffer = StringIO()
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "streamer"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None}, transparent=True)
    return buffer.getvalue()
