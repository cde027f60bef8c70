"""TD features with bands beside them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.errors import SignalMismatchError
from models.signal.log_bands import LogBands, LogBandSettings
from models.signal.td_features import TDFeatures, TDSettings
from models.signal.with_bands import WithBands

RATE_HZ, CHANNELS = 600.0, 2
BANDS = LogBandSettings(window_s=0.053, bands=4)


def emg(samples: int) -> np.ndarray:
    return np.random.default_rng(0).normal(0, 20, (samples, CHANNELS))


@settings(deadline=None, max_examples=40)
@given(cuts=st.lists(st.integers(0, 400), max_size=12), samples=st.integers(0, 400))
def test_each_frame_has_its_own_bands_however_the_emg_is_cut(cuts, samples):
    """Bands of another frame would be learned offline and never be seen live."""
    signal = emg(samples)
    features = TDFeatures(TDSettings(), RATE_HZ, CHANNELS)
    joining = WithBands(BANDS, RATE_HZ, CHANNELS)
    edges = [0, *sorted(min(cut, samples) for cut in cuts), samples]
    parts = []
    for first, last in zip(edges[:-1], edges[1:], strict=True):
        chunk = signal[first:last]
        parts.append(joining.process(chunk, features.process(chunk)))
    parts.append(joining.flush(features.flush()))
    joined = np.concatenate(parts)
    alone = LogBands(BANDS, RATE_HZ, CHANNELS).process(signal)
    whole = TDFeatures(TDSettings(), RATE_HZ, CHANNELS)
    td = np.concatenate((whole.process(signal), whole.flush()))
    np.testing.assert_array_equal(joined, np.concatenate((td, alone), axis=1))


def test_a_second_epoch_knows_nothing_of_the_first():
    """The first frames after a pulled cable would carry the bands of the last ones before it."""
    joining = WithBands(BANDS, RATE_HZ, CHANNELS)
    features = TDFeatures(TDSettings(), RATE_HZ, CHANNELS)
    runs = []
    for _ in range(2):
        first = joining.process(emg(100), features.process(emg(100)))
        runs.append(np.concatenate((first, joining.flush(features.flush()))))
    np.testing.assert_array_equal(*runs)


def test_without_bands_features_pass_as_they_are():
    """Bundles of before would not run any more."""
    frames = np.ones((3, 10))
    joining = WithBands(None, RATE_HZ, CHANNELS)
    assert joining.more_columns == 0
    assert joining.process(emg(50), frames) is frames
    assert joining.flush(frames) is frames


def test_frames_of_other_samples_are_refused():
    """A mistake in the engine would shift the bands silently."""
    with pytest.raises(SignalMismatchError, match="5"):
        WithBands(BANDS, RATE_HZ, CHANNELS).process(emg(20), np.ones((5, 10)))
