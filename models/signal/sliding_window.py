"""The last rows of a stream, at regular intervals."""

import numpy as np

from drivers.errors import StreamerError
from models.signal.operator import Array, as_rows


class SlidingWindow:
    """Keeps the last rows of a stream and returns them every so many rows.

    Parameters
    ----------
    length : int
        Rows in a window.
    shift : int
        Rows from one window's end to the next one's.
    columns : int
        Columns of the stream.
    """

    def __init__(self, length: int, shift: int, columns: int) -> None:
        for name, rows in (("length", length), ("shift", shift)):
            if rows < 1:
                raise StreamerError(f"{name} of a sliding window", value=rows, allowed=">= 1 row")
        self.length = length
        self.shift = shift
        self.columns = columns
        self._rows: Array
        self._missing: int
        self.reset()

    def process(self, chunk: Array) -> list[Array]:
        """Take the next rows and return the windows that they complete.

        Parameters
        ----------
        chunk : ndarray, shape (n, columns)
            Rows; not modified.

        Returns
        -------
        list of ndarray, shape (m, columns)
            Copies, the oldest window first. Windows end `shift`, 2 `shift` ... rows
            after the start; the first ones are shorter than `length`.
        """
        extended = np.concatenate((self._rows, as_rows(chunk, self.columns)))
        first_end = len(self._rows) + self._missing
        windows = [
            extended[max(0, end - self.length) : end].copy()
            for end in range(first_end, len(extended) + 1, self.shift)
        ]
        self._missing = first_end + len(windows) * self.shift - len(extended)
        self._rows = extended[max(0, len(extended) - self.length) :].copy()
        return windows

    def reset(self) -> None:
        """Forget the past: the next row is the first of an epoch."""
        self._rows = np.empty((0, self.columns))
        self._missing = self.shift
