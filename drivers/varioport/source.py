"""A device on a serial port as a source."""

import math
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import fields, replace
from types import TracebackType
from typing import NamedTuple, Self

from drivers.clock import Clock, PerfClock
from drivers.reconnect import STALL_S, StallTimer
from drivers.source import Chunk, Health, Marker, SourceInfo, SourceState
from drivers.varioport.codec import DecoderCounts, Frames, make_decoder
from drivers.varioport.profile import Profile
from drivers.varioport.times import SampleTimes
from drivers.varioport.transport.link import Link
from drivers.varioport.transport.port import Transport

# Decoding costs per call more than per byte, and no one needs samples one by one: the
# features go by 10 ms. So bytes are held until they are worth so many frames, or so old.
_BATCH_FRAMES = 3
_BATCH_S = 0.005
# What a decoder counts; frames and lost frames are in the health as samples already.
_COUNTS = [f.name for f in fields(DecoderCounts) if f.name not in ("frames", "lost_frames")]


class VarioportSource:
    """A `Source` that decodes what a device sends as its profile says.

    Samples, losses and times follow from the bytes and the times of their arrival: a
    capture gives what the device gave. When `read` is called only decides how samples are
    put into chunks, and by that, a little, what is estimated.

    * A device that pauses is `STALLED`. It goes on in the same epoch, with the losses that
      its counter tells, or, without one, the time.
    * A pause that is too short for that may still cost samples. Where no counter tells, and
      no byte is out of place, it shows only in samples that stay late by more than 0.1 s:
      the gap is reported, and the times are right again, half a second later.
    * A port that is lost makes it `RECONNECTING`. The device that is back goes on in a new
      epoch, whose `gap_before` is what would have come in the meantime; its first index
      counts them in. Each connection has a decoder of its own.

    Parameters
    ----------
    transport : Transport
        Where the bytes come from.
    profile : Profile
        What they mean. Its start and stop bytes are sent to the device; most have none.
    clock : Clock, optional
        The session's clock, the same as the transport's.
    """

    def __init__(
        self, transport: Transport, profile: Profile, *, clock: Clock | None = None
    ) -> None:
        self._transport = transport
        self._profile = profile
        self._clock = PerfClock() if clock is None else clock
        self._info = SourceInfo(
            name=f"varioport {transport.name}",
            source_id=f"varioport-{transport.name.replace(chr(92), '/').rsplit('/', 1)[-1]}",
            channels=profile.signal_channels,
            rate_hz=profile.rate_hz,
            provenance=profile.status,
        )
        self._reset()

    def _reset(self) -> None:
        self._health = Health()
        self._link = Link(
            self._transport, self._clock, start=self._profile.start, stop=self._profile.stop
        )
        self._chunks: deque[Chunk] = deque()
        self._stall = StallTimer()
        self._times = SampleTimes(self._profile)
        self._before: dict[str, int] = {}  # counts of the connections before this one
        self._epoch = 0
        self._next = 0  # sample of the epoch
        self._last_s: float | None = None  # acquisition of the last sample, of any epoch
        self._handed_s = -math.inf  # the latest time in a chunk
        self._dropped = self._dropped_before = self._transport.dropped_bytes
        self._connect()

    def _connect(self) -> None:
        """Begin a connection: nothing of the one before may meet its bytes."""
        self._decoder = make_decoder(self._profile)
        self._times.connect()
        self._taken = 0  # bytes
        self._arrived_s: float | None = None  # when the last of them came
        self._held = b""  # those that wait to be decoded with the next
        self._held_passed = 0.0  # frames that passed before their end
        self._held_until_s = math.inf

    @property
    def info(self) -> SourceInfo:
        """What the source delivers."""
        return self._info

    @property
    def health(self) -> Health:
        """State and counters, at any time.

        `Health.extra` has those of the decoder, see `DecoderCounts`, and ``dropped_bytes``,
        which nobody fetched in time.
        """
        self._health.extra |= self._counts()
        self._health.extra["dropped_bytes"] = self._dropped - self._dropped_before
        self._health.drift_ppm = self._times.drift_ppm
        self._health.jitter_ms = self._times.jitter_ms
        return self._health

    def open(self) -> None:
        """Open the port; what comes from now on is decoded.

        Raises
        ------
        SourceError
            There is no such port, or it is not to be had.
        """
        self.close()
        self._reset()
        self._health.state = SourceState.CONNECTING
        try:
            self._link.open()
        except BaseException:
            self.close()
            raise
        self._stall.touch(self._clock.now_s())

    def read(self, timeout_s: float) -> Chunk | None:
        """Return samples as soon as there are some, None after `timeout_s` without any.

        Raises
        ------
        RecordingError
            The capture in the device's place is damaged.
        """
        deadline_s = self._clock.now_s() + timeout_s
        while not self._chunks and self._health.state is not SourceState.DISCONNECTED:
            losses = self._link.losses
            until_s = min(deadline_s, self._held_until_s)
            block = self._link.read(max(0.0, until_s - self._clock.now_s()))
            if self._link.losses != losses:
                self._lose()
            if block is not None:
                self._take(*block)
            else:
                self._decode()
                if self._transport.ended and not self._chunks:
                    self.close()
            over = self._clock.now_s() >= deadline_s
            if over:
                self._decode()
            if not self._chunks and not self._held:
                self._note_silence()
            if over:
                break
        if not self._chunks:
            return None
        chunk = self._chunks.popleft()
        self._health.samples += len(chunk.samples)
        self._count_lost(chunk.gap_before)
        return chunk

    def close(self) -> None:
        """Let go of the port.

        What a device that is silent or gone would have sent until now counts as lost.
        """
        absent = self._health.state in (SourceState.STALLED, SourceState.RECONNECTING)
        if absent and self._last_s is not None and not self._transport.ended:
            self._count_lost(round((self._clock.now_s() - self._last_s) * self._times.rate_hz))
        self._link.close()
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

    def _lose(self) -> None:
        """Take note that the port is gone."""
        self._decode()
        self._health.state = SourceState.RECONNECTING
        self._before = self._counts()
        self._connect()
        if self._next:
            self._epoch += 1
            self._next = 0

    def _note_silence(self) -> None:
        silent = self._stall.stalled(self._clock.now_s())
        if silent and self._health.state in (SourceState.CONNECTING, SourceState.STREAMING):
            self._health.state = SourceState.STALLED

    def _take(self, data: bytes, arrival_s: float) -> None:
        """Take bytes, and decode them when there are enough, or at once after a silence."""
        paused_s = 0.0 if self._arrived_s is None else arrival_s - self._arrived_s
        silent = paused_s > STALL_S
        hole = silent or self._transport.dropped_bytes != self._dropped
        if hole or arrival_s > self._held_until_s:
            self._decode()
        if hole:
            self._decoder.lose_alignment()
            self._times.doubt()
        self._dropped = self._transport.dropped_bytes
        self._arrived_s = arrival_s
        self._taken += len(data)
        self._times.arrived(self._taken, arrival_s)
        passed = paused_s * self._times.rate_hz
        if silent:
            self._push(self._pieces(data, passed))
            return
        if not self._held:
            self._held_until_s = arrival_s + _BATCH_S
        self._held += data
        self._held_passed += passed
        if len(self._held) >= _BATCH_FRAMES * self._profile.frame_bytes:
            self._decode()

    def _decode(self) -> None:
        """Decode what is held."""
        if self._held:
            held, passed = self._held, self._held_passed
            self._held, self._held_passed, self._held_until_s = b"", 0.0, math.inf
            self._push([(held, passed)])

    def _push(self, pieces: Iterable[tuple[bytes, float]]) -> None:
        decoded: list[Frames] = []
        for piece, passed in pieces:
            decoded += self._decoder.push(piece, passed)
        if decoded:
            self._hand_on(decoded)

    def _pieces(self, data: bytes, passed: float) -> Iterator[tuple[bytes, float]]:
        """Say how many frames passed before each piece of what came after a silence.

        It was held up somewhere, all but the end of it: its own length tells when it was
        sent, and only what passed before that can be missing.
        """
        size = self._profile.frame_bytes
        older = min(passed, (len(data) - size) / size) if len(data) > size else 0.0
        yield data[:size], passed - older
        for begin in range(size, len(data), size):
            piece = data[begin : begin + size]
            yield piece, older * len(piece) / (len(data) - size)

    def _hand_on(self, decoded: list[Frames]) -> None:
        """Make chunks."""
        last = self._next - 1 + sum(f.lost_before + len(f.samples) for f in decoded)
        overdue_s = self._times.overdue_s(last, decoded[-1].end)
        if overdue_s and self._profile.counter is None:
            lost = decoded[0].lost_before + round(overdue_s * self._times.rate_hz)
            decoded[0] = replace(decoded[0], lost_before=lost, lost_estimated=True)
        placed = [self._place(frames) for frames in decoded]
        if overdue_s or any(p.estimated for p in placed):
            self._times.restart()
        for p in placed:
            self._times.learn(len(p.frames.samples), p.end, p.frames.end)
        for p in placed:
            self._last_s = self._times.time_s(p.end - 1)
            # What is learnt about the times moves them either way, but never back.
            self._handed_s = max(self._handed_s, self._last_s)
            first = p.end - len(p.frames.samples)
            markers = tuple(Marker(first + m.index, m.label) for m in p.frames.markers)
            self._chunks.append(
                Chunk(
                    samples=p.frames.samples,
                    epoch=self._epoch,
                    first_index=first,
                    time_s=self._handed_s,
                    received_s=p.arrival_s,
                    gap_before=p.gap,
                    gap_estimated=p.gap > 0 and p.estimated,
                    markers=markers,
                )
            )
        if self._health.state is SourceState.RECONNECTING:
            self._health.reconnects += 1
        self._health.state = SourceState.STREAMING
        self._stall.touch(self._clock.now_s())

    def _place(self, frames: Frames) -> "_Placed":
        """Give the samples their numbers in the epoch."""
        arrival_s = self._times.arrival_s(frames.end)
        gap, estimated = frames.lost_before, frames.lost_estimated
        if self._next == 0 and self._last_s is not None:  # the device is back
            passed = (arrival_s - self._last_s) * self._times.rate_hz
            gap, estimated = max(0, round(passed) - len(frames.samples)), True
        self._next += gap + len(frames.samples)
        return _Placed(frames, arrival_s, self._next, gap, estimated)

    def _counts(self) -> dict[str, int]:
        """Add up what the decoders of all connections counted."""
        now, before = self._decoder.counts, self._before
        return {name: getattr(now, name) + before.get(name, 0) for name in _COUNTS}

    def _count_lost(self, lost: int) -> None:
        if lost > 0:
            self._health.lost_samples += lost
            self._health.gaps += 1


class _Placed(NamedTuple):
    frames: Frames
    arrival_s: float
    end: int  # number of the sample behind them in the epoch
    gap: int
    estimated: bool
