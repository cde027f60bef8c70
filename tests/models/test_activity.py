"""The activity detector frame by frame."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.activity import ActivityDetector
from models.bundle import Bundle


@pytest.fixture
def activity(make_bundle) -> ActivityDetector:
    """With three frames of past."""
    return Bundle.open(make_bundle()).activity()


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(count=st.integers(1, 40), cuts=st.lists(st.floats(0, 1), max_size=6))
def test_grouping_of_frames_changes_nothing(activity, count, cuts):
    """The gate opens at the same frame live and offline."""
    frames = np.random.default_rng(count).normal(size=(count, 10))
    activity.reset()
    whole = activity.process(frames)
    assert whole.shape == (count,)
    assert ((whole >= 0) & (whole <= 1)).all()
    assert activity.flush().shape == (0,)
    parts = np.split(frames, sorted(round(cut * count) for cut in cuts))
    np.testing.assert_allclose(
        np.concatenate([activity.process(part) for part in parts]), whole, atol=1e-4
    )
    activity.reset()
    alone = [activity.process(frame[np.newaxis]) for frame in frames]
    np.testing.assert_allclose(np.concatenate(alone), whole, atol=1e-4)


def test_never_waits_for_a_later_frame(activity):
    """The voice would start late, or the gate would cut into it."""
    assert activity.delay_s == 0
    frames = np.random.default_rng(0).normal(size=(20, 10))
    later = frames.copy()
    later[11:] += 1
    before = activity.process(frames)[:11]
    activity.flush()
    np.testing.assert_allclose(activity.process(later)[:11], before, atol=1e-12)


def test_no_frames_give_no_probabilities(activity):
    """A chunk shorter than a frame is no error, and neither is an epoch without one."""
    assert activity.process(np.empty((0, 10))).shape == (0,)
    assert activity.flush().shape == (0,)
