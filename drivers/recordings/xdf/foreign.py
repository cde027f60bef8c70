"""Recordings from files that others made, such as LabRecorder."""

from collections.abc import Sequence
from dataclasses import replace

from drivers.errors import RecordingError
from drivers.recordings.recording import Recording
from drivers.recordings.xdf.container import STRING
from drivers.recordings.xdf.heads import StreamHead
from drivers.recordings.xdf.load import Loaded, load
from drivers.recordings.xdf.names import names
from drivers.recordings.xdf.own import later, role
from drivers.recordings.xdf.pieces import Allowance, Piece
from drivers.recordings.xdf.scan import Scan
from drivers.recordings.xdf.signals import Signal, Sound
from drivers.source import UTTERANCE, Marker, Samples


def is_emg(head: StreamHead) -> bool:
    """Say whether a stream is EMG of somebody else's making."""
    return head.type.upper() == "EMG" and role(head) is None


def read_foreign(found: Scan, stem: str) -> tuple[list[Recording], int]:
    """Read the EMG streams of a file.

    Parameters
    ----------
    found : Scan
        The file.
    stem : str
        For the names.

    Returns
    -------
    recordings : list of Recording
        Of each EMG stream; more where samples are lost for more than a minute, and at
        each marker ``utterance NAME``, as `LslSource` does it.
    outside : int
        Markers at a time when no EMG was recorded; they are left out.

    Raises
    ------
    RecordingError
        There is no EMG stream, one without a unit, or the file is damaged.
    """
    emg = _emg_streams(found, stem)
    events = {number for number, head in found.heads.items() if _is_markers(head)}
    sound = [number for number, head in found.heads.items() if _is_sound(head)][:1]
    loaded = load(found, {*emg, *events}, sound)
    markers = sorted(
        (event for number in events for event in _events(loaded[number])),
        key=lambda event: event[0],
    )
    allowance = Allowance(sum(loaded[number].values.nbytes for number in emg))
    speech = Sound(found, sound[0], loaded[sound[0]]) if sound else None
    earliest_s = min((float(s.times_s[0]) for s in loaded.values() if len(s.times_s)), default=0.0)
    recordings: list[Recording] = []
    placed: set[int] = set()
    for number in emg:
        head = found.heads[number]
        signal = Signal(head, loaded[number], allowance)
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
    if not recordings:
        raise RecordingError(f"EMG in {stem}.xdf", value="no samples")
    called = names([recording.name for recording in recordings], stem)
    recordings = [replace(r, name=name) for r, name in zip(recordings, called, strict=True)]
    return recordings, len(markers) - len(placed)


def left_out(found: Scan) -> list[str]:
    """Name the streams that `read_foreign` has no place for, and channels of sound."""
    sounds = [head for head in found.heads.values() if _is_sound(head)]
    lines = [
        str(head)
        for head in found.heads.values()
        if not (is_emg(head) or _is_markers(head) or head in sounds[:1])
    ]
    lines += [f"all but the first channel of {head}" for head in sounds[:1] if head.channels > 1]
    return lines


def _emg_streams(found: Scan, stem: str) -> list[int]:
    emg = [number for number, head in found.heads.items() if is_emg(head)]
    if not emg:
        streams = [str(head) for head in found.heads.values()] + found.refused
        raise RecordingError(
            f"EMG in {stem}.xdf",
            value=f"streams {'; '.join(streams)}" if streams else "no streams",
            allowed="a stream of type EMG",
            way_out="record it with that type",
        )
    for number in emg:
        head = found.heads[number]
        if head.format == STRING or not head.rate_hz:
            raise RecordingError(
                f"stream {head}", value="events", allowed="a signal with a nominal rate"
            )
    return emg


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
        made.append((Recording(name, emg_uv, rate_hz, signal.channels, markers=markers), first))
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
    values = stream.values
    if not isinstance(values, list):
        values = [", ".join(f"{value:g}" for value in row) for row in values]
    return list(zip(stream.times_s.tolist(), values, strict=True))
