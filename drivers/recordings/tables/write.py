"""Write CSV and TSV."""

import csv
import io
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from drivers.errors import RecordingError
from drivers.outside.strict_json import to_json
from drivers.recordings.files import new_file, the_one
from drivers.recordings.metadata import texts_of
from drivers.recordings.quoted import quote
from drivers.recordings.recording import Recording
from drivers.recordings.tables.columns import MARKER, TIME
from drivers.recordings.tables.head import MAGIC

_BLOCK_ROWS = 4096


def write(path: Path, recordings: Sequence[Recording]) -> list[str]:
    """Write one recording into a new file, parted by tabs if its name ends in .tsv.

    Parameters
    ----------
    path : Path
        The new file.
    recordings : sequence of Recording
        One, as a table holds one.

    Returns
    -------
    list of str
        What the file does not hold.

    Raises
    ------
    RecordingError
        The file exists, or the recording cannot be held.
    """
    recording = the_one(recordings, "CSV")
    if not recording.emg_uv.size:
        raise RecordingError(f"samples of {recording.name}", value="none", allowed="1 or more")
    columns = [f"{channel.label} [{channel.unit}]" for channel in recording.channels]
    for channel, column in zip(recording.channels, columns, strict=True):
        if not column.isprintable() or set(channel.unit) & set("[]"):
            raise RecordingError(
                f"channel of {recording.name}",
                value=repr(column[:60]),
                allowed="a printable label, a unit without brackets",
            )
    cells: dict[int, list[str]] = defaultdict(list)
    for marker in recording.markers:
        cells[marker.index].append(marker.label)
    rows = len(recording.emg_uv)
    lead_in = 0 if recording.lead_in_uv is None else len(recording.lead_in_uv)
    outside = sum(len(cells[index]) for index in tuple(cells) if not -lead_in <= index < rows)
    with new_file(path) as raw, io.TextIOWrapper(raw, "utf-8", newline="") as file:
        file.writelines(f"{line}\n" for line in _head(recording))
        delimiter = "\t" if path.suffix.lower() == ".tsv" else ","
        table = csv.writer(file, delimiter=delimiter, lineterminator="\n")
        table.writerow([TIME, *columns, *([MARKER] if cells else [])])
        for block in _rows(recording):
            table.writerows(
                [*row, _cell(cells.get(index, []))] if cells else row for index, row in block
            )
    notes = []
    if recording.audio is not None:
        notes.append("the audio is left out; .npz and .xdf have it")
    if outside:
        notes.append(f"{outside} markers outside of the samples are left out")
    return notes


def _head(recording: Recording) -> Iterator[str]:
    """Write what is known, a line for each."""
    lead_in = 0 if recording.lead_in_uv is None else len(recording.lead_in_uv)
    yield MAGIC
    yield f"# name: {quote(recording.name)}"
    yield f"# rate_hz: {float(recording.rate_hz)!r}"
    yield f"# samples: {lead_in + len(recording.emg_uv)}"
    if lead_in:
        yield f"# lead_in_samples: {lead_in}"
    types = [channel.type for channel in recording.channels]
    yield f"# channel_types: {to_json(types, ascii_only=True)}"
    for key, text in texts_of(recording).items():
        yield f"# {key}: {quote(text)}"
    if recording.phones:
        phones = [[float(p.start_s), float(p.end_s), p.label] for p in recording.phones]
        yield f"# phones: {to_json(phones, ascii_only=True)}"


def _rows(recording: Recording) -> Iterator[list[tuple[int, list[str]]]]:
    """Write the samples, lead-in first, in blocks of numbered rows of texts."""
    parts = [(0, recording.emg_uv)]
    if recording.lead_in_uv is not None:
        parts.insert(0, (-len(recording.lead_in_uv), recording.lead_in_uv))
    for first_row, samples in parts:
        for start in range(0, len(samples), _BLOCK_ROWS):
            # numpy writes the shortest text that gives the same float32 again
            block = samples[start : start + _BLOCK_ROWS].astype(np.float32).astype(str)
            yield [
                (index, [repr(round(index / recording.rate_hz, 9)), *row])
                for index, row in enumerate(block.tolist(), start=first_row + start)
            ]


def _cell(labels: list[str]) -> str:
    """Write the markers of a sample."""
    if not labels:
        return ""
    return quote(labels[0], '"[') if len(labels) == 1 else to_json(labels, ascii_only=True)
