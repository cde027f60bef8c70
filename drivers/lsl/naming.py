"""Streams found by their names, whatever letters others have put into them."""

from collections.abc import Callable, Mapping
from typing import Any

from drivers.outside.names import clean

MOST = 1000
"""More than ever answer: a search for as many lasts as long as it may."""

_UNKNOWN = "\N{REPLACEMENT CHARACTER}"  # stands for a letter that cannot be shown
_LONGEST = 200  # letters of a predicate: a query is one packet

_FIELDS: dict[str, Callable[[Any], str]] = {
    "name": lambda stream: str(stream.name()),
    "type": lambda stream: str(stream.type()),
    "source_id": lambda stream: str(stream.source_id()),
}


def predicate(field: str, value: str) -> str:
    """Return liblsl's predicate for streams whose `field` may be `value`.

    A query is a packet of lines in UTF-8, and XPath knows no escapes. So what cannot be in
    one is left out, and more streams may answer: see `matching`.

    Parameters
    ----------
    field : str
        ``"name"``, ``"type"`` or ``"source_id"``, or several of them joined by `` or ``.
    value : str
        What it must be.

    Returns
    -------
    str
        In XPath.
    """
    if is_exact(value):
        # what is shown has single spaces
        conditions = [f"normalize-space({one})={_quoted(value)}" for one in field.split(" or ")]
    else:
        part = max(_words(value), key=len, default="")[:_LONGEST]
        conditions = [f"contains({one},{_quoted(part)})" for one in field.split(" or ")]
    return f"({' or '.join(conditions)})"  # liblsl puts an `and` before it


def is_exact(value: str) -> bool:
    """Say whether only streams of that value answer to its predicate."""
    return len(value) <= _LONGEST and clean(value) == value and _UNKNOWN not in value


def matching(streams: list[Any], field: str, value: str) -> list[Any]:
    """Choose the streams whose `field` is `value`, as it is or as it is shown.

    Parameters
    ----------
    streams : list of pylsl.StreamInfo
        That answered.
    field, value : str
        As for `predicate`.

    Returns
    -------
    list of pylsl.StreamInfo
        In their order.
    """
    reads = [_FIELDS[one] for one in field.split(" or ")]
    return [s for s in streams if any(value in (read(s), clean(read(s))) for read in reads)]


def identity(stream: Any) -> Mapping[str, str]:
    """Return name, type and source_id: a stream that has the same three is the same stream.

    Some devices give all their streams one source_id.

    Parameters
    ----------
    stream : pylsl.StreamInfo
        The stream.

    Returns
    -------
    mapping of str to str
        As they are.
    """
    return {field: read(stream) for field, read in _FIELDS.items()}


def _quoted(value: str) -> str:
    if '"' not in value:
        return f'"{value}"'
    if "'" not in value:
        return f"'{value}'"
    parts = ",'\"',".join(f'"{part}"' for part in value.split('"'))
    return f"concat({parts})"


def _words(value: str) -> list[str]:
    """Return the parts of a value that can be in a query."""
    return clean(value).replace(_UNKNOWN, " ").split()
