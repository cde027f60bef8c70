"""An LSL stream as a source."""

import math
from collections import deque
from itertools import repeat
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from drivers.clock import Clock, PerfClock
from drivers.errors import SignalMismatchError, SourceError, StreamerError
from drivers.lsl.cutting import ChunkCutter, StampedMarker
from drivers.lsl.description import END, read_description
from drivers.lsl.library import lsl_ahead_s
from drivers.lsl.link import Link, Piece
from drivers.outside.names import clean
from drivers.reconnect import StallTimer
from drivers.source import Chunk, Health, SourceInfo, SourceState
from drivers.stamps import are_times
from drivers.units import VOLTAGES, uv_per

_BUFFER_S = 2  # older samples are of no use to a live session
_LAGS = 2048  # samples on which the jitter rests
_JITTER_EVERY = 32  # pieces
_MOST_LETTERS = 4096  # of a marker, which may hold data of the program that sends it


class LslSource:
    """A `Source` that receives an EMG stream.

    Time stamps are the sender's, brought to this machine's clock but not smoothed, as long as
    they can be true, see `drivers.lsl.stamps`. Losses are estimated from them, see
    `drivers.timeline`. A stream that pauses is `STALLED`;
    one that was taken away is looked for, `RECONNECTING`, under its name, type and source_id.
    It goes on in a new epoch whose `gap_before` is what it missed. As long as several could be
    meant, none is taken; that another one looks like it is among `Health.problems`.

    Parameters
    ----------
    name : str, optional
        Name of the stream.
    source_id : str, optional
        Its identity, instead of the name.
    stream_type : str
        Its type, where neither is given.
    unit : str, optional
        Unit of the EMG channels, such as ``"uV"``, whatever the stream says.
    markers : str, optional
        Name or source_id of a marker stream of another program, text or numbers, perhaps
        from another machine. What it says is marked at its sample and nothing else, unless
        it begins with `UTTERANCE`: then an epoch begins there.
    timeout_s : float
        How long `open` looks for each stream.
    clock : Clock, optional
        The session's clock, running in real time.
    """

    def __init__(
        self,
        name: str | None = None,
        *,
        source_id: str | None = None,
        stream_type: str = "EMG",
        unit: str | None = None,
        markers: str | None = None,
        timeout_s: float = 5.0,
        clock: Clock | None = None,
    ) -> None:
        if source_id is not None:
            self._wanted = ("source_id", source_id)
        else:
            self._wanted = ("type", stream_type) if name is None else ("name", name)
        if unit is not None and uv_per(unit) is None:
            raise SourceError("live.unit", value=unit or "none", allowed=VOLTAGES)
        self._unit = unit
        self._foreign_markers = markers
        self._timeout_s = timeout_s
        self._clock = PerfClock() if clock is None else clock
        self._info: SourceInfo | None = None
        self._reset()

    def _reset(self) -> None:
        self._health = Health()
        self._samples: Link | None = None
        self._markers: list[_Markers] = []
        self._stream: Any = None
        self._to_uv: NDArray[np.float64] = np.ones(0)
        self._cutter: ChunkCutter | None = None
        self._chunks: deque[Chunk] = deque()
        self._offset_s = 0.0
        self._to_session_s = 0.0
        self._end_s: float | None = None
        self._last_stamp_s = -math.inf
        self._silence = StallTimer()
        self._interrupted = False
        self._lags_s: deque[float] = deque(maxlen=_LAGS)
        self._pieces = 0

    @property
    def info(self) -> SourceInfo:
        """What the source delivers; valid once it is open."""
        if self._info is None:
            raise SourceError("LSL stream", value="not open yet", way_out="open it first")
        return self._info

    @property
    def health(self) -> Health:
        """State and counters, at any time.

        `Health.extra` counts ``moved_markers``, which took effect at another sample than
        their own; ``lost_markers``, whose samples had not come when the stream was closed;
        ``stamps_backward``; ``invalid_stamps``, which are no times; ``clock_resets``, at which
        stamps that cannot be true were replaced by arrivals (see `drivers.lsl.stamps`);
        ``unread_samples``, which are lost
        because `read` was not called for 2 s; and ``marker_reconnects``, at which markers
        may be lost.
        """
        return self._health

    def open(self) -> None:
        """Find the stream and subscribe to it; what is sent from now on is received.

        Raises
        ------
        SourceError
            No such stream, several of them, or one that is no EMG in volts.
        """
        self.close()
        self._reset()
        self._health.state = SourceState.CONNECTING
        try:
            self._connect()
        except BaseException:  # Ctrl-C too
            self.close()
            raise
        self._silence.touch(self._clock.now_s())
        self._health.state = SourceState.STREAMING

    def read(self, timeout_s: float) -> Chunk | None:
        """Return samples as soon as there are some, None after `timeout_s` without any.

        A chunk ends before lost samples and before an utterance.

        Raises
        ------
        SignalMismatchError
            Another stream has taken the place of the lost one.
        """
        deadline_s = self._clock.now_s() + timeout_s
        while not self._chunks and self._samples is not None:
            piece = self._samples.read(deadline_s - self._clock.now_s())
            if piece is not None:
                self._offset_s = piece.offset_s
            self._take_markers()
            if piece is None:
                self._note_silence()
                break
            if piece.stream is not self._stream:
                self._change(piece.stream)
            if len(piece.stamps_s):
                self._take(piece)
        return self._chunks.popleft() if self._chunks else None

    def close(self) -> None:
        """Let go of the stream.

        What one that is silent or gone would have sent until now counts as lost.
        """
        absent = self._health.state in (SourceState.STALLED, SourceState.RECONNECTING)
        if absent and self._end_s is None and self._health.samples:
            silent_s = self._clock.now_s() - self._silence.since_s
            self._health.lost_samples += round(silent_s * self.info.rate_hz)
            self._health.gaps += 1
        links = [markers.link for markers in self._markers]
        if self._samples is not None:
            links.append(self._samples)
        for link in links:
            link.stop()
        for link in links:
            link.close()
        if self._cutter is not None:
            self._cutter.finish()
        self._samples = None
        self._markers = []
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

    def _connect(self) -> None:
        """Subscribe to the streams with markers, then to the samples."""
        self._samples = Link(*self._wanted, timeout_s=self._timeout_s, buffer_s=_BUFFER_S)
        self._stream = self._samples.find()
        self._info, scales, own_id = read_description(self._stream, self._unit)
        self._to_uv = np.asarray(scales.factors)
        for line in scales.notes:
            self._health.note(line)
        if own_id is not None:
            self._subscribe_to_markers("source_id", own_id, own=True)
        if self._foreign_markers is not None:
            self._subscribe_to_markers("name or source_id", self._foreign_markers, own=False)
        self._samples.subscribe()
        self._to_session_s = -lsl_ahead_s(self._clock)
        self._cutter = ChunkCutter(self._info.rate_hz, self._to_session_s, self._health)
        self._health.extra |= {"unread_samples": 0, "marker_reconnects": 0}

    def _subscribe_to_markers(self, field: str, value: str, *, own: bool) -> None:
        link = Link(field, value, timeout_s=self._timeout_s, namesakes=not own)
        self._markers.append(_Markers(link, own))
        stream = link.find()
        if stream.nominal_srate() > 0:
            raise SourceError(
                f"LSL stream '{clean(stream.name())}' with markers",
                value=f"a signal with {stream.nominal_srate():g} Hz",
                allowed="events, which have no rate",
            )
        link.subscribe()

    def _change(self, stream: Any) -> None:
        """Go on with another connection, if it brings the same signal."""
        try:
            info, scales, _ = read_description(stream, self._unit)
            before = self.info
            if (info.channels, info.rate_hz) != (before.channels, before.rate_hz):
                raise SignalMismatchError(
                    f"LSL stream '{info.name}' after its return",
                    value=_shape(info),
                    allowed=f"{_shape(before)}, as before",
                    way_out="end the session and start a new one on it",
                )
        except StreamerError:
            self.close()
            raise
        self._stream = stream
        self._to_uv = np.asarray(scales.factors)
        self._interrupted = True
        self._lags_s.clear()

    def _take(self, piece: Piece) -> None:
        """Turn what came into chunks."""
        assert self._cutter is not None
        assert self._samples is not None
        self._silence.touch(self._clock.now_s())
        self._health.state = SourceState.STREAMING
        self._health.extra["unread_samples"] = self._samples.dropped
        with np.errstate(over="ignore", invalid="ignore"):  # whoever converts counts them
            samples = (piece.values * self._to_uv).astype(np.float32)
        self._chunks.extend(
            self._cutter.cut(
                samples,
                piece.stamps_s,
                piece.offset_s,
                piece.received_s + self._to_session_s,
                interrupted=self._interrupted,
            )
        )
        self._interrupted = False
        if not are_times(piece.stamps_s[-1:])[0]:
            return
        self._last_stamp_s = float(piece.stamps_s[-1]) + piece.offset_s
        self._note_lag(piece.received_s - self._last_stamp_s, len(piece.stamps_s))

    def _note_lag(self, lag_s: float, samples: int) -> None:
        # One a sample, because what was sent together may come as one sample and the rest.
        self._lags_s.extend(repeat(lag_s, samples))
        self._pieces += 1
        if self._pieces % _JITTER_EVERY == 0:
            spread_s = np.percentile(self._lags_s, 95) - min(self._lags_s)
            self._health.jitter_ms = float(1e3 * spread_s)

    def _note_silence(self) -> None:
        """Keep the state when no data came."""
        assert self._samples is not None
        silent = self._silence.stalled(self._clock.now_s())
        if self._ended(silent):
            self.close()
        elif self._samples.lost:
            self._health.state = SourceState.RECONNECTING
            self._note_namesake()
        elif silent:
            self._health.state = SourceState.STALLED
            self._note_namesake()

    def _note_namesake(self) -> None:
        """Say that a stream is there which may be the lost one under another identity."""
        assert self._samples is not None
        if (namesake := self._samples.namesake) is not None:
            mine = f"'{self.info.name}' (id {self.info.source_id or 'none'})"
            self._health.note(
                f"LSL stream {mine} is gone; {namesake} is there and is not taken for it: start "
                "the sender with the name, type and source_id that it had, or begin a new session"
            )

    def _ended(self, silent: bool) -> bool:
        if self._end_s is None:
            return False
        return silent or self._last_stamp_s > self._end_s - 0.5 / self.info.rate_hz

    def _take_markers(self) -> None:
        """Fetch the markers that have come."""
        if self._cutter is None:
            return
        for markers in self._markers:
            while (piece := markers.link.read(0.0)) is not None:
                if markers.stream is not None and piece.stream is not markers.stream:
                    self._health.extra["marker_reconnects"] += 1
                markers.stream = piece.stream
                # A sender's samples and markers have one clock, so one correction serves both.
                offset_s = self._offset_s if markers.own else piece.offset_s
                timed = are_times(piece.stamps_s)
                for values, stamp_s, is_time in zip(
                    piece.values, piece.stamps_s, timed, strict=True
                ):
                    label = clean(" ".join(map(_text, values)), _MOST_LETTERS)
                    marker = StampedMarker(float(stamp_s) + offset_s, label, markers.own)
                    if not is_time:  # it is now
                        marker = StampedMarker(piece.received_s, label, own=False)
                    if markers.own and label == END:
                        self._end_s = marker.stamp_s
                    else:
                        self._cutter.expect(marker)


class _Markers:
    """A subscription to markers: those of the EMG stream's own sender, or of another."""

    def __init__(self, link: Link, own: bool) -> None:
        self.link = link
        self.own = own
        self.stream: Any = None


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _shape(info: SourceInfo) -> str:
    channels = ", ".join(f"{c.label} ({c.type}, {c.unit or 'no unit'})" for c in info.channels)
    return f"{len(info.channels)} channels at {info.rate_hz:g} Hz: {channels}"
