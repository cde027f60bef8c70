"""Replay: recordings through the same contract as a device.

Every recording is an epoch of its own. The schedule is absolute: each chunk is due at
the opening time plus the samples so far over the rate, so a replay never drifts,
whatever the reader's pauses and however many recordings follow each other.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import replace
from types import TracebackType
from typing import Self

from drivers.clock import Clock, PerfClock
from drivers.errors import SignalMismatchError, SourceError
from drivers.recordings.recording import Recording, Segment
from drivers.source import (
    UTTERANCE,
    Chunk,
    Health,
    Marker,
    Provenance,
    Samples,
    SourceInfo,
    SourceState,
)

# The schedule is kept in seconds: a sample counts as due this little before its time,
# so that rounding cannot make a reader wait again for what it has just waited for.
_EARLY_SAMPLES = 1e-3


class ReplaySource:
    """A `Source` that plays recordings at their own pace, at a multiple or unpaced.

    Parameters
    ----------
    recordings : iterable of Recording
        Played in this order, without a pause between them. Each is taken from the
        iterable when its turn comes; empty ones are left out and counted.
    speed : float, optional
        Multiple of the recordings' own pace; None plays as fast as it is read. Then
        `read` never waits and time is virtual: samples so far over the rate.
    clock : Clock, optional
        The session's clock.
    chunk_s : float
        Length of a chunk; boundaries lie at round(k * chunk_s * rate) of each epoch.
    loop : bool
        Start again after the last recording, in new epochs, for ever. Needs an iterable
        that can be iterated more than once.
    start_s : float
        Leave out this much of the series' beginning, see `skip`.
    name : str
        Name for people, and the source's id.
    provenance : Provenance
        Where the recordings come from.
    """

    def __init__(
        self,
        recordings: Iterable[Recording],
        *,
        speed: float | None = 1.0,
        clock: Clock | None = None,
        chunk_s: float = 0.01,
        loop: bool = False,
        start_s: float = 0.0,
        name: str = "replay",
        provenance: Provenance = Provenance.RECORDED,
    ) -> None:
        if speed is not None and not (speed > 0 and math.isfinite(speed)):
            raise SourceError("speed of the replay", value=speed, allowed="above 0, or max")
        if not (chunk_s > 0 and math.isfinite(chunk_s)):
            raise SourceError("chunk length of the replay", value=chunk_s, allowed="above 0 s")
        if not (start_s >= 0 and math.isfinite(start_s)):
            raise SourceError("start of the replay", value=start_s, allowed="0 s or later")
        if loop and iter(recordings) is recordings:
            raise ValueError("a loop needs recordings that can be iterated more than once")
        self._recordings = recordings
        self._speed = speed
        self._clock = PerfClock() if clock is None else clock
        self._chunk_s = chunk_s
        self._loop = loop
        self._start_s = start_s
        self._name = name
        self._provenance = provenance
        self._health = Health()
        self._series: Iterator[Recording] = iter(())
        self._first: Recording | None = None
        self._recording: Recording | None = None
        self._epoch = -1
        self._next = 0  # sample of the epoch that comes next
        self._before = 0  # samples in the epochs before this one
        self._opened_s = 0.0

    @property
    def info(self) -> SourceInfo:
        """What the source delivers; valid once it is open."""
        if self._first is None:
            raise SourceError("replay", value="not open yet", way_out="open it first")
        return SourceInfo(
            self._name,
            self._name,
            self._first.channels,
            self._first.rate_hz,
            self._provenance,
        )

    @property
    def health(self) -> Health:
        """State and counters, at any time."""
        return self._health

    def open(self) -> None:
        """Go to the beginning; the first sample is acquired now.

        Raises
        ------
        SourceError
            There is nothing to play.
        """
        self._health = Health()
        self._first = self._recording = None
        self._epoch, self._before = -1, 0
        self._series = self._played()
        if not self._advance():
            raise SourceError(
                "replay",
                value="no samples",
                allowed="recordings that last longer than the start that is left out",
                way_out=f"choose other recordings, or an earlier start than {self._start_s:g} s",
            )
        self._health.state = SourceState.STREAMING
        # An unpaced replay has no clock but its samples.
        self._opened_s = 0.0 if self._speed is None else self._clock.now_s()

    def read(self, timeout_s: float) -> Chunk | None:
        """Return all that is due, one epoch at most, or None after `timeout_s` without any.

        Raises
        ------
        SignalMismatchError
            A recording differs from the first one in rate or channels.
        """
        if self._recording is None:
            return None
        if self._next == len(self._recording.emg_uv) and not self._advance():
            self.close()
            return None
        if self._speed is None:
            return self._take(self._boundary_after(self._next))
        deadline_s = self._clock.now_s() + timeout_s
        due_s = self._due_s(self._boundary_after(self._next))
        if due_s > deadline_s:
            self._clock.sleep_until(deadline_s)
            return None
        self._clock.sleep_until(due_s)
        return self._take(self._last_boundary_due())

    def close(self) -> None:
        """Stop; `open` starts from the beginning again."""
        self._recording = None
        self._series = iter(())
        self._health.state = SourceState.DISCONNECTED

    def __enter__(self) -> Self:
        """Open."""
        self.open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close."""
        self.close()

    def _played(self) -> Iterator[Recording]:
        """All recordings that have samples, round after round when looping."""
        while True:
            played = False
            for recording in skip(self._recordings, self._start_s):
                if len(recording.emg_uv):
                    played = True
                    yield recording
                else:
                    extra = self._health.extra
                    extra["empty_recordings"] = extra.get("empty_recordings", 0) + 1
            if not (self._loop and played):
                return

    def _advance(self) -> bool:
        """Begin the epoch of the next recording; False at the end of the series."""
        if self._recording is not None:
            self._before += len(self._recording.emg_uv)
        recording = next(self._series, None)
        if recording is None:
            return False
        if self._first is None:
            self._first = recording
        else:
            _check_agreement(recording, self._first)
        self._recording = recording
        self._epoch += 1
        self._next = 0
        return True

    def _boundary_after(self, index: int) -> int:
        """First chunk boundary of the epoch behind sample `index`."""
        assert self._recording is not None
        size = self._chunk_s * self._recording.rate_hz
        k = math.floor(index / size)
        while round(k * size) <= index:
            k += 1
        return min(round(k * size), len(self._recording.emg_uv))

    def _last_boundary_due(self) -> int:
        """Last chunk boundary of the epoch whose samples are all acquired by now."""
        assert self._recording is not None
        passed_s = self._clock.now_s() - self._opened_s
        due = passed_s * self._recording.rate_hz * (self._speed or 1.0) + _EARLY_SAMPLES
        due_in_epoch = math.floor(due) - self._before
        if due_in_epoch >= len(self._recording.emg_uv):
            return len(self._recording.emg_uv)
        size = self._chunk_s * self._recording.rate_hz
        k = math.ceil(due_in_epoch / size) + 1
        while round(k * size) > due_in_epoch:
            k -= 1
        return max(round(k * size), self._boundary_after(self._next))

    def _due_s(self, index: int) -> float:
        """Time at which all samples of the epoch before `index` are acquired."""
        assert self._recording is not None
        rate_hz = self._recording.rate_hz * (self._speed or 1.0)
        return self._opened_s + (self._before + index) / rate_hz

    def _take(self, end: int) -> Chunk:
        """Hand out the samples up to `end`."""
        assert self._recording is not None
        recording, begin = self._recording, self._next
        markers = tuple(m for m in recording.markers if begin <= m.index < end)
        lead_in: Samples | None = None
        if begin == 0:
            markers = (Marker(0, UTTERANCE + recording.name), *markers)
            lead_in = recording.lead_in_uv
        time_s = self._due_s(end)
        self._next = end
        self._health.samples += end - begin
        return Chunk(
            samples=recording.emg_uv[begin:end],
            epoch=self._epoch,
            first_index=begin,
            time_s=time_s,
            received_s=time_s if self._speed is None else self._clock.now_s(),
            lead_in=lead_in,
            markers=markers,
        )


