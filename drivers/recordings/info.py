"""What a file holds, for people and programs: ``streamer info FILE``."""

from collections import Counter
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path

import numpy as np

from drivers.recordings.recording import Recording
from drivers.recordings.registry import read_recordings, recognise
from drivers.source import Channel

# What `Format.details` calls a thing that is in the file and in no recording.
_LABELS = ("mode", "speaker", "session", "split", "provenance")
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
        self.counts["lost_samples"] += int(np.isnan(recording.emg_uv).all(axis=1).sum())
        self.counts["markers"] += len(recording.markers)
        self.counts["audio"] += recording.audio is not None
        self.counts["transcripts"] += recording.transcript is not None
        self.counts["phones"] += bool(recording.phones)
        self.counts["lead_ins"] += recording.lead_in_uv is not None
        for key, labels in self.labels.items():
            if (label := getattr(recording, key)) is not None:
                labels[label] += 1


def describe(path: str | Path) -> FileInfo:
    """Say what is in a file or corpus, reading all of it once.

    Parameters
    ----------
    path : str or Path
        The file or directory.

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
    sums = _Sums()
    for recording in read_recordings(path):
        sums.add(recording)
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
        details=form.details(path) if form.details else {},
    )


def left_out(path: str | Path) -> list[str]:
    """Say what a file holds that its recordings do not.

    Parameters
    ----------
    path : str or Path
        A file, or a corpus directory.

    Returns
    -------
    list of str
        A line for each thing: damaged, cut off, or of a kind that no recording has.

    Raises
    ------
    RecordingError
        It is nothing that is known.
    """
    form = recognise(path)
    details = {} if form.details is None else form.details(Path(path))
    return [f"{name}: {what}" for name, what in details.items() if _is_missing(name)]


def _is_missing(name: str) -> bool:
    return any(word in name for word in _MISSING)
