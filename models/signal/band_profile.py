"""What a speaker's muscles do together: log energies in bands over the speech heard so far."""

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from drivers.errors import SignalMismatchError
from models.signal.operator import Array

STEADY: Final = 0.1
"""Standard deviation of a log level, 1 dB, that is added so that a steady channel correlates
with none."""


def profile_columns(channels: int, bands: int) -> int:
    """Return the number of features in a profile."""
    return 2 * channels * bands + channels * (channels - 1) // 2


def band_profiles(bands: Array, channels: int, ends: ArrayLike) -> Array:
    """Describe the frames heard up to several moments.

    Mean and standard deviation of each band's log energy, and how the channels' levels
    correlate: which muscles work together depends on the speaker's articulation, while their
    levels depend on the day's electrodes as well.

    Parameters
    ----------
    bands : ndarray, shape (n, channels * bands)
        Log energies as `models.signal.log_bands` makes them, of the frames with speech only.
    channels : int
        Channels of the EMG.
    ends : array_like of int, shape (m,)
        Numbers of frames, 1 to n each; row i describes the first ``ends[i]``.

    Returns
    -------
    ndarray, shape (m, columns)
        Means, standard deviations (over n), then correlations of the channels' mean levels,
        pair by pair.

    Raises
    ------
    SignalMismatchError
        When a moment lies outside of the frames, or the columns are no bands of channels.
    """
    heard = np.asarray(ends, dtype=np.int64)
    fits = bands.ndim == 2 and bands.shape[1] > 0 and bands.shape[1] % channels == 0
    if not fits or (len(heard) and not (1 <= heard.min() and heard.max() <= len(bands))):
        raise SignalMismatchError(
            "log bands to describe",
            value=f"shape {bands.shape}, up to frames {heard.tolist()}",
            allowed=f"(n, {channels} channels x bands), up to frames 1 to n",
        )
    mean, variance = _moments(bands, heard)
    levels = bands.reshape(len(bands), channels, -1).mean(axis=2)
    first, second = np.triu_indices(channels, 1)
    products = np.cumsum(levels[:, first] * levels[:, second], axis=0)[heard - 1]
    level_mean, level_variance = _moments(levels, heard)
    covariance = products / heard[:, np.newaxis] - level_mean[:, first] * level_mean[:, second]
    spread = np.sqrt(level_variance) + STEADY
    correlation = covariance / (spread[:, first] * spread[:, second])
    return np.concatenate((mean, np.sqrt(variance), correlation), axis=1)


def _moments(rows: Array, ends: NDArray[np.int64]) -> tuple[Array, Array]:
    """Return mean and variance of the first rows, up to each end."""
    count = ends[:, np.newaxis]
    mean = np.cumsum(rows, axis=0)[ends - 1] / count
    square = np.cumsum(rows * rows, axis=0)[ends - 1] / count
    return mean, np.maximum(square - mean * mean, 0.0)
