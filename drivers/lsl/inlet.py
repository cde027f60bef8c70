"""An LSL stream as a source."""

import math
from collections import deque
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from drivers.clock import Clock, PerfClock
from drivers.errors import SignalMismatchError, SourceError
from drivers.lsl.cutting import ChunkCutter, StampedMarker
from drivers.lsl.library import pylsl
from drivers.lsl.streams import END, look_for, read_description, resolve
from drivers.source import Chunk, Health, Samples, SourceInfo, SourceState

_STALL_S = 0.4  # liblsl's own watchdog takes 15 s
_BUFFER_S = 2  # an inlet serves its oldest data first: what is older than this is lost
_MOST_SAMPLES = 4096  # of one pull
_SYNCHRONISE_S = 0.5
_BACK_S = 1.0  # to compare clocks with a stream that is just back

Stamps = NDArray[np.float64]


class LslSource:
    """A `Source` that receives an EMG stream.

    Time stamps are the sender's, synchronised to this machine's clock but not smoothed.
    Losses are estimated from them, see `drivers.lsl.timeline`. A stream that pauses is
    `STALLED`; one that was taken away and is back, under its old source_id, goes on in a
    new epoch whose `gap_before` is what it missed.

    Parameters
    ----------
    name : str, optional
        Name of the stream.
    source_id : str, optional
        Its identity, instead of the name.
    stream_type : str
        Its type, where neither is given.
    timeout_s : float
        How long `open` looks for it.
    clock : Clock, optional
        The session's clock, running in real time.
    """

    def __init__(
        self,
        name: str | None = None,
        *,
        source_id: str | None = None,
        stream_type: str = "EMG",
        timeout_s: float = 5.0,
        clock: Clock | None = None,
    ) -> None:
        if source_id is not None:
            self._wanted = ("source_id", source_id)
        else:
            self._wanted = ("type", stream_type) if name is None else ("name", name)
        self._timeout_s = timeout_s
        self._clock = PerfClock() if clock is None else clock
        self._info: SourceInfo | None = None
        self._reset()

    def _reset(self) -> None:
        self._health = Health()
        self._samples: Any = None
        self._markers: Any = None
        self._to_uv: Samples = np.ones(0, np.float32)
        self._cutter: ChunkCutter | None = None
        self._chunks: deque[Chunk] = deque()
        self._end_s: float | None = None
        self._last_stamp_s = -math.inf
        self._data_s = 0.0  # when the last data came, on the session's clock
        self._interrupted = False
        self._sender_s = 0.0  # to be added to the sender's time stamps
        self._synchronise_s = 0.0  # when to look again, on the session's clock

    @property
    def info(self) -> SourceInfo:
        """What the source delivers; valid once it is open."""
        if self._info is None:
            raise SourceError("LSL stream", value="not open yet", way_out="open it first")
        return self._info

    @property
    def health(self) -> Health:
        """State and counters, at any time.

        `Health.extra` counts ``moved_markers``, which took effect at a later sample than
        their own, and ``stamps_backward``.
        """
        return self._health

    def open(self) -> None:
        """Find the stream and subscribe to it; what is sent from now on is received.

        Raises
        ------
        SourceError
            No such stream, several of them, or one that is no EMG in volts.
        """
        self._reset()
        self._health.state = SourceState.CONNECTING
        try:
            self._connect(self._timeout_s)
        except SourceError:
            self.close()
            raise
        self._data_s = self._clock.now_s()
        to_session_s = self._data_s - pylsl.local_clock()
        self._cutter = ChunkCutter(self.info.rate_hz, to_session_s, self._health)
        self._health.state = SourceState.STREAMING

    def read(self, timeout_s: float) -> Chunk | None:
        """Return samples as soon as there are some, None after `timeout_s` without any.

        A chunk ends before lost samples and before an utterance. The call in which a
        stream comes back may take longer: a second, or some where it has no source_id.
        """
        inlet = self._samples
        if not self._chunks and inlet is not None:
            pulled = self._pull(inlet, timeout_s)
            if pulled is None:
                self._note_silence()
            else:
                self._take(*pulled)
        return self._chunks.popleft() if self._chunks else None

    def close(self) -> None:
        """Let go of the stream."""
        self._samples = self._markers = None
        self._chunks.clear()
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

    def _connect(self, timeout_s: float) -> None:
        """Resolve and subscribe; clocks are compared before the first sample comes."""
        samples = _inlet(resolve(*self._wanted, timeout_s))
        try:
            info, factors, markers_id = read_description(samples.info(self._timeout_s))
            if self._markers is None and markers_id is not None:
                markers = _inlet(resolve("source_id", markers_id, timeout_s))
                markers.open_stream(self._timeout_s)
                self._markers = markers
            # Comparing clocks takes long enough for samples to queue up: subscribe last.
            self._sender_s = samples.time_correction(self._timeout_s)
            samples.open_stream(self._timeout_s)
        except (pylsl.util.TimeoutError, pylsl.util.LostError) as error:
            raise SourceError(
                f"LSL stream with {self._wanted[0]} '{self._wanted[1]}'",
                value=f"found, but it does not answer: {error}",
                way_out="look for a firewall between the machines, or start it again",
            ) from error
        if self._health.state is SourceState.RECONNECTING and self._info is not None:
            _check_same(info, self._info)
        self._samples, self._info = samples, info
        self._to_uv = np.asarray(factors, np.float32)

    def _pull(self, inlet: Any, timeout_s: float) -> tuple[Samples, Stamps] | None:
        """Wait for the first sample and take all that are there."""
        try:
            pulled = _pull_all(inlet, timeout_s)
            if not pulled:
                return None
            self._synchronise(inlet)
        except pylsl.util.LostError:
            self._find_again(timeout_s)
            return None
        values = np.array([sample for sample, _ in pulled], np.float32)
        stamps_s = np.array([stamp_s for _, stamp_s in pulled])
        return values * self._to_uv, stamps_s + self._sender_s

    def _synchronise(self, inlet: Any) -> None:
        """Keep what is to be added to the sender's clock up to date.

        liblsl could do that itself (`proc_clocksync`), but then a pull from a stream that
        is gone waits for its clock, and nobody else learns that the stream is back.
        """
        back = inlet.was_clock_reset()
        self._interrupted |= back
        now_s = self._clock.now_s()
        if back or now_s >= self._synchronise_s:
            self._synchronise_s = now_s + _SYNCHRONISE_S
            with suppress(pylsl.util.TimeoutError):
                self._sender_s = inlet.time_correction(_BACK_S if back else 0.0)

    def _find_again(self, timeout_s: float) -> None:
        """Look for a stream that liblsl cannot recover, as it has no source_id."""
        self._health.state = SourceState.RECONNECTING
        if not look_for(*self._wanted, timeout_s):
            return
        try:
            self._connect(timeout_s)
        except SignalMismatchError:
            raise
        except SourceError:
            return
        self._interrupted = True

    def _note_silence(self) -> None:
        """Keep the state when no data came."""
        silent = self._clock.now_s() - self._data_s > _STALL_S
        if self._health.state is SourceState.STREAMING and silent:
            self._health.state = SourceState.STALLED
        self._take_markers()
        if self._ended(silent):
            self.close()

    def _ended(self, silent: bool) -> bool:
        if self._end_s is None:
            return False
        return silent or self._last_stamp_s > self._end_s - 0.5 / self.info.rate_hz

    def _take(self, samples: Samples, stamps_s: Stamps) -> None:
        """Turn what came into chunks."""
        assert self._cutter is not None
        self._data_s = self._clock.now_s()
        self._health.state = SourceState.STREAMING
        self._take_markers()
        self._chunks.extend(
            self._cutter.cut(samples, stamps_s, self._data_s, interrupted=self._interrupted)
        )
        self._interrupted = False
        self._last_stamp_s = float(stamps_s[-1])

    def _take_markers(self) -> None:
        """Fetch the markers that have come."""
        if self._markers is None or self._cutter is None:
            return
        for (label,), stamp_s in _pull_all(self._markers, 0.0):
            # Samples and markers come from one clock, so one correction serves both.
            marker = StampedMarker(stamp_s + self._sender_s, label)
            if label == END:
                self._end_s = marker.stamp_s
            else:
                self._cutter.expect(marker)


def _inlet(stream: Any) -> Any:
    return pylsl.StreamInlet(stream, max_buflen=_BUFFER_S)


def _pull_all(inlet: Any, timeout_s: float) -> list[tuple[list[Any], float]]:
    """Wait for a sample and take all that are there, with their time stamps.

    Not with `pull_chunk`: that waits until its chunk is full, and, from a stream that is
    gone, for ever, even with a time-out of 0 (liblsl 1.18).
    """
    pulled: list[tuple[list[Any], float]] = []
    sample, stamp_s = inlet.pull_sample(timeout=max(0.0, timeout_s))
    while sample is not None:
        pulled.append((sample, stamp_s))
        if len(pulled) == _MOST_SAMPLES:
            break
        sample, stamp_s = inlet.pull_sample(timeout=0.0)
    return pulled


def _check_same(info: SourceInfo, before: SourceInfo) -> None:
    if (info.channels, info.rate_hz) != (before.channels, before.rate_hz):
        raise SignalMismatchError(
            f"LSL stream '{info.name}' after its return",
            value=f"{len(info.channels)} channels at {info.rate_hz:g} Hz",
            allowed=f"{len(before.channels)} channels at {before.rate_hz:g} Hz, as before",
        )
