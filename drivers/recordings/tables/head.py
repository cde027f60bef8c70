"""The lines before the numbers: what is known of the recording, and the columns."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

from drivers.errors import RecordingError
from drivers.outside.names import clean
from drivers.outside.texts import parse_json
from drivers.recordings.checked import MOST_CHANNELS
from drivers.recordings.metadata import KEYS
from drivers.recordings.quoted import unquote
from drivers.recordings.recording import Segment
from drivers.recordings.tables.columns import (
    MARKER,
    TIME,
    are_units,
    column_of,
    is_number,
    is_text,
    with_units,
)
from drivers.recordings.tables.lines import COMMENTS, Row, cells_of, delimiter_of, rows_of
from drivers.source import Channel
from drivers.units import in_microvolts, unique_labels

MAGIC = "# streamer recording"
_TEXT_KEYS = ("name", *KEYS)
_KEYS = frozenset((*_TEXT_KEYS, "rate_hz", "samples", "lead_in_samples", "channel_types", "phones"))
_LOOKED_AT = 20  # lines, to tell columns of texts from columns of numbers
_NEEDS = f"{TIME} first, channels with units such as 'EMG1 [uV]', {MARKER} last"
_WAY_OUT = f"put a column {TIME} first, or a line '# rate_hz: 600' before all others"


@dataclass(frozen=True)
class Head:
    """What the lines before the numbers say.

    Attributes
    ----------
    lines : int
        How many they are, to the names of the columns.
    decimal_comma : bool
        Commas are no delimiters.
    width : int
        Columns of the table.
    time, marker : int or None
        Which column is the time, and which one the markers.
    time_scale_s : float
        Seconds of the time's unit.
    columns : tuple of int
        Which columns are the channels.
    channels : tuple of Channel
        What they are.
    factors : tuple of float
        What their numbers are multiplied with.
    left_out : tuple of str
        Names of all other columns.
    notes : tuple of str
        On the units, a line each.
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
    decimal_comma: bool
    width: int
    time: int | None
    marker: int | None
    time_scale_s: float
    columns: tuple[int, ...]
    channels: tuple[Channel, ...]
    factors: tuple[float, ...]
    left_out: tuple[str, ...]
    notes: tuple[str, ...]
    texts: dict[str, str]
    rate_hz: float | None
    samples: int | None
    lead_in_samples: int
    phones: tuple[Segment, ...]


def read_head(lines: Iterator[str], path: Path, unit: str | None) -> tuple[Head, Iterator[Row]]:
    """Read the lines before the numbers.

    Parameters
    ----------
    lines : iterator of str
        From the first line on.
    path : Path
        The file, for errors.
    unit : str or None
        Of the EMG, as a person says; it overrules what the table says.

    Returns
    -------
    head : Head
        With one channel or more.
    rows : iterator of Row
        The lines of numbers.

    Raises
    ------
    RecordingError
        They are not what is documented, or the unit of the EMG is unknown.
    """
    known: dict[str, str] = {}
    for count, line in enumerate(lines, start=1):
        if line.startswith(COMMENTS):
            key, colon, value = line[1:].partition(":")
            if colon and key.strip() in _KEYS:
                known[key.strip()] = value.strip()
        elif line.strip():
            rows = rows_of(lines, delimiter_of(line), count, "samples" in known, path)
            return _head(count, line, rows, known, path, unit)
    raise RecordingError(f"columns of {path}", value="none", allowed=_NEEDS)


def _head(
    count: int,
    line: str,
    rows: Iterator[Row],
    known: Mapping[str, str],
    path: Path,
    unit: str | None,
) -> tuple[Head, Iterator[Row]]:
    names = cells_of(line)
    if len(names) > MOST_CHANNELS:
        raise RecordingError(
            f"columns of {path}", value=len(names), allowed=f"up to {MOST_CHANNELS}"
        )
    if numbers := [name for name in names if is_number(name)]:
        raise RecordingError(
            f"column of {path}",
            value=repr(numbers[0][:40]),
            allowed=_NEEDS,
            way_out="name the columns so in the first line",
        )
    columns = [column_of(name) for name in names]
    first = list(islice(rows, _LOOKED_AT))
    if first and len(first[0][1]) == len(names) and are_units(first[0][1]):
        columns = with_units(columns, first.pop(0)[1])
    time = next((n for n, one in enumerate(columns) if one.seconds is not None), None)
    marker = next((n for n, one in enumerate(columns) if one.is_marker), None)
    rate_hz = _number(known, "rate_hz", path)
    if rate_hz == 0:
        raise _wrong(known, "rate_hz", path, "above 0 Hz")
    taken = [
        n
        for n, one in enumerate(columns)
        if n not in (time, marker) and not (one.unit is None and _holds_texts(n, first))
    ]
    labels = unique_labels([columns[n].label for n in taken])
    types = _types(known, len(labels), path)
    if not labels:
        raise RecordingError(f"channels of {path}", value="none", allowed=_NEEDS)
    if unit is None and all(columns[n].unit is None for n in taken):
        raise RecordingError(
            f"units of the columns of {path}",
            value=f"none, of {', '.join(labels)}"[:80],
            allowed=_NEEDS,
            way_out="if you know it, say so, as with --set recordings.unit=uV",
        )
    scaled = in_microvolts(
        labels, [columns[n].unit or "" for n in taken], types, str(path), overruled_by=unit
    )
    if rate_hz is None and time is None:
        raise RecordingError(
            f"sampling rate of {path}", value="unknown", allowed=_NEEDS, way_out=_WAY_OUT
        )
    # what has no unit, and got none by the setting, is no channel
    kept = [
        k
        for k, n in enumerate(taken)
        if columns[n].unit is not None or scaled.channels[k].unit == "uV"
    ]
    used = {time, marker, *(taken[k] for k in kept)}
    samples = _number(known, "samples", path)
    head = Head(
        lines=count,
        decimal_comma=delimiter_of(line) != ",",
        width=len(names),
        time=time,
        marker=marker,
        time_scale_s=1.0 if time is None else columns[time].seconds or 1.0,
        columns=tuple(taken[k] for k in kept),
        channels=tuple(scaled.channels[k] for k in kept),
        factors=tuple(scaled.factors[k] for k in kept),
        left_out=tuple(clean(name) for n, name in enumerate(names) if n not in used and name),
        notes=scaled.notes,
        texts={key: unquote(known[key]) for key in _TEXT_KEYS if key in known},
        rate_hz=rate_hz,
        samples=None if samples is None else int(samples),
        lead_in_samples=int(_number(known, "lead_in_samples", path) or 0),
        phones=_phones(known, path),
    )
    return head, chain(first, rows)


def _holds_texts(column: int, rows: Sequence[Row]) -> bool:
    cells = [cells[column] for _, cells in rows if column < len(cells)]
    return any(map(is_text, cells)) and not any(map(is_number, cells))


def _types(known: Mapping[str, str], count: int, path: Path) -> list[str] | None:
    types = _list(known, "channel_types", path)
    if not types:
        return None
    if len(types) != count or not all(isinstance(one, str) for one in types):
        raise _wrong(known, "channel_types", path, f"a list of {count} texts")
    return [str(one) for one in types]


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
    values = parse_json(known.get(key, "[]"), f"{key} of {path}", RecordingError)
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
