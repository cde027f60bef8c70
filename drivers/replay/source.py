"""Recordings as a source.

Every recording is an epoch of its own. The schedule is absolute: each chunk is due at
the opening time plus the samples so far over the rate, so a replay never drifts,
whatever the reader's pauses and however many recordings follow each other. How far it is
off, can be read from any chunk: `received_s` - `time_s`.
"""

import math
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Self

from drivers.clock import Clock, PerfClock
from drivers.errors import SignalMismatchError, SourceError
from drivers.recordings.recording import Recording
from drivers.replay.epoch import Epoch, lost_rows
from drivers.replay.series import skip
from drivers.source import Chunk, Health, Provenance, SourceInfo, SourceState

# The schedule is kept in seconds: a sample counts as due this little before its time,
# so that rounding cannot make a reader wait again for what it has just waited for.
_EARLY_SAMPLES = 1e-3


class ReplaySource:
    """A `Source` that plays recordings at their own pace, at a multiple or unpaced.

    Samples that a recording knows to be lost (rows of NaN) are played back as what they
    were, a gap: they take their time, and the chunk behind them says how many they are.
    Those at the end of a recording are only counted, as no chunk of the epoch follows.
    A row with some values is passed on as it is. A marker in a gap comes with the first
    chunk behind it and keeps its own sample number.

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
        self._health = Health()
        self._series: Iterator[Recording] = iter(())
        self._first: Recording | None = None
        self._epoch: Epoch | None = None
        self._number = -1
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
            self._first.provenance or Provenance.RECORDED,
        )

    @property
    def health(self) -> Health:
        """State and counters, at any time.

        `Health.extra` counts, where there are any, ``empty_recordings`` and
        ``lost_markers``: those behind the last sample of their recording.
        """
        return self._health

    def open(self) -> None:
        """Go to the beginning; the first sample is acquired now.

        Raises
        ------
        SourceError
            There is nothing to play.
        """
        self._health = Health()
        self._first = self._epoch = None
        self._number, self._before = -1, 0
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
        """Return all that is due up to a gap, or None after `timeout_s` without any.

        Raises
        ------
        SignalMismatchError
            A recording differs from the first one in rate or channels.
        """
        deadline_s = self._clock.now_s() + timeout_s
        while (epoch := self._epoch) is not None:
            end = epoch.first_end()
            if self._speed is not None and end > epoch.next:
                due_s = self._due_s(epoch, end)
                if due_s > deadline_s:
                    self._clock.sleep_until(deadline_s)
                    return None
                self._clock.sleep_until(due_s)
            if not epoch.done:
                return self._take(epoch, end)
            if not self._advance():
                self.close()
        return None

    def close(self) -> None:
        """Stop; `open` starts from the beginning again."""
        self._epoch = None
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
        """All recordings that are not empty, round after round when looping."""
        while True:
            played = False
            for recording in skip(self._recordings, self._start_s):
                if len(recording.emg_uv):
                    # A round of nothing but lost samples is the last one: unpaced,
                    # `read` would never come back.
                    played = played or not lost_rows(recording.emg_uv).all()
                    yield recording
                else:
                    self._count("empty_recordings", 1)
            if not (self._loop and played):
                return

    def _advance(self) -> bool:
        """Begin the epoch of the next recording; False at the end of the series."""
        if self._epoch is not None:
            lost, markers = self._epoch.end()
            self._count_gap(lost)
            self._count("lost_markers", markers)
            self._before += len(self._epoch)
        recording = next(self._series, None)
        if recording is None:
            return False
        if self._first is None:
            self._first = recording
        else:
            _check_agreement(recording, self._first)
        self._epoch = Epoch(recording, self._chunk_s)
        self._number += 1
        return True

    def _due_s(self, epoch: Epoch, index: int) -> float:
        """Time at which all samples of the epoch before `index` are acquired."""
        rate_hz = epoch.recording.rate_hz * (self._speed or 1.0)
        return self._opened_s + (self._before + index) / rate_hz

    def _take(self, epoch: Epoch, end: int) -> Chunk:
        """Hand out the samples up to `end`, or up to the last one that is due by now."""
        if self._speed is not None:
            passed_s = self._clock.now_s() - self._opened_s
            due = passed_s * epoch.recording.rate_hz * self._speed + _EARLY_SAMPLES
            end = epoch.last_end(math.floor(due) - self._before)
        first = epoch.next == 0
        samples, gap, markers = epoch.take(end)
        self._count_gap(gap)
        self._health.samples += len(samples)
        time_s = self._due_s(epoch, end)
        return Chunk(
            samples=samples,
            epoch=self._number,
            first_index=end - len(samples),
            time_s=time_s,
            received_s=time_s if self._speed is None else self._clock.now_s(),
            gap_before=gap,
            lead_in=epoch.recording.lead_in_uv if first else None,
            markers=markers,
        )

    def _count_gap(self, lost: int) -> None:
        self._health.lost_samples += lost
        self._health.gaps += lost > 0

    def _count(self, name: str, number: int) -> None:
        """Count what only some replays have."""
        if number:
            self._health.extra[name] = self._health.extra.get(name, 0) + number


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
