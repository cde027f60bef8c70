"""The length of a frame, and where in a damaged stream each frame lies.

Frames of one length make bytes equal those one frame before far more often than those at
any other distance: constant bytes, upper bytes of words, a marker that rests. That gives
the length. Where bytes were lost or came in between, the place within the frame shifts: the
most probable path of places through the stream (Viterbi) follows that, by what values each
byte of a frame usually has, learned from the cleanest stretch.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

LONGEST_FRAME = 300
FEWEST_FRAMES = 64

_LAG_BYTES = 200_000  # of the capture, for the length
# For the path: counters need frames to carry; a second of computing for each 70 kB.
_PATH_BYTES = 60_000
_PATH_FRAMES = 4000
_MOST_PATH_BYTES = 200_000
# A stretch that looks clean may hold a slip: several are tried.
_STRETCH_FRAMES = (6, 9, 14)
_TRIAL_BYTES = 6000
_TRIAL_FRAMES = 100
_SIGMAS = 8.0
_LEAST_EXCESS = 0.02

# Log probabilities of a path: one byte lost or one too many, and anything else.
_SLIP = -6.0
_JUMP = -15.0

Bytes = NDArray[np.uint8]


def find_length(data: Bytes) -> int | None:
    """Find the length of a frame.

    Parameters
    ----------
    data : ndarray of uint8, shape (n,)
        The stream.

    Returns
    -------
    int or None
        Bytes; None where no length stands out.
    """
    data = data[:_LAG_BYTES]
    longest = min(LONGEST_FRAME, len(data) // FEWEST_FRAMES)
    if longest < 2:
        return None
    lags = np.arange(1, longest + 1)
    equal = np.array([np.mean(data[lag:] == data[:-lag]) for lag in lags])
    usual = float(np.median(equal))
    sigma = float(np.sqrt(max(usual * (1 - usual), 1 / 256) / len(data)))
    best = int(np.argmax(equal))
    excess = equal[best] - usual
    # A short range of lags may consist of multiples of the length for the most part.
    if equal[best] < 1 / 256 + _LEAST_EXCESS or excess < max(_LEAST_EXCESS, _SIGMAS * sigma):
        return None
    # Its multiples are as good; its divisors are not, unless one of them is the length.
    enough = equal[best] - max(_LEAST_EXCESS * excess, 4 * sigma)
    length = next(int(lag) for lag in lags if lags[best] % lag == 0 and equal[lag - 1] >= enough)
    return length if length > 1 else None


@dataclass(frozen=True, eq=False)
class Path:
    """Where in a frame each byte lies.

    Attributes
    ----------
    data : ndarray of uint8, shape (n,)
        The beginning of the stream.
    places : ndarray of int64, shape (n,)
        0 to length - 1, counted from an arbitrary byte of the frame.
    length : int
        Bytes of a frame.
    """

    data: Bytes
    places: NDArray[np.int64]
    length: int

    def frames(self, first: int) -> tuple[Bytes, NDArray[np.bool_]]:
        """Cut whole frames out.

        Parameters
        ----------
        first : int
            The place that counts as a frame's beginning.

        Returns
        -------
        frames : ndarray of uint8, shape (n, length)
            In the order of their arrival.
        follows : ndarray of bool, shape (n,)
            The frame begins where the one in the row above ends.
        """
        places = (self.places - first) % self.length
        # Bytes within a frame are consecutive when none of `length` steps is a slip.
        slips = np.concatenate([[0], np.cumsum(np.diff(places) % self.length != 1)])
        starts = np.flatnonzero(places[: len(places) - self.length + 1] == 0)
        starts = starts[slips[starts + self.length - 1] == slips[starts]]
        frames = self.data[starts[:, None] + np.arange(self.length)]
        follows = np.diff(starts, prepend=-self.length - 1) == self.length
        return frames, follows

    @property
    def sent_frames(self) -> float:
        """Frames sent while these bytes arrived, lost bytes counted in."""
        return float(np.sum(np.diff(self.places) % self.length) + 1) / self.length


def find_path(data: Bytes, length: int) -> Path:
    """Find where in a frame each byte lies.

    Parameters
    ----------
    data : ndarray of uint8, shape (n,)
        The stream; its beginning is used.
    length : int
        Bytes of a frame.

    Returns
    -------
    Path
        The most probable one.
    """
    data = data[: min(max(_PATH_BYTES, _PATH_FRAMES * length), _MOST_PATH_BYTES)]
    starts = []
    for frames in _STRETCH_FRAMES:
        starts.append(_learn_from(data, length, frames))
        if starts[-1].clean:
            break
    odds = max(starts, key=lambda start: start.score).odds
    for _ in range(2):
        places, _ = _viterbi(odds[:, data].T)
        if _is_clean(places, length):
            break
        odds = _log_odds(data, places, length)
    return Path(data, places, length)


class _Start(NamedTuple):
    odds: NDArray[np.float64]
    score: float
    clean: bool


def _is_clean(places: NDArray[np.int64], length: int) -> bool:
    """Say whether there is no slip."""
    return bool((np.diff(places) % length == 1).all())


def _learn_from(data: Bytes, length: int, frames: int) -> _Start:
    """Learn from the cleanest stretch of so many frames and try it on the beginning."""
    size = frames * length
    equal = np.cumsum(np.concatenate([[0], data[length:] == data[:-length]]))
    begin = int(np.argmax(equal[size:] - equal[:-size]))
    stretch = data[begin : begin + size]
    odds = _log_odds(stretch, np.arange(size) % length, length)
    part = data[: max(_TRIAL_BYTES, _TRIAL_FRAMES * length)]
    for _ in range(2):
        places, score = _viterbi(odds[:, part].T)
        odds = _log_odds(part, places, length)
    return _Start(odds, score, _is_clean(places, length))


def _log_odds(data: Bytes, places: NDArray[np.int64], length: int) -> NDArray[np.float64]:
    """Log probability of each value at each place, shape (length, 256)."""
    counts = np.zeros((length, 256))
    np.add.at(counts, (places, data), 1)
    prior = 0.05  # a value that was not seen yet may still come
    odds: NDArray[np.float64] = np.log(
        (counts + prior) / (counts.sum(1, keepdims=True) + 256 * prior)
    )
    return odds


def _viterbi(odds: NDArray[np.float64]) -> tuple[NDArray[np.int64], float]:
    """Most probable places, and how probable; `odds` has the shape (bytes, length)."""
    n, length = odds.shape
    steps = np.zeros((n, length), np.uint8)
    jumped_from = np.zeros(n, np.int64)
    score = odds[0].copy()
    ways = np.empty((4, length))
    columns = np.arange(length)
    for i in range(1, n):
        ways[0, 1:], ways[0, 0] = score[:-1], score[-1]
        ways[1, 2:], ways[1, :2] = score[:-2] + _SLIP, score[-2:] + _SLIP
        ways[2] = score + _SLIP
        top = int(score.argmax())
        jumped_from[i] = top
        ways[3] = score[top] + _JUMP
        steps[i] = ways.argmax(0)
        score = ways[steps[i], columns] + odds[i]
    places = np.empty(n, np.int64)
    place = int(score.argmax())
    best = float(score[place])
    for i in range(n - 1, -1, -1):
        places[i] = place
        step = steps[i, place]
        place = jumped_from[i] if step == 3 else (place - (1, 2, 0)[step]) % length
    return places, best
