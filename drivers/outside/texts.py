"""The one way to open a file that a user can name, and to read texts, JSON and YAML of it.

A path may be a pipe that nobody writes to or a device without an end, a text may be nested
ten thousand deep or be short and mean a billion entries. Each such is refused here, in one
line, before anything is made of it.
"""

import json
import os
import stat
from pathlib import Path
from typing import Any, BinaryIO

import yaml

from drivers.errors import StreamerError

MOST_BYTES = 2**24
"""A text that is read as a whole may have so many bytes; a manifest has some thousands."""

_MOST_YAML_BYTES = 2**20  # its parser is slow
_MOST_DEPTH = 32
_MOST_ENTRIES = 2**17  # an entry of a YAML alias counts each time that it is named
_KINDS = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
    stat.S_IFDIR: "a directory",
}

Refusal = type[StreamerError]


def open_regular(path: str | Path, thing: str, refusal: Refusal = StreamerError) -> BinaryIO:
    """Open a file to read, and nothing that is no file: that might never end, or never begin.

    Parameters
    ----------
    path : str or Path
        As the user named it.
    thing : str
        What it is to be, for the error: ``"configuration talk.yaml"``.
    refusal : type of StreamerError
        Raised where it is no file.

    Returns
    -------
    file object
        In binary.

    Raises
    ------
    StreamerError
        Of the type `refusal`: a pipe, a device, a directory.
    OSError
        There is none, or it may not be read.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | _flags("O_NONBLOCK", "O_CLOEXEC", "O_BINARY"))
    except ValueError:  # NUL in its name
        raise refusal(thing, value="a name with NUL in it", allowed="a file") from None
    kind = stat.S_IFMT(os.fstat(descriptor).st_mode)
    if kind != stat.S_IFREG:
        os.close(descriptor)
        raise refusal(thing, value=_KINDS.get(kind, "no file"), allowed="a file")
    return os.fdopen(descriptor, "rb")


def read_text(
    path: str | Path,
    thing: str,
    refusal: Refusal = StreamerError,
    *,
    allowed: str = "UTF-8",
    most_bytes: int = MOST_BYTES,
    errors: str = "strict",
) -> str:
    """Read a text as a whole.

    Parameters
    ----------
    path, thing, refusal
        As for `open_regular`.
    allowed : str
        What it should be, for the error: ``"YAML"``.
    most_bytes : int
        That it may have.
    errors : str
        What becomes of bytes that are no UTF-8, as for `bytes.decode`.

    Returns
    -------
    str
        Decoded from UTF-8, without a byte order mark; lines end in a line feed.

    Raises
    ------
    StreamerError
        Of the type `refusal`: no file, too large, or no text.
    OSError
        There is none, or it may not be read.
    """
    with open_regular(path, thing, refusal) as file:
        content = file.read(most_bytes + 1)
    if len(content) > most_bytes:
        raise refusal(
            thing, value=f"more than {most_bytes >> 20} MiB", allowed=f"{allowed} of that or less"
        )
    try:
        text = content.decode("utf-8-sig", errors)
    except UnicodeDecodeError:
        raise refusal(thing, value="no text", allowed=allowed) from None
    return text.replace("\r\n", "\n")


def read_json(path: str | Path, thing: str, refusal: Refusal = StreamerError) -> Any:
    """Read a file of JSON; see `parse_json`.

    Raises
    ------
    StreamerError
        Of the type `refusal`: no file, no JSON, or one out of bounds.
    OSError
        There is none, or it may not be read.
    """
    return parse_json(read_text(path, thing, refusal, allowed="JSON"), thing, refusal)


def parse_json(text: str, thing: str, refusal: Refusal = StreamerError) -> Any:
    """Read JSON.

    Parameters
    ----------
    text : str
        Of bounded length.
    thing : str
        What it is, for the error.
    refusal : type of StreamerError
        Raised where it cannot be read.

    Returns
    -------
    object
        Plain types, nested 32 deep at most.

    Raises
    ------
    StreamerError
        Of the type `refusal`: it is no JSON, or out of bounds.
    """
    try:
        content = json.loads(text, parse_constant=_no_number)
    except RecursionError:
        raise _too_deep(thing, refusal) from None
    except ValueError as error:
        raise refusal(f"{thing} is not JSON: {error}") from None
    return _bounded(content, thing, refusal)


def read_yaml(path: str | Path, thing: str, refusal: Refusal = StreamerError) -> Any:
    """Read a file of YAML; see `parse_yaml`.

    Raises
    ------
    StreamerError
        Of the type `refusal`: no file, no YAML, or one out of bounds.
    OSError
        There is none, or it may not be read.
    """
    text = read_text(path, thing, refusal, allowed="YAML", most_bytes=_MOST_YAML_BYTES)
    return parse_yaml(text, thing, refusal)


def parse_yaml(
    text: str, thing: str, refusal: Refusal = StreamerError, *, or_text: bool = False
) -> Any:
    """Read YAML of plain types.

    Parameters
    ----------
    text : str
        Of bounded length.
    thing : str
        What it is, for the error.
    refusal : type of StreamerError
        Raised where it cannot be read.
    or_text : bool
        Take what is no YAML for a text, and return it as it is.

    Returns
    -------
    object
        Plain types, nested 32 deep at most.

    Raises
    ------
    StreamerError
        Of the type `refusal`: it is no YAML, or out of bounds.
    """
    try:
        content = yaml.safe_load(text)
    except RecursionError:
        raise _too_deep(thing, refusal) from None
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date that does not exist
        if or_text:
            return text
        raise refusal(f"{thing} is not YAML: {error}") from None
    return _bounded(content, thing, refusal)


def _bounded(content: Any, thing: str, refusal: Refusal) -> Any:
    """Return what is neither too deep nor, aliases followed, too much."""
    left, entries = [(content, 1)], 0
    while left:
        value, depth = left.pop()
        entries += 1
        if depth > _MOST_DEPTH:
            raise _too_deep(thing, refusal)
        if entries > _MOST_ENTRIES:
            raise refusal(
                f"entries of {thing}", value=f"more than {_MOST_ENTRIES}", allowed="that or fewer"
            )
        if isinstance(value, dict):
            left += [(one, depth + 1) for one in value.values()]
            left += [(one, depth + 1) for one in value if isinstance(one, tuple)]
        elif isinstance(value, list | tuple | set):
            left += [(one, depth + 1) for one in value]
    return content


def _too_deep(thing: str, refusal: Refusal) -> StreamerError:
    return refusal(
        f"nesting of {thing}", value=f"deeper than {_MOST_DEPTH}", allowed="that or less"
    )


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON")


def _flags(*names: str) -> int:
    """Return those flags of `os.open` that this system has."""
    return sum(getattr(os, name, 0) for name in names)
