"""Texts in a line of their own: as they are, or as JSON where they would be misread."""

from drivers.errors import RecordingError
from drivers.outside.strict_json import to_json
from drivers.outside.texts import parse_json


def is_plain(text: str, reserved: str = '"') -> bool:
    """Say whether a text is read as it stands in a line.

    Parameters
    ----------
    text : str
        Any.
    reserved : str
        Letters that it may not begin with.

    Returns
    -------
    bool
        It is not empty, has nothing unprintable in it, and no blanks around it.
    """
    return text.isprintable() and text == text.strip() != "" and text[0] not in reserved


def quote(text: str, reserved: str = '"') -> str:
    """Write a text into a line, as JSON if it is not plain; arguments as for `is_plain`."""
    return text if is_plain(text, reserved) else to_json(text, ascii_only=True)


def unquote(text: str) -> str:
    """Read a text, which is JSON if it begins with a quotation mark, `quote` undone.

    What begins so and is no JSON is taken as it stands.
    """
    if not text.startswith('"'):
        return text
    try:
        return str(parse_json(text, "text", RecordingError))
    except RecordingError:
        return text
