"""XML of a file that others wrote, within bounds."""

import re
import xml.etree.ElementTree as ET
from typing import Any

_MOST_BYTES = 4 << 20
_MOST_DEPTH = 32
_MOST_ELEMENTS = 100_000
# What XML does not allow, and liblsl writes as it is in a name: as a letter, and as its number.
_FORBIDDEN = re.compile(
    "[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|&#(x[0-9a-f]{1,8}|[0-9]{1,9});", re.I
)
_UNKNOWN = "\N{REPLACEMENT CHARACTER}"


class _Bounded(ET.TreeBuilder):
    """A tree that is neither deep nor large, and has no entities of its own."""

    def __init__(self) -> None:
        super().__init__()
        self._depth = self._elements = 0

    def start(self, tag: Any, attrs: Any) -> ET.Element:
        """Begin an element."""
        self._depth += 1
        self._elements += 1
        if self._depth > _MOST_DEPTH:
            raise ValueError(f"nested deeper than {_MOST_DEPTH}")
        if self._elements > _MOST_ELEMENTS:
            raise ValueError(f"more than {_MOST_ELEMENTS} elements")
        return super().start(tag, attrs)

    def end(self, tag: str) -> ET.Element:
        """End it."""
        self._depth -= 1
        return super().end(tag)

    def doctype(self, *_: object) -> None:
        """Refuse what could declare entities that multiply."""
        raise ValueError("it has a document type")


def parse_xml(content: bytes) -> ET.Element:
    """Read the description of a file or a stream, or a footer.

    Parameters
    ----------
    content : bytes
        In UTF-8; what is none, and letters that XML does not allow, are replaced.

    Returns
    -------
    Element
        The outermost one.

    Raises
    ------
    ValueError
        It is no XML, or out of bounds.
    """
    if len(content) > _MOST_BYTES:
        raise ValueError(f"more than {_MOST_BYTES >> 20} MiB")
    parser = ET.XMLParser(target=_Bounded())
    try:
        parser.feed(_FORBIDDEN.sub(_allowed, content.decode("utf-8", "replace")))
        root = parser.close()
    # LookupError: an encoding that nobody knows
    except (ET.ParseError, LookupError) as error:
        raise ValueError(f"no XML: {error}") from None
    if not isinstance(root, ET.Element):
        raise ValueError("no XML: no element")
    return root


def _allowed(found: re.Match[str]) -> str:
    """Keep the number of a letter that can be printed."""
    if not found[1]:
        return _UNKNOWN
    number = int(found[1][1:], 16) if found[1][0] in "xX" else int(found[1])
    return found[0] if number < 0x110000 and chr(number).isprintable() else _UNKNOWN
