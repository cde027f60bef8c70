"""One measured figure."""

from collections.abc import Callable
from dataclasses import dataclass

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
    """

    name: str
    value: float
    unit: str
    most: float | None
    about: str

    @property
    def good(self) -> bool:
        """It is what it has to be."""
        return self.most is None or self.value <= self.most
