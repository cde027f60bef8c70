"""The filters in front of all features, together with the TD features."""

from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from models.signal.conditioning import ConditioningSettings, conditioner
from models.signal.filters import HighPassSettings, NotchSettings
from models.signal.td_features import TDFeatures, TDSettings

RATE_HZ = 600.0
SETTINGS = [
    ConditioningSettings(),
    ConditioningSettings(notch=NotchSettings()),
    ConditioningSettings(HighPassSettings(10, 4)),
]


def emg(samples: int) -> np.ndarray:
    return np.random.default_rng(1).normal(0, 50, (samples, 6)) + np.linspace(-800, 800, 6)


def frames_of(settings: ConditioningSettings, *chunks: np.ndarray) -> np.ndarray:
    filters = conditioner(settings, RATE_HZ, 6)
    features = TDFeatures(TDSettings(), RATE_HZ, 6)
    frames = [features.process(filters.process(chunk)) for chunk in chunks]
    return np.concatenate([*frames, features.flush()])


@pytest.mark.parametrize("settings", SETTINGS)
@given(cuts=st.lists(st.integers(0, 300), max_size=8))
def test_any_chunking_gives_the_same_frames(settings, cuts):
    """A network would hear another signal live than in training."""
    chunks = np.split(emg(300), sorted(cuts))
    np.testing.assert_array_equal(frames_of(settings, *chunks), frames_of(settings, emg(300)))


@pytest.mark.parametrize("settings", SETTINGS)
def test_offset_of_a_channel_is_no_feature(settings):
    """The offset tells the recording session: a classifier would learn it and not the muscle."""
    plain = frames_of(settings, emg(600))
    shifted = frames_of(settings, emg(600) + np.linspace(-500, 500, 6))
    np.testing.assert_allclose(shifted[1:], plain[1:], atol=1e-6)


def test_lead_in_settles_the_filters_as_if_the_epoch_had_begun_earlier():
    """The first words of an utterance would differ from those in its middle."""
    samples = emg(600)
    whole = conditioner(SETTINGS[0], RATE_HZ, 6).process(samples)[120:]
    filters = conditioner(SETTINGS[0], RATE_HZ, 6)
    filters.process(samples[::-1])  # an earlier epoch
    filters.settle(samples[:120])
    np.testing.assert_array_equal(filters.process(samples[120:]), whole)


@pytest.mark.parametrize("settings", SETTINGS)
def test_settings_survive_a_manifest(settings):
    """A bundle would filter otherwise than its training did."""
    adapter = TypeAdapter(ConditioningSettings)
    assert adapter.validate_json(adapter.dump_json(settings)) == settings
    assert adapter.validate_python(asdict(settings)) == settings
