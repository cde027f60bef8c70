"""Spectrograms as auDeep makes them."""

import numpy as np
import pytest

from models.evaluation.autoencoder.spectrogram import (
    clipped,
    decibels,
    filter_bank,
    mel_spectrogram,
)


@pytest.mark.parametrize("rate_hz", [600.0, 16000.0])
def test_no_band_is_empty(rate_hz):
    """At 600 Hz most of what the autoencoder sees would be a constant."""
    weights = filter_bank(rate_hz)
    assert weights.shape[0] == 128
    assert (weights.sum(axis=1) > 0).all()
    noise = np.random.default_rng(0).normal(size=2000)
    assert (mel_spectrogram(noise, rate_hz) > 0).all()


def test_windows_of_40_ms_every_20_ms():
    """Another grid would be another experiment."""
    assert len(mel_spectrogram(np.ones(600), 600.0)) == 49
    assert len(mel_spectrogram(np.ones(16000), 16000.0)) == 49
    assert len(mel_spectrogram(np.ones(5), 600.0)) == 1


def test_tone_lies_in_its_band_and_dc_in_none():
    """The DC of the electrodes tells the session, and would be taken for the speaker."""
    time_s = np.arange(1200) / 600
    tone = np.sin(2 * np.pi * 150 * time_s)
    power = mel_spectrogram(tone, 600.0)
    centres_hz = filter_bank(600.0) @ np.arange(filter_bank(600.0).shape[1])
    centres_hz *= 300 / (filter_bank(600.0).shape[1] - 1) / filter_bank(600.0).sum(axis=1)
    # Bands widen towards high frequencies, so the strongest may lie a little above the tone.
    assert abs(centres_hz[power.mean(axis=0).argmax()] - 150) < 10
    np.testing.assert_allclose(mel_spectrogram(tone + 1e4, 600.0), power, atol=1e-6)


def test_clipping_below_the_threshold():
    """What the paper calls noise would stay in, or what it keeps would go."""
    power = 10.0 ** np.array([[0.0, -1.0, -2.0], [-4.0, -6.0, -9.0]]) * 7
    db = decibels(power)
    np.testing.assert_allclose(db, [[0, -10, -20], [-40, -60, -75]], atol=0.05)
    np.testing.assert_allclose(clipped(db, -30.0), [[1, 1 / 3, -1 / 3], [-1, -1, -1]], atol=0.01)
    np.testing.assert_allclose(clipped(db, -75.0)[1], [-1 / 15, -0.6, -1], atol=0.01)


def test_digital_silence_is_flat():
    """One dead recording would put NaN into every weight."""
    db = decibels(mel_spectrogram(np.zeros(600), 600.0))
    assert not clipped(db, -45.0).any()
