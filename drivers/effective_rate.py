"""The rate at which samples really come, where a stream or a file declares another one.

A slow clock, a wrong declaration and losses look the same from afar: fewer samples than the
nominal rate promises. They differ in the steps from stamp to stamp. Those of another rate are
all a little longer, or each push comes later by as much; losses make some steps longer, by
whole samples.
"""

from collections import deque

import numpy as np
from numpy.typing import NDArray

TOLERANCE = 0.005
"""Rates that differ by less are the same to a person: clocks differ by 0.05 % at most, and some
devices round what they say. From 1 % on, frames and filters are those of another signal."""

_NOTICEABLE = 5e-4  # half of the drift that `Timeline` follows
_CERTAIN = 4.0  # standard errors of a median
_LONG_S, _SHORT_S, _LEAST_STRETCHES = 2.0, 0.1, 4
_LONGEST_S = 10.0  # a push that is longer is none: its samples have their own stamps
# Steps from one stamp to the next are counted in samples:
_EXACT = 1e-3
_REGULAR = 0.01
_TOGETHER = 0.2  # stamped one by one, but sent together
_WHOLE = 0.05
_MOST, _ALMOST_ALL = 0.6, 0.8
_LARGE = 1.5

_WINDOW_S = 30.0
_MOST_SAMPLES = 2**16  # of it: a judgement takes a millisecond for each ten thousand
_LEAST_S = 4.0
_EVERY_S = 1.0
_AT_ONCE_S, _MOST_AT_ONCE = 0.002, 4096


class EffectiveRate:
    """Follows the rate of a running stream, over its last half minute.

    Parameters
    ----------
    declared_hz : float
        What the stream says.

    Attributes
    ----------
    rate_hz : float or None
        At which its samples come, where that is certain and differs from the declared rate by
        more than `TOLERANCE`.
    """

    def __init__(self, declared_hz: float) -> None:
        self.rate_hz: float | None = None
        self._declared_hz = declared_hz
        self._most = max(1, min(round(_WINDOW_S * declared_hz), _MOST_SAMPLES))
        self.restart()

    def restart(self) -> None:
        """Forget all times: the stream was interrupted, or its clock was set."""
        self._pieces: deque[NDArray[np.float64]] = deque()
        self._samples = 0
        self._judged_s = self._received_s = -np.inf

    @property
    def pieces(self) -> list[NDArray[np.float64]]:
        """Times on which the judgement rests, as samples came together."""
        return list(self._pieces)

    def add(self, times_s: NDArray[np.float64], received_s: float) -> bool:
        """Take the times of the next samples.

        Parameters
        ----------
        times_s : ndarray of float64, shape (n,)
            Finite.
        received_s : float
            When they came; those that came at once were sent together.

        Returns
        -------
        bool
            `rate_hz` is judged anew and is another one.
        """
        if not len(times_s):
            return False
        at_once = abs(received_s - self._received_s) < _AT_ONCE_S
        if at_once and self._pieces and len(self._pieces[-1]) < _MOST_AT_ONCE:
            together_s = self._pieces.pop()
            self._samples -= len(together_s)
            times_s = np.concatenate([together_s, times_s])
        else:
            self._received_s = received_s
        self._pieces.append(times_s)
        self._samples += len(times_s)
        while self._samples - len(self._pieces[0]) > self._most:
            self._samples -= len(self._pieces.popleft())
        now_s = float(times_s[-1])
        passed_s = now_s - float(self._pieces[0][0])
        if passed_s < _LEAST_S or 0 <= now_s - self._judged_s < _EVERY_S:
            return False
        self._judged_s = now_s
        begins = np.cumsum([0, *map(len, self.pieces[:-1])])
        rate_hz = effective_rate_hz(np.concatenate(self._pieces), self._declared_hz, begins)
        before_hz = self.rate_hz
        self.rate_hz = rate_hz if is_another(rate_hz, self._declared_hz) else None
        if self.rate_hz is None or before_hz is None:
            return self.rate_hz is not before_hz
        return is_another(self.rate_hz, before_hz)


def is_another(rate_hz: float, declared_hz: float) -> bool:
    """Say whether a measured rate is none that the declared one can stand for."""
    return abs(rate_hz / declared_hz - 1) > TOLERANCE


def caution(thing: str, rate_hz: float, declared_hz: float) -> str:
    """Say that samples come at another rate.

    Parameters
    ----------
    thing : str
        What they are samples of: ``"stream 'Amp'"``, ``"talk.xdf"``.
    rate_hz, declared_hz : float
        At which they come, and what it says.

    Returns
    -------
    str
        A line for a person.
    """
    return (
        f"samples of {thing} come at {rate_hz:.4g} Hz, and it declares {declared_hz:.4g} Hz: "
        "times, filters and features are wrong by as much; let the sender declare its true rate"
    )


def effective_rate_hz(
    times_s: NDArray[np.float64],
    rate_hz: float,
    pieces: NDArray[np.int64] | None = None,
) -> float:
    """Tell at which rate samples came, losses left aside.

    Parameters
    ----------
    times_s : ndarray of float64, shape (n,)
        Finite stamps of a stream.
    rate_hz : float
        Its nominal rate.
    pieces : ndarray of int64, optional
        Rows, rising, of the samples that were the first of those that came together, where
        that is known. They tell another rate from losses at regular intervals.

    Returns
    -------
    float
        The nominal rate where the stamps do not say for certain that it is another one.
    """
    if len(times_s) < 2:
        return rate_hz
    steps = np.diff(times_s) * rate_hz
    ends = _ends(steps, rate_hz, pieces)
    times = (times_s - times_s[0])[ends] * rate_hz
    long, error = _slope(times, ends, _LONG_S * rate_hz)
    if not 0.01 < long < 100 or abs(long - 1) < max(_NOTICEABLE, _CERTAIN * error):
        return rate_hz
    step = _exact_step(steps, times, ends, pieces)
    # Losses lengthen all but a single step: stamps in whole milliseconds have no exact one.
    if step is None or step > long + max(_NOTICEABLE, _CERTAIN * error):
        stretches = (1.0, _SHORT_S * rate_hz)
        step = _typical_step([_slope(times, ends, over) for over in stretches], long)
    return rate_hz if abs(step - 1) < _NOTICEABLE else rate_hz / step


