"""Recordings from files of our own, by the order of what is in them (see `session`)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drivers.errors import RecordingError
from drivers.outside.texts import parse_json
from drivers.recordings.metadata import metadata_from
from drivers.recordings.recording import Recording, Segment
from drivers.recordings.xdf.channels import channels_of
from drivers.recordings.xdf.container import STRING, Tag
from drivers.recordings.xdf.heads import StreamHead, named, there
from drivers.recordings.xdf.load import Loaded, load
from drivers.recordings.xdf.names import names
from drivers.recordings.xdf.pieces import Allowance, Piece, join
from drivers.recordings.xdf.scan import Scan
from drivers.recordings.xdf.signals import microvolts
from drivers.source import UTTERANCE, Channel, Marker, Provenance, Samples
from drivers.stamps import LATEST_S, are_times
from drivers.units import InMicrovolts

NO_SAMPLES = "no samples: it ended before the first one came"
_EPOCH = re.compile(r"epoch (-?\d{1,15}) from sample (\d{1,15})")
_LOST = re.compile(r"lost (\d{1,15}) samples( \(estimated\))?")
_END = re.compile(r"end at sample (\d{1,15})")
_ABOUT = "recording "
_SPEECH = "speech "
_ROLES = ("emg", "lead-in", "markers", "log", "phones")


def role(head: StreamHead) -> str | None:
    """Return what a stream is in a file of our own, None if it is not of our own."""
    what = head.info.findtext("desc/streamer/role")
    if what is None:
        return None
    signal = what in ("emg", "lead-in") or what.startswith(_SPEECH)
    events = what in _ROLES and not signal
    text = head.format == STRING
    if (signal and (text or not head.rate_hz)) or (events and not text):
        return "damaged"
    return what


def is_used(head: StreamHead) -> bool:
    """Say whether `read_own` has a place for what a stream holds."""
    what = role(head) or ""
    return what in _ROLES or what.startswith(_SPEECH)


@dataclass
class _Epoch:
    """An epoch, while the file is gone through."""

    number: int
    channels: tuple[Channel, ...]
    rate_hz: float
    next: int
    first_s: float
    runs: list[tuple[int, Samples]] = field(default_factory=list)
    expected_s: float | None = None
    end: int | None = None
    lead_in: list[Samples] = field(default_factory=list)
    waiting: list[tuple[str, float]] = field(default_factory=list)
    markers: list[Marker] = field(default_factory=list)
    speech: list[NDArray[np.float32]] = field(default_factory=list)
    speech_rate_hz: float | None = None
    phones: list[Segment] = field(default_factory=list)
    about: dict[str, Any] = field(default_factory=dict)
    provenance: Provenance | None = None

    def anchor(self, index: int, time_s: float) -> None:
        """Give waiting markers their samples: `index` is at `time_s`."""
        for label, marker_s in self.waiting:
            at = index + round((marker_s - time_s) * self.rate_hz)
            self.markers.append(Marker(max(at, 0), label))
        self.waiting.clear()

    def append(self, samples: Samples, times_s: NDArray[np.float64], after_damage: bool) -> None:
        """Take the next samples."""
        begin_s = float(times_s[0])
        if after_damage and self.expected_s is not None:
            # What came between can only be told from the time that passed.
            missed = round((begin_s - self.expected_s) * self.rate_hz)
            behind = self.runs[-1][0] + len(self.runs[-1][1])
            self.next = max(self.next, behind + missed)
        if not self.runs:
            self.first_s = begin_s - self.next / self.rate_hz
        self.anchor(self.next, begin_s)
        self.runs.append((self.next, samples))
        self.next += len(samples)
        self.expected_s = float(times_s[-1]) + 1 / self.rate_hz


def empty(name: str, channels: tuple[Channel, ...], rate_hz: float) -> Recording:
    """Return what a file holds that ended before its first sample."""
    none = np.empty((0, len(channels)), np.float32)
    return Recording(name, none, rate_hz, channels, notes=(NO_SAMPLES,))


def read_own(
    found: Scan, stem: str, stream: str | None = None, unit: str | None = None
) -> list[Recording]:
    """Read a file that `SourceXdf` or `write` made.

    Parameters
    ----------
    found : Scan
        The file.
    stem : str
        For the names of recordings that have none.
    stream : str, optional
        Name of the EMG's stream, to be sure of it.
    unit : str, optional
        Of the EMG; overrules what the file says, as a source may have said it wrongly.

    Returns
    -------
    list of Recording
        One for each epoch, or more where samples are lost for more than a minute; one of
        length 0 where there is no sample.

    Raises
    ------
    RecordingError
        It has no such stream, or is damaged.
    """
    roles = {number: role(head) or "" for number, head in found.heads.items()}
    emg = {number: head for number, head in found.heads.items() if roles[number] == "emg"}
    if stream is not None and not named(emg, stream):
        raise RecordingError(f"recordings.stream for {stem}.xdf", value=stream, allowed=there(emg))
    signals = {n: channels_of(head, f"stream {head}", unit) for n, head in emg.items()}
    wanted = {n for n, head in found.heads.items() if is_used(head)}
    sound = {n for n in wanted if roles[n].startswith(_SPEECH)}
    loaded = load(found, wanted - sound, sound)
    for number, one in loaded.items():
        if not np.all(are_times(one.times_s)):
            raise RecordingError(
                f"time stamps of stream {found.heads[number]}",
                value="not all are times",
                allowed=f"within +-{LATEST_S:g} s",
                way_out="the file is damaged",
            )
    epochs = _epochs(found, roles, loaded, signals)
    recorded = sum(samples.nbytes for epoch in epochs for _, samples in epoch.runs)
    allowance = Allowance(recorded)
    started_s = 0.0
    if found.about is not None:
        started_s = _number(found.about.findtext("streamer/started_s"))
    pieces: list[tuple[_Epoch, Piece, int]] = []
    for epoch in epochs:
        end = epoch.next if epoch.end is None and epoch.runs else epoch.end
        joined = join(epoch.runs, end, len(epoch.channels), epoch.rate_hz, allowance)
        ends = [piece.first for piece in joined[1:]] + [np.iinfo(np.int64).max]
        pieces += [(epoch, piece, end) for piece, end in zip(joined, ends, strict=False)]
    if not pieces:
        return [empty(stem, signals[n].channels, head.rate_hz) for n, head in emg.items()]
    called = names([_name(epoch) for epoch, _, _ in pieces], stem)
    recordings = [
        _recording(name, epoch, piece, end, found.created, started_s)
        for name, (epoch, piece, end) in zip(called, pieces, strict=True)
    ]
    notes = tuple(note for one in signals.values() for note in one.notes)
    return [replace(recordings[0], notes=notes), *recordings[1:]]


def _epochs(
    found: Scan,
    roles: dict[int, str],
    loaded: dict[int, Loaded],
    channels: Mapping[int, InMicrovolts],
) -> list[_Epoch]:
    epochs: list[_Epoch] = []
    row = dict.fromkeys(loaded, 0)
    damage = False
    signals = {
        _part(found.heads[number]): (one.channels, found.heads[number].rate_hz)
        for number, one in channels.items()
    }
    factors = {
        _part(found.heads[number]): np.array(one.factors) for number, one in channels.items()
    }
    parts = {number: signals.get(_part(head)) for number, head in found.heads.items()}
    for span in found.spans:
        damage |= span.damage_before
        part = parts[span.stream]
        if span.tag != Tag.SAMPLES or span.stream not in loaded or part is None:
            continue
        what, stream = roles[span.stream], loaded[span.stream]
        begin = row[span.stream]
        row[span.stream] = end = begin + span.samples
        values = stream.values[begin:end]
        if what == "log":
            for line, time_s in zip(values, stream.times_s[begin:end].tolist(), strict=True):
                _log(line, time_s, epochs, *part)
            continue
        if not epochs:
            epochs.append(_Epoch(0, *part, 0, 0.0))
        epoch = epochs[-1]
        if what == "emg":
            if epoch.channels != part[0]:
                epochs.append(epoch := _Epoch(epoch.number + 1, *part, 0, 0.0))
            scaled = microvolts(values, factors[_part(found.heads[span.stream])])
            epoch.append(scaled, stream.times_s[begin:end], damage)
            damage = False
        elif what == "lead-in":
            if values.shape[1] == len(epoch.channels):
                scaled = microvolts(values, factors[_part(found.heads[span.stream])])
                epoch.lead_in.append(scaled)
        elif what == "markers":
            epoch.waiting += zip(values, stream.times_s[begin:end].tolist(), strict=True)
        elif what == "phones":
            epoch.phones += [segment for line in values if (segment := _segment(line))]
        else:
            epoch.speech.append(values[:, 0])
            epoch.speech_rate_hz = found.heads[span.stream].rate_hz
    proven = {
        one.channels: found.heads[number].info.findtext("desc/provenance")
        for number, one in channels.items()
    }
    for epoch in epochs:
        said = proven.get(epoch.channels)
        epoch.provenance = Provenance(said) if said in tuple(Provenance) else None
        if epoch.waiting and epoch.expected_s is not None:
            epoch.anchor(epoch.next, epoch.expected_s)
    return epochs


def _part(head: StreamHead) -> str:
    return head.info.findtext("desc/streamer/part") or ""


def _log(
    line: str,
    time_s: float,
    epochs: list[_Epoch],
    channels: tuple[Channel, ...],
    rate_hz: float,
) -> None:
    """Heed a line of the log; one that is damaged says nothing."""
    if match := _EPOCH.fullmatch(line):
        number, at = int(match[1]), int(match[2])
        goes_on = epochs and epochs[-1].number == number and epochs[-1].channels == channels
        if not (goes_on and at):
            epochs.append(_Epoch(number, channels, rate_hz, at, time_s))
    elif not epochs:
        return
    elif match := _LOST.fullmatch(line):
        epochs[-1].next += int(match[1])
    elif match := _END.fullmatch(line):
        epochs[-1].end = int(match[1])
        epochs[-1].anchor(int(match[1]), time_s)
    elif line.startswith(_ABOUT):
        try:
            about = parse_json(line.removeprefix(_ABOUT), "log", RecordingError)
        except RecordingError:
            return
        epochs[-1].about = about if isinstance(about, dict) else {}


def _segment(line: str) -> Segment | None:
    start_s, _, rest = line.partition(" ")
    end_s, _, label = rest.partition(" ")
    try:
        return Segment(float(start_s), float(end_s), label)
    except ValueError:
        return None


def _name(epoch: _Epoch) -> str | None:
    if isinstance(name := epoch.about.get("name"), str):
        return name
    labels = (m.label for m in epoch.markers if m.label.startswith(UTTERANCE))
    return next((label.removeprefix(UTTERANCE) for label in labels), None)


def _recording(
    name: str,
    epoch: _Epoch,
    piece: Piece,
    end: int,
    created: datetime | None,
    started_s: float,
) -> Recording:
    """Make a recording of rows `piece.first` to `end` of an epoch."""
    about, first, rate_hz = epoch.about, piece.first, epoch.rate_hz
    cut_s = first / rate_hz
    markers = [Marker(m.index - first, m.label) for m in epoch.markers if first <= m.index < end]
    if not about and markers and markers[0] == Marker(0, f"{UTTERANCE}{_name(epoch)}"):
        del markers[0]  # it is the recording's name, and a replay makes it anew
    audio, audio_rate_hz = None, about.get("audio_rate_hz", epoch.speech_rate_hz)
    if isinstance(audio_rate_hz, int | float) and 0 < audio_rate_hz < 1e6:
        audio = np.concatenate([np.empty(0, np.float32), *epoch.speech])
        last = round(min(end / rate_hz * audio_rate_hz, len(audio)))
        audio = audio[round(cut_s * audio_rate_hz) : last]
    texts = {key: value for key, value in about.items() if isinstance(value, str)}
    known = metadata_from(texts, f"XDF recording {name}")
    if about:  # of a recording that was written as a whole
        if known["recorded_at"] is not None:
            known["recorded_at"] = later(known["recorded_at"], cut_s)
    else:
        known["provenance"] = epoch.provenance
    if not about and created is not None:
        known["recorded_at"] = later(created, epoch.first_s + cut_s - started_s)
    return Recording(
        name=name,
        emg_uv=piece.emg_uv,
        rate_hz=rate_hz,
        channels=epoch.channels,
        lead_in_uv=np.concatenate(epoch.lead_in) if epoch.lead_in and not first else None,
        markers=tuple(markers),
        audio=audio,
        audio_rate_hz=None if audio is None else audio_rate_hz,
        phones=tuple(
            Segment(max(p.start_s - cut_s, 0.0), p.end_s - cut_s, p.label) if first else p
            for p in epoch.phones
            if not first or p.end_s > cut_s
        ),
        **known,
    )


def later(time: datetime, seconds: float) -> datetime | None:
    """Add seconds to a time; None where that is no time any more."""
    try:
        return time + timedelta(seconds=seconds)
    except (ValueError, OverflowError):  # a damaged time
        return None


def _number(text: str | None) -> float:
    try:
        return float(text or 0.0)
    except ValueError:
        return 0.0
