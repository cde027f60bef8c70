"""Two clocks: EMG device and sound card do not agree on what a second is."""

from collections.abc import Callable
from dataclasses import dataclass

_SMOOTHING_S = 1.0  # over the jitter of arrivals
_SETTLING_S = 8.0  # in which an error shrinks to a third, were the drift known
_LARGEST = 0.0015  # correction; clocks differ by 0.0005 at worst, and the rest is room to recover
_LARGEST_DRIFT = 0.001
_MOST_OWED = 2.0  # samples
_LEARNING_S = 60.0


@dataclass
class DriftCounts:
    """What was done about it.

    Attributes
    ----------
    longer_hops, shorter_hops : int
        Hops of the voice that got a sample more, or less.
    """

    longer_hops: int = 0
    shorter_hops: int = 0


class DriftControl:
    """Hold what waits before the loudspeaker at its target, a sample at a time.

    A slow PI controller on the smoothed fill. Its integral is the drift of the clocks, which
    it keeps through gaps and underruns: they change the fill, but no clock.

    Parameters
    ----------
    rate_hz : int
        Sampling rate of the voice.
    target_s : callable
        Returns what should wait right before more comes; it may change.
    """

    def __init__(self, rate_hz: int, target_s: Callable[[], float]) -> None:
        self.counts = DriftCounts()
        self._rate_hz = rate_hz
        self._target_s = target_s
        self._drift = 0.0
        self._watched_s = 0.0
        self.reset()

    @property
    def drift_ppm(self) -> float | None:
        """How much faster the EMG's clock runs than the card's; None in the first minute."""
        return 1e6 * self._drift if self._watched_s >= _LEARNING_S else None

    def reset(self) -> None:
        """Begin with the fill afresh: at the start, after a gap, after an underrun."""
        self._last_s: float | None = None
        self._smoothed_s = 0.0
        self._since_s = 0.0
        self._owed = 0.0  # samples that should have been added by now

    def observe(self, ahead_s: float | None, now_s: float) -> None:
        """Take what waits right before more comes.

        Parameters
        ----------
        ahead_s : float or None
            As `PlayBuffer.ahead_s` says; None, where nothing plays, resets.
        now_s : float
            The time.
        """
        if ahead_s is None:
            self.reset()
            return
        if self._last_s is None:
            self._smoothed_s = ahead_s
        else:
            # Weighted by time, such that of a burst its first chunk counts: it waited.
            self._correct(ahead_s, now_s - self._last_s)
        self._last_s = now_s

    def next_hop(self) -> int:
        """Return how many samples the next hop is to have more, -1, 0 or 1, and count it."""
        more = int(min(max(self._owed, -1.0), 1.0))
        self._owed -= more
        self.counts.longer_hops += more > 0
        self.counts.shorter_hops += more < 0
        return more

    def _correct(self, ahead_s: float, passed_s: float) -> None:
        self._since_s += passed_s
        self._watched_s += passed_s
        if not self._since_s:
            return
        share = min(1.0, passed_s / min(_SMOOTHING_S, self._since_s))
        self._smoothed_s += share * (ahead_s - self._smoothed_s)
        if self._since_s < _SMOOTHING_S:
            return
        error_s = self._smoothed_s - self._target_s()
        wanted = -error_s / _SETTLING_S - self._drift
        given = min(max(wanted, -_LARGEST), _LARGEST)
        owed = self._owed + given * passed_s * self._rate_hz
        self._owed = min(max(owed, -_MOST_OWED), _MOST_OWED)
        # At its limits it would learn a drift that is none.
        if given == wanted and self._owed == owed:
            drift = self._drift + error_s * passed_s / (4 * _SETTLING_S**2)
            self._drift = min(max(drift, -_LARGEST_DRIFT), _LARGEST_DRIFT)
