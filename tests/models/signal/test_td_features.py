from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import SignalMismatchError, StreamerError
from models.signal.compression import log_amplitude, log_power
from models.signal.td_features import TDFeatures, TDSettings

CORPUS = Path(__file__).parents[3] / "data" / "emg-uka"


def by_definition(signal: np.ndarray, rate_hz: float, taps: int = 9) -> np.ndarray:
    """Compute TD0 sample by sample, channel by channel, from the corpus' text."""
    length, half = round(0.027 * rate_hz), taps // 2
    around = np.zeros(2 * half)
    frames = []
    while (start := round(len(frames) * 0.010 * rate_hz)) + length <= len(signal):
        row = []
        for channel in signal.T:
            x = np.concatenate((around, channel, around))
            v = [sum(x[n - half : n + half + 1]) / taps for n in range(half, len(x) - half)]
            w = [sum(v[n - half : n + half + 1]) / taps for n in range(half, len(v) - half)]
            p = [x - low for x, low in zip(channel, w, strict=True)]
            w, p = w[start : start + length], p[start : start + length]
            crossings = sum((a < 0) != (b < 0) for a, b in zip(p[:-1], p[1:], strict=True))
            row += [
                sum(w) / length,
                sum(value**2 for value in w) / length,
                sum(value**2 for value in p) / length,
                crossings / (length - 1),
                sum(abs(value) for value in p) / length,
            ]
        frames.append(row)
    return np.array(frames).reshape(-1, 5 * signal.shape[1])


def offline(operator: TDFeatures, signal: np.ndarray) -> np.ndarray:
    return np.concatenate((operator.process(signal), operator.flush()))


@given(
    rate_hz=st.sampled_from([250.0, 512.0, 600.0, 1000.0]),
    channels=st.sampled_from([1, 2, 6]),
    samples=st.integers(0, 150),
    settings=st.builds(
        TDSettings,
        log=st.booleans(),
        smoothing=st.sampled_from(["centred", "past"]),
        taps=st.sampled_from([1, 3, 9]),
    ),
    cuts=st.lists(st.floats(0, 1), max_size=8),
)
def test_live_equals_offline(equal_in_chunks, rate_hz, channels, samples, settings, cuts):
    """A model would meet other features live than those it was trained on."""
    signal = np.random.default_rng(samples).normal(0, 50, (samples, channels))
    operator = TDFeatures(settings, rate_hz, channels)
    features = equal_in_chunks(operator, signal, cuts)
    assert features.shape == (operator.grid.frames_in(samples), 5 * channels)


@pytest.mark.parametrize(("rate_hz", "taps"), [(500.0, 9), (512.0, 3), (600.0, 9), (600.0, 1)])
def test_equals_the_definition(rate_hz, taps):
    """Figures could not be compared with anybody else's on the corpus."""
    signal = np.random.default_rng(3).normal(0, 50, (200, 2))
    features = offline(TDFeatures(TDSettings(log=False, taps=taps), rate_hz, 2), signal)
    expected = by_definition(signal, rate_hz, taps)
    np.testing.assert_allclose(features, expected, rtol=1e-10, atol=1e-10)


@pytest.mark.corpus
def test_equals_the_definition_on_real_emg():
    """The definition would hold for noise only."""
    path = next((CORPUS / "emg").glob("*/*/*.adc"), None) if CORPUS.exists() else None
    if path is None:
        pytest.skip("no recordings in data/emg-uka")
    raw = np.fromfile(path, "<i2").reshape(-1, 7)[:600, :6] * 0.033
    signal = raw - raw.mean(axis=0)
    features = offline(TDFeatures(TDSettings(log=False), 600, 6), signal)
    np.testing.assert_allclose(features, by_definition(signal, 600), rtol=1e-9, atol=1e-9)


def test_of_the_past_the_low_part_is_the_same_without_waiting():
    """Low-delay features would see the future, or wait for it."""
    signal = np.random.default_rng(3).normal(0, 50, (200, 1))
    operator = TDFeatures(TDSettings(log=False, smoothing="past"), 600, 1)
    assert operator.delay_s == pytest.approx(8 / 600)
    features = operator.process(signal)
    assert len(operator.flush()) == 0
    assert len(features) == operator.grid.frames_in(200)
    box = np.ones(9) / 9
    low = np.convolve(np.convolve(signal[:, 0], box), box)[:200]
    high = signal[:, 0] - low
    for k, frame in enumerate(features):
        own = slice(6 * k, 6 * k + 16)
        w, p = low[own], high[own]
        crossings = ((p[:-1] < 0) != (p[1:] < 0)).mean()
        expected = [w.mean(), (w**2).mean(), (p**2).mean(), crossings, np.abs(p).mean()]
        np.testing.assert_allclose(frame, expected, atol=1e-9)


