"""Channels that fail, and channels that work again."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.compiled import compiled
from models.signal.operator import Array

Codes = NDArray[np.uint8]
"""State of each channel at each sample, shape (n, channels): one of the three below."""

WORKS: Final = 0
FAILS: Final = 1
RETURNS: Final = 2
"""It still fails, and this sample is the first good one after bad ones."""

REASONS: Final = (
    "",
    "values that are no numbers",
    "a value that does not change",
    "a value that stays at its highest or lowest",
)
"""Why a channel fails, by the number that `Electrodes.reasons` gives."""

_NO_NUMBERS, _FLAT, _LIMIT = 1, 2, 3

# A rough analogue-digital converter repeats the value of a quiet channel now and then: with noise
# of half a step ten times, with a quarter of a step a hundred times.
_FLAT_S, _FLAT_SAMPLES = 0.5, 300
# At its limit, an amplifier repeats its highest or lowest value, and comes there from far away; EMG
# touches it for moments, and EMG on a drifting offset has it as its highest for moments, too.
_SHARE, _SHARE_S = 0.5, 0.2
_LEAST_SPAN_UV = 100.0  # between the two limits
_FAR, _FAR_S = 0.25, 0.2  # of the span away, not longer ago
_STANDS_S = 0.05  # a limit that was not exceeded for so long
_BACK_S, _BACK_RUN_S = 0.5, 0.1  # good for so long, and no value repeated for so long
_EQUAL = 5  # EMG and its amplifier's noise hardly ever repeat a value so often

_MISSING, _EQUALS, _FAILING, _FAILURES = range(4)


@dataclass(frozen=True)
class ChannelCounts:
    """What one channel did.

    Attributes
    ----------
    missing_values : int
        Values that were no numbers, where other channels had some.
    equal_values : int
        Values in runs of five equal ones or more.
    failing_samples : int
        Samples while it failed.
    failures : int
        Times that it began to fail.
    reason : str
        Why it did last; empty where it never did.
    """

    missing_values: int
    equal_values: int
    failing_samples: int
    failures: int
    reason: str


class Electrodes:
    """Raw EMG in; EMG that is finite, and which channels fail, out.

    A value that is no number is replaced by the one before. A channel fails

    * where values are no numbers for longer than a gap that is bridged, or from the start;
    * where its value does not change for half a second;
    * where in most of 0.2 s it is its highest or its lowest value, or no number.

    It works again once it has been good for half a second. Quiet EMG changes, and never fails.
    The result does not depend on how the EMG is cut into chunks.

    Parameters
    ----------
    channels : int
        Columns of the signal.
    rate_hz : float
        Sampling rate.
    bridge : int
        Samples of the longest gap that is bridged.

    Attributes
    ----------
    reasons : ndarray of int, shape (channels,)
        Why each channel fails now, an index into `REASONS`; 0 where it works.
    last_reasons : ndarray of int, shape (channels,)
        Why it failed last; 0 where it never did.
    """

    def __init__(self, channels: int, rate_hz: float, bridge: int) -> None:
        self._settings = (
            bridge,
            max(round(_FLAT_S * rate_hz), _FLAT_SAMPLES),
            1 - np.exp(-1 / (_SHARE_S * rate_hz)),
            max(round(_BACK_S * rate_hz), 1),
            max(round(_BACK_RUN_S * rate_hz), 2 * _EQUAL),
            round(_FAR_S * rate_hz),
            round(_STANDS_S * rate_hz),
        )
        self._counts = np.zeros((channels, 4), dtype=np.int64)
        self.last_reasons = np.zeros(channels, dtype=np.int64)
        self.reasons = np.zeros(channels, dtype=np.int64)
        self._values = np.empty((channels, 4))  # last, highest, lowest, share of bad ones
        self._runs = np.empty((channels, 3), dtype=np.int64)  # equal, missing, good
        # Since the highest and the lowest value are what they are, and since it was far from them.
        self._since = np.empty((channels, 4), dtype=np.int64)
        self.reset()

    def process(self, rows: Array) -> Codes | None:
        """Take the next samples.

        Parameters
        ----------
        rows : ndarray, shape (n, channels)
            Raw EMG in microvolts; values that are no numbers are replaced in place.

        Returns
        -------
        Codes or None
            None where no channel fails.
        """
        codes = np.zeros(rows.shape, dtype=np.uint8)
        any_fails = _check(
            rows, codes, self._values, self._runs, self._since, self.reasons,
            self.last_reasons, self._counts, *self._settings,
        )  # fmt: skip
        return codes if any_fails else None

    @property
    def failures(self) -> NDArray[np.int64]:
        """How often each channel failed, shape (channels,)."""
        return self._counts[:, _FAILURES]

    def settle(self, rows: Array) -> Array:
        """Take samples from before an epoch; nothing is counted but the failures it begins with.

        Parameters
        ----------
        rows : ndarray, shape (m, channels)
            As `process` takes them.

        Returns
        -------
        ndarray, shape (at most m, channels)
            Those since the last return of a channel, for filters to settle on.
        """
        counts = self._counts.copy()
        codes = self.process(rows)
        self._counts[:] = counts
        self._counts[:, _FAILURES] += self.reasons > 0
        if codes is None or not (codes == RETURNS).any():
            return rows
        return rows[np.flatnonzero((codes == RETURNS).any(axis=1))[-1] :]

    def bridged(self, samples: int) -> Codes | None:
        """Return the codes of samples that stand for lost ones; nothing is counted."""
        if not self.reasons.any():
            return None
        return np.repeat((self.reasons > 0)[np.newaxis].astype(np.uint8), samples, axis=0)

    def interrupt(self, *, forget: bool) -> None:
        """Learn that samples are lost before the next.

        Parameters
        ----------
        forget : bool
            So many that the value before them says nothing of the value after them.
        """
        self._runs[:, 0] = 0
        if forget:
            self._runs[:] = 0
            self._values[:, 0] = np.nan

    def reset(self) -> None:
        """Forget the past but the counts: the next sample is the first of an epoch."""
        self.reasons[:] = 0
        self._runs[:] = 0
        self._since[:] = 0
        self._values[:] = (np.nan, -np.inf, np.inf, 0.0)

    def counts(self) -> list[ChannelCounts]:
        """Return what each channel did."""
        return [
            ChannelCounts(missing, equal, failing, failures, REASONS[reason])
            for (missing, equal, failing, failures), reason in zip(
                self._counts.tolist(), self.last_reasons, strict=True
            )
        ]


@compiled
def _check(
    rows: Array,
    codes: Codes,
    values: Array,
    runs: NDArray[np.int64],
    since: NDArray[np.int64],
    reasons: NDArray[np.int64],
    last_reasons: NDArray[np.int64],
    counts: NDArray[np.int64],
    bridge: int,
    flat: int,
    rate: float,
    back: int,
    back_run: int,
    far: int,
    stands: int,
) -> bool:
    """Check rows as `Electrodes.process` says; all arrays are changed in place."""
    any_fails = False
    for n in range(rows.shape[0]):
        for channel in range(rows.shape[1]):
            x, last = rows[n, channel], values[channel, 0]
            missing, at_limit = not np.isfinite(x), False
            if missing:
                rows[n, channel] = last if np.isfinite(last) else 0.0
                runs[channel, 0] = 0
                runs[channel, 1] += 1
                counts[channel, _MISSING] += 1
            else:
                runs[channel, 1] = 0
                runs[channel, 0] = runs[channel, 0] + 1 if x == last else 1
                run = runs[channel, 0]
                if run >= _EQUAL:
                    counts[channel, _EQUALS] += _EQUAL if run == _EQUAL else 1
                at_limit = _at_limit(x, values[channel], since[channel], far, stands)
                values[channel, 0] = x
            bad = 1.0 if missing or at_limit else 0.0
            values[channel, 3] += (bad - values[channel, 3]) * rate
            if reasons[channel] == 0:
                reason = 0
                if missing and (runs[channel, 1] > bridge or not np.isfinite(last)):
                    reason = _NO_NUMBERS
                elif runs[channel, 0] >= flat:
                    reason = _FLAT
                elif values[channel, 3] > _SHARE:
                    reason = _NO_NUMBERS if missing else _LIMIT
                if reason > 0:
                    reasons[channel] = last_reasons[channel] = reason
                    runs[channel, 2] = 0
                    counts[channel, _FAILURES] += 1
            elif bad > 0 or runs[channel, 0] >= back_run:
                runs[channel, 2] = 0
            else:
                runs[channel, 2] += 1
                if runs[channel, 2] >= back:
                    reasons[channel] = 0
                    values[channel, 3] = 0.0
            if reasons[channel] > 0:
                any_fails = True
                counts[channel, _FAILING] += 1
                codes[n, channel] = RETURNS if runs[channel, 2] == 1 else FAILS
    return any_fails


@compiled
def _at_limit(x: float, values: Array, since: NDArray[np.int64], far: int, stands: int) -> bool:
    """Say whether a value is the highest or the lowest, and came there from far away."""
    high, low = values[1], values[2]
    since += 1
    if x > high:
        values[1], since[0] = x, 0
    if x < low:
        values[2], since[1] = x, 0
    span = values[1] - values[2]
    if x <= values[1] - _FAR * span:
        since[2] = 0
    if x >= values[2] + _FAR * span:
        since[3] = 0
    if span < _LEAST_SPAN_UV:
        return False
    highest = x == high and since[0] >= stands and since[2] <= far
    lowest = x == low and since[1] >= stands and since[3] <= far
    return bool(highest or lowest)
