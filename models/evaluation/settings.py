"""How large an evaluation is."""

from dataclasses import dataclass
from typing import Literal

Size = Literal["quick", "default", "full"]
"""``quick`` proves that everything runs, ``default`` is an hour on two cores, ``full`` is the
paper's size."""


@dataclass(frozen=True)
class EvaluationSettings:
    """What holds for all experiments.

    Attributes
    ----------
    size : str
        ``"quick"``, ``"default"`` or ``"full"``; each experiment says what it makes of it.
    seed : int
        Of everything random.
    sessions : tuple of str
        Only these recording sessions of the corpus; empty for all.
    """

    size: Size = "default"
    seed: int = 0
    sessions: tuple[str, ...] = ()
