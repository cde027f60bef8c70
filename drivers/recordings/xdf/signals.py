"""Streams of others put on one time line: EMG on a grid, sound cut to it.

What counts as a loss is the rule of the live inlet, `Timeline`.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drivers.recordings.xdf.channels import channels_of
from drivers.recordings.xdf.heads import StreamHead
from drivers.recordings.xdf.load import Loaded
from drivers.recordings.xdf.pieces import OUTAGE_S, Allowance, join
from drivers.recordings.xdf.scan import Scan
from drivers.source import Samples
from drivers.timeline import Timeline

_SOUND_SLACK_S = 0.05  # stamps of sound deviate by less from a seamless stream


class Signal:
    """An EMG stream on a regular grid.

    Parameters
    ----------
    head : StreamHead
        Its header.
    stream : Loaded
        Its samples.
    allowance : Allowance
        For lost samples.

    Attributes
    ----------
    channels : tuple of Channel
        EMG in microvolts.
    pieces : list of Piece
        Its samples, without outages.

    Raises
    ------
    RecordingError
        It has no unit, or far more samples are lost than there are.
    """

    def __init__(self, head: StreamHead, stream: Loaded, allowance: Allowance) -> None:
        thing = f"stream {head}"
        self._rate_hz = head.rate_hz
        self.channels, factors = channels_of(head, thing)
        self._times_s = stream.times_s
        rows = len(stream.times_s)
        gaps = Timeline(head.rate_hz).follow(stream.times_s) if rows else []
        lost = np.zeros(rows, np.int64)
        for gap in gaps:
            lost[gap.row] = gap.lost
        self._grid = np.arange(rows) + np.cumsum(lost)
        starts = [0, *(gap.row for gap in gaps), rows]
        runs = [
            (int(self._grid[begin]), _microvolts(stream.values[begin:end], factors))
            for begin, end in zip(starts, starts[1:], strict=False)
            if begin < end
        ]
        # Senders may stamp out of order by a little; the order is that of arrival.
        self._sorted_s = np.maximum.accumulate(stream.times_s) if rows else stream.times_s
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


def _microvolts(values: NDArray[Any], factors: NDArray[np.float64]) -> Samples:
    scaled = values if np.all(factors == 1.0) else values * factors
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
