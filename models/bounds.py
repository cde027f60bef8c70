"""Bounds of settings: each number's, where it is defined, and those of sizes that follow.

Settings of operators are plain dataclasses whose numbers are annotated with pydantic's ``Field``:
a manifest is checked by them as it is read, and whoever builds an operator in Python by
`check_bounds`. What several numbers make together (samples in a window, columns of a stacked
frame) is computed and compared with a bound by `check_size`, before anything of that size is made.
"""

import math
from dataclasses import fields
from functools import cache
from typing import Any, get_type_hints

from pydantic.fields import FieldInfo

from drivers.errors import StreamerError

MOST_VALUES = 2**24
"""Numbers in any array that follows from settings: 128 MiB."""


def check_bounds(settings: Any, what: str) -> None:
    """Refuse settings with a number out of its bounds.

    Parameters
    ----------
    settings : dataclass instance
        Its numbers are annotated with ``Field(ge=..., le=...)``, or with ``gt``.
    what : str
        What they are settings of, for the error: ``"stacking"``.

    Raises
    ------
    StreamerError
        Naming the number, its value and its bounds.
    """
    for name, (above, lowest, highest) in _bounds(settings.__class__).items():
        value = getattr(settings, name)
        if not lowest <= value <= highest or value <= above:
            low = f"{lowest:g}" if lowest > above else f"above {above:g}"
            raise StreamerError(
                f"{name} of the {what}", value=value, allowed=f"{low} to {highest:g}"
            )


def check_size(thing: str, size: float, most: int = MOST_VALUES) -> None:
    """Refuse a size that follows from several settings and is too large to be meant.

    Parameters
    ----------
    thing : str
        What is so large, for the error.
    size : float
        As computed.
    most : int
        That it may be.

    Raises
    ------
    StreamerError
        Naming both.
    """
    if not size <= most:
        raise StreamerError(thing, value=f"{size:g}", allowed=f"{most} or fewer")


@cache
def _bounds(kind: type) -> dict[str, tuple[float, float, float]]:
    """Return, for each number of some settings, what it must exceed, and its least and most."""
    hints = get_type_hints(kind, include_extras=True)
    found = {}
    for field in fields(kind):
        limits = [
            limit
            for info in getattr(hints[field.name], "__metadata__", ())
            if isinstance(info, FieldInfo)
            for limit in info.metadata
        ]
        if limits:
            above, lowest, highest = (
                next((getattr(one, name) for one in limits if hasattr(one, name)), default)
                for name, default in (("gt", -math.inf), ("ge", -math.inf), ("le", math.inf))
            )
            found[field.name] = (above, lowest, highest)
    return found
