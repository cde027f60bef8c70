"""The concordance correlation coefficient."""

import numpy as np
import pytest

from drivers.errors import SignalMismatchError
from models.evaluation.metrics.correlation import concordance


def test_offset_and_scale_count_against_it() -> None:
    """A prediction that is off by a constant would look perfect, as in a plain correlation."""
    y = np.random.default_rng(0).normal(size=(500, 1))
    spread = y.var()
    assert concordance(y, y)[0] == pytest.approx(1.0)
    assert concordance(y + 1, y)[0] == pytest.approx(2 * spread / (2 * spread + 1))
    assert concordance(0.5 * y + 0.5 * y.mean(), y)[0] == pytest.approx(0.8)
    assert concordance(-y + 2 * y.mean(), y)[0] == pytest.approx(-1.0)


def test_each_column_for_itself() -> None:
    """Good coefficients would hide bad ones."""
    x = np.random.default_rng(1).normal(size=(300, 3))
    y = x.copy()
    y[:, 1] = np.random.default_rng(2).normal(size=300)
    found = concordance(x, y)
    assert found[[0, 2]] == pytest.approx([1, 1])
    assert abs(found[1]) < 0.2


def test_what_never_varies_has_none() -> None:
    """A division by zero would end the evaluation."""
    assert np.isnan(concordance(np.ones((4, 1)), np.ones((4, 1)))[0])
    assert concordance(np.ones((4, 1)), np.zeros((4, 1)))[0] == 0


def test_other_lengths_are_refused() -> None:
    """Frames that do not belong together would be compared."""
    with pytest.raises(SignalMismatchError, match=r"\(3, 1\) and \(2, 1\)"):
        concordance(np.ones((3, 1)), np.ones((2, 1)))
