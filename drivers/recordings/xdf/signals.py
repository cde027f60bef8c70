"""Streams of others put on one time line: EMG on a grid, sound cut to it.

What counts as a loss is the rule of the live inlet, `Timeline`.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drivers.effective_rate import caution, effective_rate_hz, is_another
from drivers.errors import RecordingError
from drivers.recordings.xdf.heads import StreamHead
from drivers.recordings.xdf.load import Loaded
from drivers.recordings.xdf.pieces import OUTAGE_S, Allowance, join
from drivers.recordings.xdf.scan import Scan
from drivers.recordings.xdf.stamps import as_sent, on_time, push_rows
from drivers.source import Samples
from drivers.stamps import LATEST_S, repaired
from drivers.timeline import Gap, Timeline
from drivers.units import InMicrovolts

_PIECE_S = 0.1
_REACH_S, _MOST_REACH_S, _PUSHES = 1.0, 5.0, 1.5
_MANY = 8  # pushes: fewer are rather losses between samples that came one by one
_DRIFT = 2e-3
_SOUND_SLACK_S = 0.05  # stamps of sound deviate by less from a seamless stream


class Signal:
    """An EMG stream on a regular grid.

    Parameters
    ----------
    head : StreamHead
        Its header.
    stream : Loaded
        Its samples.
    channels : InMicrovolts
        Its channels.
    allowance : Allowance
        For lost samples.

    Attributes
    ----------
    channels : tuple of Channel
        EMG in microvolts.
    pieces : list of Piece
        Its samples, without outages.
    notes : tuple of str
        What a person should know of its channels and its time stamps.

    Raises
    ------
    RecordingError
        No time stamp is a time, or far more samples are lost than there are.
    """

    def __init__(
        self, head: StreamHead, stream: Loaded, channels: InMicrovolts, allowance: Allowance
    ) -> None:
        self.channels = channels.channels
        times_s, replaced = repaired(stream.times_s, head.rate_hz)
        rows = len(stream.times_s)
        if rows and not len(times_s):
            raise RecordingError(
                f"time stamps of stream {head}",
                value=f"{stream.times_s[0]} s",
                allowed=f"within +-{LATEST_S:g} s",
                way_out="the file is damaged",
            )
        self._rate_hz = effective_rate_hz(times_s, head.rate_hz)
        if is_another(self._rate_hz, head.rate_hz):
            times_s = as_sent(times_s, head.rate_hz, self._rate_hz)
        self._times_s = times_s
        self.notes = (*channels.notes, *_notes(head, self._rate_hz, replaced))
        gaps = _gaps(self._times_s, self._rate_hz)
        lost = np.zeros(rows, np.int64)
        for gap in gaps:
            lost[gap.row] = gap.lost
        self._grid = np.arange(rows) + np.cumsum(lost)
        starts = [0, *(gap.row for gap in gaps), rows]
        factors = np.array(channels.factors)
        runs = [
            (int(self._grid[begin]), microvolts(stream.values[begin:end], factors))
            for begin, end in zip(starts, starts[1:], strict=False)
            if begin < end
        ]
        # Senders may stamp out of order by a little; the order is that of arrival.
        self._sorted_s = np.maximum.accumulate(self._times_s) if rows else self._times_s
        self.pieces = join(runs, None, head.channels, head.rate_hz, allowance)

    def time_s(self, row: int) -> float:
        """Return the time of a row, or of the next one that is not lost."""
        return float(self._times_s[np.searchsorted(self._grid, row)])

    def index(self, time_s: float) -> int:
        """Return the row nearest to a time, -1 where nothing was recorded."""
        times_s, half_s = self._sorted_s, 0.5 / self._rate_hz
        if not len(times_s) or not times_s[0] - half_s <= time_s <= times_s[-1] + half_s:
            return -1
        right = min(int(np.searchsorted(times_s, time_s)), len(times_s) - 1)
        left = max(right - 1, 0)
        before, after = int(self._grid[left]), int(self._grid[right])
        if after - before > 1:  # within a loss
            at = before + round((time_s - float(times_s[left])) * self._rate_hz)
            at = min(max(at, before), after)
            outage = after - before - 1 > OUTAGE_S * self._rate_hz
            return -1 if outage and before < at < after else at
        nearer_left = time_s - times_s[left] < times_s[right] - time_s
        return before if nearer_left else after


def _gaps(times_s: NDArray[np.float64], rate_hz: float) -> list[Gap]:
    """Find losses as the live inlet does, which gets the stamps in pieces and follows drift.

    Beyond that, what comes late and is made up for at once is no loss: a file holds what
    nobody who listens can wait for.
    """
    timeline, rows = Timeline(rate_hz), max(round(_PIECE_S * rate_hz), 1)
    pushes = push_rows(times_s, rate_hz)
    push_s = float(np.median(np.diff(pushes))) / rate_hz if len(pushes) > 1 else 0.0
    late = _late(times_s, rate_hz, min(max(_REACH_S, _PUSHES * push_s), _MOST_REACH_S))
    # Behind the last push nothing tells whether it was only late.
    last = int(pushes[-1]) if len(pushes) > _MANY and push_s > _PIECE_S else len(times_s)
    return [
        Gap(begin + gap.row, gap.lost)
        for begin in range(0, len(times_s), rows)
        for gap in timeline.follow(times_s[begin : begin + rows])
        if late[begin + gap.row] < gap.lost / 2
        and (begin + gap.row < last or gap.lost > push_s * rate_hz)
    ]


def _late(times_s: NDArray[np.float64], rate_hz: float, reach_s: float) -> NDArray[np.float64]:
    """Say by how many samples each stamp is late, drift left aside."""
    slopes_s = np.diff(times_s[:: max(round(rate_hz), 1)])
    drift = float(np.median(slopes_s)) if len(slopes_s) else 1.0
    line_hz = rate_hz / drift if abs(drift - 1) < _DRIFT else rate_hz
    return (times_s - on_time(times_s, line_hz, reach_s)) * rate_hz


def _notes(head: StreamHead, rate_hz: float, replaced: int) -> list[str]:
    notes = []
    if is_another(rate_hz, head.rate_hz):
        notes.append(caution(f"stream '{head.name}'", rate_hz, head.rate_hz))
    if replaced:
        notes.append(
            f"{replaced} time stamps of stream {head} are no times: they are taken from their "
            "neighbours"
        )
    return notes


def microvolts(values: NDArray[Any], factors: NDArray[np.float64]) -> Samples:
    """Scale samples.

    Parameters
    ----------
    values : ndarray, shape (n, channels)
        As in the file.
    factors : ndarray of float64, shape (channels,)
        From `channels_of`.

    Returns
    -------
    ndarray of float32, shape (n, channels)
        EMG in microvolts.
    """
    scaled = values if np.all(factors == 1.0) else values * factors
    with np.errstate(over="ignore"):
        return np.asarray(scaled, np.float32)


class Sound:
    """A stream of natural sound: its first channel.

    Parameters
    ----------
    found : Scan
        The file.
    number : int
        Of the stream.
    stream : Loaded
        Its samples.

    Attributes
    ----------
    rate_hz : float
        Sampling rate.
    """

    def __init__(self, found: Scan, number: int, stream: Loaded) -> None:
        self.rate_hz = found.heads[number].rate_hz
        sound = stream.values[:, 0]
        scale = 1.0 if sound.dtype.kind == "f" else float(np.iinfo(sound.dtype).max) + 1.0
        self._samples = (sound / scale).astype(np.float32)
        counts = [s.samples for s in found.spans if s.stream == number and s.samples]
        self._chunks = _seamless(counts, stream.times_s, self.rate_hz)

    def cut(self, begin_s: float, duration_s: float, allowance: Allowance) -> NDArray[np.float32]:
        """Cut it to some EMG; silence where the sound begins later or is interrupted."""
        placed = []
        length = round(duration_s * self.rate_hz)
        for row, samples, time_s in self._chunks:
            at = round((time_s - begin_s) * self.rate_hz)
            first, last = max(at, 0), min(at + samples, length)
            if first < last:
                placed.append((first, self._samples[row + first - at : row + last - at]))
        end = max((first + len(piece) for first, piece in placed), default=0)
        allowance.take((end - sum(len(piece) for _, piece in placed)) * 4)
        audio = np.zeros(end, np.float32)
        for first, piece in placed:
            audio[first : first + len(piece)] = piece
        return audio


def _seamless(
    counts: Sequence[int], times_s: NDArray[np.float64], rate_hz: float
) -> list[tuple[int, int, float]]:
    """Join chunks that follow each other: first row, samples, time of each stretch."""
    joined: list[tuple[int, int, float]] = []
    row = 0
    for samples, time_s in zip(counts, times_s.tolist(), strict=True):
        if joined:
            begin, before, begin_s = joined[-1]
            if abs(time_s - begin_s - before / rate_hz) < _SOUND_SLACK_S:
                joined[-1] = begin, before + samples, begin_s
                row += samples
                continue
        joined.append((row, samples, time_s))
        row += samples
    return joined
