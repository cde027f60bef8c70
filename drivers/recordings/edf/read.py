"""Read EDF, EDF+ and BDF."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from drivers.errors import RecordingError
from drivers.recordings.edf import texts
from drivers.recordings.edf.annotations import (
    Annotation,
    first_onset_s,
    read_annotations,
    record_onsets_s,
)
from drivers.recordings.edf.layout import Layout, read_layout
from drivers.recordings.edf.signals import Chosen, choose
from drivers.recordings.files import check_lost
from drivers.recordings.metadata import KEYS, Metadata, metadata_from
from drivers.recordings.recording import Recording, Segment
from drivers.source import Channel, Marker, Samples

# A rate that our own text gives is exact, the header's is rounded: by less than this.
_RATE_TOLERANCE = 1e-3


def read(path: Path, *, unit: str | None = None) -> tuple[Recording]:
    """Read an EDF, EDF+ or BDF file.

    All signals at the EMG's rate are taken, voltages in microvolts; those at other rates
    are left out and named by `details`. Stretches marked ``BAD_ACQ_SKIP`` and the gaps of
    a discontinuous file are rows of NaN. All complete data records that are there are
    read, whatever the header says of their number.

    Parameters
    ----------
    path : Path
        The file.
    unit : str, optional
        Of the EMG; it overrules what the header says.

    Returns
    -------
    tuple of one Recording
        Its only one.

    Raises
    ------
    RecordingError
        The file is damaged, or the unit of its EMG is unknown.
    """
    layout = read_layout(path)
    annotations = read_annotations(layout)
    fields = _own_fields(annotations)
    chosen = choose(layout, _stored_channels(fields), unit)
    lost = _lost_before(layout, chosen.rate_hz)
    emg_uv = _with_gaps(_data(layout, chosen), lost, path)
    emg_uv = _with_stretches(emg_uv, annotations, chosen.rate_hz)
    rate_hz = fields.get("rate_hz")
    if not isinstance(rate_hz, float) or not (
        abs(rate_hz - chosen.rate_hz) <= _RATE_TOLERANCE * chosen.rate_hz
    ):
        rate_hz = chosen.rate_hz
    name = fields.get("name")
    return (
        Recording(
            name=name if isinstance(name, str) else path.stem,
            emg_uv=emg_uv,
            rate_hz=rate_hz,
            channels=chosen.channels,
            markers=tuple(
                Marker(round(a.onset_s * chosen.rate_hz), texts.marker_label(a.text))
                for a in annotations
                if _is_marker(a)
            ),
            phones=tuple(
                Segment(a.onset_s, a.onset_s + a.duration_s, texts.phone_label(a.text))
                for a in annotations
                if a.text.startswith(texts.PHONE) and a.duration_s is not None
            ),
            notes=(*_record_notes(layout, lost), *chosen.notes),
            **_metadata(layout, annotations, fields),
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
        Kind of EDF, resolution, and what was left out.

    Raises
    ------
    RecordingError
        The file is damaged, or the unit of its EMG is unknown.
    """
    layout = read_layout(path)
    chosen = choose(layout, _stored_channels(_own_fields(read_annotations(layout))), unit)
    facts = {"kind": layout.reserved or layout.kind}
    if chosen.step_uv:
        facts["resolution"] = f"{chosen.step_uv:.3g} uV or finer"
    if layout.claimed_records is not None and layout.records < layout.claimed_records:
        facts["truncated"] = f"{layout.records} of {layout.claimed_records} data records are there"
    if layout.bytes_behind:
        facts["behind the last data record"] = f"{layout.bytes_behind} bytes that are not read"
    if chosen.left_out:
        facts["left out"] = ", ".join(chosen.left_out)
    return facts


def _record_notes(layout: Layout, lost: NDArray[np.float64]) -> list[str]:
    """Say where the header is wrong about the data records."""
    notes = []
    claimed = layout.claimed_records
    if claimed is None or claimed < layout.records:  # `details` calls more of them truncated
        there = claimed is not None and claimed >= 0
        says = f"{claimed} of them" if there else "no number of data records"
        notes.append(
            f"{layout.path.name} holds {layout.records} data records, and all are read; its header "
            f"says {says}"
        )
    if lost.any() and not layout.is_discontinuous:
        notes.append(
            f"{layout.path.name} says that it has no gaps, and its times have "
            f"{np.count_nonzero(lost)}: {int(lost.sum())} samples are counted as lost"
        )
    return notes


def _data(layout: Layout, chosen: Chosen) -> Samples:
    """Read the samples, voltages in microvolts."""
    rows = layout.records * chosen.signals[0].samples
    emg_uv = np.empty((rows, len(chosen.signals)), np.float32)
    for column, (signal, factor) in enumerate(zip(chosen.signals, chosen.factors, strict=True)):
        emg_uv[:, column] = (layout.counts_of(signal) * signal.step + signal.zero) * factor
    return emg_uv


