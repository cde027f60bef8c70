"""Frames on a grid that does not drift, whatever the sampling rate."""

from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Final

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from drivers.errors import StreamerError
from models.bounds import check_size
from models.signal.operator import Array

FrameSeconds = Annotated[float, Field(gt=0, le=1)]
ShiftSeconds = Annotated[float, Field(ge=0.001, le=1)]

MOST_SAMPLES: Final = 4096
"""In a frame, and in the window of a spectrum, whose tables grow with the square of it."""


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
        """Refuse frames shorter than a sample, and endless ones."""
        for name, seconds in (("length", self.frame_s), ("shift", self.shift_s)):
            if not seconds * self.rate_hz >= 1:
                raise StreamerError(
                    f"{name} of a frame",
                    value=f"{seconds:g} s",
                    allowed=f"one sample or more at {self.rate_hz:g} Hz",
                )
        check_size("samples of a frame", self.frame_s * self.rate_hz, MOST_SAMPLES)

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

    def starts(self, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the first sample of each frame, as `start` does.

        Parameters
        ----------
        numbers : ndarray of int, shape (frames,)
            Of the frames, from 0.

        Returns
        -------
        ndarray of int, shape (frames,)
            Numbers of the samples, from 0.
        """
        first: NDArray[np.int64] = np.rint(numbers * self.shift_s * self.rate_hz).astype(np.int64)
        return first

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

    def process(self, rows: Array) -> tuple[NDArray[np.int64], Array]:
        """Take the next samples and return the frames that they complete.

        Parameters
        ----------
        rows : ndarray of float64, shape (n, columns)
            Samples; not modified.

        Returns
        -------
        starts : ndarray of int, shape (frames,)
            First sample of each window, counted from the epoch's first.
        windows : ndarray, shape (frames, window, columns)
            Copies.
        """
        extended = np.concatenate((self._pending, rows))
        received = self._first + len(extended)
        complete = self.grid.frames_in(received - self._after)
        starts = self.grid.starts(np.arange(self._next, complete)) - self._before
        windows = extended[(starts - self._first)[:, np.newaxis] + np.arange(self.window)]
        self._next = complete
        done = min(self.grid.start(complete) - self._before - self._first, len(extended))
        self._first += done
        self._pending = extended[done:]
        return starts, windows

    def reset(self) -> None:
        """Forget the past: the next sample is the first of an epoch."""
        self._next = 0
        self._first = -self._before
        self._pending = np.zeros((self._before, self.columns))
