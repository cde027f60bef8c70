"""The streaming operator: one implementation for offline and live.

Settings are frozen, state is explicit, and the result does not depend on how the
signal is cut into chunks. Offline use is the same operator fed everything at once.
"""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from drivers.errors import SignalMismatchError

Array = NDArray[np.float64]


class Operator(Protocol):
    """A causal step of the signal chain."""

    @property
    def delay_s(self) -> float:
        """Algorithmic delay: how long after the centre of an output its input is complete."""

    def process(self, chunk: Array) -> Array:
        """Take the next samples or frames, shape (n, columns), and return what they complete.

        The input is not modified; n may be 0, and so may be the output's length.
        """

    def flush(self) -> Array:
        """Return what an ending signal still owes, as if its edge were held; then reset."""

    def reset(self) -> None:
        """Forget the past: the next sample is the first of an epoch."""


def as_rows(chunk: Array, columns: int) -> Array:
    """Return a chunk as float64 rows, checked for its number of columns.

    Parameters
    ----------
    chunk : ndarray, shape (n, columns)
        Samples or frames of any real type; not modified.
    columns : int
        How many columns the operator was built for.

    Returns
    -------
    ndarray of float64, shape (n, columns)
        In C order; the chunk itself where it is that already.

    Raises
    ------
    SignalMismatchError
        When the chunk is not two-dimensional or has other columns.
    """
    rows = np.asarray(chunk, dtype=np.float64, order="C")
    if rows.ndim != 2 or rows.shape[1] != columns:
        raise SignalMismatchError(
            "shape of a chunk",
            value=rows.shape,
            allowed=f"(n, {columns})",
            way_out="choose the channels that the model was trained on",
        )
    return rows
