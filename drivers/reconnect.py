"""When a source is stalled, and how often it tries to come back."""

STALL_S = 0.4
"""Silence after which a source is `STALLED`: longer than any burst, shorter than a word."""


class StallTimer:
    """Tells silence from a burst.

    Parameters
    ----------
    stall_s : float
        Silence that counts as a stall.

    Attributes
    ----------
    since_s : float
        When data came last, on the session's clock.
    """

    def __init__(self, stall_s: float = STALL_S) -> None:
        self._stall_s = stall_s
        self.since_s = 0.0

    def touch(self, now_s: float) -> None:
        """Take note that data came."""
        self.since_s = now_s

    def stalled(self, now_s: float) -> bool:
        """Say whether there was silence for too long."""
        return now_s - self.since_s > self._stall_s


class Backoff:
    """Times of the next attempts to connect: soon at first, then less and less often.

    Parameters
    ----------
    first_s, longest_s : float
        Delay after the first attempt, and the longest one. The longest is half a second,
        because a device that is back shall be heard within two.
    """

    def __init__(self, first_s: float = 0.05, longest_s: float = 0.5) -> None:
        self._first_s, self._longest_s = first_s, longest_s
        self.reset()

    def reset(self) -> None:
        """Forget the failures; the next attempt is due at once."""
        self._delay_s, self._due_s = self._first_s, float("-inf")

    def due(self, now_s: float) -> bool:
        """Say whether it is time for an attempt."""
        return now_s >= self._due_s

    def failed(self, now_s: float) -> None:
        """Put the next attempt off."""
        self._due_s = now_s + self._delay_s
        self._delay_s = min(2 * self._delay_s, self._longest_s)

    def left_s(self, now_s: float) -> float:
        """Return how long it is to the next attempt."""
        return max(0.0, self._due_s - now_s)
