"""Who speaks, from all the speech that was heard so far: evidence that adds up."""

from typing import Final

import numpy as np

from models.inference import OnnxModel
from models.manifest import ClassifierPart
from models.signal.band_profile import BandProfile
from models.signal.log_bands import LogBands, LogBandSettings
from models.signal.operator import Array

BANDS: Final = LogBandSettings()
"""Of the frames; their shift is that of the TD features."""

LEAST_FRAMES: Final = 10
"""With speech, before anything is said."""


def evidence_vectors(profiles: Array, seconds: Array) -> Array:
    """Return what the score of a linear classifier over some speech, times its length, is of.

    Parameters
    ----------
    profiles : ndarray, shape (n, columns)
        As `models.signal.band_profile` makes them.
    seconds : ndarray, shape (n,)
        Speech in each.

    Returns
    -------
    ndarray, shape (n, columns + 1)
        The profile and a 1, both times the seconds.
    """
    ones = np.ones((len(profiles), 1))
    vectors: Array = np.concatenate((profiles, ones), axis=1) * seconds[:, np.newaxis]
    return vectors


class EvidenceClassifier:
    """A classifier of the speech heard since an epoch began.

    The graph takes ``features``, `evidence_vectors` (n, columns + 1), and returns
    ``probabilities`` (n, labels).

    Parameters
    ----------
    model : OnnxModel
        The graph.
    part : ClassifierPart
        Labels.
    rate_hz : float
        Sampling rate of the EMG.
    channels : int
        Of the EMG.
    """

    def __init__(
        self, model: OnnxModel, part: ClassifierPart, rate_hz: float, channels: int
    ) -> None:
        self._model, self._rate_hz, self._channels = model, rate_hz, channels
        self.name = part.name
        self.labels = part.labels
        self.window_s = part.window_s

    def listen(self, threshold: float, longest_s: float) -> "Listener":
        """Begin to listen.

        Parameters
        ----------
        threshold : float
            Probability from which on a frame counts as speech.
        longest_s : float
            Speech that an answer rests on at the most.

        Returns
        -------
        Listener
            That has heard nothing.
        """
        bands = LogBands(BANDS, self._rate_hz, self._channels)
        return Listener(self._model, bands, threshold, longest_s)


class Listener:
    """What was heard of one epoch, and what it says; see `EvidenceClassifier.listen`.

    Parameters
    ----------
    model : OnnxModel
        The graph.
    bands : LogBands
        Makes the frames.
    threshold, longest_s : float
        As for `EvidenceClassifier.listen`.
    """

    def __init__(
        self, model: OnnxModel, bands: LogBands, threshold: float, longest_s: float
    ) -> None:
        self._model, self._bands, self._threshold = model, bands, threshold
        self._shift_s = bands.settings.shift_s
        longest = max(LEAST_FRAMES, round(longest_s / self._shift_s))
        self._profile = BandProfile(bands.channels, bands.settings.bands, longest)
        self._frames = np.empty((0, bands.columns))
        self._speech = np.empty(0)

    @property
    def seconds(self) -> float:
        """Speech that an answer rests on."""
        return self._profile.frames * self._shift_s

    def process(self, samples: Array, speech: Array) -> None:
        """Take the next samples and frames.

        Parameters
        ----------
        samples : ndarray, shape (n, channels)
            DC-free EMG in microvolts.
        speech : ndarray, shape (m,)
            Probability of speech of the next frames, which may be known later or sooner than
            their bands.
        """
        frames = np.concatenate((self._frames, self._bands.process(samples)))
        speech = np.concatenate((self._speech, speech))
        count = min(len(frames), len(speech))
        self._frames, self._speech = frames[count:], speech[count:]
        self._profile.process(frames[:count][speech[:count] >= self._threshold])

    def probabilities(self) -> Array | None:
        """Return the probabilities of the labels.

        Returns
        -------
        ndarray, shape (labels,), or None
            None before there were `LEAST_FRAMES` with speech.
        """
        if self._profile.frames < LEAST_FRAMES:
            return None
        vector = evidence_vectors(self._profile.describe()[np.newaxis], np.array([self.seconds]))
        probabilities: Array = self._model(vector)[-1][0]
        return probabilities

    def reset(self) -> None:
        """Forget the epoch."""
        self._bands.reset()
        self._profile.reset()
        self._frames = self._frames[:0]
        self._speech = self._speech[:0]
