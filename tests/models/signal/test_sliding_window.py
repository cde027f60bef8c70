import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import StreamerError
from models.signal.sliding_window import SlidingWindow


@given(
    length=st.integers(1, 12),
    shift=st.integers(1, 15),
    rows=st.integers(0, 60),
    cuts=st.lists(st.integers(0, 60), max_size=8),
)
def test_windows_do_not_depend_on_the_cut(length, shift, rows, cuts):
    """Estimates would come at other instants live than in a replay."""
    stream = np.arange(2.0 * rows).reshape(rows, 2)
    sliding = SlidingWindow(length, shift, 2)
    windows = []
    for part in np.split(stream, sorted(cuts)):
        reused = part.copy()
        windows += sliding.process(reused)
        reused[:] = np.nan
    ends = range(shift, rows + 1, shift)
    assert len(windows) == len(ends)
    for window, end in zip(windows, ends, strict=True):
        np.testing.assert_array_equal(window, stream[max(0, end - length) : end])


def test_reset_forgets():
    """The first estimate of a speaker would rest on the one before."""
    sliding = SlidingWindow(10, 4, 1)
    sliding.process(np.ones((7, 1)))
    sliding.reset()
    (window,) = sliding.process(np.zeros((4, 1)))
    np.testing.assert_array_equal(window, np.zeros((4, 1)))


def test_windows_are_independent_copies():
    """A classifier that scales in place would spoil the next window."""
    sliding = SlidingWindow(10, 2, 1)
    first, second = sliding.process(np.ones((4, 1)))
    first[:] = 5
    np.testing.assert_array_equal(second, np.ones((4, 1)))
    second[:] = 5
    (third,) = sliding.process(np.ones((2, 1)))
    np.testing.assert_array_equal(third, np.ones((6, 1)))


def test_bad_sizes_are_named():
    """An empty window would reach the classifier."""
    with pytest.raises(StreamerError, match="length of a sliding window: got 0"):
        SlidingWindow(0, 1, 1)
    with pytest.raises(StreamerError, match="shift"):
        SlidingWindow(1, 0, 1)
