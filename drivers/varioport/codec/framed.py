"""Decoder of frames with sync bytes, and where the profile has them counter and checksum.

What proves a frame
-------------------
* A checksum of 16 bits or more: sync and checksum are right. It is handed out at once.
  Of the damaged frames one in 2**16 (2**32 with ``crc32``) passes by chance.
* No checksum, or one of 8 bits: the next sync has to follow right behind as well, and the
  counter, where there is one, has to go on by one step. That delays by the beginning of
  one frame. It cannot notice changed bits in the channels (8 bits: one time in 256), nor a
  byte lost and one gained within the same frame.

What is lost
------------
* With a counter: exactly the steps that it left out. An outage longer than its wrap is
  resolved when the caller says how much time passed (`frames_passed` of `push`); else the
  number that fits the bytes between best is taken. Where counter and time contradict each
  other by more than `COUNTER_TRUST_S`, the device has begun to count anew, and time tells.
* Without: skipped bytes over the length of a frame, and after a hole the time
  (`Frames.lost_estimated`).
"""

import math
from collections import deque

import numpy as np
from numpy.typing import NDArray

from drivers.varioport.codec.checksum import Checksum
from drivers.varioport.codec.frames import DecoderCounts, Frames
from drivers.varioport.codec.layout import Bytes, FrameLayout, MarkerEvents
from drivers.varioport.codec.losses import Passed, estimate_lost
from drivers.varioport.profile import Profile

COUNTER_TRUST_S = 1.0
"""A counter that is off the caller's time by more than this was restarted."""

REPEATS = 32
"""A frame equal to one of so many before it, counter included, is a repeated one."""

_PIECE_BYTES = 1 << 16  # bounds the memory that one large push takes
_REMEMBERED_FRAMES = 64  # of the confidence

Positions = NDArray[np.intp]


