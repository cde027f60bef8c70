import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import signal

from drivers.errors import SignalMismatchError, StreamerError
from models.signal.filters import HighPassSettings, NotchSettings, SosFilter

RATE_HZ = 600.0


def build(settings: HighPassSettings | NotchSettings, rate_hz: float, channels: int) -> SosFilter:
    return SosFilter(settings.sections(rate_hz), channels)


BUILDERS = {
    "high_pass": lambda channels: build(HighPassSettings(), RATE_HZ, channels),
    "steep high_pass": lambda channels: build(HighPassSettings(10, 4), RATE_HZ, channels),
    "notch": lambda channels: build(NotchSettings(), RATE_HZ, channels),
}


def emg(seconds: float = 2.0, channels: int = 3) -> np.ndarray:
    rng = np.random.default_rng(1)
    return rng.normal(0, 40, (round(seconds * RATE_HZ), channels))


def sine(frequency_hz: float, seconds: float = 6.0) -> np.ndarray:
    time_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    return np.sin(2 * np.pi * frequency_hz * time_s)[:, np.newaxis]


def gain(operator: SosFilter, frequency_hz: float) -> float:
    filtered = operator.process(sine(frequency_hz))
    return float(np.sqrt(2 * np.mean(filtered[-600:] ** 2)))


@pytest.mark.parametrize("name", BUILDERS)
@given(cuts=st.lists(st.floats(0, 1), max_size=8), seed=st.integers(0, 99))
def test_live_equals_offline(equal_in_chunks, name, cuts, seed):
    """The filter a model was trained behind would be another one in a live session."""
    samples = np.random.default_rng(seed).normal(100, 40, (seed, 2))
    filtered = equal_in_chunks(BUILDERS[name](2), samples, cuts)
    assert filtered.shape == samples.shape


@pytest.mark.parametrize("settings", [HighPassSettings(), HighPassSettings(10, 4), NotchSettings()])
def test_equals_scipy(settings):
    """The loop of our own would be another filter than the one that was designed."""
    sections, samples = settings.sections(RATE_HZ), emg()
    state = signal.sosfilt_zi(sections)[:, :, np.newaxis] * samples[0]
    expected, _ = signal.sosfilt(sections, samples, axis=0, zi=state)
    filtered = SosFilter(sections, samples.shape[1]).process(samples)
    np.testing.assert_allclose(filtered, expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("name", ["high_pass", "steep high_pass"])
@pytest.mark.parametrize("offset_uv", [500.0, -1000.0])
def test_dc_offset_changes_nothing(name, offset_uv):
    """Electrode offsets would start each utterance with a transient larger than the EMG."""
    filtered = BUILDERS[name](3).process(emg())
    shifted = BUILDERS[name](3).process(emg() + offset_uv * np.array([1, -1, 0.5]))
    np.testing.assert_allclose(shifted, filtered, atol=1e-6)


@pytest.mark.parametrize("name", ["high_pass", "steep high_pass"])
def test_constant_signal_is_silence_from_the_first_sample(name):
    """A session at rest would begin with a thump."""
    filtered = BUILDERS[name](2).process(np.full((100, 2), 500.0))
    np.testing.assert_allclose(filtered, 0, atol=1e-6)


def test_notch_passes_a_constant_unchanged():
    """A notch alone would ring on an electrode's offset."""
    filtered = BUILDERS["notch"](1).process(np.full((100, 1), 500.0))
    np.testing.assert_allclose(filtered, 500.0, atol=1e-6)


@pytest.mark.parametrize("name", BUILDERS)
def test_lead_in_continues_into_the_epoch(name):
    """An epoch with samples before it would pay for a first sample that is no good guess."""
    samples = emg() + 300
    whole = BUILDERS[name](3).process(samples)
    operator = BUILDERS[name](3)
    operator.process(samples[::-1])  # an earlier epoch
    operator.settle(samples[:120])
    np.testing.assert_array_equal(operator.process(samples[120:]), whole[120:])


@pytest.mark.parametrize("lead_in", [None, np.empty((0, 3))])
def test_without_lead_in_the_first_sample_settles(lead_in):
    """An epoch after another one would inherit that one's offset."""
    operator = BUILDERS["high_pass"](3)
    operator.process(emg() + 900)
    operator.settle(lead_in)
    expected = BUILDERS["high_pass"](3).process(emg())
    np.testing.assert_array_equal(operator.process(emg()), expected)


def test_high_pass_keeps_the_muscles_and_removes_what_is_slower():
    """The cut-off set would not be the cut-off heard."""
    settings = HighPassSettings(cutoff_hz=5, order=2)
    gains = [gain(build(settings, RATE_HZ, 1), frequency_hz) for frequency_hz in (0.5, 5, 50)]
    assert gains == pytest.approx([0.01, np.sqrt(0.5), 1], abs=0.01)


@pytest.mark.parametrize("hum_hz", [50.0, 60.0])
def test_notch_removes_hum_and_its_harmonics_alone(hum_hz):
    """Hum would stay in, or EMG beside it would go."""
    settings = NotchSettings(hum_hz=hum_hz, harmonics=3)
    for harmonic in (1, 2, 3):
        assert gain(build(settings, RATE_HZ, 1), harmonic * hum_hz) < 0.01
        assert gain(build(settings, RATE_HZ, 1), harmonic * hum_hz + 8) > 0.98
    assert gain(build(settings, RATE_HZ, 1), 4 * hum_hz) > 0.98


def test_result_does_not_alias_the_input():
    """A recorder that shares the chunk would store filtered EMG."""
    samples = emg()
    before = samples.copy()
    filtered = BUILDERS["high_pass"](3).process(samples)
    filtered[:] = 0
    np.testing.assert_array_equal(samples, before)


def test_bad_settings_are_named():
    """A user would see a traceback of scipy."""
    with pytest.raises(StreamerError, match=r"cutoff_hz of .*: got 0; allowed: 0.001 to 50000"):
        HighPassSettings(cutoff_hz=0)
    with pytest.raises(StreamerError, match="order .* got 9"):
        HighPassSettings(order=9)
    with pytest.raises(StreamerError, match="hum"):
        NotchSettings(hum_hz=-50)
    with pytest.raises(StreamerError, match="quality"):
        NotchSettings(quality=0)
    with pytest.raises(StreamerError, match="harmonics"):
        NotchSettings(harmonics=0)


def test_signal_that_does_not_fit_is_named():
    """A filter beyond half the rate would be nonsense, silently."""
    with pytest.raises(SignalMismatchError, match="150 Hz; allowed: below 125 Hz"):
        build(NotchSettings(harmonics=3), 250, 6)
    with pytest.raises(SignalMismatchError, match="cut-off"):
        build(HighPassSettings(cutoff_hz=30), 50, 6)
    with pytest.raises(SignalMismatchError, match=r"\(5, 4\); allowed: \(n, 6\)"):
        BUILDERS["high_pass"](6).process(np.zeros((5, 4)))
    with pytest.raises(SignalMismatchError, match=r"\(5,\)"):
        BUILDERS["high_pass"](1).process(np.zeros(5))