def test_hours_do_not_drift():
    """A running sum would carry the rounding of a saturated burst along for good."""
    signal = np.zeros((100_000, 1))
    signal[100:50_000] = 1e9 / 3
    assert not TDFeatures(TDSettings(log=False), 600, 1).process(signal)[10_000:].any()


def test_frame_comes_with_the_last_sample_it_needs():
    """Each frame would be late, and so would speech."""
    operator = TDFeatures(TDSettings(), 600, 1)
    signal = np.random.default_rng(0).normal(0, 50, (60, 1))
    emitted = np.cumsum([len(operator.process(row[np.newaxis])) for row in signal])
    assert emitted[16 - 1 + 8 - 1] == 0
    assert emitted[16 - 1 + 8] == 1
    assert emitted[16 - 1 + 8 + 6] == 2
    assert operator.delay_s == pytest.approx((8 + 8) / 600)


def test_compression_is_as_documented():
    """A reader of the manifest could not tell what the model is fed."""
    signal = np.random.default_rng(4).normal(0, 50, (300, 2))
    plain = offline(TDFeatures(TDSettings(log=False), 600, 2), signal).reshape(-1, 2, 5)
    settings = TDSettings(log=True, floor_uv=2.0, scale_uv=3.0)
    log = offline(TDFeatures(settings, 600, 2), signal).reshape(-1, 2, 5)
    np.testing.assert_allclose(log[:, :, 0], np.arcsinh(plain[:, :, 0] / 3))
    np.testing.assert_allclose(log[:, :, 1], np.log(np.sqrt(1 + plain[:, :, 1] / 4)))
    np.testing.assert_allclose(log[:, :, 2], np.log(np.sqrt(1 + plain[:, :, 2] / 4)))
    np.testing.assert_array_equal(log[:, :, 3], plain[:, :, 3])
    np.testing.assert_allclose(log[:, :, 4], np.log(1 + plain[:, :, 4] / 2))
    # The bands' and the statistics' compression is the same.
    np.testing.assert_allclose(log[:, :, 1:3], log_power(plain[:, :, 1:3], 2.0), rtol=1e-12)
    np.testing.assert_allclose(log[:, :, 4], log_amplitude(plain[:, :, 4], 2.0), rtol=1e-12)


def test_dead_channel_and_quantisation_noise_stay_near_zero():
    """A loose electrode would send the model to minus infinity, rounding noise far off."""
    rounding = np.random.default_rng(5).integers(-1, 2, (600, 1)) * 0.033
    signal = np.concatenate((np.zeros((600, 1)), rounding), axis=1)
    features = offline(TDFeatures(TDSettings(), 600, 2), signal).reshape(-1, 2, 5)
    assert np.abs(features[:, :, [0, 1, 2, 4]]).max() < 0.05
    assert not features[:, 0].any()


def test_labels_name_the_columns():
    """A plot of the features would carry the wrong names."""
    operator = TDFeatures(TDSettings(), 600, 2)
    labels = operator.labels(["EMG1", "EMG2"])
    assert len(labels) == operator.columns == 10
    assert labels[5] == "EMG2 mean_w"
    signal = np.zeros((600, 2))
    signal[:, 1] = np.random.default_rng(6).normal(0, 50, 600)
    varies = offline(operator, signal).std(axis=0) > 0
    assert [label for label, does in zip(labels, varies, strict=True) if does] == labels[5:]


def test_bad_input_is_named():
    """A recording with other channels would be read as if it fitted."""
    with pytest.raises(SignalMismatchError, match=r"allowed: \(n, 6\)"):
        TDFeatures(TDSettings(), 600, 6).process(np.zeros((3, 5)))
    with pytest.raises(StreamerError, match="floor_uv"):
        TDSettings(floor_uv=0)
    with pytest.raises(StreamerError, match="scale_uv"):
        TDSettings(scale_uv=-1)
    for taps in (0, 8, -1):
        with pytest.raises(StreamerError, match=f"taps of the .*: got {taps}"):
            TDSettings(taps=taps)
