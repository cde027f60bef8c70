import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import periodogram

from drivers.errors import SignalMismatchError, StreamerError
from models.signal.log_bands import LogBands, LogBandSettings
from models.signal.td_features import TDFeatures, TDSettings

RATE_HZ = 600.0


@given(
    rate_hz=st.sampled_from([600.0, 1000.0, 2048.0]),
    channels=st.sampled_from([1, 2, 6]),
    samples=st.integers(0, 200),
    cuts=st.lists(st.floats(0, 1), max_size=8),
)
def test_live_equals_offline(equal_in_chunks, rate_hz, channels, samples, cuts):
    """A classifier would meet other features live than those it was trained on."""
    signal = np.random.default_rng(samples).normal(0, 50, (samples, channels))
    bands = LogBands(LogBandSettings(), rate_hz, channels)
    features = equal_in_chunks(bands, signal, cuts)
    td = TDFeatures(TDSettings(), rate_hz, channels)
    frames = len(td.process(signal)) + len(td.flush())
    assert features.shape == (frames, 8 * channels)


@pytest.mark.parametrize("frequency_hz", [30.0, 100.0, 260.0])
def test_a_sine_lies_in_its_band_with_its_level(frequency_hz):
    """The spectrum would be shifted or scaled."""
    bands = LogBands(LogBandSettings(), RATE_HZ, 1)
    time_s = np.arange(600) / RATE_HZ
    signal = 100 * np.sin(2 * np.pi * frequency_hz * time_s)[:, np.newaxis]
    frames = bands.process(signal)[20:]
    band = np.searchsorted(bands.edges_hz, frequency_hz) - 1
    assert (frames.argmax(axis=1) == band).all()
    assert frames[:, band].mean() == pytest.approx(np.log(100 / np.sqrt(2)), abs=0.1)


def test_a_strong_band_does_not_leak_into_the_others():
    """Slow, strong activity would fill the bands of the muscles' faster one."""
    bands = LogBands(LogBandSettings(), RATE_HZ, 1)
    time_s = np.arange(600) / RATE_HZ
    frames = bands.process(1000 * np.sin(2 * np.pi * 33 * time_s)[:, np.newaxis])[20:]
    assert frames[:, 0].min() > np.log(600)
    assert frames[:, 3:].max() < np.log(3)


def test_equals_the_periodogram():
    """The energies would be in no unit that anybody knows."""
    samples = np.random.default_rng(2).normal(0, 50, (300, 2))
    bands = LogBands(LogBandSettings(), RATE_HZ, 2)
    frames = bands.process(samples).reshape(-1, 2, 8)[20]
    end = bands.grid.start(20) + bands.grid.length
    frequencies_hz, density = periodogram(
        samples[end - 64 : end], RATE_HZ, "hann", detrend=False, axis=0
    )
    edges_hz = bands.edges_hz
    for low_hz, high_hz, found in zip(edges_hz[:-1], edges_hz[1:], frames.T, strict=True):
        inside = (frequencies_hz >= low_hz) & (frequencies_hz < high_hz)
        if high_hz == edges_hz[-1]:
            inside |= frequencies_hz == high_hz
        power = density[inside].sum(axis=0) * RATE_HZ / 64
        np.testing.assert_allclose(found, 0.5 * np.log1p(power), rtol=1e-9)


def test_half_the_rate_belongs_to_the_last_band_once():
    """The topmost band would be too loud, or miss its edge."""
    bands = LogBands(LogBandSettings(), RATE_HZ, 1)
    alternating = 100.0 * (-1.0) ** np.arange(600)[:, np.newaxis]
    frames = bands.process(alternating)[20:]
    np.testing.assert_allclose(frames[:, -1], np.log(100), atol=1e-3)


def test_bands_hold_the_power_of_the_signal():
    """Energy would be lost between the bands."""
    signal = np.random.default_rng(0).normal(0, 50, (60_000, 1))
    settings = LogBandSettings(low_hz=1e-6)
    power = np.expm1(2 * LogBands(settings, RATE_HZ, 1).process(signal)[10:])
    # The line at 0 Hz is left out: a 64th of white noise.
    assert power.sum(axis=1).mean() == pytest.approx(2500 * 63 / 64, rel=0.02)


def test_the_epoch_does_not_fade_in():
    """The lowest percentiles of each utterance would tell of its start, not of its speech."""
    signal = np.random.default_rng(1).normal(0, 50, (500, 600))
    level = LogBands(LogBandSettings(), RATE_HZ, 600).process(signal)
    by_frame = level.mean(axis=1)
    np.testing.assert_allclose(by_frame[:10], by_frame[20:].mean(), atol=0.2)


def test_labels_and_delay():
    """A report on what the classifier looks at would be wrong."""
    bands = LogBands(LogBandSettings(), RATE_HZ, 2)
    labels = bands.labels(["EMG1", "EMG2"])
    assert len(labels) == bands.columns == 16
    assert labels[0] == "EMG1 10-46 Hz"
    assert labels[15] == "EMG2 264-300 Hz"
    assert bands.window == 64
    assert bands.delay_s == pytest.approx(32 / 600)


def test_bad_settings_are_named():
    """Bands without content would be constants that look like features."""
    with pytest.raises(SignalMismatchError, match="300 Hz; allowed: up to 250 Hz"):
        LogBands(LogBandSettings(), 500, 6)
    with pytest.raises(StreamerError, match="40 bands from 64 samples"):
        LogBands(LogBandSettings(bands=40), 600, 6)
    with pytest.raises(StreamerError, match="bands' window: got 12; .* 16 or more"):
        LogBands(LogBandSettings(window_s=0.02, bands=1), 600, 6)
    with pytest.raises(StreamerError, match="bands of the log bands: got 0"):
        LogBandSettings(bands=0)
    with pytest.raises(StreamerError, match="0 < low < high"):
        LogBandSettings(low_hz=300, high_hz=10)
    with pytest.raises(StreamerError, match="floor_uv"):
        LogBandSettings(floor_uv=0)
