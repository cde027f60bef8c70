"""One measured figure, and what a bench comes to."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Progress = Callable[[str, int, int], None]
"""Takes what is being done, how much of it is done, and how much there is."""


@dataclass(frozen=True)
class Figure:
    """A measured figure beside what it has to be.

    Attributes
    ----------
    name : str
        Key in JSON.
    value : float
        As measured.
    unit : str
        Of the value; empty for counts.
    most : float or None
        What it may be at the most; None where nothing is asked of it.
    about : str
        What was measured, for people.
    least : float or None
        What it has to be at the least; None where nothing is asked of it.
    """

    name: str
    value: float
    unit: str
    most: float | None
    about: str
    least: float | None = None

    @property
    def good(self) -> bool:
        """It is what it has to be."""
        low = self.least is None or self.value >= self.least
        return bool(low and (self.most is None or self.value <= self.most))


@dataclass(frozen=True)
class Report:
    """What a bench comes to.

    Attributes
    ----------
    figures : list of Figure
        All of them.
    values : dict
        What scripts read, by their keys.
    notes : list of str
        What has to be known beside the figures, a line each.
    picture : Path or None
        PNG.
    invalid : str or None
        Why the figures prove nothing; None where they do.
    """

    figures: list[Figure]
    values: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    picture: Path | None = None
    invalid: str | None = None

    @property
    def good(self) -> bool:
        """The run is valid and all figures are what they have to be."""
        return self.invalid is None and all(figure.good for figure in self.figures)
