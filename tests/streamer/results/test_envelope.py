"""The envelope: the picture of a run shows every burst, and bounded memory."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from streamer.results.envelope import Envelope

EMG = np.random.default_rng(0).normal(size=(600, 2))


@given(cuts=st.lists(st.integers(0, 600), max_size=5))
def test_extremes_do_not_depend_on_the_chunks(cuts: list[int]) -> None:
    """A picture of a live run must be that of its replay."""
    envelope = Envelope(600.0, 2)
    edges = [0, *sorted(cuts), 600]
    for first, last in zip(edges, edges[1:], strict=False):
        envelope.add(first / 600, EMG[first:last])
    times_s, low, high = envelope.extremes()
    bins = EMG.reshape(50, 12, 2)
    np.testing.assert_allclose(times_s, np.arange(50) * 0.02)
    np.testing.assert_allclose(low, bins.min(axis=1), rtol=1e-6)
    np.testing.assert_allclose(high, bins.max(axis=1), rtol=1e-6)


def test_lost_samples_leave_a_hole() -> None:
    """A loss must show in the picture."""
    envelope = Envelope(600.0, 2)
    envelope.add(0.0, EMG[:12])
    envelope.add(0.1, EMG[60:72])
    _, low, high = envelope.extremes()
    assert len(low) == 6
    assert np.isnan(low[1:5]).all()
    assert not np.isnan(high[[0, 5]]).any()


def test_memory_is_bounded_over_hours() -> None:
    """A long session must not fill the memory for a picture of 2000 pixels."""
    envelope = Envelope(600.0, 1)
    for hour in range(3):
        envelope.add(3600.0 * hour, np.full((600, 1), float(hour + 1)))
    times_s, low, _ = envelope.extremes()
    assert len(low) <= 65536
    at = np.searchsorted(times_s, [0.0, 3600.0, 7200.0])
    np.testing.assert_array_equal(low[at, 0], [1, 2, 3])
