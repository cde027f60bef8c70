"""The lines of a table, and the cells of a line."""

import codecs
import csv
import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from drivers.errors import RecordingError
from drivers.outside.texts import open_regular

DELIMITERS = ",\t;"
COMMENTS = ("#", "%")
LONGEST_LINE = 1 << 20
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

Row = tuple[int, list[str]]
"""Number of the line, from 1, and its cells."""


def encoding_of(head: bytes) -> str:
    """Tell the encoding by the byte order mark, which Excel writes as "Unicode text"."""
    return "utf-16" if head.startswith(_UTF_16) else "utf-8-sig"


@contextmanager
def opened(path: Path) -> Iterator[Iterator[str]]:
    """Read line by line, within bounds.

    Parameters
    ----------
    path : Path
        The file.

    Yields
    ------
    iterator of str
        Lines with a line feed at their ends.

    Raises
    ------
    RecordingError
        A line is too long, or no text of its encoding.
    """
    with open_regular(path, f"table {path}", RecordingError) as raw:
        encoding = encoding_of(raw.read(2))
        raw.seek(0)
        with io.TextIOWrapper(raw, encoding) as file:
            yield _lines(file, encoding, path)


def _lines(file: io.TextIOWrapper, encoding: str, path: Path) -> Iterator[str]:
    while True:
        try:
            line = file.readline(LONGEST_LINE)
        except UnicodeError as error:
            name = encoding.upper().removesuffix("-SIG")
            raise RecordingError(
                f"text of {path}", value=f"no {name}", way_out="save it as UTF-8"
            ) from error
        if len(line) == LONGEST_LINE:
            raise RecordingError(
                f"table {path}",
                value="no table: a line without an end",
                allowed=f"lines of fewer than {LONGEST_LINE} letters",
            )
        if not line:
            return
        yield line


def delimiter_of(line: str) -> str:
    """Return the delimiter that a line has most of."""
    return max(DELIMITERS, key=line.count)


def cells_of(line: str) -> list[str]:
    """Part a single line into stripped cells."""
    try:
        cells = next(csv.reader([line.strip("\r\n")], delimiter=delimiter_of(line)), [""])
    except csv.Error:
        return [""]
    return [cell.strip() for cell in cells]


def rows_of(
    lines: Iterable[str], delimiter: str, before: int, whole: bool, path: Path
) -> Iterator[Row]:
    """Part lines into cells, one by one.

    Parameters
    ----------
    lines : iterable of str
        Behind the first line of columns; empty ones and comments are left out.
    delimiter : str
        Between cells.
    before : int
        Lines that came before.
    whole : bool
        Leave out a last line without a line end: it may be half a number.
    path : Path
        The file, for errors.

    Yields
    ------
    Row
        Of each line.

    Raises
    ------
    RecordingError
        A line is none of a table.
    """
    number = before

    def kept() -> Iterator[str]:
        nonlocal number
        for line in lines:
            number += 1
            if line.strip() and line[0] not in COMMENTS and (not whole or line.endswith("\n")):
                yield line

    reader = csv.reader(kept(), delimiter=delimiter)
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise RecordingError(
                f"line {number} of {path}", value=error, allowed="a line of a table"
            ) from error
        yield number, cells
