"""Frames on a grid that does not drift, whatever the sampling rate."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from drivers.errors import StreamerError
from models.signal.operator import Array


@dataclass(frozen=True)
class FrameGrid:
    """Where frames lie in a signal.

    Frame k starts at sample ``round(k * shift_s * rate_hz)``: computed from its number,
    never by adding up a rounded shift.

    Attributes
    ----------
    rate_hz : float
        Sampling rate.
    frame_s : float
        Length of a frame, rounded to whole samples.
    shift_s : float
        From one frame's start to the next one's.
    """

    rate_hz: float
    frame_s: float
    shift_s: float

    def __post_init__(self) -> None:
        """Refuse frames shorter than a sample."""
        for name, seconds in (("length", self.frame_s), ("shift", self.shift_s)):
            if not seconds * self.rate_hz >= 1:
                raise StreamerError(
                    f"{name} of a frame",
                    value=f"{seconds:g} s",
                    allowed=f"one sample or more at {self.rate_hz:g} Hz",
                )

    @cached_property
    def length(self) -> int:
        """Samples in a frame."""
        return round(self.frame_s * self.rate_hz)

    def start(self, number: int) -> int:
        """Return the first sample of a frame.

        Parameters
        ----------
        number : int
            Of the frame, from 0.

        Returns
        -------
        int
            Number of the sample, from 0.
        """
        return round(number * self.shift_s * self.rate_hz)

    def frames_in(self, samples: int) -> int:
        """Return how many frames lie wholly within a signal.

        Parameters
        ----------
        samples : int
            Length of the signal.

        Returns
        -------
        int
            Number of frames.
        """
        count = max(0, int((samples - self.length) / (self.shift_s * self.rate_hz)))
        # The quotient may be one off, for the starts are rounded.
        while self.start(count) + self.length <= samples:
            count += 1
        return count


class Framer:
    """Cuts a stream into windows around the frames of a grid, each as soon as it is complete.

    Parameters
    ----------
    grid : FrameGrid
        Where the frames lie.
    columns : int
        Columns of the signal.
    before, after : int
        Samples around a frame to return with it. Before the epoch the signal is taken as zero.
    """

    def __init__(self, grid: FrameGrid, columns: int, before: int = 0, after: int = 0) -> None:
        self.grid = grid
        self.columns = columns
        self.window = before + grid.length + after
        self._before, self._after = before, after
        self._next: int
        self._first: int
        self._pending: Array
        self.reset()

    def process(self, rows: Array) -> tuple[list[int], Array]:
        """Take the next samples and return the frames that they complete.

        Parameters
        ----------
        rows : ndarray of float64, shape (n, columns)
            Samples; not modified.

        Returns
        -------
        starts : list of int
            First sample of each window, counted from the epoch's first.
        windows : ndarray, shape (frames, window, columns)
            To be read only: they may share what the next ones are cut from.
        """
        extended = np.concatenate((self._pending, rows))
        received = self._first + len(extended)
        complete = self.grid.frames_in(received - self._after)
        starts = [self._begin(k) for k in range(self._next, complete)]
        if len(starts) == 1:  # live, it nearly always is
            place = starts[0] - self._first
            windows = extended[np.newaxis, place : place + self.window]
        else:
            windows = np.empty((len(starts), self.window, self.columns))
            for k, start in enumerate(starts):
                windows[k] = extended[start - self._first : start - self._first + self.window]
        self._next = complete
        done = min(self._begin(complete) - self._first, len(extended))
        self._first += done
        self._pending = extended[done:]
        return starts, windows

    def reset(self) -> None:
        """Forget the past: the next sample is the first of an epoch."""
        self._next = 0
        self._first = -self._before
        self._pending = np.zeros((self._before, self.columns))

    def _begin(self, number: int) -> int:
        """Return the first sample of a frame's window."""
        return self.grid.start(number) - self._before
