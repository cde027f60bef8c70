"""Mel spectrograms of EMG or speech, in decibels below their maximum, as auDeep makes them.

Freitag et al. (2017), "auDeep: Unsupervised learning of representations from audio with deep
recurrent neural networks", and the settings of Diener et al. (2020), section 5.1.
"""

from functools import cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from models.signal.operator import Array

WINDOW_S, HOP_S, BANDS = 0.04, 0.02, 128
THRESHOLDS_DB = (-30.0, -45.0, -60.0, -75.0)

Decibels = NDArray[np.float16]


def mel_spectrogram(samples: Array, rate_hz: float, bands: int = BANDS) -> Array:
    """Return the power in mel bands.

    Each window is freed of its mean and weighted by a periodic Hann window. It is padded with
    zeros for the Fourier transform until no band is empty: 40 ms at 600 Hz are 24 samples,
    which leave 106 of 128 bands without a single bin.

    Parameters
    ----------
    samples : ndarray, shape (n,)
        One channel.
    rate_hz : float
        Its sampling rate.
    bands : int
        From 0 Hz to half the sampling rate.

    Returns
    -------
    ndarray, shape (windows, bands)
        At least one window: what is shorter is padded with zeros.
    """
    window, hop = round(WINDOW_S * rate_hz), round(HOP_S * rate_hz)
    samples = np.pad(samples, (0, max(0, window - len(samples))))
    cut = sliding_window_view(samples, window)[::hop]
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)
    weights = filter_bank(rate_hz, bands)
    fft = 2 * (weights.shape[1] - 1)
    centred = (cut - cut.mean(axis=1, keepdims=True)) * hann
    power: Array = np.abs(np.fft.rfft(centred, fft)) ** 2 / window @ weights.T
    return power


@cache
def filter_bank(rate_hz: float, bands: int = BANDS) -> Array:
    """Return triangles on the mel scale of O'Shaughnessy, 2595 log10(1 + f / 700).

    Parameters
    ----------
    rate_hz : float
        Sampling rate.
    bands : int
        From 0 Hz to half of it.

    Returns
    -------
    ndarray, shape (bands, bins)
        Weights of the bins of a Fourier transform of 512 samples or more: as many as it takes
        to leave no band empty.
    """
    top = 2595 * np.log10(1 + rate_hz / 2 / 700)
    corners_hz = 700 * (10 ** (np.linspace(0, top, bands + 2) / 2595) - 1)
    low, centre, high = (corners_hz[k : k + bands, np.newaxis] for k in range(3))
    fft = 512
    while True:
        bins_hz = np.arange(fft // 2 + 1) * rate_hz / fft
        rising, falling = (bins_hz - low) / (centre - low), (high - bins_hz) / (high - centre)
        weights: Array = np.maximum(0.0, np.minimum(rising, falling))
        if fft >= WINDOW_S * rate_hz and (weights.sum(axis=1) > 0).all():
            return weights
        fft *= 2


def decibels(power: Array) -> Decibels:
    """Return power in decibels below the maximum of the spectrogram.

    Parameters
    ----------
    power : ndarray, shape (windows, bands)
        Of one utterance.

    Returns
    -------
    ndarray of float16, shape (windows, bands)
        From 0 down to the lowest of `THRESHOLDS_DB`; 0 throughout where there is no power. Steps
        are 0.06 dB at the most.
    """
    peak = power.max()
    if not peak > 0:
        return np.zeros(power.shape, dtype=np.float16)
    floor = peak * 10 ** (min(THRESHOLDS_DB) / 10)
    found: Decibels = (10 * np.log10(np.maximum(power, floor) / peak)).astype(np.float16)
    return found


def clipped(spectrogram_db: Decibels, threshold_db: float) -> NDArray[np.float32]:
    """Raise to the threshold what is below it, and scale to -1 ... 1.

    Parameters
    ----------
    spectrogram_db : ndarray, shape (windows, bands)
        As `decibels` returns it.
    threshold_db : float
        Below 0.

    Returns
    -------
    ndarray of float32, shape (windows, bands)
        -1 is its own minimum, 1 its maximum; 0 throughout where all is the same.
    """
    raised = np.maximum(spectrogram_db.astype(np.float32), np.float32(threshold_db))
    low, high = raised.min(), raised.max()
    if high - low < 1e-4:
        return np.zeros_like(raised)
    scaled: NDArray[np.float32] = 2 * (raised - low) / (high - low) - 1
    return scaled
