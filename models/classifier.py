"""Who speaks, and how: classifiers of windows of EMG."""

from collections.abc import Sequence

import numpy as np

from models.embedding import Encoder
from models.inference import OnnxModel
from models.manifest import ClassifierPart, FeatureSet
from models.signal.log_bands import LogBands, LogBandSettings
from models.signal.operator import Array
from models.signal.window_features import speaker_features, statistics

BANDS = LogBandSettings(shift_s=0.05)
"""Half-overlapping spectra: a finer shift says little more and costs an estimate its time."""

UTTERANCE_SHIFT_S = 0.5
"""From one window of an utterance to the next."""


def window_vector(
    samples: Array,
    frames: Array,
    sets: Sequence[FeatureSet],
    rate_hz: float,
    encoder: Encoder | None = None,
) -> Array:
    """Return the features of one window.

    Parameters
    ----------
    samples : ndarray, shape (n, channels)
        DC-free EMG of the window in microvolts.
    frames : ndarray, shape (m, columns)
        TD features of the window.
    sets : sequence of FeatureSet
        ``td_statistics`` and ``speaker`` are those of Diener et al. (2020);
        ``band_statistics`` are the six statistics of log energies in eight bands;
        ``embedding`` is what the encoder says of the frames.
    rate_hz : float
        Sampling rate of the samples.
    encoder : Encoder, optional
        Needed for ``embedding`` only.

    Returns
    -------
    ndarray, shape (features,)
        The sets one after the other.
    """
    parts: list[Array] = []
    for name in sets:
        if name == "td_statistics":
            parts.append(statistics(frames))
        elif name == "band_statistics":
            parts.append(statistics(LogBands(BANDS, rate_hz, samples.shape[1]).process(samples)))
        elif name == "embedding":
            assert encoder is not None  # as the manifest is checked
            parts.append(encoder(frames))
        else:
            parts.append(speaker_features(samples, rate_hz))
    return np.concatenate(parts)


def utterance_windows(
    samples: Array, frames: Array, window_s: float, rate_hz: float, shift_s: float
) -> list[tuple[Array, Array]]:
    """Cut an utterance into windows of `window_s`; a shorter one is one window.

    Parameters
    ----------
    samples : ndarray, shape (n, channels)
        DC-free EMG.
    frames : ndarray, shape (m, columns)
        TD features.
    window_s : float
        Length of the windows.
    rate_hz : float
        Sampling rate of the samples.
    shift_s : float
        Shift of the frames.

    Returns
    -------
    list of (samples, frames)
        At least one; the last ends where the utterance does.
    """
    length = round(window_s / shift_s)
    step = round(UTTERANCE_SHIFT_S / shift_s)
    ends = list(range(len(frames), min(length, len(frames)) - 1, -step))[::-1]
    windows = []
    for end in ends:
        start = max(0, end - length)
        first = round(start * shift_s * rate_hz)
        last = len(samples) if end == len(frames) else round(end * shift_s * rate_hz)
        windows.append((samples[first:last], frames[start:end]))
    return windows


def over_windows(probabilities: Array) -> Array:
    """Return the probabilities of a whole utterance from those of its windows.

    The mean of the log probabilities, normalised: windows overlap and one utterance is one
    speaker in one mode, so they are not counted as independent.

    Parameters
    ----------
    probabilities : ndarray, shape (windows, labels)
        One window or more; those with a NaN are left out.

    Returns
    -------
    ndarray, shape (labels,)
        They add up to 1; NaN where no window is left.
    """
    known = np.isfinite(probabilities).all(axis=1)
    if not known.any():
        return np.full(probabilities.shape[1], np.nan)
    probabilities = probabilities[known]
    scores = np.log(np.maximum(probabilities, 1e-12)).mean(axis=0)
    weights = np.exp(scores - scores.max())
    whole: Array = weights / weights.sum()
    return whole


class WindowClassifier:
    """A classifier with calibrated probabilities.

    The graph takes ``features`` (n, columns) and returns ``probabilities`` (n, labels)
    last.

    Parameters
    ----------
    model : OnnxModel
        The graph.
    part : ClassifierPart
        Labels and features.
    rate_hz : float
        Sampling rate of the EMG.
    shift_s : float
        Shift of the frames.
    encoder : Encoder, optional
        Of embeddings, where they are among the features.
    """

    def __init__(
        self,
        model: OnnxModel,
        part: ClassifierPart,
        rate_hz: float,
        shift_s: float,
        encoder: Encoder | None = None,
    ) -> None:
        self._model = model
        self._encoder = encoder
        self.name = part.name
        self._sets = part.features
        self._rate_hz = rate_hz
        self._shift_s = shift_s
        self.labels = part.labels
        self.window_s = part.window_s

    def features(self, samples: Array, frames: Array) -> Array:
        """Return the features of one window; see `window_vector`."""
        return window_vector(samples, frames, self._sets, self._rate_hz, self._encoder)

    def probabilities(self, vector: Array) -> Array:
        """Return the probabilities of the labels for one window's features.

        Parameters
        ----------
        vector : ndarray, shape (features,)
            As `features` returns it.

        Returns
        -------
        ndarray, shape (labels,)
            They add up to 1; NaN where the graph gave nothing that can be right.
        """
        probabilities: Array = self._model(vector[np.newaxis])[-1][0]
        return probabilities

    def utterance(self, samples: Array, frames: Array) -> Array:
        """Return the probabilities of the labels for a whole utterance.

        As `over_windows` of its windows.

        Parameters
        ----------
        samples : ndarray, shape (n, channels)
            DC-free EMG of the utterance in microvolts.
        frames : ndarray, shape (m, columns)
            Its TD features.

        Returns
        -------
        ndarray, shape (labels,)
            They add up to 1; NaN where the graph gave nothing that can be right.
        """
        windows = utterance_windows(samples, frames, self.window_s, self._rate_hz, self._shift_s)
        rows = np.stack([self.features(*window) for window in windows])
        return over_windows(self._model(rows)[-1])
