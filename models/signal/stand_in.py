"""What models see of channels that fail: what the others let expect.

The features of a dead channel are like those of nobody's rest: a converter that was never
trained on them speaks wrongly in all channels, and the gate may close for good. On session 002-001
of EMG-UKA, whose held-out utterances have 6.0 dB of mel-cepstral distortion, a dead channel costs
0.1 dB where its features are expected from those of the others, 0.3 at their mean, 0.6 at their
level at rest, and 1.4 as they are. `models.training.stand_in` measures it for each bundle.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from drivers.errors import SignalMismatchError
from models.signal.operator import Array


class StandIn:
    """Features of failing channels, put in place of their own.

    Each feature of a channel is expected from the same feature of the channels that work: the
    conditional mean of a normal distribution. Without a covariance between channels it is the
    level alone; without either, the mean of the working channels. Where no channel works, there
    is nothing to expect anything from, and frames stay as they are: rest, for dead channels.

    Parameters
    ----------
    channels : int
        Columns of the signal.
    blocks : sequence of int
        Features of a channel in each part of a frame: TD features, bands. Columns of one channel
        lie together in each part.
    level : ndarray, shape (features, channels), optional
        What each feature is like in each channel.
    covariance : ndarray, shape (features, channels, channels), optional
        How each feature of a channel goes with the same feature of the others.

    Raises
    ------
    SignalMismatchError
        Level or covariance is of other features or channels.
    """

    def __init__(
        self,
        channels: int,
        blocks: Sequence[int],
        level: Array | None = None,
        covariance: Array | None = None,
    ) -> None:
        self._columns = columns_of(channels, blocks)
        features = len(self._columns)
        for thing, values, shape in (
            ("level of the channels", level, (features, channels)),
            ("covariance of the channels", covariance, (features, channels, channels)),
        ):
            if values is not None and values.shape != shape:
                raise SignalMismatchError(
                    f"{thing} in the manifest", value=values.shape, allowed=shape
                )
        self._level = level
        self._covariance = covariance
        self._failing: NDArray[np.bool_] = np.zeros(channels, dtype=np.bool_)
        self._weights = np.empty((features, 0, channels))
        self._offsets = np.empty((features, 0))

    def process(self, frames: Array, failing: NDArray[np.bool_]) -> Array:
        """Replace the features of failing channels.

        Parameters
        ----------
        frames : ndarray, shape (n, columns)
            Features; not modified.
        failing : ndarray of bool, shape (n, channels)
            Which channels fail in each frame.

        Returns
        -------
        ndarray, shape (n, columns)
            The features of all other channels are the same to the last bit.
        """
        replaced = frames.copy()
        # Frame by frame: a product of several at once rounds differently.
        for row, bad in zip(replaced, failing, strict=True):
            if bad.any() and not bad.all():
                if not np.array_equal(bad, self._failing):
                    self._learn(bad)
                seen = row[self._columns][:, :, np.newaxis]
                expected = np.matmul(self._weights, seen)[:, :, 0]
                row[self._columns[:, bad]] = self._offsets + expected
        return replaced

    def _learn(self, failing: NDArray[np.bool_]) -> None:
        """Find weights (features, failing, channels) of what is seen, and offsets."""
        working = ~failing
        shape = (len(self._columns), int(failing.sum()), len(failing))
        self._failing, self._weights = failing.copy(), np.zeros(shape)
        if self._level is None:
            self._weights[:, :, working] = 1 / working.sum()
        elif self._covariance is not None:
            between = self._covariance[:, working][:, :, working]
            across = self._covariance[:, working][:, :, failing]
            solved = np.linalg.pinv(between + _ridge(between), hermitian=True) @ across
            self._weights[:, :, working] = solved.transpose(0, 2, 1)
        self._offsets = np.zeros(shape[:2])
        if self._level is not None:
            seen = np.matmul(self._weights, self._level[:, :, np.newaxis])[:, :, 0]
            self._offsets = self._level[:, failing] - seen


def columns_of(channels: int, blocks: Sequence[int]) -> NDArray[np.int64]:
    """Return where each feature of each channel lies in a frame.

    Parameters
    ----------
    channels, blocks
        As for `StandIn`.

    Returns
    -------
    ndarray of int, shape (features, channels)
        Columns.
    """
    parts, first = [], 0
    for count in blocks:
        parts.append(first + np.arange(channels * count).reshape(channels, count).T)
        first += channels * count
    return np.concatenate(parts)


def _ridge(covariance: Array) -> Array:
    """Return what keeps a system solvable where channels are alike, or never moved."""
    variance = np.diagonal(covariance, axis1=1, axis2=2)
    diagonal = 0.01 * variance + 1e-6
    ridge: Array = diagonal[:, :, np.newaxis] * np.eye(covariance.shape[1])
    return ridge