def spread(times_s: NDArray[np.float64], declared_hz: float, rate_hz: float) -> NDArray[np.float64]:
    """Space the samples of each push as they really are.

    Parameters
    ----------
    times_s : ndarray of float64, shape (n,)
        Stamps; those of a push, but for the last, follow the declared rate.
    declared_hz, rate_hz : float
        What is declared, and the rate at which samples come.

    Returns
    -------
    ndarray of float64, shape (n,)
        The stamps of the last samples of pushes as they were, others by the true rate.
    """
    rows = np.arange(len(times_s))
    made_up = np.abs(np.diff(times_s) * declared_hz - 1) <= _REGULAR
    ends = np.concatenate([np.flatnonzero(~made_up), rows[-1:]])
    end = ends[np.searchsorted(ends, rows)]
    true_s: NDArray[np.float64] = times_s[end] - (end - rows) / rate_hz
    return true_s


def _ends(
    steps: NDArray[np.float64], rate_hz: float, pieces: NDArray[np.int64] | None
) -> NDArray[np.int64]:
    """Return the last row of each push: times within are often made up, its own is not."""
    is_end = (np.abs(steps - 1) > _REGULAR) & (np.abs(steps) > _TOGETHER)
    if pieces is not None:
        rows = pieces[pieces > 0] - 1
        is_end[rows] |= np.abs(steps[rows]) > _TOGETHER
    pushes = np.cumsum(is_end)
    rows = np.arange(0, len(steps), max(round(_LONG_S * rate_hz), 1))
    is_end[rows] |= np.bincount(pushes)[pushes[rows]] > _LONGEST_S * rate_hz
    return np.concatenate([np.flatnonzero(is_end), [len(steps)]])


def _slope(times: NDArray[np.float64], ends: NDArray[np.int64], over: float) -> tuple[float, float]:
    """Return the median step over stretches of so many samples, and its standard error."""
    marks = np.arange(ends[0], ends[-1], max(min(over, ends[-1] / 8), 1.0))
    rows = np.unique(np.searchsorted(ends, marks))
    slopes = np.diff(times[rows]) / np.diff(ends[rows])
    return _median(slopes) if len(slopes) >= _LEAST_STRETCHES else (1.0, 0.0)


def _exact_step(
    steps: NDArray[np.float64],
    times: NDArray[np.float64],
    ends: NDArray[np.int64],
    pieces: NDArray[np.int64] | None,
) -> float | None:
    """Return the step from one sample to the next where none is lost, None where it jitters."""
    step = float(np.median(steps))
    if (
        step > _TOGETHER
        and abs(step - 1) > _EXACT
        and np.mean(np.abs(steps - step) < _EXACT) > _MOST
    ):
        # Each sample has its own stamp, and none jitters: what is lost are whole steps.
        longer = steps[steps > step + _REGULAR] / step - 1
        is_loss = np.abs(longer - np.round(longer)) < _WHOLE
        return step if np.sum(longer[is_loss]) >= _ALMOST_ALL * np.sum(longer) else None
    sizes = np.diff(ends)
    pushes = np.diff(times) / sizes
    push, _ = _median(np.repeat(pushes, sizes))
    missing = np.diff(times) - sizes
    is_gap = missing > _REGULAR
    is_whole = is_gap & (np.abs(missing - np.maximum(np.round(missing), 1)) < _WHOLE)
    whole = np.sum(missing[is_whole]) > _ALMOST_ALL * np.sum(missing[is_gap]) > 0
    if whole and pieces is not None:
        between = np.isin(ends[:-1][is_gap] + 1, pieces)
        if np.mean(between) < 1 - _MOST:
            return 1.0  # a sender's own rate shows between its pushes, not within
    is_steady = np.abs(pushes - push) < abs(push - 1) / 10
    if np.sum(sizes[is_steady]) > _MOST * np.sum(sizes):
        # Every tenth push lost is steady, too, where nobody knows what came together.
        return 1.0 if whole and pieces is None and push < _LARGE else push
    return 1.0 if whole else None


def _typical_step(slopes: list[tuple[float, float]], long: float) -> float:
    """Decide for the nominal step or the one over long stretches, by shorter ones.

    After most pushes comes the next one, whatever else is lost.
    """
    if long < 1:
        return long  # what is lost makes it longer
    for short, error in slopes:  # of which the shortest that can tell are least often hit
        from_one, from_long = abs(short - 1), abs(short - long)
        if max(from_one, from_long) > _CERTAIN * error:
            return long if from_long < from_one else 1.0
    return 1.0


def _median(values: NDArray[np.float64]) -> tuple[float, float]:
    """Return the lower median, and its standard error."""
    median = float(np.quantile(values, 0.5, method="lower"))
    spread = 1.4826 * float(np.median(np.abs(values - median)))
    return median, 1.25 * spread / len(values) ** 0.5
