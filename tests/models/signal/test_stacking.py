import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import SignalMismatchError, StreamerError
from models.signal.stacking import Stacking, StackingSettings


@given(
    past=st.integers(0, 5),
    future=st.integers(0, 5),
    frames=st.integers(0, 20),
    columns=st.integers(1, 3),
    cuts=st.lists(st.floats(0, 1), max_size=8),
)
def test_live_equals_offline_and_the_definition(
    equal_in_chunks, past, future, frames, columns, cuts
):
    """A frame would meet other neighbours live than in training."""
    rows = np.random.default_rng(frames).normal(size=(frames, columns))
    operator = Stacking(StackingSettings(past, future), 0.01, columns)
    stacked = equal_in_chunks(operator, rows, cuts)
    assert stacked.shape == (frames, columns * (past + 1 + future))
    for k in range(frames):
        neighbours = np.clip(np.arange(k - past, k + future + 1), 0, frames - 1)
        np.testing.assert_array_equal(stacked[k], rows[neighbours].ravel())


def test_delay_is_the_future_alone():
    """The algorithmic latency reported would be wrong."""
    operator = Stacking(StackingSettings(past=15, future=4), 0.010, 30)
    assert operator.delay_s == pytest.approx(0.040)
    assert operator.columns == 600
    assert len(operator.process(np.zeros((4, 30)))) == 0
    assert len(operator.process(np.zeros((1, 30)))) == 1


def test_bad_input_is_named():
    """A negative context would give an empty network."""
    with pytest.raises(StreamerError, match="past of the stacking: got -1; allowed: 0 to 1000"):
        StackingSettings(past=-1)
    with pytest.raises(StreamerError, match="future"):
        StackingSettings(future=-2)
    with pytest.raises(SignalMismatchError):
        Stacking(StackingSettings(), 0.01, 30).process(np.zeros((1, 25)))
