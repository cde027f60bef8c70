"""Write EDF+ and BDF+."""

import datetime
import math
import re
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import edfio
import numpy as np
from numpy.typing import NDArray

from drivers.errors import RecordingError
from drivers.recordings.edf import texts
from drivers.recordings.edf.layout import Kind
from drivers.recordings.files import new_file, the_one
from drivers.recordings.metadata import texts_of
from drivers.recordings.recording import Recording
from drivers.source import Channel, Samples
from drivers.units import type_of

# Data records last whole seconds: their length has eight characters in the header, and
# programs expect it to be exact. With this limit, the rate it gives is within 20 ppm.
_LONGEST_RECORD_S = 60
_LARGEST = 9_999_999.0  # that fits the header's eight characters with a minus
_LABEL = 16  # characters
_PIECE = 200  # characters of the transcript in one annotation; all records are as long


def write(path: Path, recordings: Sequence[Recording], kind: Kind) -> list[str]:
    """Write one recording into a new file.

    Each channel uses all 16 or 24 bits for its own range, so that the steps are as small
    as its values allow. The last data record is filled with the last sample, and so are
    lost samples with the one before; both are marked as what they are by annotations.

    Parameters
    ----------
    path : Path
        The new file.
    recordings : sequence of Recording
        One, as EDF holds one.
    kind : str
        ``"EDF"`` for 16 bits, ``"BDF"`` for 24.

    Returns
    -------
    list of str
        What the file does not hold.

    Raises
    ------
    RecordingError
        The file exists, or the recording cannot be held.
    """
    recording = the_one(recordings, kind)
    lost = _lost_rows(recording)
    rate = Fraction(recording.rate_hz).limit_denominator(_LONGEST_RECORD_S)
    record_s, record_samples = rate.denominator, rate.numerator
    if record_samples < 1:
        raise RecordingError(
            f"rate of {recording.name} in {kind}",
            value=f"{recording.rate_hz:g} Hz",
            allowed=f"{1 / _LONGEST_RECORD_S:.2g} Hz or more",
        )
    rows = len(recording.emg_uv)
    records = math.ceil(rows / record_samples)
    filled = _filled(recording.emg_uv, lost, records * record_samples)
    signal_class = edfio.EdfSignal if kind == "EDF" else edfio.BdfSignal
    signals = [
        _signal(signal_class, label, channel.unit, filled[:, n], record_samples / record_s)
        for n, (label, channel) in enumerate(
            zip(_labels(recording.channels), recording.channels, strict=True)
        )
    ]
    annotations = [
        *_stretches(lost, float(rate)),
        *_events(recording, float(rate), records * record_s),
    ]
    if len(filled) > rows:
        annotations.append(_stretch(rows, len(filled), float(rate), texts.PADDING))
    at = recording.recorded_at
    # other years cannot be said in the header; our own text has them
    at = at if at is not None and 1985 <= at.year <= 2084 else None
    edf_class = edfio.Edf if kind == "EDF" else edfio.Bdf
    edf = edf_class(
        signals,
        patient=edfio.Patient(code=_subfield(recording.speaker)),
        recording=edfio.Recording(
            startdate=None if at is None else at.date(),
            hospital_administration_code=_subfield(recording.session),
        ),
        starttime=datetime.time() if at is None else at.time(),
        data_record_duration=record_s,
        annotations=annotations,
    )
    with new_file(path) as file:
        edf.write(file)
    return _notes(recording, signals, kind)


def _lost_rows(recording: Recording) -> NDArray[np.bool_]:
    """Find the lost samples; refuse what an integer cannot hold."""
    emg_uv = recording.emg_uv
    if not emg_uv.size:
        raise RecordingError(f"samples of {recording.name}", value="none", allowed="1 or more")
    missing = np.isnan(emg_uv)
    lost = np.asarray(missing.all(axis=1))
    if np.any(missing[~lost]) or np.any(np.abs(emg_uv[~lost]) > _LARGEST):
        row = int(np.flatnonzero(~(np.abs(emg_uv) <= _LARGEST).all(axis=1) & ~lost)[0])
        raise RecordingError(
            f"sample {row} of {recording.name}",
            value=[float(value) for value in emg_uv[row]],
            allowed=f"-{_LARGEST:.0f} to {_LARGEST:.0f} uV, or NaN in all channels if it is lost",
            way_out="write .npz or .csv, which hold any number",
        )
    return lost