class FramedDecoder:
    """Finds frames by their sync bytes, checksum and counter.

    Parameters
    ----------
    profile : Profile
        Of the framing ``"framed"``.
    """

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._size = profile.frame_bytes
        self._layout = FrameLayout(profile)
        self._sync = np.frombuffer(profile.sync, np.uint8)
        self._checksum = Checksum(profile.checksum, self._layout.checksum.start)
        self._confirmed = self._checksum.bytes < 2  # by the beginning of the next frame
        self._count_step, self._wrap = 0, 1
        if profile.counter is not None:
            self._wrap = 256**profile.counter.bytes
            self._count_step = profile.counter.step % self._wrap
            common = math.gcd(self._count_step, self._wrap)
            self._common, self._period = common, self._wrap // common
            self._inverse = pow(self._count_step // common, -1, self._period)
        self._needed = self._size
        if self._confirmed:
            self._needed += self._layout.counter.stop if self._layout.counter else len(self._sync)
        self.reset()

    @property
    def counts(self) -> DecoderCounts:
        """What happened since the reset."""
        return self._counts

    @property
    def confidence(self) -> float:
        """Share of the latest bytes that were frames, those of about a tenth of a second."""
        total = self._good_bytes + self._bad_bytes
        return self._good_bytes / total if total else 0.0

    @property
    def hold_back_frames(self) -> int:
        """1 where the beginning of the next frame has to confirm one, else 0."""
        return int(self._confirmed)

    def reset(self) -> None:
        """Forget everything, counts included; the next byte is the first one."""
        self._counts = DecoderCounts()
        self._passed = Passed(self._size)
        self._marker = MarkerEvents()
        self._buffer = b""  # undecided bytes
        self._last_end = 0  # bytes up to the end of the last frame, repeated ones included
        self._last_count: int | None = None
        self._recent: deque[bytes] = deque(maxlen=REPEATS)
        self._started = self._aligned = self._hole = False
        self._good_bytes = self._bad_bytes = 0.0

    def lose_alignment(self) -> None:
        """Take note of a stall or of a known hole before the next bytes.

        The checksum tells whether a frame that has begun goes on behind the hole; where
        there is none to tell, it is dropped.
        """
        self._hole = True
        if self._confirmed and self._buffer:
            self._counts.skipped_bytes += len(self._buffer)
            self._buffer = b""
            self._lose()

    def push(self, data: bytes, frames_passed: float | None = None) -> list[Frames]:
        """Take bytes, return the frames that are complete and proven; see `Decoder`."""
        self._passed.add(len(data), frames_passed)
        out: list[Frames] = []
        end = self._passed.bytes - len(data)
        for begin in range(0, len(data), _PIECE_BYTES):
            piece = data[begin : begin + _PIECE_BYTES]
            end += len(piece)
            buffer = self._buffer + piece
            out += self._decide(buffer, end - len(buffer))
        self._passed.forget(self._last_end)
        return out

    def _decide(self, buffer: bytes, base: int) -> list[Frames]:
        """Hand out all frames that can be told by now; `base` bytes lie before `buffer`."""
        out: list[Frames] = []
        clean = self._clean(buffer) if base == self._last_end else 0
        if clean:
            size = clean * self._size
            frames: Bytes = np.ndarray((clean, self._size), np.uint8, buffer)
            out.append(self._make(frames, 0, False, base + size))
            if self._last_count is not None:
                self._last_count = (self._last_count + clean * self._count_step) % self._wrap
                first = max(0, size - REPEATS * self._size)
                self._recent.extend(
                    buffer[at : at + self._size] for at in range(first, size, self._size)
                )
            self._last_end = base + size
            self._aligned = True
            self._age(size, 0)
            buffer, base = buffer[size:], base + size
        places = len(buffer) - self._needed + 1  # where a frame may begin
        if places <= 0:
            self._buffer = buffer
            return out
        windows: Bytes = np.ndarray((places, self._needed), np.uint8, buffer, strides=(1, 1))
        starts, frames = self._find(windows)
        decided = max(places, int(starts[-1]) + self._size) if len(starts) else places
        self._buffer = buffer[decided:]
        if len(starts):
            out += self._hand_out(frames, base + starts)
        if base + decided > self._last_end:
            self._lose()
        good = len(starts) * self._size
        self._counts.skipped_bytes += decided - good
        self._age(good, decided - good)
        return out

    def _clean(self, buffer: bytes) -> int:
        """Count the frames at the beginning that are as they should be: the common case."""
        if not self._started or self._hole:
            return 0
        counter, content = self._layout.counter, self._layout.checksum.start
        count, sync = self._last_count, self._profile.sync
        at = 0
        while at + self._needed <= len(buffer):
            end = at + self._size
            if not buffer.startswith(sync, at):
                break
            if counter is not None and count is not None:
                count = (count + self._count_step) % self._wrap
                if self._number(buffer, at + counter.start, at + counter.stop) != count:
                    break
            if self._checksum.of_one(buffer[at : at + content]) != self._number(
                buffer, at + content, end
            ):
                break
            if self._confirmed:
                if not buffer.startswith(sync, end):
                    break
                if counter is not None and count is not None:
                    following = self._number(buffer, end + counter.start, end + counter.stop)
                    if (following - count) % self._wrap != self._count_step:
                        break
            at = end
        return at // self._size

    def _number(self, buffer: bytes, begin: int, end: int) -> int:
        return int.from_bytes(buffer[begin:end], self._profile.byte_order)

    def _age(self, good: int, bad: int) -> None:
        """Take bytes into the confidence."""
        memory = math.exp(-(good + bad) / (_REMEMBERED_FRAMES * self._size))
        self._good_bytes = memory * self._good_bytes + good
        self._bad_bytes = memory * self._bad_bytes + bad

    def _find(self, windows: Bytes) -> tuple[Positions, Bytes]:
        """Return where proven frames begin, and the frames."""
        hit = windows[:, 0] == self._sync[0]
        for k in range(1, len(self._sync)):
            hit &= windows[:, k] == self._sync[k]
        starts = np.flatnonzero(hit)
        candidates = windows[starts]
        frames = candidates[:, : self._size]
        wrong = np.zeros(len(starts), bool)
        if self._checksum.bytes:
            sums = self._checksum.of(frames[:, : self._layout.checksum.start])
            wrong = sums != self._layout.unsigned(frames, self._layout.checksum)
        proven = ~wrong
        if self._confirmed:
            proven &= self._followed(candidates)
        chosen = np.flatnonzero(proven)
        if len(chosen) and (np.diff(starts[chosen]) < self._size).any():
            chosen = _without_overlaps(chosen, starts, self._size)
        failed = starts[wrong]
        if len(failed):
            before = np.searchsorted(starts[chosen], failed, "right") - 1
            inside = np.zeros(len(failed), bool)
            if len(chosen):
                inside = (before >= 0) & (failed - starts[chosen][before] < self._size)
            self._counts.checksum_errors += int(np.count_nonzero(~inside))
        return starts[chosen], frames[chosen]

    def _followed(self, candidates: Bytes) -> NDArray[np.bool_]:
        """Say behind which candidates the next frame begins."""
        following = candidates[:, self._size :]
        result: NDArray[np.bool_] = (following[:, : len(self._sync)] == self._sync).all(axis=1)
        if self._layout.counter is not None:
            here = self._layout.unsigned(candidates, self._layout.counter).astype(np.int64)
            there = self._layout.unsigned(following, self._layout.counter)
            result &= (there - here) % self._wrap == self._count_step
        return result

    def _lose(self) -> None:
        """Bytes have been skipped."""
        self._counts.alignment_losses += self._aligned
        self._aligned = False

    def _hand_out(self, frames: Bytes, starts: Positions) -> list[Frames]:
        """Split frames that begin at `starts` where some are lost between them."""
        ends = starts + self._size
        gaps = np.diff(ends, prepend=self._last_end) - self._size
        counter: NDArray[np.int64] | None = None
        if self._layout.counter is not None:
            counter = self._layout.unsigned(frames, self._layout.counter).astype(np.int64)
        cuts: list[tuple[int, int, bool]] = []  # first row, lost before, estimated
        kept: list[int] = []
        for row, gap in enumerate(gaps.tolist()):
            if gap and self._started:
                self._lose()
                self._counts.resynchronisations += 1
            self._aligned = True
            count = None if counter is None else int(counter[row])
            lost, estimated = self._missing(frames[row], count, gap, int(ends[row]))
            self._last_end = int(ends[row])
            if lost < 0:
                self._counts.repeated_frames += 1
                continue
            self._started, self._hole, self._last_count = True, False, count
            self._recent.append(frames[row].tobytes())
            if lost or estimated or not kept:
                cuts.append((len(kept), lost, estimated))
            kept.append(row)
        rows, ends = frames[kept], ends[kept]
        stops = [*(first for first, _, _ in cuts[1:]), len(kept)]
        return [
            self._make(rows[first:stop], lost, estimated, int(ends[stop - 1]))
            for (first, lost, estimated), stop in zip(cuts, stops, strict=bool(cuts))
        ]

    def _make(self, rows: Bytes, lost: int, estimated: bool, end: int) -> Frames:
        samples, markers = self._layout.decode(rows)
        self._counts.frames += len(rows)
        self._counts.lost_frames += lost
        return Frames(samples, self._marker.find(markers), lost, estimated, end)

    def _missing(self, frame: Bytes, count: int | None, gap: int, end: int) -> tuple[int, bool]:
        """Return the frames lost before this one, -1 for a repeated one; and if estimated."""
        if not self._started:
            return 0, False
        passed = self._passed.between(self._last_end, end)
        if count is None or self._last_count is None:
            lost = estimate_lost(
                gap / self._size, passed, hole=self._hole, rate_hz=self._profile.rate_hz
            )
            return lost, bool(gap) or self._hole
        steps, rest = divmod((count - self._last_count) % self._wrap, self._common)
        steps = steps * self._inverse % self._period
        if not rest:
            if steps == 1 and not gap and not self._hole:
                return 0, False
            if self._repeats(frame, steps, passed):
                return -1, False
            expected = gap / self._size + 1 if passed is None else passed
            wraps = max(0 if steps else 1, round((expected - steps) / self._period))
            steps += wraps * self._period
            if passed is None or abs(steps - passed) <= COUNTER_TRUST_S * self._profile.rate_hz:
                return steps - 1, False
        by_time = estimate_lost(gap / self._size, passed, hole=True, rate_hz=self._profile.rate_hz)
        return by_time, True

    def _repeats(self, frame: Bytes, steps: int, passed: float | None) -> bool:
        """Say whether the frame came before, a little while ago."""
        back = -steps % self._period
        recently = passed is None or passed < self._period / 2
        return back < REPEATS and recently and frame.tobytes() in self._recent


def _without_overlaps(chosen: Positions, starts: Positions, size: int) -> Positions:
    """Of places that overlap keep the first one."""
    kept, free = [], -1
    for index, start in zip(chosen.tolist(), starts[chosen].tolist(), strict=True):
        if start >= free:
            kept.append(index)
            free = start + size
    return np.array(kept, np.intp)
