"""Features of a window for the classifiers: of its frames, or of its samples.

A window is an utterance or a stretch of a few seconds that slides along; the features of
both compare, so one classifier serves both.
"""

from typing import Final

import numpy as np

from drivers.errors import SignalMismatchError
from models.signal.compression import log_amplitude, log_power
from models.signal.operator import Array

STATISTICS: Final = ("mean", "sd", "p0", "p25", "p75", "p100")
"""Statistics over a window's frames, in the order of `statistics`."""

SPEAKER_FEATURES: Final = (
    "mean_absolute_value",
    "rms",
    "absolute_sum_per_s",
    "variance",
    "square_integral_per_s",
    "waveform_length_per_s",
    "average_amplitude_change",
    "zero_crossings_per_s",
    "slope_sign_changes_per_s",
    "median_frequency_hz",
    "mean_frequency_hz",
)
"""Features of one channel, in the order of `speaker_features`."""


_QUARTILES: Final = np.array([0.0, 0.25, 0.75, 1.0])


def statistics(frames: Array) -> Array:
    """Return the statistics of frames over a window.

    Mean, standard deviation (over n), and the 0th, 25th, 75th and 100th percentile
    (interpolated linearly) of each column: with the TD features as frames, what Diener et
    al. (2020) tell the speaking mode from.

    Parameters
    ----------
    frames : ndarray, shape (n, columns)
        The window, one frame or more; not modified.

    Returns
    -------
    ndarray, shape (6 * columns,)
        All means first, then all standard deviations and so on, as `STATISTICS`.

    Raises
    ------
    SignalMismatchError
        When there is no frame.
    """
    _check_rows(frames, 1)
    quartiles = _percentiles(frames)
    return np.concatenate((frames.mean(axis=0), frames.std(axis=0), quartiles.ravel()))


def speaker_features(samples: Array, rate_hz: float, *, log: bool = True) -> Array:
    """Return nine time-domain and two frequency features of each channel over a window.

    The features by which Diener et al. (2020) tell the speaker, with one deviation: what
    grows with the window there (sum of absolute values, simple square integral, waveform
    length, counts of zero crossings and slope sign changes) is divided by its length in
    seconds here, so that windows of different lengths compare. With N samples x and their
    differences d, per channel:

    =============================  ================================================
    ``mean_absolute_value``        ``mean |x|``
    ``rms``                        ``sqrt(mean x^2)``
    ``absolute_sum_per_s``         ``rate / N * sum |x|``
    ``variance``                   ``sum (x - mean x)^2 / (N - 1)``
    ``square_integral_per_s``      ``rate / N * sum x^2``
    ``waveform_length_per_s``      ``rate / N * sum |d|``
    ``average_amplitude_change``   ``mean |d|``
    ``zero_crossings_per_s``       changes of the sign of x
    ``slope_sign_changes_per_s``   changes of the sign of d
    ``median_frequency_hz``        halves the power spectrum
    ``mean_frequency_hz``          ``sum f P(f) / sum P(f)``
    =============================  ================================================

    A fixed length makes several of them multiples of each other, and so does the
    logarithm: a classifier has to bear columns that depend on each other linearly.

    Parameters
    ----------
    samples : ndarray, shape (n, channels)
        DC-free EMG in microvolts, three samples or more; not modified.
    rate_hz : float
        Sampling rate.
    log : bool
        Return the first seven as logarithms (see `models.signal.compression`); rates and
        frequencies stay as they are.

    Returns
    -------
    ndarray, shape (channels * 11,)
        Channel by channel, within a channel as `SPEAKER_FEATURES`.

    Raises
    ------
    SignalMismatchError
        When there are fewer than three samples.
    """
    _check_rows(samples, 3)
    per_s = rate_hz / len(samples)
    steps = np.diff(samples, axis=0)
    magnitude = np.abs(samples).mean(axis=0)
    square = (samples * samples).mean(axis=0)
    variance = samples.var(axis=0, ddof=1)
    length = np.abs(steps).sum(axis=0) * per_s
    change = np.abs(steps).mean(axis=0)
    rms = np.sqrt(square)
    if log:
        amplitudes = (
            log_amplitude(magnitude),
            log_power(square),
            log_amplitude(magnitude) + np.log(rate_hz),
            log_power(variance),
            log_power(square) + 0.5 * np.log(rate_hz),
            log_amplitude(length / rate_hz) + np.log(rate_hz),
            log_amplitude(change),
        )
    else:
        amplitudes = (
            magnitude,
            rms,
            magnitude * rate_hz,
            variance,
            square * rate_hz,
            length,
            change,
        )
    crossings = _sign_changes(samples) * per_s
    turns = _sign_changes(steps) * per_s
    features: Array = np.stack(
        (*amplitudes, crossings, turns, *_spectral_centres(samples, rate_hz)), axis=1
    )
    return features.ravel()


def _percentiles(frames: Array) -> Array:
    """Return the 0th, 25th, 75th and 100th percentile: `np.percentile` in a seventh of its time."""
    ordered = np.sort(frames, axis=0)
    position = _QUARTILES * (len(frames) - 1)
    below = np.floor(position).astype(int)
    above = np.minimum(below + 1, len(frames) - 1)
    part = (position - below)[:, np.newaxis]
    percentiles: Array = ordered[below] + part * (ordered[above] - ordered[below])
    return percentiles


def _check_rows(rows: Array, least: int) -> None:
    if rows.ndim != 2 or len(rows) < least:
        raise SignalMismatchError(
            "shape of a window", value=rows.shape, allowed=f"(n, columns) with n >= {least}"
        )


def _sign_changes(rows: Array) -> Array:
    """Count the changes of sign down each column; zero counts as positive."""
    negative = rows < 0
    return np.asarray((negative[1:] != negative[:-1]).sum(axis=0), dtype=np.float64)


def _spectral_centres(samples: Array, rate_hz: float) -> tuple[Array, Array]:
    """Return median and mean frequency of each column's periodogram, 0 Hz left out.

    Both are 0 for a column without power.
    """
    spectrum = np.fft.rfft(samples, axis=0)[1:]
    frequency_hz = np.fft.rfftfreq(len(samples), 1 / rate_hz)[1:]
    power = spectrum.real**2 + spectrum.imag**2
    total = power.sum(axis=0)
    cumulative = np.cumsum(power, axis=0)
    median_hz = frequency_hz[np.argmax(cumulative >= total / 2, axis=0)]
    safe_total = np.where(total > 0, total, 1.0)
    mean_hz = (frequency_hz[:, np.newaxis] * power).sum(axis=0) / safe_total
    return np.where(total > 0, median_hz, 0.0), mean_hz
