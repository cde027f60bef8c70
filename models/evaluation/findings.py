"""What an experiment found: figures for scripts, tables and drawings for people."""

import re
from dataclasses import dataclass, field
from typing import Any

Cell = str | int | float | None


@dataclass(frozen=True)
class Table:
    """A table of the report.

    Attributes
    ----------
    title : str
        What it shows.
    columns : tuple of str
        Heads, units included: ``"MCD (dB)"``.
    rows : tuple of tuple
        Cells; None is shown as a dash.
    digits : int
        Decimals of the floats.
    note : str
        What must be known to read it; Markdown.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    digits: int = 2
    note: str = ""


@dataclass(frozen=True)
class Drawing:
    """A picture of the report.

    Attributes
    ----------
    title : str
        What it shows.
    svg : str
        The picture itself.
    note : str
        What must be known to read it; Markdown.
    """

    title: str
    svg: str
    note: str = ""


@dataclass
class Findings:
    """What one experiment found.

    Attributes
    ----------
    name : str
        Of the experiment: its JSON file is called so.
    title : str
        For people.
    figures : dict
        All numbers, nested, of plain types: ``DIR/<name>.json``.
    tables, drawings : list
        In the order of the report.
    differs : list of str
        Where it leaves the paper's protocol, and why; Markdown, a sentence or two each.
    tuned : list of str
        What was chosen by looking at data, and at which.
    missing : list of str
        What the corpus did not have, or what was left out.
    """

    name: str
    title: str
    figures: dict[str, Any] = field(default_factory=dict)
    tables: list[Table] = field(default_factory=list)
    drawings: list[Drawing] = field(default_factory=list)
    differs: list[str] = field(default_factory=list)
    tuned: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


def as_text(text: str) -> str:
    """Let a name stay a name within a note, which is Markdown.

    Parameters
    ----------
    text : str
        Of a corpus, a session, a label: whatever others have called something.

    Returns
    -------
    str
        One line without markup.
    """
    return re.sub(r"([\\`*_\[\]<>|~&])", r"\\\1", " ".join(text.split()))
