"""Lost samples, from time stamps alone.

LSL numbers no samples. What is lost shows only as time stamps that run ahead of the
nominal rate, and so does a sender that is late: senders that stamp at arrival jitter.
So the first stamp after the samples so far is expected on a line along the earliest
stamps, and a deviation counts as a loss

* at once where the stamps have been regular, or where it is larger than any jitter; a single
  sample only where they have been exact: that much, most senders are late at times;
* where they jitter, only when it lasts for `_SETTLE_S` and is no part of the jitter.

The line follows clocks that differ by up to `_DRIFT`. So a loss smaller than the jitter
goes unseen, and so does one slower than the drift, 0.6 samples a second at 600 Hz.

What is no time at all is replaced before by what its neighbours tell, see `repaired`.
"""

import math
from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_LOSS_SAMPLES = 1.5  # a deviation below this is none
_REGULAR_SAMPLES = 0.5  # jitter below this is none
_EXACT_SAMPLES = 0.05  # stamps that deviate by less are computed, not read from a clock
_WHOLE_SAMPLES = 0.07
_EXACT_PUSHES = 8  # of fewer, chance can be the reason
_SETTLE_S = 0.5
_SETTLE_PUSHES = 16
_LARGE_S = 0.25
_JITTER_MEMORY_S = 2.0
_DRIFT = 1e-3


@dataclass(frozen=True)
class Gap:
    """Lost samples.

    Attributes
    ----------
    row : int
        They are missing before this sample of the piece.
    lost : int
        Number of lost samples, an estimate.
    """

    row: int
    lost: int


class Timeline:
    """The time stamps of one stream.

    Parameters
    ----------
    rate_hz : float
        Nominal rate.

    Attributes
    ----------
    backward : int
        Times that the stamps jumped back: the sender's clock was set, or a loss was
        declared that was only lateness.
    """

    def __init__(self, rate_hz: float) -> None:
        self._rate_hz = rate_hz
        self.backward = 0
        self._expected_s: float | None = None
        self._begin()

    def _begin(self) -> None:
        self._seen = self._pushes = 0
        self._jitter = 0.0  # in samples, as are all deviations
        # Deviation and samples of each push of the last `_SETTLE_S`.
        self._recent: deque[tuple[float, int]] = deque()
        self._recent_samples = 0

    def change_rate(self, rate_hz: float, stamp_s: float) -> None:
        """Go on at another rate: the stamps have shown that it is the true one.

        Parameters
        ----------
        rate_hz : float
            At which samples come.
        stamp_s : float
            Stamp of the last sample so far.
        """
        self._rate_hz = rate_hz
        self._expected_s = stamp_s + 1 / rate_hz
        self._begin()

    def restart(self, stamp_s: float, clock_change_s: float = 0.0) -> int:
        """Begin anew after an interruption.

        Parameters
        ----------
        stamp_s : float
            First time stamp after it.
        clock_change_s : float
            By how much the sender's clock was set back meanwhile.

        Returns
        -------
        int
            Samples that would have come in the meantime.
        """
        missed = 0.0
        if self._expected_s is not None:
            missed = stamp_s + clock_change_s - self._expected_s
        self._expected_s = stamp_s
        self._begin()
        return max(0, round(missed * self._rate_hz))

    def follow(self, stamps_s: NDArray[np.float64]) -> list[Gap]:
        """Take the stamps of the next samples and say where samples are missing.

        Parameters
        ----------
        stamps_s : ndarray of float64, shape (n,)
            One for each sample, n > 0.

        Returns
        -------
        list of Gap
            By row.
        """
        # The stamps of samples pushed together are regular, so only the first counts.
        steps = np.diff(stamps_s) * self._rate_hz
        starts = [0, *(np.flatnonzero(np.abs(steps - 1) > _REGULAR_SAMPLES) + 1).tolist()]
        ends = [*starts[1:], len(stamps_s)]
        gaps = []
        for start, end in zip(starts, ends, strict=True):
            lost = self._step(float(stamps_s[start]), end - start)
            if lost:
                gaps.append(Gap(start, lost))
        return gaps

    def _step(self, stamp_s: float, samples: int) -> int:
        """Take samples that were pushed together; return how many are lost before them."""
        if self._expected_s is None:
            self._expected_s = stamp_s
        deviation = (stamp_s - self._expected_s) * self._rate_hz
        lost = self._lost(deviation, samples)
        if lost:
            self._expected_s += lost / self._rate_hz
            deviation -= lost
        if deviation < -_LOSS_SAMPLES and self._regular:
            self.backward += 1
        fade = math.exp(-samples / (self._rate_hz * _JITTER_MEMORY_S))
        self._jitter = max(abs(deviation), self._jitter * fade)
        # Early stamps are right at once, late ones may be drift.
        shift = min(deviation, _DRIFT * samples)
        self._expected_s += (samples + shift) / self._rate_hz
        self._seen += samples
        self._pushes += 1
        return lost

    @property
    def _settled(self) -> bool:
        return self._seen >= _SETTLE_S * self._rate_hz

    @property
    def _exact(self) -> bool:
        return self._settled and self._pushes > _EXACT_PUSHES and self._jitter < _EXACT_SAMPLES

    @property
    def _regular(self) -> bool:
        return self._settled and self._jitter < _REGULAR_SAMPLES

    def _lost(self, deviation: float, samples: int) -> int:
        lasting = self._lasting(deviation, samples)
        large = deviation > _LARGE_S * self._rate_hz
        if deviation >= _LOSS_SAMPLES and (large or self._regular):
            lost = round(deviation)
        elif self._exact and abs(deviation - 1) < _WHOLE_SAMPLES:
            lost = 1
        elif lasting > max(_LOSS_SAMPLES, self._jitter / 2):
            lost = round(lasting)
        else:
            return 0
        self._recent.clear()
        self._recent_samples = 0
        return lost

    def _lasting(self, deviation: float, samples: int) -> float:
        """Least deviation of the last `_SETTLE_S`, 0 before there are as many."""
        self._recent.append((deviation, samples))
        self._recent_samples += samples
        enough = _SETTLE_S * self._rate_hz
        while (
            len(self._recent) > _SETTLE_PUSHES
            and self._recent_samples - self._recent[0][1] >= enough
        ):
            self._recent_samples -= self._recent.popleft()[1]
        if len(self._recent) < _SETTLE_PUSHES or self._recent_samples < enough:
            return 0.0
        return min(d for d, _ in self._recent)
