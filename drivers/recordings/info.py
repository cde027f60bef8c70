"""What a file holds, for people and programs: ``streamer info FILE``."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path

import numpy as np

from drivers.amplitudes import Amplitudes
from drivers.recordings.format import AS_WRITTEN, Choices
from drivers.recordings.recording import Recording
from drivers.recordings.registry import details, read_recordings, recognise
from drivers.source import Channel

_LABELS = ("mode", "speaker", "session", "split", "provenance")
_MOST_KINDS = 64  # of signals and sessions whose amplitudes are judged
# What `Format.details` calls a thing that is in the file and in no recording.
_MISSING = ("left out", "unreadable", "outside", "truncated", "damage", "end", "behind")


@dataclass(frozen=True)
class FileInfo:
    """What a file or corpus holds, all recordings together.

    Attributes
    ----------
    path : str
        The file.
    format : str
        Name of its format.
    recordings : int
        How many there are.
    names : tuple of str
        Theirs.
    channels : tuple of Channel
        Of the first one.
    rate_hz : float or None
        Of the first one; None where there is none.
    signals : int
        How many sets of channels and rates there are; 1 where all recordings agree.
    duration_s : float
        Length of the EMG.
    samples, lost_samples : int
        Samples of the EMG, and those of them that are known to be lost.
    markers : int
        Events.
    audio, transcripts, phones, lead_ins : int
        Recordings that have them.
    audio_rate_hz : float or None
        Of the first one that has audio.
    modes, speakers, sessions, splits, provenances : dict of str to int
        Recordings of each; those without are left out.
    recorded_at : datetime or None
        Of the first one that has a time.
    details : dict of str to str
        What the format says beside that.
    notes : tuple of str
        What a person should know of how it was read (see `Recording`), and amplitudes that
        are implausible for EMG.
    """

    path: str
    format: str
    recordings: int
    channels: tuple[Channel, ...]
    rate_hz: float | None
    signals: int
    duration_s: float
    samples: int
    lost_samples: int
    markers: int
    audio: int
    audio_rate_hz: float | None
    transcripts: int
    phones: int
    lead_ins: int
    modes: dict[str, int]
    speakers: dict[str, int]
    sessions: dict[str, int]
    splits: dict[str, int]
    provenances: dict[str, int]
    names: tuple[str, ...]
    recorded_at: datetime | None
    details: dict[str, str]
    notes: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, object]:
        """Give all of it as plain values that JSON can hold."""
        at = None if self.recorded_at is None else self.recorded_at.isoformat()
        return {**asdict(self), "channels": [asdict(c) for c in self.channels], "recorded_at": at}


@dataclass
class _Sums:
    """What adds up over recordings; no recording is kept."""

    counts: Counter[str] = field(default_factory=Counter)
    duration_s: float = 0.0
    first: tuple[tuple[Channel, ...], float] | None = None
    signals: set[tuple[tuple[Channel, ...], float]] = field(default_factory=set)
    audio_rate_hz: float | None = None
    recorded_at: datetime | None = None
    names: list[str] = field(default_factory=list)
    labels: dict[str, Counter[str]] = field(
        default_factory=lambda: {key: Counter() for key in _LABELS}
    )
    notes: dict[str, None] = field(default_factory=dict)
    missing: Counter[str] = field(default_factory=Counter)

    def add(self, recording: Recording) -> None:
        """Count one more."""
        signal = (recording.channels, recording.rate_hz)
        self.first = self.first or signal
        self.signals.add(signal)
        self.duration_s += recording.duration_s
        self.audio_rate_hz = self.audio_rate_hz or recording.audio_rate_hz
        self.recorded_at = self.recorded_at or recording.recorded_at
        self.counts["recordings"] += 1
        self.names.append(recording.name)
        self.counts["samples"] += len(recording.emg_uv)
        missing = np.isnan(recording.emg_uv)
        lost = int(missing.all(axis=1).sum())
        self.counts["lost_samples"] += lost
        for channel, count in zip(recording.channels, missing.sum(axis=0) - lost, strict=True):
            self.missing[channel.label] += int(count)
        self.counts["markers"] += len(recording.markers)
        self.counts["audio"] += recording.audio is not None
        self.counts["transcripts"] += recording.transcript is not None
        self.counts["phones"] += bool(recording.phones)
        self.counts["lead_ins"] += recording.lead_in_uv is not None
        self.notes |= dict.fromkeys(recording.notes)
        for key, labels in self.labels.items():
            if (label := getattr(recording, key)) is not None:
                labels[label] += 1

    def gaps(self) -> list[str]:
        """Name the channels in which samples are missing that others have."""
        return [
            f"channel {label} lacks {count} samples that other channels have"
            for label, count in self.missing.items()
            if count
        ]


@dataclass
class _Amplitudes:
    """Of each session and signal of some recordings."""

    kinds: dict[tuple[str | None, tuple[Channel, ...], float], Amplitudes] = field(
        default_factory=dict
    )

    def add(self, recording: Recording) -> None:
        """Look at one more."""
        kind = (recording.session, recording.channels, recording.rate_hz)
        if kind in self.kinds or len(self.kinds) < _MOST_KINDS:
            in_uv = [n for n, channel in enumerate(recording.channels) if channel.unit == "uV"]
            emg = [n for n in in_uv if recording.channels[n].type == "EMG"] or in_uv
            labels = [recording.channels[n].label for n in emg]
            amplitudes = self.kinds.setdefault(kind, Amplitudes(labels, recording.rate_hz))
            amplitudes.add(recording.emg_uv[:, emg])

    def cautions(self, name: str) -> list[str]:
        """Say what is implausible."""
        return [
            line
            for (session, *_), amplitudes in self.kinds.items()
            for line in amplitudes.cautions(f"session {session}" if session else name)
        ]


def amplitude_cautions(recordings: Iterable[Recording], name: str) -> list[str]:
    """Say where amplitudes are implausible for EMG (see `drivers.amplitudes`).

    Parameters
    ----------
    recordings : iterable of Recording
        Those of a file or corpus.
    name : str
        Of the file, where a recording has no session.

    Returns
    -------
    list of str
        A line for a person each.
    """
    amplitudes = _Amplitudes()
    for recording in recordings:
        amplitudes.add(recording)
    return amplitudes.cautions(name)


def describe(path: str | Path, choices: Choices = AS_WRITTEN) -> FileInfo:
    """Say what is in a file or corpus, reading all of it once.

    Parameters
    ----------
    path : str or Path
        The file or directory.
    choices : Choices
        What a person says of it.

    Returns
    -------
    FileInfo
        All recordings together.

    Raises
    ------
    RecordingError
        It is damaged, or nothing that is known.
    """
    path = Path(path)
    form = recognise(path)
    sums, amplitudes = _Sums(), _Amplitudes()
    for recording in read_recordings(path, choices, may_be_empty=True):
        sums.add(recording)
        amplitudes.add(recording)
    channels, rate_hz = sums.first or ((), None)
    counts = sums.counts
    return FileInfo(
        path=str(path),
        format=form.name,
        recordings=counts["recordings"],
        channels=channels,
        rate_hz=rate_hz,
        signals=len(sums.signals),
        duration_s=sums.duration_s,
        samples=counts["samples"],
        lost_samples=counts["lost_samples"],
        markers=counts["markers"],
        audio=counts["audio"],
        audio_rate_hz=sums.audio_rate_hz,
        transcripts=counts["transcripts"],
        phones=counts["phones"],
        lead_ins=counts["lead_ins"],
        modes=dict(sums.labels["mode"]),
        speakers=dict(sums.labels["speaker"]),
        sessions=dict(sums.labels["session"]),
        splits=dict(sums.labels["split"]),
        provenances=dict(sums.labels["provenance"]),
        names=tuple(sums.names),
        recorded_at=sums.recorded_at,
        details=details(path, choices),
        notes=(*sums.notes, *sums.gaps(), *amplitudes.cautions(path.name)),
    )


def left_out(path: str | Path, choices: Choices = AS_WRITTEN) -> list[str]:
    """Say what a file holds that its recordings do not.

    Parameters
    ----------
    path : str or Path
        A file, or a corpus directory.
    choices : Choices
        What a person says of it.

    Returns
    -------
    list of str
        A line for each thing: damaged, cut off, or of a kind that no recording has.

    Raises
    ------
    RecordingError
        It is nothing that is known.
    """
    facts = details(path, choices)
    return [f"{name}: {what}" for name, what in facts.items() if _is_missing(name)]


def _is_missing(name: str) -> bool:
    return any(word in name for word in _MISSING)
