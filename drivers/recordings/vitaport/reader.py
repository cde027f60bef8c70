"""Recordings from Vitaport files."""

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from drivers.errors import RecordingError
from drivers.recordings.recording import Recording
from drivers.recordings.vitaport.choice import Choice, choose
from drivers.recordings.vitaport.counts import Counts, table_events
from drivers.recordings.vitaport.layout import CLOCK_HZ
from drivers.recordings.vitaport.parts import Part, read_parts
from drivers.source import Marker

_TRUST_RAW = "verified on one public file for demultiplexing and time, not for EMG in microvolts"
_TRUST_CONVERTED = (
    "emulator-only: the reader knows the layout, but has met no file of a real device"
)
_MOST_EVENTS = 1_000_000  # of a channel: more are no events, and would fill the memory


def read_vitaport(
    path: Path, *, emg_scale_uv: float | None = None, unit: str | None = None
) -> tuple[Recording, ...]:
    """Read a converted or a raw file of a Vitaport II or Varioport.

    A value is (raw - offset) * mul / div in the channel's unit, and EMG becomes microvolts.
    What the header says of the scale is not always right: one toolbox takes 1297 / 10000
    of a unit per count for every file, the EMG-UKA corpus was recorded with 0.033 uV per
    count. Where you know better than the header, say so.

    Which channels are EMG and which are left out, is described at `choose`; `details` says
    it of a file. Events are runs of an equal value other than 0 in a marker channel,
    labelled with the value, and the entries of the tables ``MARKER`` and ``MRK500``,
    labelled with table and time.

    A raw recording that is cut gives its whole scan ticks. A converted file that is cut
    is read as long as all of its EMG is there. The header's checksum is not verified: how
    it is computed is not public.

    Parameters
    ----------
    path : Path
        The file.
    emg_scale_uv : float, optional
        Microvolts per count of the EMG channels; None takes what the header says.
    unit : str, optional
        Of the EMG, instead of what the header says; a scale goes before.

    Returns
    -------
    tuple of Recording
        One of a converted file, one or more of a raw one.

    Raises
    ------
    RecordingError
        It is no such file, or it cannot be read.
    """
    if emg_scale_uv is not None and not (emg_scale_uv > 0 and math.isfinite(emg_scale_uv)):
        raise RecordingError("EMG scale", value=emg_scale_uv, allowed="microvolts above 0")
    parts = read_parts(path)
    names = [path.stem] if len(parts) == 1 else [f"{path.stem}-{k + 1}" for k in range(len(parts))]
    return tuple(
        _read(part, name, path.name, emg_scale_uv, unit)[0]
        for part, name in zip(parts, names, strict=True)
    )


def details(path: Path, *, unit: str | None = None) -> dict[str, str]:
    """Say what is known of the device and of each channel.

    Parameters
    ----------
    path, unit
        As for `read_vitaport`; here, the unit changes nothing.

    Returns
    -------
    dict of str
        Texts by what they are about; of several recordings in a file, each has its own.

    Raises
    ------
    RecordingError
        It is no such file, or it cannot be read.
    """
    parts = read_parts(path)
    header = parts[0].header
    texts = {
        "kind": "raw, multiplexed" if header.raw else "converted, channel by channel",
        "recorder": str(header.recorder),
        "versions": f"software {header.software}, hardware {header.hardware},"
        f" system {header.system}",
        "checksum": f"{header.checksum:#06x}, not verified: its algorithm is not public",
        "trust": _TRUST_RAW if header.raw else _TRUST_CONVERTED,
    }
    for number, part in enumerate(parts, 1):
        prefix = f"recording {number}, " if len(parts) > 1 else ""
        texts |= {f"{prefix}{about}": text for about, text in _part_details(part, path).items()}
    if parts[-1].behind:
        texts["behind the last recording"] = f"{parts[-1].behind} bytes that are not read"
    return texts


