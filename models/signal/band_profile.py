"""What a speaker's muscles do together: log energies in bands over the speech heard so far."""

from collections import deque
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from drivers.errors import SignalMismatchError, StreamerError
from models.signal.operator import Array, as_rows

STEADY: Final = 0.1
"""Standard deviation of a log level, 1 dB, that is added so that a steady channel correlates
with none."""


def profile_columns(channels: int, bands: int) -> int:
    """Return the number of features in a profile."""
    return 2 * channels * bands + channels * (channels - 1) // 2


class BandProfile:
    """Mean and spread of each band's log energy, and how the channels' levels correlate.

    Which muscles work together depends on the speaker's articulation, while their levels depend
    on the day's electrodes as well.

    Parameters
    ----------
    channels : int
        Channels of the EMG.
    bands : int
        Bands of a channel.
    longest : int, optional
        Frames that are described at the most: those before them are forgotten.
    """

    def __init__(self, channels: int, bands: int, longest: int | None = None) -> None:
        if longest is not None and longest < 1:
            raise StreamerError("frames of a profile", value=longest, allowed=">= 1")
        self._channels, self._bands, self._longest = channels, bands, longest
        self._pairs = np.triu_indices(channels, 1)
        self.reset()

    def reset(self) -> None:
        """Forget what was heard."""
        width = self._channels * self._bands
        self._sums = np.zeros(2 * width + len(self._pairs[0]) + 2 * self._channels)
        self._kept: deque[Array] = deque()
        self.frames = 0

    def process(self, bands: Array) -> None:
        """Take the next frames.

        Parameters
        ----------
        bands : ndarray, shape (n, channels * bands)
            Log energies as `models.signal.log_bands` makes them, of frames with speech only.
        """
        self.add(self.terms(bands))

    def terms(self, bands: Array) -> Array:
        """Return what is added up of each frame, for `add`.

        Parameters
        ----------
        bands : ndarray, shape (n, channels * bands)
            As for `process`.

        Returns
        -------
        ndarray, shape (n, terms)
            The same for profiles of any length.
        """
        rows = as_rows(bands, self._channels * self._bands)
        levels = rows.reshape(len(rows), self._channels, self._bands).mean(axis=2)
        first, second = self._pairs
        products = levels[:, first] * levels[:, second]
        return np.concatenate((rows, rows * rows, products, levels, levels * levels), axis=1)

    def add(self, terms: Array) -> None:
        """Take the next frames as their `terms`."""
        count = len(terms)
        if not count:
            return
        if self._longest is not None:
            self._kept.extend(terms)
            extra = max(0, len(self._kept) - self._longest)
            # Each leaves when another one comes, so that sums do not depend on the chunks.
            leaving = np.zeros_like(terms)
            for row in leaving[count - extra :]:
                row[:] = self._kept.popleft()
            terms = np.stack((terms, -leaving), axis=1).reshape(-1, terms.shape[1])
            self.frames -= extra
        self.frames += count
        self._sums = np.cumsum(np.concatenate((self._sums[np.newaxis], terms)), axis=0)[-1]

    def describe(self) -> Array:
        """Describe what was heard.

        Returns
        -------
        ndarray, shape (columns,)
            Means, standard deviations (over n), then correlations of the channels' mean levels,
            pair by pair. Nan while there is no frame.
        """
        if not self.frames:
            return np.full(profile_columns(self._channels, self._bands), np.nan)
        width, channels = self._channels * self._bands, self._channels
        first, second = self._pairs
        edges = np.cumsum([width, width, len(first), channels])
        mean, square, products, level, level_square = np.split(self._sums / self.frames, edges)
        covariance = products - level[first] * level[second]
        spread = _spread(level, level_square) + STEADY
        correlation = covariance / (spread[first] * spread[second])
        return np.concatenate((mean, _spread(mean, square), correlation))


def _spread(mean: Array, square: Array) -> Array:
    spread: Array = np.sqrt(np.maximum(square - mean * mean, 0.0))
    return spread


def band_profiles(
    bands: Array, channels: int, ends: ArrayLike, longest: int | None = None
) -> Array:
    """Describe the frames heard up to several moments.

    Parameters
    ----------
    bands : ndarray, shape (n, channels * bands)
        As for `BandProfile.process`.
    channels : int
        Channels of the EMG.
    ends : array_like of int, shape (m,)
        Numbers of frames, 1 to n each, ascending; row i describes the first ``ends[i]``.

    longest : int, optional
        As for `BandProfile`.

    Returns
    -------
    ndarray, shape (m, columns)
        As `BandProfile.describe` makes them.

    Raises
    ------
    SignalMismatchError
        When a moment lies outside of the frames, or the columns are no bands of channels.
    """
    heard = np.asarray(ends, dtype=np.int64)
    fits = bands.ndim == 2 and bands.shape[1] > 0 and bands.shape[1] % channels == 0
    known = not len(heard) or (heard[0] >= 1 and heard[-1] <= len(bands))
    if not fits or not known or (np.diff(heard) < 0).any():
        raise SignalMismatchError(
            "log bands to describe",
            value=f"shape {bands.shape}, up to frames {heard.tolist()}",
            allowed=f"(n, {channels} channels x bands), up to frames 1 to n, ascending",
        )
    profile = BandProfile(channels, bands.shape[1] // channels, longest)
    rows = np.empty((len(heard), profile_columns(channels, bands.shape[1] // channels)))
    before = 0
    for row, end in zip(rows, heard, strict=True):
        profile.process(bands[before:end])
        row[:] = profile.describe()
        before = int(end)
    return rows
