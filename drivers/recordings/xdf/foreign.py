"""Recordings from files that others made, such as LabRecorder."""

from collections.abc import Container, Sequence
from dataclasses import dataclass, replace

import numpy as np

from drivers.recordings.recording import Recording
from drivers.recordings.xdf.choice import Chosen, choose
from drivers.recordings.xdf.container import STRING
from drivers.recordings.xdf.heads import StreamHead
from drivers.recordings.xdf.load import Loaded, load
from drivers.recordings.xdf.names import names
from drivers.recordings.xdf.own import empty, later, role
from drivers.recordings.xdf.pieces import Allowance, Piece
from drivers.recordings.xdf.scan import Scan
from drivers.recordings.xdf.signals import Signal, Sound
from drivers.source import UTTERANCE, Marker, Samples
from drivers.stamps import are_times


@dataclass(frozen=True)
class Foreign:
    """What a file of others holds.

    Attributes
    ----------
    recordings : list of Recording
        Of each EMG stream; more where samples are lost for more than a minute, and at
        each marker ``utterance NAME``, as `LslSource` does it.
    outside : int
        Markers at a time when no EMG was recorded; they are left out.
    left_out : list of str
        Streams that no recording has a place for, and channels of sound.
    """

    recordings: list[Recording]
    outside: int
    left_out: list[str]


def read_foreign(
    found: Scan, stem: str, stream: str | None = None, unit: str | None = None
) -> Foreign:
    """Read the EMG streams of a file.

    Parameters
    ----------
    found : Scan
        The file.
    stem : str
        For the names.
    stream, unit : str, optional
        As for `choose`.

    Returns
    -------
    Foreign
        Its recordings; a stream without samples is one of length 0.

    Raises
    ------
    RecordingError
        There is no EMG stream, none with a unit, or the file is damaged.
    """
    chosen = choose(found.heads, f"{stem}.xdf", stream, unit, found.refused)
    emg = list(chosen.channels)
    events = {n for n, head in found.heads.items() if _is_markers(head)} - {*chosen.unreadable}
    sound = [n for n, head in found.heads.items() if _is_sound(head) and n not in emg][:1]
    loaded = load(found, {*emg, *events}, sound)
    markers = sorted(
        (event for number in events for event in _events(loaded[number])),
        key=lambda event: event[0],
    )
    allowance = Allowance(sum(loaded[number].values.nbytes for number in emg))
    speech = Sound(found, sound[0], loaded[sound[0]]) if sound else None
    earliest_s = min((s.begin_s for s in loaded.values() if s.begin_s is not None), default=0.0)
    recordings: list[Recording] = []
    placed: set[int] = set()
    for number in emg:
        head = found.heads[number]
        signal = Signal(head, loaded[number], chosen.channels[number], allowance)
        rows = {n: signal.index(time_s) for n, (time_s, _) in enumerate(markers)}
        rows = {n: row for n, row in rows.items() if row >= 0}
        placed.update(rows)
        events_at = [(row, markers[n][1]) for n, row in rows.items()]
        own_stem = stem if len(emg) == 1 else f"{stem}-{head.name}-{number}"
        for recording, first in _recordings(signal, head.rate_hz, events_at, own_stem):
            begin_s = signal.time_s(first)
            if speech is not None:
                audio = speech.cut(begin_s, recording.duration_s, allowance)
                recording = replace(recording, audio=audio, audio_rate_hz=speech.rate_hz)
            at = found.created and later(found.created, begin_s - earliest_s)
            recordings.append(replace(recording, recorded_at=at))
    recordings = recordings or [
        empty(stem, chosen.channels[n].channels, found.heads[n].rate_hz) for n in emg
    ]
    called = names([recording.name for recording in recordings], stem)
    recordings = [replace(r, name=name) for r, name in zip(recordings, called, strict=True)]
    used = {*emg, *events, *sound}
    return Foreign(recordings, len(markers) - len(placed), _left_out(found, chosen, used))


def _left_out(found: Scan, chosen: Chosen, used: Container[int]) -> list[str]:
    """Name the streams that no recording has a place for, and channels of sound."""
    lines = []
    for number, head in found.heads.items():
        if number in chosen.unreadable:
            lines.append(f"{head}: {chosen.unreadable[number]}")
        elif number not in used:
            lines.append(str(head))
    lines += [
        f"all but the first channel of {head}"
        for number, head in found.heads.items()
        if number in used
        and head.channels > 1
        and _is_sound(head)
        and number not in chosen.channels
    ]
    return lines


def _recordings(
    signal: Signal, rate_hz: float, events: Sequence[tuple[int, str]], stem: str
) -> list[tuple[Recording, int]]:
    """Make recordings of a stream's pieces, with the row that each begins at."""
    begins = {row: label for row, label in events if label.startswith(UTTERANCE)}
    stretches = [s for piece in signal.pieces for s in _utterances(piece, sorted(begins))]
    made = []
    for k, (first, emg_uv) in enumerate(stretches, 1):
        inside = [event for event in events if first <= event[0] < first + len(emg_uv)]
        name = stem if len(stretches) == 1 else f"{stem}-{k}"
        if first in begins:
            name = begins[first].removeprefix(UTTERANCE)
            inside.remove((first, begins[first]))  # a replay makes it anew
        markers = tuple(Marker(row - first, label) for row, label in inside)
        notes = signal.notes if k == 1 else ()
        recording = Recording(name, emg_uv, rate_hz, signal.channels, markers=markers, notes=notes)
        made.append((recording, first))
    return made


def _utterances(piece: Piece, begins: Sequence[int]) -> list[tuple[int, Samples]]:
    """Divide a piece where utterances begin: first row and samples of each stretch."""
    end = piece.first + len(piece.emg_uv)
    cuts = [piece.first, *(row for row in begins if piece.first < row < end), end]
    return [
        (first, piece.emg_uv[first - piece.first : last - piece.first])
        for first, last in zip(cuts, cuts[1:], strict=False)
    ]


def _is_markers(head: StreamHead) -> bool:
    text = head.format == STRING
    return role(head) is None and not head.rate_hz and (text or head.type.upper() == "MARKERS")


def _is_sound(head: StreamHead) -> bool:
    regular = head.rate_hz > 0 and head.format != STRING
    return role(head) is None and head.type.upper() == "AUDIO" and regular


def _events(stream: Loaded) -> list[tuple[float, str]]:
    """Return times and labels; what has no text is no event."""
    values = stream.values
    if not isinstance(values, list):
        values = [", ".join(f"{value:g}" for value in row) for row in values]
    # what is at no time is behind all others, where it is outside the EMG
    times_s = np.where(are_times(stream.times_s), stream.times_s, np.inf).tolist()
    return [(at, label) for at, label in zip(times_s, values, strict=True) if label.strip()]