def _read(
    part: Part, name: str, where: str, emg_scale_uv: float | None, unit: str | None = None
) -> tuple[Recording, dict[str, str]]:
    """Make a recording, and say of each channel that is not in it, why."""
    header = part.header
    choice = choose(header, part.cut, where, emg_scale_uv, unit)
    left_out = dict(choice.left_out)
    counts = {column.number: part.counts(column.number) for column in choice.columns}
    lengths = [len(counts[c.number]) for c in choice.columns]
    emg_lengths = [
        length
        for length, column in zip(lengths, choice.columns, strict=True)
        if column.channel.type == "EMG"
    ] or lengths
    samples = min(emg_lengths)
    if max(emg_lengths) > samples:
        left_out["EMG behind the end of the shortest channel"] = (
            f"{max(emg_lengths) - samples} samples"
        )
    columns = []
    for column in choice.columns:
        if len(counts[column.number]) < samples:
            left_out[column.channel.label] = "is shorter than the EMG"
        else:
            columns.append(column)
    emg = np.empty((samples, len(columns)), np.float32)
    for values, column in zip(emg.T, columns, strict=True):
        raw = counts[column.number][:samples].astype(np.float64)
        values[:] = (raw - column.offset) * column.scale
    rate_hz = CLOCK_HZ / header.divisor / choice.factor
    recording = Recording(
        name=name,
        emg_uv=emg,
        rate_hz=rate_hz,
        channels=tuple(column.channel for column in columns),
        markers=_markers(part, choice, rate_hz, left_out),
        recorded_at=header.recorded_at,
        notes=choice.notes,
    )
    return recording, left_out


def _markers(
    part: Part, choice: Choice, rate_hz: float, left_out: dict[str, str]
) -> tuple[Marker, ...]:
    """Find the events, in their order."""
    header = part.header
    markers = []
    for number in choice.markers:
        channel, values = header.channels[number], part.counts(number)
        begins = _event_begins(values)
        if len(begins) > _MOST_EVENTS:
            left_out[channel.label] = f"its {len(begins)} events are more than {_MOST_EVENTS}"
            continue
        prefix = "" if channel.label.upper() == "MARKER" else f"{channel.label} "
        markers += [
            Marker(round(int(k) * channel.factor / choice.factor), f"{prefix}{values[k]}")
            for k in begins
        ]
    if not header.raw:
        markers += [
            Marker(round(ms * rate_hz / 1000), f"{table} {ms} ms")
            for table, ms in table_events(part.body, header)
        ]
    return tuple(sorted(markers, key=lambda marker: marker.index))


def _event_begins(values: Counts) -> NDArray[np.intp]:
    """Return where each run of an equal value other than 0 begins."""
    changed = np.ones(len(values), bool)
    changed[1:] = values[1:] != values[:-1]
    return np.flatnonzero(changed & (values != 0))


def _part_details(part: Part, path: Path) -> dict[str, str]:
    header = part.header
    # The scale does not matter here, and a file without one is the more worth a look.
    recording, left_out = _read(part, "", path.name, 1.0)
    texts = {
        "recorded at": str(header.recorded_at or "no valid date"),
        "scan divisor": f"{header.divisor}, {CLOCK_HZ / header.divisor:g} Hz",
    }
    kept = {channel.label: channel.type for channel in recording.channels}
    for channel in header.channels:
        rate = f"{header.rate_hz(channel):g} Hz, " if channel.factor else ""
        scale = f"(raw - {channel.used_offset:g}) * {channel.mul} / {channel.div} {channel.unit}"
        use = kept.get(channel.label, "events" if channel.marker else "")
        if channel.label in left_out:
            use = f"left out: {left_out.pop(channel.label)}"
        if channel.used_offset != channel.offset and not channel.marker:
            use += f", its offset {channel.offset} is none of {8 * channel.width} bits"
        texts[f"channel {channel.label}"] = f"{rate}{scale}, {use}"
    if part.missing:
        texts["truncated"] = f"{part.missing} bytes that the header claims are not in the file"
    return texts | {f"left out, {about}": text for about, text in left_out.items()}
