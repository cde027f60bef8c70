"""All experiments, by name."""

from collections.abc import Callable
from importlib import import_module
from typing import Final

from drivers.errors import StreamerError
from models.evaluation.findings import Findings
from models.evaluation.study import Study

EXPERIMENTS: Final = (
    "conversion",
    "search",
    "latency",
    "speaker",
    "embedding",
    "autoencoder",
    "mode",
    "rolling",
)
"""In the order of the report. Each is a package of this one with a function of its own name."""


def experiment(name: str) -> Callable[[Study], Findings]:
    """Return an experiment.

    Parameters
    ----------
    name : str
        One of `EXPERIMENTS`.

    Returns
    -------
    callable
        Takes a `Study`, returns `Findings`.

    Raises
    ------
    StreamerError
        There is none of this name.
    """
    if name not in EXPERIMENTS:
        raise StreamerError("experiment", value=name, allowed=f"all, {', '.join(EXPERIMENTS)}")
    module = import_module(f"models.evaluation.{name}")
    found: Callable[[Study], Findings] = getattr(module, name)
    return found
