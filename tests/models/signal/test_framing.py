import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import StreamerError
from models.signal.framing import FrameGrid, Framer

rates = st.sampled_from([100.0, 250.0, 500.0, 512.0, 600.0, 1000.0, 2048.0])


@given(rate_hz=rates, samples=st.integers(0, 5000))
def test_counts_the_frames_that_lie_in_a_signal(rate_hz, samples):
    """Targets and features of an utterance would have different lengths."""
    grid = FrameGrid(rate_hz, 0.027, 0.010)
    count = grid.frames_in(samples)
    assert count == 0 or grid.start(count - 1) + grid.length <= samples
    assert grid.start(count) + grid.length > samples


def test_no_rate_drifts():
    """After an hour at 512 Hz speech would lag its EMG: 5.12 samples a frame, not 5."""
    grid = FrameGrid(512, 0.027, 0.010)
    assert grid.start(360_000) == 3600 * 512


@given(
    rate_hz=rates,
    samples=st.integers(0, 300),
    before=st.integers(0, 40),
    after=st.integers(0, 20),
    cuts=st.lists(st.integers(0, 300), max_size=6),
)
def test_windows_lie_around_their_frame(rate_hz, samples, before, after, cuts):
    """A frame would be cut from the wrong place, or lost at the edge of a chunk."""
    grid = FrameGrid(rate_hz, 0.027, 0.010)
    rows = np.arange(1.0, samples + 1)[:, np.newaxis]
    framer = Framer(grid, 1, before, after)
    parts = [framer.process(part) for part in np.split(rows, sorted(cuts))]
    starts = [start for some, _ in parts for start in some]
    windows = np.concatenate([window for _, window in parts])
    assert len(windows) == grid.frames_in(samples - after)
    padded = np.concatenate((np.zeros(before), rows[:, 0]))
    for number, (start, window) in enumerate(zip(starts, windows, strict=True)):
        assert start == grid.start(number) - before
        first = start + before
        np.testing.assert_array_equal(window[:, 0], padded[first : first + framer.window])


def test_shift_longer_than_the_frame():
    """Samples between frames would end up in one of them."""
    framer = Framer(FrameGrid(100, 0.02, 0.05), 1)
    rows = np.arange(20.0)[:, np.newaxis]
    frames = np.concatenate([framer.process(row[np.newaxis])[1] for row in rows])
    np.testing.assert_array_equal(frames[:, :, 0], [[0, 1], [5, 6], [10, 11], [15, 16]])


def test_frames_shorter_than_a_sample_are_refused():
    """A rate far too low would give frames of nothing."""
    with pytest.raises(StreamerError, match="shift of a frame: got 0.01 s"):
        FrameGrid(50, 0.027, 0.010)
    with pytest.raises(StreamerError, match="length of a frame"):
        FrameGrid(600, 0, 0.010)
