"""Frames in the context of their neighbours."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from models.bounds import check_bounds, check_size
from models.compiled import compiled
from models.signal.operator import Array, as_rows

MOST_COLUMNS = 2**17
"""The widest stacked frame has 1001 frames of 26 channels; those of the paper have 930 columns."""


@dataclass(frozen=True)
class StackingSettings:
    """The context of a frame.

    Attributes
    ----------
    past, future : int
        Frames before and after it; TD-15 of the papers is 15 and 15.
    """

    past: Annotated[int, Field(ge=0, le=1000)] = 15
    future: Annotated[int, Field(ge=0, le=1000)] = 0

    def __post_init__(self) -> None:
        """Refuse a negative context, and one of more than a thousand frames."""
        check_bounds(self, "stacking")


class Stacking:
    """Joins the frames k - past ... k + future to one row, the oldest first.

    Before the epoch's first frame this is repeated, after its last frame that one.

    Parameters
    ----------
    settings : StackingSettings
        The context.
    shift_s : float
        Time from one frame to the next.
    columns : int
        Features in a frame.

    Raises
    ------
    StreamerError
        A row has too many columns.
    """

    def __init__(self, settings: StackingSettings, shift_s: float, columns: int) -> None:
        self.settings = settings
        self.shift_s = shift_s
        self._frame_columns = columns
        self._width = settings.past + 1 + settings.future
        check_size("columns of a stacked frame", self._width * columns, MOST_COLUMNS)
        self._context = np.empty((0, columns))

    @property
    def columns(self) -> int:
        """Features in a stacked frame."""
        return self._width * self._frame_columns

    @property
    def delay_s(self) -> float:
        """Time of the frames after the one in the centre."""
        return self.settings.future * self.shift_s

    def process(self, chunk: Array) -> Array:
        """Take the next frames and return those whose context they complete.

        Parameters
        ----------
        chunk : ndarray, shape (n, frame columns)
            Frames; not modified.

        Returns
        -------
        ndarray, shape (m, columns)
            Stacked frames.
        """
        frames = as_rows(chunk, self._frame_columns)
        if len(frames) and not len(self._context):
            self._context = np.repeat(frames[:1], self.settings.past, axis=0)
        stacked, self._context = _stacked(self._context, frames, self._width)
        return stacked

    def flush(self) -> Array:
        """Return the frames whose context reaches beyond the end; then reset.

        Returns
        -------
        ndarray, shape (m, columns)
            As many rows in total as frames went in.
        """
        rest = self.process(np.repeat(self._context[-1:], self.settings.future, axis=0))
        self.reset()
        return rest

    def reset(self) -> None:
        """Forget the past: the next frame is the first of an epoch."""
        self._context = np.empty((0, self._frame_columns))


@compiled
def _stacked(context: Array, frames: Array, width: int) -> tuple[Array, Array]:
    """Return each complete row of so many frames, and the frames that later ones need again."""
    known, columns = context.shape
    extended = np.empty((known + len(frames), columns))
    extended[:known] = context
    extended[known:] = frames
    count = max(0, len(extended) - width + 1)
    stacked = np.empty((count, width * columns))
    for k in range(count):
        for n in range(width):
            stacked[k, n * columns : (n + 1) * columns] = extended[k + n]
    return stacked, extended[count:].copy()
