"""Filters, TD features and bands in one step."""

from inspect import signature

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.errors import SignalMismatchError
from models.signal import kernels
from models.signal.conditioning import ConditioningSettings, conditioner
from models.signal.emg_frames import EmgFrames
from models.signal.filters import HighPassSettings, NotchSettings
from models.signal.log_bands import LogBands, LogBandSettings
from models.signal.td_features import TDFeatures, TDSettings

CHANNELS = 2
CONDITIONING = ConditioningSettings(HighPassSettings(10.0, 2), NotchSettings())
SETTINGS = [
    (TDSettings(), LogBandSettings(window_s=0.053, bands=4)),
    (TDSettings(frame_s=0.020, smoothing="past", taps=5), LogBandSettings(frame_s=0.020)),
    (TDSettings(log=False), LogBandSettings(window_s=0.027, bands=2)),
    (TDSettings(frame_s=0.005, taps=1), None),  # shorter than its shift
    (TDSettings(), None),
]


def emg(samples: int) -> np.ndarray:
    return np.random.default_rng(0).normal(300, 20, (samples, CHANNELS))


def one_after_the_other(signal, td, bands, rate_hz, lead_in):
    """Run the operators that are put together, over everything at once."""
    filters = conditioner(CONDITIONING, rate_hz, CHANNELS)
    filters.settle(lead_in)
    samples = filters.process(signal)
    features = TDFeatures(td, rate_hz, CHANNELS)
    frames = np.concatenate((features.process(samples), features.flush()))
    if bands is None:
        return samples, frames, frames
    more = LogBands(bands, rate_hz, CHANNELS).process(samples)
    return samples, frames, np.concatenate((frames, more), axis=1)


@settings(max_examples=60)
@given(
    cuts=st.lists(st.integers(0, 400), max_size=12),
    length=st.integers(0, 400),
    chosen=st.sampled_from(SETTINGS),
    rate_hz=st.sampled_from([600.0, 1000.0, 2048.0]),
    settled=st.booleans(),
)
def test_gives_what_its_parts_give_however_the_emg_is_cut(cuts, length, chosen, rate_hz, settled):
    """What is learned offline would be another thing than what is seen live."""
    signal, lead_in = emg(length), emg(50) + 40 if settled else None
    expected = one_after_the_other(signal, *chosen, rate_hz, lead_in)
    front = EmgFrames(CONDITIONING, *chosen, rate_hz, CHANNELS)
    for _ in range(2):  # a second epoch knows nothing of the first
        front.settle(lead_in)
        before = signal.copy()
        parts = [front.process(part) for part in np.split(signal, sorted(cuts))]
        parts.append((np.empty((0, CHANNELS)), *front.flush()))
        np.testing.assert_array_equal(signal, before)
        for found, one in zip(zip(*parts, strict=True), expected, strict=True):
            np.testing.assert_array_equal(np.concatenate(found), one)


def test_a_flush_ends_the_signal():
    """The last frames of an utterance would stand at the beginning of the next one."""
    fresh, used = (EmgFrames(CONDITIONING, *SETTINGS[0], 600.0, CHANNELS) for _ in range(2))
    used.process(emg(100) - 500)
    used.flush()
    for one, other in zip(used.process(emg(100)), fresh.process(emg(100)), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_chunk_that_is_read_only_is_one_like_any_other():
    """A compiled loop of another type would have to be compiled: seconds, in a live session."""
    signal = emg(100)
    expected = EmgFrames(CONDITIONING, *SETTINGS[0], 600.0, CHANNELS).process(signal)
    compiled = getattr(kernels.emg_frames, "signatures", [])[:]
    signal.flags.writeable = False
    found = EmgFrames(CONDITIONING, *SETTINGS[0], 600.0, CHANNELS).process(signal)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)
    assert getattr(kernels.emg_frames, "signatures", []) == compiled


def test_constants_are_handed_over_in_their_order():
    """Two floors in microvolts would change places, and nothing would say so."""
    taken = list(signature(kernels.emg_frames).parameters)
    assert taken[-len(kernels.Constants._fields) :] == list(kernels.Constants._fields)


def test_a_frame_comes_with_its_last_sample():
    """Each would be late by a chunk."""
    for td, bands in SETTINGS:
        front = EmgFrames(CONDITIONING, td, bands, 600.0, CHANNELS)
        came = [len(front.process(row[np.newaxis])[1]) for row in emg(100)]
        last = [front.grid.start(k) + front.grid.length / 2 - 1 for k in range(sum(came))]
        np.testing.assert_allclose(np.flatnonzero(came), np.array(last) + front.delay_s * 600)


def test_columns_are_what_it_says():
    """Converters are built for so many."""
    for td, bands in SETTINGS:
        front = EmgFrames(CONDITIONING, td, bands, 600.0, CHANNELS)
        assert front.columns == 10
        assert front.more_columns == (0 if bands is None else 2 * bands.bands)
        for _, frames, joined in (front.process(emg(0)), front.process(emg(100))):
            assert frames.shape[1] == front.columns
            assert joined.shape[1] == front.columns + front.more_columns


def test_bands_of_other_frames_are_refused():
    """Each frame would get the bands of another one."""
    with pytest.raises(SignalMismatchError, match="frames of the bands"):
        EmgFrames(CONDITIONING, TDSettings(), LogBandSettings(shift_s=0.02), 600.0, CHANNELS)


def test_other_channels_are_refused():
    """They would be taken for those that a model knows."""
    with pytest.raises(SignalMismatchError, match=r"\(3, 5\)"):
        EmgFrames(CONDITIONING, *SETTINGS[0], 600.0, CHANNELS).process(np.zeros((3, 5)))
