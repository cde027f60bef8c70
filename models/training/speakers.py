"""The speaker classifiers of a bundle: each way of telling speakers that can go live."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
import torch

from drivers.errors import RecordingError
from models.embedding import Encoder, slices_of
from models.inference import OnnxModel
from models.manifest import ClassifierPart, EncoderPart, FeatureSet, SpeakerMethod
from models.signal.operator import Array
from models.training import forest
from models.training.embedding import (
    SpeakerEncoder,
    acoustic_frames,
    train_acoustic_encoder,
    train_emg_encoder,
)
from models.training.evidence_part import train_evidence_part
from models.training.examples import Utterance
from models.training.export import export_encoder
from models.training.parts import (
    LDA,
    SPEAKER_FEATURES,
    Method,
    TrainedEncoder,
    train_classifier_part,
)
from models.training.progress import Progress
from models.training.settings import TrainingSettings

SOUNDING: Final = ("audible", "whispered")
"""Modes with something to be heard: the paper's "non-silent utterances"."""

SLICE_SHIFT: Final = 10
"""Frames from one slice of a window to the next: as far as a window moves on by itself between
two estimates, so that each costs one slice only."""

ENCODER_FILE: Final = "speaker_encoder.onnx"

_COMPARED = 50  # utterances, to compare the exported encoder on


def train_speaker_parts(
    utterances: Sequence[Utterance],
    work: Path,
    settings: TrainingSettings,
    rate_hz: float,
    progress: Progress,
) -> tuple[list[ClassifierPart], dict[str, dict[str, float]]]:
    """Train every speaker classifier that is asked for.

    Parameters
    ----------
    utterances : sequence of Utterance
        Training utterances of all sessions; with their speech where embeddings are wanted.
    work : Path
        Where the graphs are written.
    settings : TrainingSettings
        Which, and how.
    rate_hz : float
        Sampling rate of the EMG.
    progress : callable
        Told what is being done.

    Returns
    -------
    parts : list of ClassifierPart
        For the manifest; empty where there is only one speaker.
    figures : dict of str to dict
        Of each, by the name of its file.
    """
    classes = [one.speaker for one in utterances]
    speakers = sorted(set(classes))
    parts: list[ClassifierPart] = []
    figures: dict[str, dict[str, float]] = {}
    for name in dict.fromkeys(settings.speakers):
        stem = "speaker" if name == "lda" else f"speaker_{name}"
        figures[stem] = {}
        if len(speakers) < 2:
            continue
        if name == "evidence":
            features = settings.signal.features
            part, figures[stem] = train_evidence_part(utterances, work, features, rate_hz, progress)
            parts.append(part)
            continue
        method, found = _method(name, utterances, work, settings, progress)
        sets: tuple[FeatureSet, ...] = (
            SPEAKER_FEATURES if method.encoder is None else ("embedding",)
        )
        window_part, more = train_classifier_part(
            stem, utterances, classes, speakers, sets, work, settings, rate_hz, progress, method
        )
        if method.encoder is not None and more:  # which has learned from all of them
            more["cross_validated_discriminant_balanced_accuracy"] = more.pop(
                "cross_validated_balanced_accuracy"
            )
        figures[stem] = found | more
        if window_part is not None:
            parts.append(window_part)
    return parts, figures


def _method(
    name: SpeakerMethod,
    utterances: Sequence[Utterance],
    work: Path,
    settings: TrainingSettings,
    progress: Progress,
) -> tuple[Method, dict[str, float]]:
    if name == "lda":
        return LDA, {}
    if name == "forest":
        seed = settings.converter.seed
        return Method(
            "forest",
            lambda vectors, labels, _: forest.fit_forest(vectors, labels, seed),
            partial(forest.forest_cross_validated, seed=seed),
            forest.CALIBRATION,
            single=True,
        ), {}
    encoder, figures = train_encoder(utterances, work, settings, progress)
    calibration = f"{LDA.calibration}; the encoder had"
    method = replace(LDA, name="embedding", calibration=calibration, encoder=encoder)
    return method, figures


def train_encoder(
    utterances: Sequence[Utterance], work: Path, settings: TrainingSettings, progress: Progress
) -> tuple[TrainedEncoder, dict[str, float]]:
    """Train the acoustic encoder and, from it, the EMG encoder.

    Parameters
    ----------
    utterances, work, settings, progress
        As for `train_speaker_parts`.

    Returns
    -------
    encoder : TrainedEncoder
        Of EMG.
    figures : dict of str to float
        Utterances with audio that it learned from, agreement of ONNX with PyTorch.

    Raises
    ------
    RecordingError
        When fewer than two speakers can be heard.
    """
    sounding = [one for one in utterances if one.mode in SOUNDING and one.speech is not None]
    heard = {one.speaker for one in sounding}
    if len(heard) < 2:
        raise RecordingError(
            "speakers with sound, to learn embeddings from",
            value=len(heard),
            allowed="2 or more",
            way_out="leave embedding out of train.speakers",
        )
    speech = [acoustic_frames(one.speech) for one in sounding if one.speech is not None]
    emg = [one.emg.frames for one in sounding]
    shape = settings.embedding

    def learning(what: str, done: int, total: int) -> None:
        progress(f"learning embeddings from {what}", done, total)

    acoustic = train_acoustic_encoder(
        speech, [one.speaker for one in sounding], shape, progress=learning
    )
    network = train_emg_encoder(emg, speech, acoustic, shape, progress=learning)
    part = EncoderPart(file=ENCODER_FILE, slice_frames=shape.slice_frames, slice_shift=SLICE_SHIFT)
    some = [slices_of(one, part.slice_frames, part.slice_shift) for one in emg[:_COMPARED]]
    file = work / ENCODER_FILE
    difference = export_encoder(network, file, np.concatenate(some))
    encoder = TrainedEncoder(
        part, Encoder(partial(_embed, network), part), Encoder(OnnxModel(file), part)
    )
    return encoder, {"encoder_utterances": len(sounding), "encoder_onnx_difference": difference}


def _embed(network: SpeakerEncoder, slices: Array) -> list[Array]:
    with torch.no_grad():
        return [network(torch.tensor(slices, dtype=torch.float32)).numpy().astype(np.float64)]
