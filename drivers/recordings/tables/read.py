"""Read CSV and TSV."""

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from drivers.errors import RecordingError
from drivers.recordings.files import check_lost
from drivers.recordings.metadata import metadata_from
from drivers.recordings.recording import Recording
from drivers.recordings.tables.head import Head, lines_of, read_head, read_text
from drivers.recordings.tables.times import rows_of
from drivers.source import Marker, Samples

_BLOCK_LINES = 4096


@dataclass(frozen=True)
class _Numbers:
    """The lines of a table: times, samples in microvolts, markers by line."""

    times_s: NDArray[np.float64]
    samples: Samples
    markers: list[tuple[int, str]]
    resolution_s: float


def read(path: Path) -> tuple[Recording]:
    """Read a table.

    Of a truncated file that `write` made, the complete lines are read.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    tuple of one Recording
        Its only one.

    Raises
    ------
    RecordingError
        It is not laid out as documented.
    """
    with path.open(encoding="utf-8-sig", newline="\n") as file:
        lines = lines_of(file, path)
        head = read_head(lines, path)
        numbers = _numbers(lines, head, path)
    if head.has_time:
        rate_hz, rows = rows_of(numbers.times_s, head.rate_hz, numbers.resolution_s, path)
    else:
        assert head.rate_hz is not None  # `read_head` wants one of them
        rate_hz, rows = head.rate_hz, np.arange(len(numbers.samples))
    length = int(rows[-1]) + 1
    check_lost(length - len(rows), len(head.channels), path)
    emg_uv = np.full((length, len(head.channels)), np.nan, np.float32)
    emg_uv[rows] = numbers.samples
    lead_in = min(head.lead_in_samples, length)
    return (
        Recording(
            name=head.texts.get("name", path.stem),
            emg_uv=emg_uv[lead_in:],
            rate_hz=rate_hz,
            channels=head.channels,
            lead_in_uv=emg_uv[:lead_in] if lead_in else None,
            markers=tuple(
                Marker(int(rows[line]) - lead_in, label) for line, label in numbers.markers
            ),
            phones=head.phones,
            **metadata_from(head.texts, path),
        ),
    )


def details(path: Path) -> dict[str, str]:
    """Say what is worth knowing beside the recording.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    dict of str to str
        Where the rate is from, and whether lines are missing.

    Raises
    ------
    RecordingError
        It is not laid out as documented.
    """
    with path.open(encoding="utf-8-sig", newline="\n") as file:
        head = read_head(lines_of(file, path), path)
    facts = {"rate": "from the times" if head.rate_hz is None else "as the file says"}
    if head.samples is not None:
        with path.open("rb") as raw:
            ends = sum(block.count(b"\n") for block in iter(lambda: raw.read(1 << 20), b""))
        if ends - head.lines < head.samples:
            facts["truncated"] = f"{ends - head.lines} of {head.samples} lines are there"
    return facts


def _numbers(lines: Iterator[str], head: Head, path: Path) -> _Numbers:
    """Read all lines of numbers, block by block."""
    times: list[NDArray[np.float64]] = []
    samples: list[Samples] = []
    markers: list[tuple[int, str]] = []
    resolution_s = 1.0
    count = 0
    while block := list(islice(lines, _BLOCK_LINES)):
        # an end without a line end may be half a number; ours all have one
        if head.samples is not None and not block[-1].endswith("\n"):
            del block[-1]
        rows = _rows(block, head, head.lines + count, path)
        if not rows:
            continue
        resolution_s = min(resolution_s, *(_resolution_s(row[0]) for row in rows[:100]))
        values = _values(rows, head, count, path)
        times.append(values[:, 0] if head.has_time else np.empty(0))
        with np.errstate(over="ignore"):  # becomes infinite, which nobody can miss
            samples.append((values[:, int(head.has_time) :] * head.scales).astype(np.float32))
        if head.has_marker:
            markers += [
                (count + number, label)
                for number, row in enumerate(rows)
                if row[-1]
                for label in _labels(row[-1])
            ]
        count += len(rows)
    if not count:
        raise RecordingError(f"samples of {path}", value="none", allowed="one or more")
    return _Numbers(np.concatenate(times), np.concatenate(samples), markers, resolution_s)


def _rows(block: list[str], head: Head, before: int, path: Path) -> list[list[str]]:
    """Part lines into cells."""
    try:
        rows = list(
            csv.reader(
                [line for line in block if line.strip() and line[0] != "#"],
                delimiter=head.delimiter,
            )
        )
    except csv.Error as error:
        raise RecordingError(
            f"lines {before + 1} to {before + len(block)} of {path}", value=error, allowed="a table"
        ) from error
    for number, row in enumerate(rows):
        if len(row) != head.columns:
            raise RecordingError(
                f"line {before + number + 1} of {path}",
                value=f"{len(row)} columns",
                allowed=f"{head.columns} as in the first line",
                way_out="part columns by semicolons or tabs if decimals have commas",
            )
    return rows


def _values(rows: list[list[str]], head: Head, before: int, path: Path) -> NDArray[np.float64]:
    """Read numbers; an empty cell is a lost value."""
    end = head.columns - head.has_marker
    decimal_commas = head.delimiter != ","
    try:
        return np.array(
            [
                [
                    float(cell.replace(",", ".") if decimal_commas else cell) if cell else np.nan
                    for cell in row[:end]
                ]
                for row in rows
            ]
        )
    except ValueError as error:
        raise RecordingError(
            f"samples {before} to {before + len(rows) - 1} of {path}",
            value=str(error)[:80],
            allowed="numbers, or empty where a sample was lost",
        ) from error


def _labels(cell: str) -> list[str]:
    """Read a cell of markers: one, or a JSON list."""
    if cell.startswith("["):
        try:
            return [str(label) for label in json.loads(cell)]
        except (ValueError, TypeError, RecursionError):
            return [cell]
    return [read_text(cell)]


def _resolution_s(cell: str) -> float:
    """Say to what a time was rounded."""
    decimals = cell.replace(",", ".").partition(".")[2]
    return 1e-9 if "e" in cell.lower() else 10.0 ** -min(len(decimals), 9)
