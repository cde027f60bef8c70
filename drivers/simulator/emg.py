"""Muscle activations to the interference EMG of the six electrode sites.

Each muscle is a source of band-limited Gaussian noise whose amplitude follows its
activation; a site sees several muscles, and neighbouring sites the same ones, which is
their crosstalk. On top come what electrodes and amplifiers add: baseline noise, of
which the sites with the reference behind the ears share a part, movement artefacts,
mains hum, and an offset with a slow drift.

The spectrum of a muscle is the shape of Shwedyk, Balasubramanian and Scott (1977),

    P(f) = f_h^4 f^2 / ((f^2 + f_l^2) (f^2 + f_h^2)^2),

used since in many simulators of surface EMG.

Simplified: no motor units, so weak contractions sound as smooth as strong ones; no
fatigue; amplitude is proportional to activation.
"""

from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

EMG_RATE_HZ = 600
N_SITES = 6
UV_PER_COUNT = 0.033

# Sites as in the table of the corpus; columns as in drivers.simulator.muscles.MUSCLES.
# Standard deviation in microvolts of what a fully active muscle gives at a site.
SITE_GAINS_UV = np.array(
    [
        [110.0, 100.0, 50.0, 0.0, 6.0, 12.0, 30.0],  # digastric, tongue; unipolar
        [0.0, 0.0, 0.0, 75.0, 22.0, 10.0, 3.0],  # levator, zygomaticus; bipolar
        [15.0, 12.0, 12.0, 140.0, 70.0, 40.0, 40.0],  # the same; unipolar
        [45.0, 25.0, 18.0, 50.0, 50.0, 90.0, 140.0],  # platysma; unipolar
        [35.0, 20.0, 12.0, 25.0, 90.0, 220.0, 130.0],  # platysma, depressor; unipolar
        [12.0, 35.0, 75.0, 0.0, 2.0, 3.0, 5.0],  # tongue; bipolar
    ]
)

# How much of a site's power comes from motor units that other sites see as well: much
# where a far reference collects from all around, little in a bipolar derivation.
_COMMON_POWER = np.array([0.3, 0.05, 0.7, 0.7, 0.4, 0.1])
_SHARED_REFERENCE = np.array([0.0, 0.0, 0.8, 0.8, 0.5, 0.0])  # behind the ears
_AMPLIFIER_BAND_HZ = (0.9, 295.0)
_ARTEFACT_BAND_HZ = (0.9, 8.0)
_DRIFT_PERIOD_S = 7.0
_N_TAPS = 127


@dataclass(frozen=True, eq=False)
class Anatomy:
    """What stays with a speaker.

    Attributes
    ----------
    site_gains_uv : ndarray of float64, shape (N_SITES, muscles)
        Standard deviation of a fully active muscle at each site.
    low_hz, high_hz : ndarray of float64, shape (muscles,)
        Corners of each muscle's spectrum; thick skin lowers them.
    """

    site_gains_uv: NDArray[np.float64]
    low_hz: NDArray[np.float64]
    high_hz: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Electrodes:
    """What changes whenever electrodes are stuck on anew: one recording session.

    Attributes
    ----------
    gains : ndarray of float64, shape (N_SITES, muscles)
        Factors on the speaker's `site_gains_uv`.
    baseline_uv, artefact_uv, hum_uv, drift_uv : ndarray of float64, shape (N_SITES,)
        Standard deviation of baseline noise, of movement artefacts in full movement and
        of the drift; amplitude of the mains hum.
    offset_uv : ndarray of float64, shape (N_SITES,)
        Offset of the amplifier.
    hum_phase : ndarray of float64, shape (N_SITES,)
        Radians.
    """

    gains: NDArray[np.float64]
    baseline_uv: NDArray[np.float64]
    artefact_uv: NDArray[np.float64]
    hum_uv: NDArray[np.float64]
    drift_uv: NDArray[np.float64]
    offset_uv: NDArray[np.float64]
    hum_phase: NDArray[np.float64]


