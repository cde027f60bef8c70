"""How many frames are missing where no counter says it, or where it may have wrapped."""

from collections import deque

_BELIEVED_S = 0.1
"""Time has to say more than bytes by this much to be believed: no burst is that long."""

_BELIEVED_AFTER_HOLE_S = 0.02
"""The same where bytes are known to be missing: an adapter collects for 16 ms."""


class Passed:
    """Relates places in the byte stream to the caller's time, counted in frames.

    The last byte of a push was sampled right before it arrived, and those before it at the
    pace of the device: so bytes that were held up somewhere are older than their arrival.

    Parameters
    ----------
    size : int
        Bytes of a frame.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._bytes = 0
        self._frames = 0.0
        self._known_from = 0
        self._arrivals: deque[tuple[int, float]] = deque()  # bytes so far, frames so far

    @property
    def bytes(self) -> int:
        """All bytes so far."""
        return self._bytes

    def add(self, size: int, frames_passed: float | None) -> None:
        """Take note of `size` bytes, and of the time since those before."""
        if frames_passed is None:
            self._known_from = self._bytes + size
        else:
            self._frames += frames_passed
        if size:
            self._bytes += size
            self._arrivals.append((self._bytes, self._frames))

    def forget(self, end: int) -> None:
        """Nobody will ask about bytes before the one that ends at `end`."""
        while len(self._arrivals) > 1 and self._arrivals[0][0] < end:
            self._arrivals.popleft()

    def between(self, earlier_end: int, later_end: int) -> float | None:
        """Return the frames sampled from one byte to another; None where not known."""
        if earlier_end < self._known_from:
            return None
        return self._at(later_end) - self._at(earlier_end)

    def _at(self, end: int) -> float:
        bytes_, frames = next(arrival for arrival in self._arrivals if arrival[0] >= end)
        return frames - (bytes_ - end) / self._size


def estimate_lost(
    skipped_frames: float, passed: float | None, *, hole: bool, rate_hz: float
) -> int:
    """Estimate the frames lost between two frames of a stream without a counter.

    Parameters
    ----------
    skipped_frames : float
        Bytes between the two, in frames.
    passed : float, optional
        Frames that were sampled from one to the other by time.
    hole : bool
        Bytes may be missing that time alone can tell.
    rate_hz : float
        Frames a second.

    Returns
    -------
    int
        From bytes; from time where it tells clearly more.
    """
    by_bytes = round(skipped_frames)
    if passed is None:
        return by_bytes
    by_time = round(passed) - 1
    believed_s = _BELIEVED_AFTER_HOLE_S if hole else _BELIEVED_S
    return by_time if by_time - by_bytes > believed_s * rate_hz else by_bytes
