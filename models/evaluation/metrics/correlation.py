"""How well a course over time is followed, offset and scale included."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from drivers.errors import SignalMismatchError


def concordance(predicted: ArrayLike, reference: ArrayLike) -> NDArray[np.float64]:
    """Return the concordance correlation coefficient of each column.

    ``2 cov(x, y) / (var x + var y + (mean x - mean y)^2)``: Lin (1989), "A concordance
    correlation coefficient to evaluate reproducibility", Biometrics 45, with variances over n.

    Parameters
    ----------
    predicted, reference : array_like, shape (n, columns)
        Frames that belong together.

    Returns
    -------
    ndarray, shape (columns,)
        From -1 to 1; NaN for a column in which nothing varies and nothing differs.

    Raises
    ------
    SignalMismatchError
        If the shapes differ or there is no frame.
    """
    x, y = np.asarray(predicted, dtype=np.float64), np.asarray(reference, dtype=np.float64)
    if x.shape != y.shape or x.ndim != 2 or not len(x):
        raise SignalMismatchError(
            "courses to compare",
            value=f"shapes {x.shape} and {y.shape}",
            allowed="one shape (frames, columns) with at least one frame",
        )
    centred_x, centred_y = x - x.mean(axis=0), y - y.mean(axis=0)
    spread = (centred_x**2).mean(axis=0) + (centred_y**2).mean(axis=0)
    spread += (x.mean(axis=0) - y.mean(axis=0)) ** 2
    together = 2 * (centred_x * centred_y).mean(axis=0)
    result: NDArray[np.float64] = np.divide(
        together, spread, out=np.full_like(spread, np.nan), where=spread > 0
    )
    return result
