"""Read CSV and TSV."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from drivers.effective_rate import caution
from drivers.errors import RecordingError
from drivers.outside.texts import parse_json
from drivers.recordings.files import check_lost
from drivers.recordings.metadata import metadata_from
from drivers.recordings.quoted import unquote
from drivers.recordings.recording import Recording
from drivers.recordings.tables.columns import number_of
from drivers.recordings.tables.head import Head, read_head
from drivers.recordings.tables.lines import Row, opened
from drivers.recordings.tables.times import another_rate_hz, rows_of
from drivers.source import Marker, Samples

_BLOCK_LINES = 4096


@dataclass(frozen=True)
class _Numbers:
    """The lines of a table: times, samples in microvolts, markers by line."""

    times_s: NDArray[np.float64]
    samples: Samples
    markers: list[tuple[int, str]]
    resolution_s: float


def read(path: Path, *, unit: str | None = None) -> tuple[Recording]:
    """Read a table.

    Of a truncated file that `write` made, the complete lines are read.

    Parameters
    ----------
    path : Path
        The file.
    unit : str, optional
        Of the EMG; it overrules what the table says.

    Returns
    -------
    tuple of one Recording
        Its only one.

    Raises
    ------
    RecordingError
        It is not laid out as documented, or the unit of its EMG is unknown.
    """
    with opened(path) as lines:
        head, rows = read_head(lines, path, unit)
        numbers = _numbers(rows, head, path)
    notes = head.notes
    if head.time is not None:
        times_s, resolution_s = numbers.times_s, numbers.resolution_s
        true_hz = None
        if head.rate_hz is not None and head.samples is None:  # our own have the right one
            true_hz = another_rate_hz(times_s, head.rate_hz, resolution_s, path)
        rate_hz, places = rows_of(times_s, true_hz or head.rate_hz, resolution_s, path)
        if true_hz is not None and head.rate_hz is not None:
            rate_hz = head.rate_hz
            notes = (*notes, caution(path.name, true_hz, rate_hz))
    else:
        assert head.rate_hz is not None  # `read_head` wants one of them
        rate_hz, places = head.rate_hz, np.arange(len(numbers.samples))
    length = int(places[-1]) + 1
    check_lost(length - len(places), len(head.channels), path)
    emg_uv = np.full((length, len(head.channels)), np.nan, np.float32)
    emg_uv[places] = numbers.samples
    lead_in = min(head.lead_in_samples, length)
    return (
        Recording(
            name=head.texts.get("name", path.stem),
            emg_uv=emg_uv[lead_in:],
            rate_hz=rate_hz,
            channels=head.channels,
            lead_in_uv=emg_uv[:lead_in] if lead_in else None,
            markers=tuple(
                Marker(int(places[line]) - lead_in, label) for line, label in numbers.markers
            ),
            phones=head.phones,
            notes=notes,
            **metadata_from(head.texts, path),
        ),
    )


def details(path: Path, *, unit: str | None = None) -> dict[str, str]:
    """Say what is worth knowing beside the recording.

    Parameters
    ----------
    path, unit
        As for `read`.

    Returns
    -------
    dict of str to str
        Where the rate is from, columns that are left out, and whether lines are missing.

    Raises
    ------
    RecordingError
        It is not laid out as documented, or the unit of its EMG is unknown.
    """
    with opened(path) as lines:
        head, rows = read_head(lines, path, unit)
        there = None if head.samples is None else sum(1 for _ in rows)
    facts = {"rate": "from the times" if head.rate_hz is None else "as the file says"}
    if head.left_out:
        facts["left out"] = f"columns without a unit: {', '.join(head.left_out)}"
    if there is not None and head.samples is not None and there < head.samples:
        facts["truncated"] = f"{there} of {head.samples} lines are there"
    return facts


def _numbers(rows: Iterator[Row], head: Head, path: Path) -> _Numbers:
    """Read all lines of numbers, block by block."""
    times: list[NDArray[np.float64]] = []
    samples: list[Samples] = []
    markers: list[tuple[int, str]] = []
    resolution_s = 1.0
    count = 0
    checked = (_checked(row, head, path) for row in rows)
    while block := list(islice(checked, _BLOCK_LINES)):
        with np.errstate(over="ignore"):  # becomes infinite, which nobody can miss
            values = _values(block, head.columns, head, path) * head.factors
            samples.append(values.astype(np.float32))
        if head.time is not None:
            written = [cells[head.time] for _, cells in block[:100]]
            resolution_s = min(resolution_s, *map(_resolution, written))
            times.append(_values(block, (head.time,), head, path)[:, 0])
        if head.marker is not None:
            markers += [
                (place, label)
                for place, (_, cells) in enumerate(block, start=count)
                for label in _labels(cells[head.marker])
            ]
        count += len(block)
    if not count:
        raise RecordingError(f"samples of {path}", value="none", allowed="one or more")
    times_s = np.concatenate(times or [np.empty(0)]) * head.time_scale_s
    return _Numbers(times_s, np.concatenate(samples), markers, resolution_s * head.time_scale_s)


def _checked(row: Row, head: Head, path: Path) -> Row:
    """Refuse a line of another number of columns; an empty one more is a delimiter at its end."""
    number, cells = row
    if len(cells) != head.width and (len(cells) < head.width or any(cells[head.width :])):
        raise RecordingError(
            f"line {number} of {path}",
            value=f"{len(cells)} columns",
            allowed=f"{head.width} as in the first line",
            way_out="part columns by semicolons or tabs if decimals have commas",
        )
    return row


def _values(
    block: Sequence[Row], columns: Sequence[int], head: Head, path: Path
) -> NDArray[np.float64]:
    """Read the numbers of some columns."""
    try:
        return np.array([[float(cells[n]) for n in columns] for _, cells in block])
    except ValueError:  # something lost, decimal commas, or no number
        return np.array([[_number(row, n, head, path) for n in columns] for row in block])


def _number(row: Row, column: int, head: Head, path: Path) -> float:
    line, cells = row
    number = number_of(cells[column], head.decimal_comma)
    if number is None:
        raise RecordingError(
            f"line {line}, column {column + 1} of {path}",
            value=repr(cells[column][:40]),
            allowed="a number, or empty, n/a or NaN where a sample was lost",
        )
    return number


def _labels(cell: str) -> list[str]:
    """Read a cell of markers: none, one, or a JSON list."""
    if cell.startswith("["):
        try:
            labels = parse_json(cell, "markers", RecordingError)
        except RecordingError:
            return [cell]
        return [str(label) for label in labels]
    return [unquote(cell)] if cell else []


def _resolution(cell: str) -> float:
    """Say to what a time was rounded, in its unit."""
    decimals = cell.replace(",", ".").partition(".")[2]
    return 1e-9 if "e" in cell.lower() else 10.0 ** -min(len(decimals), 9)
