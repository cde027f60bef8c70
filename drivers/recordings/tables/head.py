"""The lines before the numbers: what is known of the recording, and the columns."""

import csv
import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from drivers.errors import RecordingError
from drivers.recordings.metadata import KEYS
from drivers.recordings.recording import Segment
from drivers.source import Channel
from drivers.units import channel_types, unique_labels, uv_per

MAGIC = "# streamer recording"
TIME = "time_s"
MARKER = "marker"
DELIMITERS = ",\t;"
LONGEST_LINE = 1 << 20
_TIME = re.compile(r"time(_s| ?\[s\]| ?\(s\))", re.I)
_CHANNEL = re.compile(r"(?P<label>.*\S) ?\[(?P<unit>[^\[\]]*)\]")
_TEXT_KEYS = ("name", *KEYS)


@dataclass(frozen=True)
class Head:
    """What the lines before the numbers say.

    Attributes
    ----------
    lines : int
        How many they are.
    delimiter : str
        Between the columns.
    has_time, has_marker : bool
        The first column is the time, the last one the markers.
    channels : tuple of Channel
        The columns between them.
    scales : tuple of float
        Microvolts per unit of each column; 1 for what is no voltage.
    texts : dict of str to str
        Name, transcript and so on.
    rate_hz : float or None
        Sampling rate where it is said.
    samples, lead_in_samples : int or None, int
        Lines of numbers that were written, and how many of them come before the recording.
    phones : tuple of Segment
        Phone alignment.
    """

    lines: int
    delimiter: str
    has_time: bool
    has_marker: bool
    channels: tuple[Channel, ...]
    scales: tuple[float, ...]
    texts: dict[str, str]
    rate_hz: float | None
    samples: int | None
    lead_in_samples: int
    phones: tuple[Segment, ...]

    @property
    def columns(self) -> int:
        """How many columns there are."""
        return len(self.channels) + self.has_time + self.has_marker


def lines_of(file: TextIO, path: Path) -> Iterator[str]:
    """Read line by line, within bounds.

    Parameters
    ----------
    file : TextIO
        Open for reading.
    path : Path
        Its name, for the error.

    Yields
    ------
    str
        With its line end.

    Raises
    ------
    RecordingError
        A line is too long, or no UTF-8.
    """
    while True:
        try:
            line = file.readline(LONGEST_LINE)
        except UnicodeDecodeError as error:
            raise RecordingError(
                f"text of {path}", value=f"no UTF-8 ({error.reason})", way_out="save it as UTF-8"
            ) from error
        if len(line) == LONGEST_LINE:
            raise RecordingError(f"table {path}", value="no table", allowed="lines of text")
        if not line:
            return
        yield line


def is_header(line: str) -> bool:
    """Say whether a line names columns such as ours."""
    cells = _cells(line)[1]
    first = bool(_TIME.fullmatch(cells[0].strip()))
    units = [match["unit"] for cell in cells if (match := _CHANNEL.fullmatch(cell.strip()))]
    return len(cells) > first and (first or any(uv_per(unit) is not None for unit in units))


def read_head(lines: Iterator[str], path: Path) -> Head:
    """Read the lines before the numbers.

    Parameters
    ----------
    lines : iterator of str
        From the first line on; the numbers are left in it.
    path : Path
        The file, for errors.

    Returns
    -------
    Head
        With one channel or more.

    Raises
    ------
    RecordingError
        They are not what is documented.
    """
    known: dict[str, str] = {}
    for count, line in enumerate(lines, start=1):
        if line.startswith("#"):
            key, colon, value = line[1:].partition(":")
            if colon:
                known[key.strip()] = value.strip()
        elif line.strip():
            return _head(count, line, known, path)
    raise RecordingError(f"columns of {path}", value="none", allowed=_columns_text())


