"""Read EDF, EDF+ and BDF."""

import warnings
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import edfio
import numpy as np

from drivers.errors import RecordingError
from drivers.recordings.edf import texts
from drivers.recordings.edf.layout import Layout, read_layout
from drivers.recordings.edf.signals import Signals, choose, damaged, unit_of
from drivers.recordings.files import check_lost
from drivers.recordings.metadata import KEYS, Metadata, metadata_from
from drivers.recordings.recording import Recording, Segment
from drivers.source import Channel, Marker, Samples
from drivers.units import channel_types, unique_labels, uv_per

# A rate that our own text gives is exact, the header's is rounded: by less than this.
_RATE_TOLERANCE = 1e-3


def read(path: Path) -> tuple[Recording]:
    """Read an EDF, EDF+ or BDF file.

    All signals at the EMG's rate are taken, voltages in microvolts; those at other rates
    are left out and named by `details`. Stretches marked ``BAD_ACQ_SKIP`` and the gaps of
    a discontinuous file are rows of NaN. Of a truncated file, the complete data records
    are read.

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
        The file is damaged.
    """
    layout = read_layout(path)
    edf = _open(path, layout)
    chosen = choose(edf, path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what is checked here
            emg_uv = _data(chosen, layout)
            annotations = list(edf.annotations)
    # edfio meets damaged bytes with any exception
    except Exception as error:
        raise damaged(path, error) from error
    annotations = [a for a in annotations if np.isfinite(a.onset) and abs(a.onset) < 1e9]
    fields: dict[str, object] = next(
        (texts.recording_fields(a.text) for a in annotations if a.text.startswith(texts.RECORDING)),
        {},
    )
    emg_uv = _with_gaps(emg_uv, layout, chosen.rate_hz, path)
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
            channels=_channels(chosen.signals, fields),
            markers=tuple(
                Marker(round(a.onset * chosen.rate_hz), texts.marker_label(a.text))
                for a in annotations
                if _is_marker(a)
            ),
            phones=tuple(
                Segment(a.onset, a.onset + a.duration, texts.phone_label(a.text))
                for a in annotations
                if a.text.startswith(texts.PHONE) and a.duration is not None
            ),
            **_metadata(edf, annotations, fields, path),
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
        Kind of EDF, resolution, and what was left out.

    Raises
    ------
    RecordingError
        The file is damaged.
    """
    layout = read_layout(path)
    chosen = choose(_open(path, layout), path)
    facts = {"kind": layout.reserved or layout.kind}
    if chosen.step_uv:
        facts["resolution"] = f"{chosen.step_uv:.3g} uV or finer"
    if layout.records < layout.claimed_records:
        facts["truncated"] = f"{layout.records} of {layout.claimed_records} data records are there"
    if chosen.left_out:
        facts["left out"] = ", ".join(chosen.left_out)
    return facts


def _open(path: Path, layout: Layout) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # latin-1 takes any byte, such as the micro sign of a foreign unit
            if layout.kind == "BDF":
                return edfio.read_bdf(path, header_encoding="latin-1")
            return edfio.read_edf(path, header_encoding="latin-1")
    # edfio meets damaged bytes with any exception
    except Exception as error:
        raise damaged(path, error) from error


def _data(chosen: Signals, layout: Layout) -> Samples:
    """Read the samples, voltages in microvolts."""
    rows = layout.records * chosen.signals[0].samples_per_data_record
    emg_uv = np.empty((rows, len(chosen.signals)), np.float32)
    for column, signal in enumerate(chosen.signals):
        emg_uv[:, column] = signal.data[:rows] * (uv_per(unit_of(signal)) or 1.0)
    return emg_uv


def _with_gaps(emg_uv: Samples, layout: Layout, rate_hz: float, path: Path) -> Samples:
    """Put rows of NaN between the data records of a discontinuous file."""
    if not layout.is_discontinuous:
        return emg_uv
    size = len(emg_uv) // layout.records
    starts = layout.record_onsets_s(path) * rate_hz
    if np.any(np.diff(starts) < size - 0.5):
        raise RecordingError(
            f"data records of {path}", value="overlap, or go back in time", allowed="forward"
        )
    check_lost(int(starts[-1]) + size - len(emg_uv), emg_uv.shape[1], path)
    rows = np.round(starts).astype(np.int64)
    with_gaps = np.full((rows[-1] + size, emg_uv.shape[1]), np.nan, np.float32)
    for record, row in enumerate(rows):
        with_gaps[row : row + size] = emg_uv[record * size : (record + 1) * size]
    return with_gaps


def _with_stretches(emg_uv: Samples, annotations: list[Any], rate_hz: float) -> Samples:
    """Cut off what fills the last record, and make marked stretches rows of NaN."""
    end = len(emg_uv)
    for one in annotations:
        if one.text in (texts.LOST, texts.PADDING) and one.duration:
            first = max(round(one.onset * rate_hz), 0)
            last = round((one.onset + min(one.duration, 1e9)) * rate_hz)
            if one.text == texts.LOST:
                emg_uv[first:last] = np.nan
            elif last >= end:
                end = min(first, end)
    return emg_uv[:end]


def _is_marker(annotation: Any) -> bool:
    text = annotation.text
    return text not in (texts.LOST, texts.PADDING) and not (
        text.startswith((texts.RECORDING, texts.TRANSCRIPT))
        or (text.startswith(texts.PHONE) and annotation.duration is not None)
    )


def _channels(signals: tuple[Any, ...], fields: Mapping[str, object]) -> tuple[Channel, ...]:
    """Take the channels from our own text if it is there and fits, else from the header."""
    stored = fields.get("channels")
    if isinstance(stored, list) and len(stored) == len(signals):
        own = [one for one in stored if isinstance(one, list) and [*map(type, one)] == [str] * 3]
        if len(own) == len(signals):
            return tuple(Channel(label, unit, kind) for label, unit, kind in own)
    labels = unique_labels([s.label or f"channel {n + 1}" for n, s in enumerate(signals)])
    units = [unit_of(s) for s in signals]
    return tuple(
        Channel(label, unit if uv_per(unit) is None else "uV", kind)
        for label, unit, kind in zip(labels, units, channel_types(labels, units), strict=True)
    )


def _metadata(
    edf: Any, annotations: list[Any], fields: Mapping[str, object], path: Path
) -> Metadata:
    """Take the texts from our own, else from the header's fields."""
    stored = {key: value for key, value in fields.items() if isinstance(value, str)}
    if not fields:
        stored = _header_texts(edf)
    pieces = [
        texts.transcript_piece(a.text) for a in annotations if a.text.startswith(texts.TRANSCRIPT)
    ]
    transcript = "".join(pieces)
    # of a truncated file, half a transcript would pass for a whole one
    if pieces and fields.get("transcript_characters", len(transcript)) == len(transcript):
        stored["transcript"] = transcript
    return metadata_from({key: stored[key] for key in KEYS if key in stored}, path)


def _header_texts(edf: Any) -> dict[str, str]:
    """Read speaker, session and time from the header, where they are given and whole."""
    found = {}
    if edf.local_recording_identification.startswith("Startdate "):  # EDF+
        found = {
            "speaker": edf.patient.code,
            "session": edf.recording.hospital_administration_code,
        }
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            at: datetime = edf.startdatetime
    # no date, or a damaged one: ValueError, OverflowError and edfio's own
    except Exception:
        pass
    else:
        if at.date() != datetime(1985, 1, 1).date():  # EDF's way to say: unknown
            found["recorded_at"] = at.isoformat()
    return {key: text for key, text in found.items() if text != "X"}
