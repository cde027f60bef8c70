"""Stamped samples and stamped markers become chunks."""

from collections import deque
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from drivers.effective_rate import EffectiveRate, spread
from drivers.lsl.stamps import BEHIND_S, SenderClock
from drivers.source import UTTERANCE, Chunk, Health, Marker, Samples
from drivers.stamps import repaired
from drivers.timeline import Timeline

_MOST_LOSSES = 10_000  # since the rate is being measured


class StampedMarker(NamedTuple):
    """A marker as it comes over LSL.

    Attributes
    ----------
    stamp_s : float
        Time stamp of its sample, on this machine's LSL clock.
    label : str
        What happened.
    own : bool
        It was stamped by the clock that stamps the samples, right or wrong.
    """

    stamp_s: float
    label: str
    own: bool = True


class _Placed(NamedTuple):
    """A marker, the row of its sample, and how much earlier than that its stamp is."""

    row: int
    label: str
    before_s: float


class ChunkCutter:
    """Cuts what an inlet receives at lost samples and where utterances begin.

    Where samples come at another rate than the stream says, that is not known at once. What
    counted as lost until then is counted anew; the chunks that say so are gone.

    A marker belongs to the first sample that is not earlier, half a sample granted. If
    that is not its own, because that one was lost, came before the marker or before the
    subscription, or because the stamp is half a minute ahead, the marker counts as moved.

    Parameters
    ----------
    rate_hz : float
        Nominal rate.
    to_session_s : float
        Added to a time on this machine's LSL clock, gives that on the session's.
    health : Health
        Where samples, losses, reconnects and moved markers are counted, and the difference
        of the clocks is kept.
    """

    def __init__(self, rate_hz: float, to_session_s: float, health: Health) -> None:
        self._rate_hz = rate_hz
        self._to_session_s = to_session_s
        self._health = health
        counters = ("moved_markers", "lost_markers", "stamps_backward", "clock_resets")
        self._health.extra |= dict.fromkeys((*counters, "invalid_stamps"), 0)
        self._clock = SenderClock(rate_hz)
        self._timeline = Timeline(rate_hz)
        self._rate = EffectiveRate(rate_hz)
        # Some senders count on at the rate that they say, whatever the clock says.
        self._arrivals = EffectiveRate(rate_hz)
        self._counted: deque[tuple[float, int]] = deque(maxlen=_MOST_LOSSES)
        self._coming: list[StampedMarker] = []
        self._offset_s = 0.0
        self._epoch = 0
        self._next = 0  # sample of the epoch

    def expect(self, marker: StampedMarker) -> None:
        """Take a marker whose sample may be still to come."""
        self._coming.append(marker)

    def cut(
        self,
        samples: Samples,
        stamps_s: NDArray[np.float64],
        offset_s: float,
        received_s: float,
        *,
        interrupted: bool = False,
    ) -> list[Chunk]:
        """Take the next samples.

        Parameters
        ----------
        samples : ndarray of float32, shape (n, channels)
            In microvolts, n > 0.
        stamps_s : ndarray of float64, shape (n,)
            Their time stamps, on the sender's clock. Losses are seen in these: comparing
            clocks over a network jitters.
        offset_s : float
            Added to them, gives the time on this machine's LSL clock.
        received_s : float
            Their arrival on the session's clock.
        interrupted : bool
            The stream was gone and is back: a new epoch.

        Returns
        -------
        list of Chunk
            All of them, in order.
        """
        arrived_s = received_s - self._to_session_s
        stamps_s, invalid = repaired(stamps_s, self._rate_hz)
        self._health.extra["invalid_stamps"] += invalid
        if not len(stamps_s):
            stamps_s = self._by_arrival(len(samples), arrived_s) - offset_s
        said_s = stamps_s + offset_s
        if interrupted:
            self._clock.restart()
        resets = self._clock.resets
        shifts_s = self._clock.shifts(said_s, arrived_s)
        stamps_s = stamps_s + shifts_s
        if interrupted or self._clock.resets > resets:
            self._rate.restart()
            self._arrivals.restart()
            self._counted.clear()
        lost: dict[int, int] = {}
        if interrupted:
            self._health.reconnects += 1
            self._begin_epoch()
            lost[0] = self._timeline.restart(float(stamps_s[0]), offset_s - self._offset_s)
        self._offset_s = offset_s
        self._health.clock_offset_s = offset_s + self._clock.shift_s + self._to_session_s
        for found in self._timeline.follow(self._spread(stamps_s)):
            lost[found.row] = found.lost
            self._counted.append((float(stamps_s[found.row]), found.lost))
        self._measure(stamps_s, arrived_s)
        self._health.extra["stamps_backward"] = self._timeline.backward
        self._health.extra["clock_resets"] = self._clock.resets
        stamps_s = stamps_s + offset_s
        placed = self._place(said_s, stamps_s)
        begins = {m.row: m.before_s for m in placed if m.label.startswith(UTTERANCE)}
        starts = sorted({0, *lost, *begins})
        chunks = []
        for start, end in zip(starts, [*starts[1:], len(stamps_s)], strict=True):
            gap = self._count(lost.get(start, 0))
            if start in begins:
                # Of the lost samples, only those after the marker are of the new epoch.
                gap = min(gap, max(round(begins[start] * self._rate_hz), 0))
                self._begin_epoch()
            first = self._next + gap
            chunk = Chunk(
                samples=samples[start:end],
                epoch=self._epoch,
                first_index=first,
                time_s=float(stamps_s[end - 1]) + self._to_session_s,
                received_s=received_s,
                gap_before=gap,
                gap_estimated=gap > 0,
                markers=tuple(
                    Marker(first + m.row - start, m.label) for m in placed if start <= m.row < end
                ),
            )
            chunks.append(chunk)
            self._next = first + end - start
            self._health.samples += end - start
        return chunks

    def finish(self) -> None:
        """Count the markers whose samples did not come."""
        self._health.extra["lost_markers"] += len(self._coming)
        self._coming = []

    def _by_arrival(self, count: int, arrived_s: float) -> NDArray[np.float64]:
        return arrived_s - np.arange(count)[::-1] / self._rate_hz

    def _measure(self, stamps_s: NDArray[np.float64], arrived_s: float) -> None:
        """Follow the rate at which samples come, and keep losses by it."""
        self._arrivals.add(self._by_arrival(len(stamps_s), arrived_s), arrived_s)
        if self._rate.add(stamps_s, arrived_s):
            rate_hz = self._rate.rate_hz or self._rate_hz
            self._timeline.change_rate(rate_hz, float(stamps_s[-1]))
            before, anew = self._losses_so_far(), self._losses_at(rate_hz)
            self._health.lost_samples += sum(anew) - sum(before)
            self._health.gaps += len(anew) - len(before)
        self._health.effective_rate_hz = self._rate.rate_hz or self._arrivals.rate_hz

    def _losses_so_far(self) -> list[int]:
        """Return what counted as lost while the rate was measured."""
        begin_s = float(self._rate.pieces[0][0])
        return [lost for stamp_s, lost in self._counted if stamp_s > begin_s]

    def _losses_at(self, rate_hz: float) -> list[int]:
        """Return what is missing meanwhile of a stream of this rate."""
        timeline = Timeline(rate_hz)
        return [
            gap.lost
            for piece_s in self._rate.pieces
            for gap in timeline.follow(self._spread(piece_s))
        ]

    def _spread(self, stamps_s: NDArray[np.float64]) -> NDArray[np.float64]:
        rate_hz = self._rate.rate_hz
        return stamps_s if rate_hz is None else spread(stamps_s, self._rate_hz, rate_hz)

    def _count(self, lost: int) -> int:
        if lost:
            self._health.lost_samples += lost
            self._health.gaps += 1
        return lost

    def _begin_epoch(self) -> None:
        """Count samples from 0 again, unless that is what comes anyway."""
        if self._next:
            self._epoch += 1
            self._next = 0

    def _place(self, said_s: NDArray[np.float64], stamps_s: NDArray[np.float64]) -> list[_Placed]:
        """Match markers to rows; those of later samples stay in `_coming`.

        Own markers are compared with what the sender said, others with what is believed.
        """
        half_s = 0.5 / self._rate_hz
        placed, coming = [], []
        for marker in self._coming:
            times_s = said_s if marker.own else stamps_s
            # Of stamps that jump back, the highest so far decides.
            rising_s = np.maximum.accumulate(times_s)
            row = int(np.searchsorted(rising_s, marker.stamp_s - half_s))
            if row == len(times_s):
                if marker.stamp_s - times_s[-1] <= BEHIND_S:
                    coming.append(marker)
                    continue
                row = 0  # of a clock that was set, or of another one: it came now
            before_s = float(times_s[row]) - marker.stamp_s
            self._health.extra["moved_markers"] += abs(before_s) > half_s
            placed.append(_Placed(row, marker.label, before_s))
        self._coming = coming
        return placed
