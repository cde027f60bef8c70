import numpy as np
import pytest

from drivers.errors import SignalMismatchError
from models.evaluation.metrics.calibration import expected_calibration_error, reliability


def two_classes(top):
    """Rows that say class 0 with these probabilities."""
    first = np.asarray(top, dtype=float)
    return np.stack((first, 1 - first), axis=1)


def test_the_curve_of_a_few_decisions():
    """A wrong bin or a wrong class turns an overconfident classifier into an honest one."""
    curve = reliability(two_classes([0.6, 0.95, 0.95, 0.95, 1.0]), [0, 0, 0, 1, 0])
    np.testing.assert_array_equal(curve.count, [0, 0, 0, 0, 0, 1, 0, 0, 0, 4])
    assert curve.accuracy[9] == 0.75
    assert curve.confidence[9] == pytest.approx((3 * 0.95 + 1) / 4)
    assert np.isnan(curve.accuracy[0])
    expected = (abs(1 - 0.6) + 4 * abs(0.75 - curve.confidence[9])) / 5
    found = expected_calibration_error(two_classes([0.6, 0.95, 0.95, 0.95, 1.0]), [0, 0, 0, 1, 0])
    assert found == pytest.approx(expected)


def test_answers_that_come_true_as_often_as_they_say_are_calibrated():
    """The error must vanish for honest probabilities and show overconfidence in full."""
    rng = np.random.default_rng(0)
    said = rng.uniform(0.5, 1, 20000)
    truth = (rng.uniform(size=20000) > said).astype(int)
    assert expected_calibration_error(two_classes(said), truth) < 0.02
    boast = np.full(20000, 0.99)
    truth = (rng.uniform(size=20000) > 0.7).astype(int)
    assert expected_calibration_error(two_classes(boast), truth) == pytest.approx(0.29, abs=0.02)


def test_a_class_that_no_column_stands_for_is_never_right():
    """An unknown speaker must not count as a success of the first one."""
    assert expected_calibration_error(two_classes([1.0, 1.0]), [-1, -1]) == 1.0


@pytest.mark.parametrize("truth", [[0], [[0], [1]]])
def test_shapes_that_do_not_fit_are_refused(truth):
    """Broadcasting would make a figure of anything."""
    with pytest.raises(SignalMismatchError, match="probabilities and truths"):
        reliability(two_classes([0.5, 0.5]), truth)
