"""The one writer of JSON: what it writes, every other program reads."""

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def to_json(content: Any, *, indent: int | None = None, ascii_only: bool = False) -> str:
    """Return JSON as RFC 8259 has it.

    Parameters
    ----------
    content : object
        Dictionaries, lists, tuples, texts and numbers, numpy's too. A number that is not
        finite becomes null, as one that could not be measured; a lone surrogate, which no
        UTF-8 can hold, becomes U+FFFD.
    indent : int, optional
        Spaces of each level; one line without.
    ascii_only : bool
        Other letters are escaped, for whatever reads no UTF-8.

    Returns
    -------
    str
        Without a line end.

    Raises
    ------
    TypeError
        Something else is in it.
    """
    return json.dumps(plain(content), indent=indent, ensure_ascii=ascii_only, allow_nan=False)


def write_json(content: Mapping[str, Any], file: Path) -> None:
    """Write a file of JSON, whole or not at all: a reader may open it at any moment.

    Parameters
    ----------
    content : mapping
        As for `to_json`.
    file : Path
        One that exists is replaced.

    Raises
    ------
    OSError
        It cannot be written; the one before is still there.
    """
    write_whole(to_json(content, indent=2) + "\n", file)


def write_whole(text: str, file: Path) -> None:
    """Write a text, whole or not at all: a reader may open it at any moment.

    Parameters
    ----------
    text : str
        In UTF-8 afterwards.
    file : Path
        One that exists is replaced.

    Raises
    ------
    OSError
        It cannot be written; the one before is still there.
    """
    part = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        part.write_text(text, "utf-8")
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)


def plain(value: Any) -> Any:
    """Return what a reader of `to_json` finds: dictionaries, lists, texts and finite numbers.

    Parameters
    ----------
    value : object
        As for `to_json`.

    Returns
    -------
    object
        Of the types that JSON knows.

    Raises
    ------
    TypeError
        Something else is in it.
    """
    if isinstance(value, str):
        return (
            value
            if value.isascii()
            else value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        )
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):  # numpy's float64 is one
        return float(value) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {plain(str(key)): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, os.PathLike):
        return plain(os.fspath(value))
    if hasattr(value, "tolist"):  # numpy's numbers and arrays
        return plain(value.tolist())
    raise TypeError(f"JSON has no {type(value).__name__}")