def _head(count: int, line: str, known: Mapping[str, str], path: Path) -> Head:
    delimiter, cells = _cells(line)
    cells = [cell.strip() for cell in cells]
    has_time = bool(_TIME.fullmatch(cells[0]))
    has_marker = cells[-1].lower() == MARKER
    names = cells[has_time : len(cells) - has_marker]
    found = [_CHANNEL.fullmatch(name) for name in names]
    if not found or not all(found):
        wrong = next((n for n, one in zip(names, found, strict=True) if not one), "no channel")
        raise RecordingError(
            f"column of {path}",
            value=repr(wrong[:40]),
            allowed=_columns_text(),
            way_out="name the columns so in the first line",
        )
    labels = unique_labels([one["label"] for one in found if one])
    units = [one["unit"] for one in found if one]
    scales = [uv_per(unit) for unit in units]
    types = _list(known, "channel_types", path) or channel_types(labels, units)
    if len(types) != len(labels) or not all(isinstance(one, str) for one in types):
        raise _wrong(known, "channel_types", path, f"a list of {len(labels)} texts")
    rate_hz = _number(known, "rate_hz", path)
    if rate_hz is None and not has_time:
        raise RecordingError(
            f"sampling rate of {path}",
            value="unknown",
            allowed=f"a first column {TIME}",
            way_out="or put a line '# rate_hz: 600' before all others",
        )
    if rate_hz is not None and rate_hz <= 0:
        raise _wrong(known, "rate_hz", path, "above 0 Hz")
    samples = _number(known, "samples", path)
    return Head(
        lines=count,
        delimiter=delimiter,
        has_time=has_time,
        has_marker=has_marker,
        channels=tuple(
            Channel(label, unit if scale is None else "uV", str(kind))
            for label, unit, scale, kind in zip(labels, units, scales, types, strict=True)
        ),
        scales=tuple(1.0 if scale is None else scale for scale in scales),
        texts={key: read_text(known[key]) for key in _TEXT_KEYS if key in known},
        rate_hz=rate_hz,
        samples=None if samples is None else int(samples),
        lead_in_samples=int(_number(known, "lead_in_samples", path) or 0),
        phones=_phones(known, path),
    )


def read_text(text: str) -> str:
    """Read a text, which is JSON if it begins with a quotation mark."""
    try:
        value = json.loads(text) if text.startswith('"') else text
    except ValueError:
        return text
    return str(value)


def write_text(text: str, reserved: str = '"') -> str:
    """Write a text into one line, as JSON if it would be misread."""
    plain = text.isprintable() and text == text.strip() != "" and text[0] not in reserved
    return text if plain else json.dumps(text)


def _cells(line: str) -> tuple[str, list[str]]:
    """Part a line at the delimiter that it has most of."""
    delimiter = max(DELIMITERS, key=line.count)
    try:
        return delimiter, next(csv.reader([line.strip("\r\n")], delimiter=delimiter), [""])
    except csv.Error:
        return delimiter, [""]


def _columns_text() -> str:
    return f"{TIME} first, channels with units such as 'EMG1 [uV]', {MARKER} last"


def _wrong(known: Mapping[str, str], key: str, path: Path, allowed: str) -> RecordingError:
    return RecordingError(f"{key} of {path}", value=repr(known[key][:40]), allowed=allowed)


def _number(known: Mapping[str, str], key: str, path: Path) -> float | None:
    if key not in known:
        return None
    try:
        number = float(known[key])
    except ValueError as error:
        raise _wrong(known, key, path, "a number") from error
    if not (math.isfinite(number) and number >= 0):
        raise _wrong(known, key, path, "a number, 0 or more")
    return number


def _list(known: Mapping[str, str], key: str, path: Path) -> list[object]:
    try:
        values = json.loads(known.get(key, "[]"))
    except (ValueError, RecursionError) as error:
        raise _wrong(known, key, path, "a list in JSON") from error
    if not isinstance(values, list):
        raise _wrong(known, key, path, "a list in JSON")
    return values


def _phones(known: Mapping[str, str], path: Path) -> tuple[Segment, ...]:
    phones = []
    for phone in _list(known, "phones", path):
        match phone:
            case [float() as start_s, float() as end_s, str() as label]:
                phones.append(Segment(start_s, end_s, label))
            case _:
                raise _wrong(known, "phones", path, "[start_s, end_s, label] for each")
    return tuple(phones)