def interference_emg(
    activations: NDArray[np.float64],
    anatomy: Anatomy,
    electrodes: Electrodes,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Turn muscle activations into EMG.

    Parameters
    ----------
    activations : ndarray of float64, shape (n, muscles)
        At `EMG_RATE_HZ`; 0 at rest, about 1 in a strong gesture.
    anatomy : Anatomy
        Of the speaker.
    electrodes : Electrodes
        Of the recording session.
    rng : numpy.random.Generator
        Source of all noise.

    Returns
    -------
    ndarray of float64, shape (n, N_SITES)
        Microvolts, offset and drift included.
    """
    n = len(activations)
    gains = anatomy.site_gains_uv * electrodes.gains
    emg = _common_part(activations, gains, anatomy, rng)
    emg += _own_part(activations, gains, anatomy, rng)
    emg += electrodes.baseline_uv * _baseline(n, rng)
    movement = np.sqrt(np.mean(activations**2, axis=1, keepdims=True))
    emg += electrodes.artefact_uv * movement * _band_noise(n, N_SITES, _ARTEFACT_BAND_HZ, rng)
    emg += electrodes.hum_uv * _hum(n, electrodes.hum_phase, rng)
    return emg + electrodes.offset_uv + electrodes.drift_uv * _drift(n, rng)


def to_counts(emg_uv: NDArray[np.float64]) -> NDArray[np.int16]:
    """Convert microvolts to the device's counts, clipped at its full scale.

    Parameters
    ----------
    emg_uv : ndarray of float64
        Microvolts.

    Returns
    -------
    ndarray of int16
        Of the same shape.
    """
    limits = np.iinfo(np.int16)
    counts = np.clip(np.round(emg_uv / UV_PER_COUNT), limits.min, limits.max)
    return counts.astype(np.int16)


def _common_part(
    activations: NDArray[np.float64],
    gains_uv: NDArray[np.float64],
    anatomy: Anatomy,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Return what several sites see of the same muscles: their crosstalk."""
    emitted = activations * _coloured(len(activations), anatomy.low_hz, anatomy.high_hz, rng)
    common: NDArray[np.float64] = np.sqrt(_COMMON_POWER) * (emitted @ gains_uv.T)
    return common


def _own_part(
    activations: NDArray[np.float64],
    gains_uv: NDArray[np.float64],
    anatomy: Anatomy,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Return what each site alone sees: other motor units, driven by the same muscles."""
    level = np.sqrt(activations**2 @ (gains_uv**2).T)
    share = gains_uv**2 / np.sum(gains_uv**2, axis=1, keepdims=True)
    low_hz, high_hz = share @ anatomy.low_hz, share @ anatomy.high_hz
    own: NDArray[np.float64] = np.sqrt(1 - _COMMON_POWER) * level
    return own * _coloured(len(activations), low_hz, high_hz, rng)


def _coloured(
    n: int, low_hz: NDArray[np.float64], high_hz: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return one noise of unit variance with a muscle's spectrum per pair of corners."""
    white = rng.standard_normal((n + _N_TAPS - 1, len(low_hz)))
    filters = [_muscle_filter(low, high) for low, high in zip(low_hz, high_hz, strict=True)]
    return np.stack(
        [scipy.signal.convolve(white[:, k], taps, mode="valid") for k, taps in enumerate(filters)],
        axis=1,
    )


def _muscle_filter(low_hz: float, high_hz: float) -> NDArray[np.float64]:
    """Design a filter that gives white noise of unit variance a muscle's spectrum."""
    f = np.linspace(0.0, EMG_RATE_HZ / 2, 257)
    amplitude = high_hz**2 * f / (np.sqrt(f**2 + low_hz**2) * (f**2 + high_hz**2))
    amplitude[f > _AMPLIFIER_BAND_HZ[1]] = 0.0
    taps = scipy.signal.firwin2(_N_TAPS, f, amplitude, fs=EMG_RATE_HZ)
    unit: NDArray[np.float64] = taps / np.sqrt(np.sum(taps**2))
    return unit


def _baseline(n: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return unit noise of the electrodes, partly common to the sites with one reference."""
    own = _band_noise(n, N_SITES, (10.0, _AMPLIFIER_BAND_HZ[1]), rng)
    shared = _band_noise(n, 1, (10.0, _AMPLIFIER_BAND_HZ[1]), rng)
    both: NDArray[np.float64] = np.sqrt(1 - _SHARED_REFERENCE**2) * own + _SHARED_REFERENCE * shared
    return both


def _band_noise(
    n: int, n_channels: int, band_hz: tuple[float, float], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return noise of unit standard deviation in a band."""
    settle = EMG_RATE_HZ
    sos = scipy.signal.butter(2, band_hz, "bandpass", fs=EMG_RATE_HZ, output="sos")
    _, response = scipy.signal.sosfreqz(sos, 4096)
    gain = np.sqrt(np.mean(np.abs(response) ** 2))
    white = rng.standard_normal((n + settle, n_channels))
    noise: NDArray[np.float64] = scipy.signal.sosfilt(sos, white, axis=0)[settle:] / gain
    return noise


def _hum(n: int, phase: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Return mains hum of amplitude 1: 50 Hz and a third harmonic; utterances start anywhere."""
    t = np.arange(n)[:, None] / EMG_RATE_HZ
    angle = 2 * np.pi * 50.0 * t + phase + rng.uniform(0, 2 * np.pi)
    hum: NDArray[np.float64] = np.cos(angle) + 0.2 * np.cos(3 * angle)
    return hum


def _drift(n: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return a slow wander about a level that differs by utterance; each of unit size."""
    t = np.arange(n)[:, None] / EMG_RATE_HZ
    level, slope, sine = rng.standard_normal((3, N_SITES))
    angle = 2 * np.pi * t / _DRIFT_PERIOD_S + rng.uniform(0, 2 * np.pi, N_SITES)
    wander: NDArray[np.float64] = level + slope * t / _DRIFT_PERIOD_S + sine * np.cos(angle)
    return wander
