"""How late a prediction is."""

import numpy as np
import pytest

from models.evaluation.metrics.lag import LONGEST, peak, prediction_lag


def smooth(seed, count=400, order=6):
    noise = np.random.default_rng(seed).normal(size=(count + 50, order))
    window = np.hanning(15)
    return np.stack([np.convolve(one, window, "same") for one in noise.T], axis=1)


@pytest.mark.parametrize("lag", [-7, 0, 3])
def test_a_known_lag_comes_back(lag):
    """The wrong sign would make a late voice look early."""
    speech = [smooth(seed) for seed in range(3)]
    natural = [one[20:420] for one in speech]
    made = [0.5 * one[20 - lag : 420 - lag] + 3.0 for one in speech]  # softer, and offset
    assert prediction_lag(made, natural) == pytest.approx(lag, abs=0.1)


def test_half_a_frame_is_seen():
    """Predictions trail by 2 to 17 ms; a frame is 10."""
    speech = smooth(0)
    between = (speech[20:420] + speech[19:419]) / 2
    assert prediction_lag([between], [speech[20:420]]) == pytest.approx(0.5, abs=0.1)


def test_the_loudest_coefficient_does_not_count():
    """Level follows the gate; the lag is that of the spectrum."""
    natural = smooth(0)[20:420]
    made = natural.copy()
    made[:, 0] = np.roll(natural[:, 0], LONGEST // 2) * 100
    assert prediction_lag([made], [natural]) == pytest.approx(0, abs=0.05)


def test_a_peak_at_the_edge_is_no_parabola():
    """An index outside of the curve would follow."""
    assert peak(np.array([3.0, 2.0, 1.0])) == 0
    assert peak(np.array([1.0, 3.0, 1.0])) == 1
    assert peak(np.ones(5)) == 0
