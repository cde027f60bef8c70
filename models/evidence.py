"""Who speaks, from the speech that was heard so far: evidence that adds up."""

from typing import Final

import numpy as np

from models.inference import OnnxModel
from models.manifest import ClassifierPart
from models.signal.band_profile import BandProfile
from models.signal.log_bands import LogBands
from models.signal.operator import Array

WINDOW_S: Final = 3.0
"""Speech that counts at the most: twice of what the calibration knows. What is wrong with a day's
electrodes does not become less by hearing more of it, and who speaks may change."""

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
    """A classifier of speech, however it is interrupted by rest.

    The graph takes ``features``, `evidence_vectors` (n, columns + 1), and returns
    ``probabilities`` (n, labels).

    Parameters
    ----------
    model : OnnxModel
        The graph.
    part : ClassifierPart
        Labels, bands, and the speech that counts at the most.
    rate_hz : float
        Sampling rate of the EMG.
    channels : int
        Of the EMG.
    """

    def __init__(
        self, model: OnnxModel, part: ClassifierPart, rate_hz: float, channels: int
    ) -> None:
        assert part.bands is not None  # as the manifest is checked
        self._model, self._bands = model, part.bands
        self._rate_hz, self._channels = rate_hz, channels
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
            Speech that is remembered for the answer to the whole.

        Returns
        -------
        Listener
            That has heard nothing.
        """
        bands = LogBands(self._bands, self._rate_hz, self._channels)
        return Listener(self._model, bands, threshold, self.window_s, longest_s)


class Listener:
    """What was heard of one epoch, and what it says; see `EvidenceClassifier.listen`.

    Evidence counts as that of `window_s` of speech at the most, the longest that there is
    reason to believe in.

    Parameters
    ----------
    model : OnnxModel
        The graph.
    bands : LogBands
        Makes the frames.
    threshold : float
        As for `EvidenceClassifier.listen`.
    window_s : float
        Speech that the answer of the moment rests on.
    longest_s : float
        As for `EvidenceClassifier.listen`.
    """

    def __init__(
        self, model: OnnxModel, bands: LogBands, threshold: float, window_s: float, longest_s: float
    ) -> None:
        self._model, self._bands, self._threshold = model, bands, threshold
        self._shift_s, self._window_s = bands.settings.shift_s, window_s
        self._recent, self._all = (
            BandProfile(
                bands.channels,
                bands.settings.bands,
                max(LEAST_FRAMES, round(seconds / self._shift_s)),
            )
            for seconds in (window_s, max(window_s, longest_s))
        )
        self._frames = np.empty((0, bands.columns))
        self._speech = np.empty(0)

    @property
    def recent_s(self) -> float:
        """Speech that the answer of the moment rests on."""
        return self._recent.frames * self._shift_s

    @property
    def all_s(self) -> float:
        """Speech that the answer to the whole rests on."""
        return self._all.frames * self._shift_s

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
        spoken = frames[:count][speech[:count] >= self._threshold]
        terms = self._recent.terms(spoken)
        self._recent.add(terms)
        self._all.add(terms)

    def now(self) -> Array | None:
        """Return the probabilities of the labels, by the latest `window_s` of speech.

        Returns
        -------
        ndarray, shape (labels,), or None
            None before there were `LEAST_FRAMES` with speech since the last interruption; NaN
            where the graph gave nothing that can be right.
        """
        return self._said(self._recent)

    def whole(self) -> Array | None:
        """Return the probabilities of the labels, by all speech.

        Returns
        -------
        ndarray, shape (labels,), or None
            None before there were `LEAST_FRAMES` with speech.
        """
        return self._said(self._all)

    def _said(self, profile: BandProfile) -> Array | None:
        if profile.frames < LEAST_FRAMES:
            return None
        seconds = min(profile.frames * self._shift_s, self._window_s)
        vector = evidence_vectors(profile.describe()[np.newaxis], np.array([seconds]))
        probabilities: Array = self._model(vector)[-1][0]
        return probabilities

    def interrupt(self) -> None:
        """Learn that the next sample does not follow the last one."""
        self._bands.reset()
        self._recent.reset()
        self._frames = self._frames[:0]
        self._speech = self._speech[:0]

    def reset(self) -> None:
        """Forget the epoch."""
        self.interrupt()
        self._all.reset()
