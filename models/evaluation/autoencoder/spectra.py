"""The spectrograms of a session: of its EMG, and of the speech that is made of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.evaluation.autoencoder.converted import (
    RATE_HZ,
    ConversionSettings,
    converted,
    convertible,
)
from models.evaluation.autoencoder.spectrogram import (
    HOP_S,
    Decibels,
    clipped,
    decibels,
    mel_spectrogram,
)
from models.evaluation.material import Material, Session
from models.signal.operator import Array
from models.training.examples import Utterance


@dataclass(frozen=True)
class Reduction:
    """What is left out to save time.

    Attributes
    ----------
    utterances : int, optional
        Most of a subset of a session that are taken, evenly spread over it.
    seconds : float, optional
        Longest that is taken of an utterance, from its middle.
    """

    utterances: int | None = None
    seconds: float | None = None


@dataclass(frozen=True)
class Label:
    """What is known of an utterance: as in `Utterance`."""

    session: str
    speaker: str
    mode: str
    split: str


@dataclass(frozen=True, eq=False)
class Spectra:
    """Spectrograms of utterances, one after the other.

    Attributes
    ----------
    labels : tuple of Label
        Of the utterances.
    lengths : ndarray of int, shape (utterances,)
        Windows of each, one or more.
    decibels : ndarray of float16, shape (windows, bands)
        Below the maximum of the utterance.
    """

    labels: tuple[Label, ...]
    lengths: NDArray[np.int64]
    decibels: Decibels

    def clipped(self, threshold_db: float) -> list[NDArray[np.float32]]:
        """Return each utterance's spectrogram, clipped and scaled to -1 ... 1."""
        ends = np.cumsum(self.lengths)
        cuts = [self.decibels[end - n : end] for end, n in zip(ends, self.lengths, strict=True)]
        return [clipped(one, threshold_db) for one in cuts]

    def learned(self) -> "Spectra":
        """Return those of training subsets."""
        chosen = np.array([one.split == "train" for one in self.labels], dtype=bool)
        labels = tuple(one for one in self.labels if one.split == "train")
        rows = np.repeat(chosen, self.lengths)
        return Spectra(labels, self.lengths[chosen], self.decibels[rows])


def joined(parts: Sequence[Spectra]) -> Spectra:
    """Put the spectrograms of one session or more together."""
    return Spectra(
        tuple(label for part in parts for label in part.labels),
        np.concatenate([part.lengths for part in parts]),
        np.concatenate([part.decibels for part in parts]),
    )


def emg_spectra(material: Material, name: str, reduction: Reduction) -> Spectra:
    """Describe the mean of a session's EMG channels.

    Parameters
    ----------
    material : Material
        The corpus.
    name : str
        Of the session, which has one utterance or more.
    reduction : Reduction
        What is left out.

    Returns
    -------
    Spectra
        Of all modes and subsets.
    """
    wanted = _wanted(material.session(name), reduction)
    means = ((one, one.emg.samples.mean(axis=1)) for one in wanted)
    return _spectra(means, material.recording(wanted[0].name).rate_hz, reduction)


def speech_spectra(
    material: Material, name: str, reduction: Reduction, settings: ConversionSettings
) -> Spectra | None:
    """Describe the speech that converters make of a session's EMG.

    Parameters
    ----------
    material : Material
        The corpus.
    name : str
        Of the session.
    reduction : Reduction
        What is left out.
    settings : ConversionSettings
        Of the converters.

    Returns
    -------
    Spectra or None
        Of all modes and subsets; None where there is too little speech to train converters.
    """
    session = material.session(name)
    wanted = _wanted(session, reduction)
    if not convertible(wanted, settings):
        return None
    return _spectra(converted(wanted, settings), RATE_HZ, reduction)


def _wanted(session: Session, reduction: Reduction) -> list[Utterance]:
    chosen = []
    for split in ("train", "test"):
        for mode in session.modes:
            subset = [one for one in session.subset(split, mode) if len(one.emg.frames)]
            most = min(len(subset), reduction.utterances or len(subset))
            at = np.linspace(0, len(subset), most, endpoint=False).astype(int)
            chosen += [subset[k] for k in at]
    return chosen


def _spectra(
    signals: Iterable[tuple[Utterance, Array]], rate_hz: float, reduction: Reduction
) -> Spectra:
    labels, spectrograms = [], []
    for one, samples in signals:
        labels.append(Label(one.session, one.speaker, one.mode, one.split))
        spectrograms.append(decibels(_middle(mel_spectrogram(samples, rate_hz), reduction)))
    lengths = np.array([len(one) for one in spectrograms])
    return Spectra(tuple(labels), lengths, np.concatenate(spectrograms))


def _middle(power: Array, reduction: Reduction) -> Array:
    if reduction.seconds is None:
        return power
    first = max(0, (len(power) - round(reduction.seconds / HOP_S)) // 2)
    return power[first : len(power) - first]
