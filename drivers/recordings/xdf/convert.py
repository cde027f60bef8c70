"""Recordings of any origin to one XDF file, with all that is known of them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from drivers.errors import RecordingError
from drivers.outside.strict_json import to_json
from drivers.recordings.metadata import texts_of
from drivers.recordings.recording import Recording
from drivers.recordings.xdf.emg_part import EmgPart, header
from drivers.recordings.xdf.pieces import OUTAGE_S
from drivers.recordings.xdf.writer import XdfWriter
from drivers.source import Channel, Provenance, SourceInfo

_PAUSE_S = 1.0  # between two recordings on the file's time line
_PIECE_S = 1.0


def write(path: Path, recordings: Sequence[Recording]) -> list[str]:
    """Write recordings one after the other, each as an epoch (see `session`).

    Parameters
    ----------
    path : Path
        A new file.
    recordings : sequence of Recording
        Those of one rate and the same channels share a stream.

    Returns
    -------
    list of str
        What the file does not hold.

    Raises
    ------
    RecordingError
        The file exists, there is nothing to write, or it cannot be written; then none is
        left behind.
    """
    if not recordings:
        raise RecordingError(f"recordings for {path}", value="none", allowed="one or more")
    notes: list[str] = []
    created = next((r.recorded_at for r in recordings if r.recorded_at), None)
    writer = XdfWriter(path, created=created, about=header(0.0))
    parts: dict[tuple[tuple[Channel, ...], float], EmgPart] = {}
    begin_s = 0.0
    try:
        for number, recording in enumerate(recordings):
            signal = recording.channels, recording.rate_hz
            if signal not in parts:
                proven = recording.provenance or Provenance.RECORDED
                info = SourceInfo("EMG", path.stem, *signal, proven)
                parts[signal] = EmgPart(writer, info, len(parts) + 1)
                parts[signal].clock_offset(begin_s, 0.0)
            lead_in_s = 0.0
            if recording.lead_in_uv is not None:
                lead_in_s = len(recording.lead_in_uv) / recording.rate_hz
            writer.boundary()
            notes += _write_one(parts[signal], number, recording, begin_s + lead_in_s)
            begin_s += lead_in_s + _duration_s(recording) + _PAUSE_S
        writer.close()
    except BaseException as error:  # Ctrl-C too
        writer.abandon()
        path.unlink(missing_ok=True)
        if not isinstance(error, OSError):
            raise
        raise RecordingError(
            f"XDF file {path}", value=error.strerror, way_out="make room, or write elsewhere"
        ) from error
    return notes


def _duration_s(recording: Recording) -> float:
    speech_s = 0.0
    if recording.audio is not None and recording.audio_rate_hz:
        speech_s = len(recording.audio) / recording.audio_rate_hz
    return max(recording.duration_s, speech_s)


def _write_one(part: EmgPart, number: int, recording: Recording, begin_s: float) -> list[str]:
    """Write a recording whose first sample is at `begin_s`."""
    notes: list[str] = []
    rate_hz = recording.rate_hz
    about: dict[str, object] = {"name": recording.name, **texts_of(recording)}
    if recording.audio is not None:
        if recording.audio_rate_hz:
            about["audio_rate_hz"] = float(recording.audio_rate_hz)
        else:
            notes.append(f"{recording.name}: audio of unknown rate is left out")
    part.log(f"epoch {number} from sample 0", begin_s)
    part.log(f"recording {to_json(about)}", begin_s)
    if recording.lead_in_uv is not None and len(recording.lead_in_uv):
        part.lead_in(recording.lead_in_uv, begin_s)
    if recording.phones:
        lines = [f"{float(p.start_s)!r} {float(p.end_s)!r} {p.label}" for p in recording.phones]
        part.phones(lines, [begin_s + p.start_s for p in recording.phones])
    if recording.audio is not None and len(recording.audio) and recording.audio_rate_hz:
        part.speech(recording.audio, float(recording.audio_rate_hz), begin_s)
    if early := sum(marker.index < 0 for marker in recording.markers):
        notes.append(f"{recording.name}: {early} markers before the first sample move to it")
    part.markers(recording.markers, 0, begin_s)
    lost: NDArray[np.bool_] = np.all(np.isnan(recording.emg_uv), axis=1)
    edges = [0, *(np.flatnonzero(np.diff(lost)) + 1).tolist(), len(lost)]
    for first, last in zip(edges, edges[1:], strict=False):
        if first == last:
            continue
        if lost[first]:
            if last < len(lost):
                part.log(f"lost {last - first} samples", begin_s + last / rate_hz)
            if last - first > OUTAGE_S * rate_hz:
                notes.append(
                    f"{recording.name}: samples are lost for more than {OUTAGE_S:g} s, "
                    "where a reader will divide it"
                )
            continue
        step = max(round(_PIECE_S * rate_hz), 1)
        for at in range(first, last, step):
            part.emg(recording.emg_uv[at : min(at + step, last)], begin_s + at / rate_hz)
    part.log(f"end at sample {len(lost)}", begin_s + len(lost) / rate_hz)
    return notes
