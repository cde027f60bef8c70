"""The voice on its way to the loudspeaker: a buffer that blocks nobody."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streamer.audio.recurring import Recurring

Audio = NDArray[np.float32]

_FADE_S = 0.005
_INAUDIBLE = 1e-5
_LONGEST_S = 60.0  # of what comes at a time: a network was gone, or a sender has long chunks
_SURPLUS_S = 0.02  # over the reserve at a start; chunks are seldom longer
_SHARE, _LEAST_STEP_S = 0.5, 0.005  # by which the reserve grows


@dataclass
class PlayCounts:
    """What happened on the way to the loudspeaker.

    Attributes
    ----------
    played_samples : int
        Samples of the voice that were played.
    underruns : int
        Times that the buffer ran dry although the EMG went on: an audible hole.
    starved : int
        Times that it ran dry because there was no EMG: a gap, a stall, a reconnection.
    dropped_samples : int
        Samples left out because too many waited, also at a start.
    overflowed_samples : int
        Samples left out because the buffer was full: nobody plays any more.
    skipped_samples : int
        Silence in place of lost EMG that was left out, because it had passed already.
    reserve_steps : int
        Times that the reserve was raised, because the buffer had run dry.
    """

    played_samples: int = 0
    underruns: int = 0
    starved: int = 0
    dropped_samples: int = 0
    overflowed_samples: int = 0
    skipped_samples: int = 0
    reserve_steps: int = 0


class PlayBuffer:
    """Samples from one thread to an audio callback, without a lock.

    One thread feeds, one renders. Each writes only its own attributes and reads the
    other's, and under the interpreter lock a read or write of an int is atomic.

    It starts to play once enough waits *before* more comes: the reserve is the lateness
    that nobody hears, whatever the size of what comes at a time. When it runs dry, the sound
    fades out; it starts again like at first, and fades in. What came while a sound card was
    not ready yet is left out: it would be delay for good. Nothing that happens here makes a
    step in the sound. Who is to blame shows when more comes: silence in place of lost EMG, or
    the voice.

    Where the voice is late twice in a minute, the reserve is too small for the machine, the
    source or the card: it grows by half, 5 ms at least, and never shrinks again.

    Parameters
    ----------
    rate_hz : int
        Sampling rate.
    reserve_ms : float
        Audio that waits when more comes, at first.
    limit_ms : float
        Audio that may wait when more comes; with more, the oldest is left out down to the
        reserve.
    now_s : callable
        The time, for both threads.
    most_reserve_ms : float
        What the reserve may grow to; up to `reserve_ms` it does not grow.
    """

    def __init__(
        self,
        rate_hz: int,
        reserve_ms: float,
        limit_ms: float,
        now_s: Callable[[], float] = time.perf_counter,
        most_reserve_ms: float = 0.0,
    ) -> None:
        self.rate_hz = rate_hz
        self._now_s = now_s
        self.counts = PlayCounts()
        self._surplus = round(_SURPLUS_S * rate_hz)
        self._least_step = round(_LEAST_STEP_S * rate_hz)
        self._least_limit = round(limit_ms / 1000 * rate_hz)
        self._reserve = round(reserve_ms / 1000 * rate_hz)
        self._most_reserve = max(round(most_reserve_ms / 1000 * rate_hz), self._reserve)
        self._size = max(self._least_limit, 2 * self._most_reserve) + round(_LONGEST_S * rate_hz)
        self._ring = np.zeros(self._size, dtype=np.float32)
        fade = round(_FADE_S * rate_hz)
        self._rise = np.linspace(0, 1, fade, endpoint=False, dtype=np.float32)
        self._fall = 1 - self._rise
        self._scratch = np.empty(fade, dtype=np.float32)  # the callback allocates nothing
        # The last sample decays: at the end of what there is, no sound is left to fade.
        self._decay = np.exp(-np.arange(1, 8 * fade) * 3 / fade).astype(np.float32)
        # Written by the feeding thread only; the reserve, too.
        self._written = 0
        # The latest arrival: its number, what waited then, how often it had run dry. As one, for
        # the other thread must not see half of it.
        self._arrival = (0, 0, 0)
        self._ending = False
        self._judged = 0  # of the times it ran dry
        self._late = Recurring()
        self._owed = 0  # silence that has been played already
        # Written by the rendering thread only.
        self._read = 0
        self._playing = False
        self._block = 0  # samples of the latest block
        self._rendered_s = 0.0  # when it was taken
        self._risen = 0
        self._from = np.float32(0)  # heard right before the fade-in
        self._last = np.float32(0)
        self._dry = 0  # times it ran dry
        self._trimmed = 0  # number of the arrival at which something was left out last
        self._silent = 0  # samples since it ran dry

    @property
    def waiting(self) -> int:
        """Samples that wait to be played."""
        return self._written - self._read

    @property
    def reserve_s(self) -> float:
        """What should wait when more comes."""
        return self._reserve / self.rate_hz

    def ahead_s(self) -> float | None:
        """Return how long what is fed now will wait, None where nothing plays.

        That is what waits already, and what has not been played yet of the block that was
        taken last: blocks are taken at once, and played in time.
        """
        if not self._playing:
            return None
        rest = self._block - (self._now_s() - self._rendered_s) * self.rate_hz
        return (self.waiting + min(max(rest, 0.0), self._block)) / self.rate_hz

    def arrive(self) -> None:
        """Say that more comes: what waits now is the reserve."""
        self._arrival = (self._arrival[0] + 1, self.waiting, self._dry)

    def feed(self, samples: Audio, *, without_emg: bool = False, tail: bool = False) -> None:
        """Put in audio; all that comes at a time after one `arrive`.

        Parameters
        ----------
        samples : ndarray of float32, shape (n,)
            The voice.
        without_emg : bool
            It is silence that stands for a time without EMG.
        tail : bool
            It is the last of a voice whose EMG had ended when the pause began: that it
            had shows only afterwards. What silence was played for is not played again.
        """
        if not len(samples):
            return
        if self._dry != self._judged:
            self._judge(without_emg or tail)
        if without_emg or tail:
            # Played late, the tail would be a tick in the silence that stood for it.
            skipped = min(self._owed, len(samples))
            self._owed -= skipped
            self.counts.skipped_samples += skipped
            samples = samples[skipped:]
        else:
            self._owed = 0
        self._write(samples)

    def finish(self) -> None:
        """Say that no more comes: what waits is played to its end, which is no underrun."""
        self._ending = True

    def render(self, out: Audio) -> None:
        """Take the next samples; called from the audio callback.

        Parameters
        ----------
        out : ndarray of float32, shape (n,)
            Filled with the voice, or with silence.
        """
        self._block, self._rendered_s = len(out), self._now_s()
        waiting = self._written - self._read
        arrival, before, dry = self._arrival
        # What waited then and was played since came to nothing.
        before = min(before, waiting) if dry == self._dry else 0
        reserve = self._reserve
        most = max(self._least_limit, 2 * reserve)
        if not self._playing:
            ready = before >= reserve and waiting >= len(out)
            if not ready and not (self._ending and waiting):
                self._fade_out(out)
                return
            self._playing, self._risen, self._from = True, 0, self._last
            most = reserve + self._surplus
        if before > most and arrival != self._trimmed and not self._ending:
            # By what waited before it: whatever comes at a time, it is no delay for good.
            self._trimmed = arrival
            self._leave_out(before - max(reserve, min(len(out), before)))
            waiting = self._written - self._read
        taken = min(len(out), waiting)
        self._copy(out[:taken])
        self._fade_in(out[:taken])
        self._read += taken
        self.counts.played_samples += taken
        if taken:
            self._last = out[taken - 1]
        if taken < len(out):
            self._playing = False
            self._dry += 1
            self._silent = 0
            self._fade_out(out[taken:])

    def _judge(self, without_emg: bool) -> None:
        """Say why the buffer ran dry, by what comes after it."""
        self._judged = self._dry
        if without_emg:
            self.counts.starved += 1
            self._owed = self._silent
        else:
            self.counts.underruns += 1
            self._grow()

    def _grow(self) -> None:
        """Raise the reserve where this underrun is not the only one in a while."""
        again = self._late.again(self._now_s())
        step = max(round(_SHARE * self._reserve), self._least_step)
        raised = min(self._reserve + step, self._most_reserve)
        if again and raised > self._reserve:
            self._reserve = raised
            self.counts.reserve_steps += 1

    def _write(self, samples: Audio) -> None:
        room = self._size - self.waiting
        self.counts.overflowed_samples += max(0, len(samples) - room)
        samples = samples[:room]
        start = self._written % self._size
        first = min(len(samples), self._size - start)
        self._ring[start : start + first] = samples[:first]
        self._ring[: len(samples) - first] = samples[first:]
        self._written += len(samples)

    def _copy(self, out: Audio) -> None:
        start = self._read % self._size
        first = min(len(out), self._size - start)
        out[:first] = self._ring[start : start + first]
        out[first:] = self._ring[: len(out) - first]

    def _leave_out(self, samples: int) -> None:
        """Go on later, fading over: the listener must not fall behind for good."""
        self._read += samples
        self.counts.dropped_samples += samples
        self._risen, self._from = 0, self._last

    def _fade_in(self, out: Audio) -> None:
        """Fade over from the sample that was heard last."""
        if self._risen < len(self._rise):
            rise = self._rise[self._risen : self._risen + len(out)]
            fall = self._fall[self._risen : self._risen + len(out)]
            before = self._scratch[: len(rise)]
            np.multiply(fall, self._from, out=before)
            part = out[: len(rise)]
            part *= rise
            part += before
            self._risen += len(rise)

    def _fade_out(self, out: Audio) -> None:
        decay = self._decay[: len(out)]
        np.multiply(decay, self._last, out=out[: len(decay)])
        out[len(decay) :] = 0
        self._last = out[-1] if abs(out[-1]) > _INAUDIBLE else np.float32(0)
        self._silent += len(out)
