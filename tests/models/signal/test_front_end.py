from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from models.signal.filters import HighPassSettings, NotchSettings
from models.signal.front_end import (
    ConditioningSettings,
    FrontEnd,
    FrontEndSettings,
    conditioner,
)
from models.signal.log_bands import LogBandSettings
from models.signal.td_features import TDFeatures, TDSettings

RATE_HZ = 600.0
SETTINGS = [
    FrontEndSettings(),
    FrontEndSettings(ConditioningSettings(notch=NotchSettings()), TDSettings(log=False)),
    FrontEndSettings(ConditioningSettings(HighPassSettings(10, 4)), LogBandSettings()),
]


def emg(samples: int) -> np.ndarray:
    return np.random.default_rng(samples).normal(200, 50, (samples, 6))


@given(
    settings=st.sampled_from(SETTINGS),
    samples=st.integers(0, 120),
    cuts=st.lists(st.floats(0, 1), max_size=8),
)
def test_live_equals_offline(equal_in_chunks, settings, samples, cuts):
    """A model would meet other features live than those it was trained on."""
    front_end = FrontEnd(settings, RATE_HZ, 6)
    features = equal_in_chunks(front_end, emg(samples), cuts)
    assert features.shape == (front_end.grid.frames_in(samples), front_end.columns)


@pytest.mark.parametrize("settings", SETTINGS)
def test_dc_offset_changes_nothing(settings):
    """A classifier would tell the session from the electrodes' offsets."""
    plain = FrontEnd(settings, RATE_HZ, 6).process(emg(600))
    shifted = FrontEnd(settings, RATE_HZ, 6).process(emg(600) + np.linspace(-500, 500, 6))
    np.testing.assert_allclose(shifted, plain, rtol=1e-6, atol=1e-6)


def test_lead_in_settles_the_filters_and_gives_no_frames():
    """An utterance's frames would be shifted against its audio by the samples before it."""
    samples = emg(720)
    filters = conditioner(ConditioningSettings(), RATE_HZ, 6)
    expected = TDFeatures(TDSettings(), RATE_HZ, 6).process(filters.process(samples)[120:])
    front_end = FrontEnd(FrontEndSettings(), RATE_HZ, 6)
    front_end.process(samples[::-1])  # an earlier epoch
    front_end.settle(samples[:120])
    np.testing.assert_array_equal(front_end.process(samples[120:]), expected)


@pytest.mark.parametrize("settings", SETTINGS)
def test_epochs_are_independent(settings):
    """An utterance would sound different after another one."""
    front_end = FrontEnd(settings, RATE_HZ, 6)
    first = front_end.process(emg(300))
    front_end.reset()
    np.testing.assert_array_equal(front_end.process(emg(300)), first)
    front_end.flush()
    np.testing.assert_array_equal(front_end.process(emg(300)), first)


def test_float32_of_a_source_gives_float64_features():
    """Features would lose precision with the source's samples."""
    samples = emg(600).astype(np.float32)
    features = FrontEnd(SETTINGS[0], RATE_HZ, 6).process(samples)
    assert features.dtype == np.float64
    expected = FrontEnd(SETTINGS[0], RATE_HZ, 6).process(samples.astype(np.float64))
    np.testing.assert_array_equal(features, expected)


@pytest.mark.parametrize("settings", SETTINGS)
def test_settings_survive_a_manifest(settings):
    """A bundle would be opened with other filters or features than it was trained with."""
    adapter = TypeAdapter(FrontEndSettings)
    assert adapter.validate_python(asdict(settings)) == settings
    assert adapter.validate_json(adapter.dump_json(settings)) == settings


def test_labels_and_delay_are_those_of_the_features():
    """The algorithmic latency reported would be wrong."""
    front_end = FrontEnd(FrontEndSettings(), RATE_HZ, 6)
    assert front_end.delay_s == TDFeatures(TDSettings(), RATE_HZ, 6).delay_s
    labels = front_end.labels([f"EMG{n}" for n in range(1, 7)])
    assert len(labels) == front_end.columns == 30
