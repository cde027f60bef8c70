"""What every operator must hold: no cut of the signal changes the result."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from models.signal.operator import Operator

Array = NDArray[np.float64]
Check = Callable[[Operator, Array, list[float]], Array]


@pytest.fixture(scope="session")
def equal_in_chunks() -> Check:
    """Return a check that an operator gives the same bits however its input is cut.

    Cuts are given as parts of the length; equal ones make empty chunks.
    """

    def check(operator: Operator, rows: Array, cuts: list[float]) -> Array:
        before = rows.copy()
        at_once = np.concatenate((operator.process(rows), operator.flush()))
        places = sorted(round(cut * len(rows)) for cut in cuts)
        parts = []
        for chunk in np.split(rows, places):
            reused = chunk.copy()
            parts.append(operator.process(reused))
            reused[:] = np.nan  # a caller may use its buffer again
        in_chunks = np.concatenate((*parts, operator.flush()))
        np.testing.assert_array_equal(in_chunks, at_once)
        np.testing.assert_array_equal(rows, before)
        one_by_one = [operator.process(row[np.newaxis]) for row in rows]
        np.testing.assert_array_equal(np.concatenate((*one_by_one, operator.flush())), at_once)
        return at_once

    return check