def _filled(emg_uv: Samples, lost: NDArray[np.bool_], rows: int) -> Samples:
    """Hold the last sample through lost ones and up to `rows`; the next at the beginning."""
    good = np.flatnonzero(~lost)
    if not len(good):
        return np.zeros((rows, emg_uv.shape[1]), np.float32)
    source = np.maximum.accumulate(np.where(lost, good[0], np.arange(len(emg_uv))))
    source = np.concatenate([source, np.full(rows - len(source), source[-1])])
    return emg_uv[source]


def _signal(signal_class: Any, label: str, unit: str, values: Samples, rate_hz: float) -> Any:
    """Make a signal, its range rounded outwards to what the header's field can hold."""
    exact = values.astype(np.float64)
    low, high = math.floor(exact.min() * 1e3) / 1e3, math.ceil(exact.max() * 1e3) / 1e3
    return signal_class(
        exact,
        rate_hz,
        label=label,
        physical_dimension=_ascii(unit)[:8],
        physical_range=(low, high if high > low else low + 1e-3),
    )


def _labels(channels: Sequence[Channel]) -> list[str]:
    """Name them as EDF+ and BIDS do, type, a space and more, each once: ``EMG 1``, ``EMG chin``.

    Only with the space do other programs, such as MNE, take the type from there.
    """
    labels: list[str] = []
    for channel in channels:
        more = _ascii(channel.label).strip()
        if type_of(channel.label) == channel.type == channel.label[: len(channel.type)].upper():
            more = more[len(channel.type) :].lstrip(" _-") or more
        whole = f"{_ascii(channel.type)} {more}"
        label, number = whole[:_LABEL], 1
        while label in labels:
            number += 1
            label = f"{whole[: _LABEL - 1 - len(str(number))]} {number}"
        labels.append(label)
    return labels


def _stretches(lost: NDArray[np.bool_], rate_hz: float) -> Iterator[edfio.EdfAnnotation]:
    edges = np.flatnonzero(np.diff(lost, prepend=False, append=False))
    for first, last in edges.reshape(-1, 2):
        yield _stretch(int(first), int(last), rate_hz, texts.LOST)


def _stretch(first: int, last: int, rate_hz: float, text: str) -> edfio.EdfAnnotation:
    return edfio.EdfAnnotation(first / rate_hz, (last - first) / rate_hz, text)


def _events(
    recording: Recording, rate_hz: float, duration_s: float
) -> Iterator[edfio.EdfAnnotation]:
    """Annotate markers, phones, and what EDF has no field for."""
    for marker in recording.markers:
        yield edfio.EdfAnnotation(marker.index / rate_hz, None, texts.marker_text(marker.label))
    for phone in recording.phones:
        yield edfio.EdfAnnotation(
            phone.start_s, phone.end_s - phone.start_s, texts.phone_text(phone.label)
        )
    fields: dict[str, object] = {
        **texts_of(recording),
        "name": recording.name,
        "rate_hz": float(recording.rate_hz),
        "channels": [[c.label, c.unit, c.type] for c in recording.channels],
    }
    transcript = str(fields.pop("transcript", ""))
    fields["transcript_characters"] = len(transcript)
    yield edfio.EdfAnnotation(0.0, None, texts.recording_text(fields))
    if recording.transcript is not None:
        starts = range(0, max(len(transcript), 1), _PIECE)
        for start in starts:  # spread evenly, as all records are as long as the longest
            onset_s = duration_s * start / (len(starts) * _PIECE)
            piece = transcript[start : start + _PIECE]
            yield edfio.EdfAnnotation(onset_s, None, texts.transcript_text(piece))


def _notes(recording: Recording, signals: Sequence[Any], kind: Kind) -> list[str]:
    step = max((s.physical_max - s.physical_min) / (s.digital_max - s.digital_min) for s in signals)
    notes = [f"{kind} holds whole numbers: the EMG is in steps of {step:.3g} uV or finer"]
    if recording.audio is not None:
        notes.append(
            f"the audio is left out: programs that read {kind} want one rate; .npz and .xdf have it"
        )
    if recording.lead_in_uv is not None and len(recording.lead_in_uv):
        notes.append(
            f"{len(recording.lead_in_uv)} samples before the recording, for filters to settle "
            "on, are left out"
        )
    return notes


def _subfield(text: str | None) -> str:
    """Make a text fit for the header, which has no spaces within a field."""
    return re.sub(r"\s", "_", _ascii(text or ""))[:24] or "X"


def _ascii(text: str) -> str:
    return re.sub(r"[^ -~]", "_", text.replace("\N{MICRO SIGN}", "u"))
