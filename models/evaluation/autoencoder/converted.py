"""Speech that the converter makes of a session's EMG, by models that have not seen it.

All that this experiment knows of the converter is here.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from models.signal.operator import Array
from models.signal.td_features import TDSettings
from models.speech.analysis import SpeechSettings
from models.speech.vocoder import Vocoder
from models.training.converter import train_converter
from models.training.examples import Utterance, stack
from models.training.network import ConverterNetwork, ConverterSettings

RATE_HZ = float(SpeechSettings().rate_hz)


@dataclass(frozen=True)
class ConversionSettings:
    """How utterances are converted.

    Attributes
    ----------
    folds : int
        The audible training utterances are converted by so many models, each trained without
        the sentences that it converts.
    epochs : int
        Of a model, at the most.
    widths : tuple of int
        Hidden layers of a model.
    seed : int
        Of the models.
    """

    folds: int = 5
    epochs: int = 30
    widths: tuple[int, ...] = (1024, 256, 1024)
    seed: int = 0


def convertible(wanted: Sequence[Utterance], settings: ConversionSettings) -> bool:
    """Tell whether each of the models that `converted` needs has two sentences to learn from."""
    sentences = {_sentence(one) for one in _learned(wanted)}
    largest_fold = -(-len(sentences) // settings.folds)
    return len(sentences) - largest_fold >= 2


def converted(
    wanted: Sequence[Utterance], settings: ConversionSettings
) -> Iterator[tuple[Utterance, Array]]:
    """Convert utterances of a session with models trained on audible utterances of it.

    Parameters
    ----------
    wanted : sequence of Utterance
        Of one session, with one frame of EMG or more; `convertible` holds. Those that are
        audible and for training are what models learn from, each model without the sentences
        that it converts; all others are converted by a model that learned from all of these.
    settings : ConversionSettings
        Models.

    Yields
    ------
    utterance : Utterance
        One of `wanted`.
    speech : ndarray, shape (samples,)
        At `RATE_HZ`, full scale 1.
    """
    learn = _learned(wanted)
    sentences = sorted({_sentence(one) for one in learn})
    fold_of = {sentence: k % settings.folds for k, sentence in enumerate(sentences)}
    for fold in range(settings.folds):
        inside = [one for one in learn if fold_of[_sentence(one)] == fold]
        network = _train([one for one in learn if fold_of[_sentence(one)] != fold], settings)
        for one in inside:
            yield one, _speech(network, one)
    names = {one.name for one in learn}
    others = [one for one in wanted if one.name not in names]
    if others:
        network = _train(learn, settings)
        for one in others:
            yield one, _speech(network, one)


def _sentence(utterance: Utterance) -> str:
    return utterance.transcript or utterance.name


def _learned(utterances: Sequence[Utterance]) -> list[Utterance]:
    return [
        one
        for one in utterances
        if (one.split, one.mode) == ("train", "audible")
        and one.speech is not None
        and len(one.speech.mel_cepstrum) > 0
    ]


def _settings(settings: ConversionSettings) -> ConverterSettings:
    own = {"epochs": settings.epochs, "widths": settings.widths, "seed": settings.seed}
    return replace(ConverterSettings(), **own)  # type: ignore[arg-type]


def _train(utterances: Sequence[Utterance], settings: ConversionSettings) -> ConverterNetwork:
    trained = train_converter(
        [one.emg.frames for one in utterances],
        [one.speech for one in utterances if one.speech is not None],
        TDSettings(),
        _settings(settings),
        lambda what, done, total: None,
    )
    return trained.network


def _speech(network: ConverterNetwork, utterance: Utterance) -> Array:
    stacked = stack(utterance.emg.frames, _settings(ConversionSettings()).stacking, TDSettings())
    with torch.no_grad():
        mel_cepstrum, log_f0, voicing = (
            one.numpy().astype(np.float64)
            for one in network(torch.tensor(stacked, dtype=torch.float32))
        )
    return Vocoder().process(mel_cepstrum, np.exp(log_f0[:, 0]), voicing[:, 0] > 0.5)
