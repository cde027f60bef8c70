import numpy as np
import pytest

from drivers.errors import SignalMismatchError
from models.signal.window_features import (
    SPEAKER_FEATURES,
    speaker_features,
    statistics,
)

RATE_HZ = 600.0


def one(samples: np.ndarray, feature: str, *, log: bool = False) -> float:
    """Return one feature of a single channel."""
    features = speaker_features(samples[:, np.newaxis], RATE_HZ, log=log)
    return float(features[SPEAKER_FEATURES.index(feature)])


def test_statistics_are_those_of_the_paper():
    """The mode classifier would not be the paper's."""
    frames = np.random.default_rng(0).normal(size=(41, 3))
    expected = [
        frames.mean(axis=0),
        frames.std(axis=0),
        frames.min(axis=0),
        np.sort(frames, axis=0)[10],
        np.sort(frames, axis=0)[30],
        frames.max(axis=0),
    ]
    before = frames.copy()
    np.testing.assert_allclose(statistics(frames), np.concatenate(expected))
    np.testing.assert_array_equal(frames, before)


def test_speaker_features_of_a_sine():
    """A feature would not be what its name says."""
    time_s = np.arange(1200) / RATE_HZ
    sine = 100 * np.sin(2 * np.pi * 60 * time_s + 0.1)
    assert one(sine, "mean_absolute_value") == pytest.approx(200 / np.pi, rel=0.02)
    assert one(sine, "rms") == pytest.approx(100 / np.sqrt(2))
    assert one(sine, "absolute_sum_per_s") == pytest.approx(np.abs(sine).sum() / 2)
    assert one(sine, "variance") == pytest.approx(np.var(sine, ddof=1))
    assert one(sine, "square_integral_per_s") == pytest.approx((sine**2).sum() / 2)
    assert one(sine, "waveform_length_per_s") == pytest.approx(np.abs(np.diff(sine)).sum() / 2)
    assert one(sine, "average_amplitude_change") == pytest.approx(np.abs(np.diff(sine)).mean())
    assert one(sine, "zero_crossings_per_s") == pytest.approx(120, abs=1)
    assert one(sine, "slope_sign_changes_per_s") == pytest.approx(120, abs=1)
    assert one(sine, "median_frequency_hz") == pytest.approx(60)
    assert one(sine, "mean_frequency_hz") == pytest.approx(60)


def test_median_and_mean_frequency_differ_where_they_should():
    """One of the two frequency features would be a copy of the other."""
    time_s = np.arange(1200) / RATE_HZ
    two = 2 * np.sin(2 * np.pi * 40 * time_s) + np.sin(2 * np.pi * 140 * time_s)
    assert one(two, "median_frequency_hz") == pytest.approx(40)
    assert one(two, "mean_frequency_hz") == pytest.approx((4 * 40 + 140) / 5)


@pytest.mark.parametrize("log", [True, False])
def test_windows_of_different_length_compare(log):
    """A classifier of utterances would be useless on sliding windows."""
    noise = np.random.default_rng(1).normal(0, 50, (60_000, 2))
    short = np.mean([speaker_features(part, RATE_HZ, log=log) for part in np.split(noise, 50)], 0)
    np.testing.assert_allclose(short, speaker_features(noise, RATE_HZ, log=log), rtol=0.01)


def test_log_is_of_the_amplitudes_alone():
    """A gain would move rates and frequencies, or not add up in the logarithms."""
    noise = np.random.default_rng(2).normal(0, 500, (1200, 1))
    single = speaker_features(noise, RATE_HZ)
    louder = speaker_features(10 * noise, RATE_HZ)
    np.testing.assert_allclose((louder - single)[:7], np.log(10), atol=0.005)
    np.testing.assert_allclose((louder - single)[7:], 0, atol=1e-9)


def test_log_equals_the_logarithm_of_the_plain_features():
    """The two forms would not be the same features."""
    noise = np.random.default_rng(3).normal(0, 5000, (1200, 1))
    plain = np.log(speaker_features(noise, RATE_HZ, log=False)[:7])
    plain[[3, 4]] = [plain[3] / 2, plain[4] / 2]  # powers are given as amplitudes
    np.testing.assert_allclose(speaker_features(noise, RATE_HZ)[:7], plain, atol=1e-3)


@pytest.mark.parametrize("log", [True, False])
def test_dead_channel_is_finite(log):
    """A loose electrode would make the estimate NaN."""
    assert np.isfinite(speaker_features(np.zeros((100, 2)), RATE_HZ, log=log)).all()


def test_too_short_windows_are_named():
    """An utterance of nothing would be a warning of numpy and a vector of NaN."""
    with pytest.raises(SignalMismatchError, match=r"shape of a window: got \(0, 30\)"):
        statistics(np.empty((0, 30)))
    with pytest.raises(SignalMismatchError, match="n >= 3"):
        speaker_features(np.zeros((2, 6)), RATE_HZ)
