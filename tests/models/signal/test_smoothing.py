import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import StreamerError
from models.signal.smoothing import DoubleMovingAverage


@given(
    side=st.sampled_from(["centred", "past"]),
    taps=st.sampled_from([1, 3, 9]),
    samples=st.integers(0, 80),
    columns=st.integers(1, 3),
    cuts=st.lists(st.floats(0, 1), max_size=8),
)
def test_live_equals_offline(equal_in_chunks, side, taps, samples, columns, cuts):
    """Live features would differ from those that the model was trained on."""
    rows = np.random.default_rng(samples).normal(0, 50, (samples, columns))
    smoothed = equal_in_chunks(DoubleMovingAverage(taps, 600, columns, side), rows, cuts)
    assert smoothed.shape == rows.shape


@pytest.mark.parametrize("taps", [3, 9])
def test_equals_the_definition(taps):
    """The corpus' definition would not be what is computed."""
    rows = np.random.default_rng(0).normal(0, 50, (200, 2))
    operator = DoubleMovingAverage(taps, 600, 2)
    smoothed = np.concatenate((operator.process(rows), operator.flush()))
    box = np.ones(taps) / taps
    for column in range(2):
        once = np.convolve(rows[:, column], box)
        twice = np.convolve(once, box)[taps - 1 : -(taps - 1)]
        np.testing.assert_allclose(smoothed[:, column], twice, atol=1e-12)


def test_of_the_past_it_is_the_same_without_waiting():
    """Low-delay features would see the future, or wait for it."""
    rows = np.random.default_rng(0).normal(0, 50, (200, 2))
    past = DoubleMovingAverage(9, 600, 2, "past")
    assert past.delay_s == 0
    once = past.process(rows)
    assert len(past.flush()) == 0
    np.testing.assert_allclose(once[8:], DoubleMovingAverage(9, 600, 2).process(rows), atol=1e-12)


def test_each_sample_comes_eight_later():
    """The latency reported would be wrong."""
    operator = DoubleMovingAverage(9, 600, 1)
    assert operator.delay_samples == 8
    assert operator.delay_s == pytest.approx(8 / 600)
    assert len(operator.process(np.zeros((8, 1)))) == 0
    assert len(operator.process(np.zeros((1, 1)))) == 1


def test_hours_do_not_drift():
    """A running sum would carry the rounding of a saturated burst along for good."""
    rows = np.zeros((100_000, 1))
    rows[100:50_000] = 1e9 / 3
    assert not DoubleMovingAverage(9, 600, 1).process(rows)[60_000:].any()


@pytest.mark.parametrize("taps", [0, 8, -1])
def test_even_taps_are_refused(taps):
    """The average would have no centre."""
    with pytest.raises(StreamerError, match=f"got {taps}; allowed: 1, 3, 5"):
        DoubleMovingAverage(taps, 600, 1)