def skip(recordings: Iterable[Recording], start_s: float) -> Iterator[Recording]:
    """Leave out the first `start_s` seconds of a series.

    Recordings that end before are left out; of the one that lies across, audio, markers
    and phones are cut as the EMG is, and the EMG before the cut becomes its lead-in.

    Parameters
    ----------
    recordings : iterable of Recording
        The series.
    start_s : float
        Seconds, 0 or more.

    Yields
    ------
    Recording
        What is left.
    """
    left_s = start_s
    for recording in recordings:
        index = round(left_s * recording.rate_hz)
        if 0 < index >= len(recording.emg_uv):
            left_s -= recording.duration_s
            continue
        yield recording if index == 0 else _cut(recording, index)
        left_s = 0.0


def _cut(recording: Recording, index: int) -> Recording:
    """Let the recording begin at sample `index`."""
    cut_s = index / recording.rate_hz
    audio = recording.audio
    if audio is not None and recording.audio_rate_hz is not None:
        audio = audio[round(cut_s * recording.audio_rate_hz) :]
    return replace(
        recording,
        emg_uv=recording.emg_uv[index:],
        lead_in_uv=recording.emg_uv[:index],
        markers=tuple(
            replace(m, index=m.index - index) for m in recording.markers if m.index >= index
        ),
        audio=audio,
        phones=tuple(
            Segment(max(p.start_s - cut_s, 0.0), p.end_s - cut_s, p.label)
            for p in recording.phones
            if p.end_s > cut_s
        ),
    )


def _check_agreement(recording: Recording, first: Recording) -> None:
    """Refuse a recording that cannot follow the first one in one stream."""
    if (recording.rate_hz, recording.channels) == (first.rate_hz, first.channels):
        return
    raise SignalMismatchError(
        f"signal of {recording.name}",
        value=_signal(recording),
        allowed=f"{_signal(first)} as in {first.name}",
        way_out="replay them one by one",
    )


def _signal(recording: Recording) -> str:
    channels = ", ".join(f"{c.label} ({c.type}, {c.unit})" for c in recording.channels)
    return f"{len(recording.channels)} channels at {recording.rate_hz:g} Hz [{channels}]"
