import numpy as np
import pytest

pytest.importorskip("sklearn")

from drivers.errors import SignalMismatchError  # noqa: E402
from models.evaluation.metrics.decisions import (  # noqa: E402
    accuracy,
    confusion,
    equal_error_rate,
    unweighted_average_recall,
)

TRUTH = ["a", "a", "a", "a", "b", "b"]
SAID = ["a", "a", "a", "c", "b", "a"]


def test_every_class_counts_equally_in_the_recall():
    """With one large class the accuracy looks good however bad the small one is."""
    assert accuracy(TRUTH, SAID) == pytest.approx(4 / 6)
    assert unweighted_average_recall(TRUTH, SAID) == pytest.approx((3 / 4 + 1 / 2) / 2)


def test_rows_are_truths_and_columns_are_answers():
    """A transposed confusion accuses the wrong class."""
    counts = confusion(TRUTH, SAID, ("a", "b", "c"))
    np.testing.assert_array_equal(counts, [[3, 0, 1], [1, 1, 0], [0, 0, 0]])


@pytest.mark.parametrize("metric", [accuracy, unweighted_average_recall])
def test_decisions_that_do_not_pair_are_refused(metric):
    """A figure over shifted pairs looks like a figure."""
    with pytest.raises(SignalMismatchError, match="2 truths and 1 decisions"):
        metric(["a", "b"], ["a"])
    with pytest.raises(SignalMismatchError, match="0 truths"):
        metric([], [])


def test_equal_errors_of_scores_that_are_known():
    """Verification is judged by this one number."""
    assert equal_error_rate([2, 3, 4], [-1, 0, 1]) == 0.0
    assert equal_error_rate([-1, 0, 1], [2, 3, 4]) == 1.0
    assert equal_error_rate([1, 1, 1], [1, 1, 1]) == pytest.approx(0.5)
    # One of four targets lies below one of four impostors: both are wrong a quarter of the time.
    assert equal_error_rate([0.4, 0.7, 0.8, 0.9], [0.1, 0.2, 0.3, 0.6]) == pytest.approx(0.25)


def test_equal_errors_of_two_normal_distributions():
    """Two unit normals d apart err with the normal tail of d / 2."""
    rng = np.random.default_rng(0)
    found = equal_error_rate(rng.normal(2, 1, 20000), rng.normal(0, 1, 5000))
    assert found == pytest.approx(0.1587, abs=0.01)


@pytest.mark.parametrize(("targets", "impostors"), [([], [1.0]), ([1.0], []), ([np.nan], [0.0])])
def test_scores_that_say_nothing_are_refused(targets, impostors):
    """An EER of no impostors would read as a safe system."""
    with pytest.raises(SignalMismatchError, match="scores to verify"):
        equal_error_rate(targets, impostors)
