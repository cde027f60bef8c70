"""What is a time stamp at all, for LSL and for files alike."""

import numpy as np
import pytest

from drivers.stamps import LATEST_S, are_times, repaired


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf, 1e300, -1e300, LATEST_S])
@pytest.mark.parametrize("row", [0, 3, 9])
def test_a_stamp_that_is_none_is_told_by_its_neighbours(wrong, row):
    """One of them would be hours of loss, the end of a stream, or a traceback."""
    times_s = 100 + np.arange(10) / 600
    damaged = times_s.copy()
    damaged[row] = wrong
    assert np.flatnonzero(~are_times(damaged)).tolist() == [row]
    mended, replaced = repaired(damaged, 600.0)
    assert replaced == 1
    np.testing.assert_allclose(mended, times_s)


def test_where_no_stamp_is_a_time_there_is_nothing_to_tell_by():
    """Samples at a time that nobody knows would be put anywhere."""
    mended, replaced = repaired(np.full(5, np.nan), 600.0)
    assert (len(mended), replaced) == (0, 5)


@pytest.mark.parametrize("clock_s", [0.0, -1e4, 1.8e9])
def test_the_time_of_any_clock_is_one(clock_s):
    """Clocks count from 1970, from the start of a machine, or from a synchronisation."""
    assert are_times(np.array([clock_s])).all()
