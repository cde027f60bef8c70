"""Acquisition times from sample numbers and arrival times.

A sample cannot arrive before it was acquired, but it can arrive late: adapters collect
bytes, hosts are busy. So the samples' times lie on the *lower envelope* of the arrivals,
a line ``time = intercept + number * period``. It is found as by Moon, Skelly and Towsley
("Estimation and removal of clock skew from network delay measurements", INFOCOM 1999):
of all lines below every arrival the one that is nearest to them on average, which is the
edge over their mean of their lower convex hull (Zhang, Liu and Xia, "Clock
synchronization algorithms for network measurements", INFOCOM 2002).
"""

from collections import deque
from itertools import pairwise

_BLOCK_S = 0.25  # of these arrivals, the earliest stands for all
_WINDOW_S = 60.0  # older arrivals are forgotten
_TRUST_S = 20.0  # arrivals over this time are enough to know the period
_LARGEST_DRIFT = 500e-6  # no quartz is worse
_JITTER_ARRIVALS = 1000


class SampleClock:
    """The time at which each sample of a steady source was acquired.

    Times are right but for the shortest transport delay, which nobody can see from here.
    In the beginning the nominal period is taken for granted, and what the arrivals say
    gains weight until it decides alone after 20 s: a clock that is 100 ppm off costs 0.5 ms
    at most in between. After `restart` the period that was learnt holds at once.

    Parameters
    ----------
    rate_hz : float
        Nominal sampling rate.

    Attributes
    ----------
    drift_ppm : float or None
        How much faster the source's clock runs than this host's; None in the first 20 s.
    jitter_ms : float or None
        How long the oldest sample of an arrival had waited: 95 % of the recent arrivals are
        within. None in the beginning.
    """

    def __init__(self, rate_hz: float) -> None:
        self.drift_ppm: float | None = None
        self.jitter_ms: float | None = None
        self._nominal_s = 1 / rate_hz
        self._period_s = self._nominal_s
        self._block = max(1, round(_BLOCK_S * rate_hz))
        self._waits_s: deque[float] = deque(maxlen=_JITTER_ARRIVALS)
        self.restart()

    def restart(self) -> None:
        """Begin anew after a gap whose length is not known; the period is kept."""
        self._prior_s = self._period_s
        self._intercept_s: float | None = None
        # Samples so far and arrival, of the earliest arrival in each block.
        self._earliest: deque[tuple[int, float]] = deque(maxlen=round(_WINDOW_S / _BLOCK_S))
        self._block_end = 0

    def add(self, samples_total: int, arrival_s: float, arrived: int = 1) -> None:
        """Take note of an arrival.

        Parameters
        ----------
        samples_total : int
            Samples acquired up to the newest one that arrived, lost ones counted in: its
            number plus 1.
        arrival_s : float
            When it arrived.
        arrived : int
            Samples that arrived together.
        """
        line_s = arrival_s - self._period_s * samples_total
        if self._intercept_s is None:
            self._intercept_s = line_s
        if samples_total >= self._block_end:
            if self._earliest:
                self._fit()
                line_s = arrival_s - self._period_s * samples_total
            self._block_end = samples_total + self._block
            self._earliest.append((samples_total, arrival_s))
        else:
            number, earliest_s = self._earliest[-1]
            if line_s < earliest_s - self._period_s * number:
                self._earliest[-1] = (samples_total, arrival_s)
        self._intercept_s = min(self._intercept_s, line_s)
        self._waits_s.append(arrival_s - self.time_s(samples_total - arrived))

    def time_s(self, sample_number: int) -> float:
        """Return when a sample was acquired, as is known by now.

        Parameters
        ----------
        sample_number : int
            Counted from 0, lost samples counted in; any number.

        Returns
        -------
        float
            Seconds on the clock of the arrivals; rises with the number, but what is learnt
            between two calls can move it either way.
        """
        if self._intercept_s is None:
            raise ValueError("no sample has arrived yet")
        return self._intercept_s + self._period_s * (sample_number + 1)

    def _fit(self) -> None:
        """Lay the line anew below the earliest arrivals."""
        points = list(self._earliest)
        span_s = (points[-1][0] - points[0][0]) * self._nominal_s
        trust = min(span_s / _TRUST_S, 1.0)
        if trust > 0:
            limit_s = self._nominal_s * _LARGEST_DRIFT
            excess_s = min(max(self._excess_s(points), -limit_s), limit_s)
            self._period_s = self._prior_s + trust * (self._nominal_s + excess_s - self._prior_s)
        self._intercept_s = min(arrival_s - self._period_s * n for n, arrival_s in points)
        if trust == 1.0:
            self.drift_ppm = (self._nominal_s / self._period_s - 1) * 1e6
        waits_s = sorted(self._waits_s)
        self.jitter_ms = max(0.0, waits_s[int(0.95 * len(waits_s))]) * 1000

    def _excess_s(self, points: list[tuple[int, float]]) -> float:
        """Slope, above the nominal one, of the hull's edge over the mean of the points."""
        start, start_s = points[0]
        hull: list[tuple[float, float]] = []
        for n, arrival_s in points:
            x = float(n - start)
            y = arrival_s - start_s - self._nominal_s * x
            while len(hull) > 1 and _above(hull[-2], hull[-1], (x, y)):
                hull.pop()
            hull.append((x, y))
        mean = sum(n - start for n, _ in points) / len(points)
        (x0, y0), (x1, y1) = next(edge for edge in pairwise(hull) if edge[1][0] >= mean)
        return (y1 - y0) / (x1 - x0)


def _above(
    first: tuple[float, float], middle: tuple[float, float], last: tuple[float, float]
) -> bool:
    """Say whether the middle point lies on or above the line from the first to the last."""
    return (middle[1] - first[1]) * (last[0] - first[0]) >= (last[1] - first[1]) * (
        middle[0] - first[0]
    )