def _lost_before(layout: Layout, rate_hz: float) -> NDArray[np.float64]:
    """Say how many samples are missing before each data record, by the times of the records.

    Each is told from the one before, as the clock of the times may not be that of the samples.
    Where a file says that there are no gaps, only long ones count: times may be rounded.
    """
    size = float(rate_hz * layout.record_s)
    starts_s = record_onsets_s(layout)
    missing = np.zeros(layout.records)
    if starts_s is not None:
        missing[1:] = np.diff(starts_s) * rate_hz - size
    is_behind = bool(np.any(missing < -0.5))
    if layout.is_discontinuous and is_behind:
        raise RecordingError(
            f"data records of {layout.path}", value="overlap, or go back in time", allowed="forward"
        )
    if not layout.is_discontinuous:
        missing[(missing < size / 2) | is_behind] = 0
    return np.round(missing)


def _with_gaps(emg_uv: Samples, lost: NDArray[np.float64], path: Path) -> Samples:
    """Put rows of NaN between data records where samples are missing."""
    if not lost.any():
        return emg_uv
    check_lost(int(lost.sum()), emg_uv.shape[1], path)
    size = len(emg_uv) // len(lost)
    rows = np.arange(len(emg_uv)) + np.repeat(np.cumsum(lost).astype(np.int64), size)
    with_gaps = np.full((rows[-1] + 1, emg_uv.shape[1]), np.nan, np.float32)
    with_gaps[rows] = emg_uv
    return with_gaps


def _with_stretches(emg_uv: Samples, annotations: Sequence[Annotation], rate_hz: float) -> Samples:
    """Cut off what fills the last record, and make marked stretches rows of NaN."""
    end = len(emg_uv)
    edges = np.zeros(end + 1, np.int64)  # stretches may overlap, and be a million
    for one in annotations:
        if one.text in (texts.LOST, texts.PADDING) and one.duration_s:
            first = min(max(round(one.onset_s * rate_hz), 0), len(emg_uv))
            last = min(max(round((one.onset_s + one.duration_s) * rate_hz), 0), len(emg_uv))
            if one.text == texts.LOST:
                edges[first] += 1
                edges[last] -= 1
            elif last >= end:
                end = min(first, end)
    emg_uv[np.cumsum(edges[:-1]) > 0] = np.nan
    return emg_uv[:end]


def _is_marker(annotation: Annotation) -> bool:
    text = annotation.text
    return text not in (texts.LOST, texts.PADDING) and not (
        text.startswith((texts.RECORDING, texts.TRANSCRIPT))
        or (text.startswith(texts.PHONE) and annotation.duration_s is not None)
    )


def _own_fields(annotations: Sequence[Annotation]) -> dict[str, object]:
    """Read what `write` has left of a recording; empty in files of others."""
    own = (a.text for a in annotations if a.text.startswith(texts.RECORDING))
    return next(map(texts.recording_fields, own), {})


def _stored_channels(fields: Mapping[str, object]) -> list[Channel] | None:
    """Take the channels from our own text; the header cuts their labels."""
    stored = fields.get("channels")
    if not isinstance(stored, list):
        return None
    own = [one for one in stored if isinstance(one, list) and [*map(type, one)] == [str] * 3]
    return [Channel(*one) for one in own] if len(own) == len(stored) else None


def _metadata(
    layout: Layout, annotations: Sequence[Annotation], fields: Mapping[str, object]
) -> Metadata:
    """Take the texts from our own, else from the header's fields."""
    stored = {key: value for key, value in fields.items() if isinstance(value, str)}
    if not fields:
        stored = _header_texts(layout)
    pieces = [
        texts.transcript_piece(a.text) for a in annotations if a.text.startswith(texts.TRANSCRIPT)
    ]
    transcript = "".join(pieces)
    # of a truncated file, half a transcript would pass for a whole one
    if pieces and fields.get("transcript_characters", len(transcript)) == len(transcript):
        stored["transcript"] = transcript
    return metadata_from({key: stored[key] for key in KEYS if key in stored}, layout.path)


def _header_texts(layout: Layout) -> dict[str, str]:
    """Read speaker, session and time from the header, where they are given."""
    found = {}
    if layout.recording.startswith("Startdate "):  # EDF+, where blanks part them
        found["speaker"] = layout.patient.partition(" ")[0]
        found["session"] = "".join(layout.recording.split()[2:3])
    if layout.started_at is not None:
        later = timedelta(seconds=first_onset_s(layout))
        found["recorded_at"] = (layout.started_at + later).isoformat()
    return {key: text for key, text in found.items() if text not in ("", "X")}
