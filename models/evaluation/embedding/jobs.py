"""The jobs: the acoustic encoder, once; one EMG encoder for each session left out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from models.evaluation.material import Material, Session
from models.evaluation.unseen_sessions import Decision, check_learned, several_sessions
from models.signal.operator import Array
from models.training.classifiers import discriminant
from models.training.embedding import (
    EmbeddingSettings,
    SpeakerEncoder,
    acoustic_frames,
    train_acoustic_encoder,
    train_emg_encoder,
    utterance_embedding,
)
from models.training.examples import Utterance

Arrays = dict[str, NDArray[Any]]

SOUNDING = ("audible", "whispered")
"""Modes with something to be heard: the paper's "non-silent utterances"."""


@dataclass(frozen=True, eq=False)
class Teacher:
    """The acoustic encoder, and what it says of speech.

    Attributes
    ----------
    weights : dict of str to ndarray
        Of the encoder.
    embeddings : dict of str to ndarray
        By the name of the utterance: of audible speech.
    """

    weights: Arrays
    embeddings: Arrays


@dataclass(frozen=True)
class Fold:
    """What was said of a session that was left out.

    Attributes
    ----------
    priors : list of Decision
        By the discriminant with the priors of its examples, of all modes.
    equal : list of Decision
        With equal priors and a shrunk covariance, as in a bundle; audible utterances.
    speech : list of Decision
        Of the speech itself, by the acoustic encoder, which has heard the session.
    """

    priors: list[Decision]
    equal: list[Decision]
    speech: list[Decision]


def acoustic(
    material: Material, settings: EmbeddingSettings, tested: tuple[str, ...]
) -> Teacher | None:
    """Train the acoustic encoder on the training subsets of all sessions.

    Parameters
    ----------
    material : Material
        The corpus.
    settings : EmbeddingSettings
        Network and training.
    tested : tuple of str
        As for `fold`.

    Returns
    -------
    Teacher or None
        None with fewer than two speakers who have audio.
    """
    sessions = material.all_sessions()
    utterances = _with_speech(sessions, settings)
    if len({one.speaker for one in utterances}) < 2:
        return None
    encoder = train_acoustic_encoder(
        [_speech(one) for one in utterances],
        [one.speaker for one in utterances],
        settings,
        material.device,
    )
    embeddings = {
        one.name: utterance_embedding(encoder, _speech(one), settings)
        for session in several_sessions(sessions)
        for one in session.utterances
        if one.mode == "audible" and one.split in {"train", *tested} and _heard(one)
    }
    return Teacher({name: one.numpy() for name, one in encoder.state_dict().items()}, embeddings)


def fold(
    material: Material,
    held_out: str,
    teacher: Teacher,
    settings: EmbeddingSettings,
    tested: tuple[str, ...],
) -> Fold:
    """Train without a session, and tell who speaks in it.

    Parameters
    ----------
    material : Material
        The corpus.
    held_out : str
        The session.
    teacher : Teacher
        As `acoustic` returns it.
    settings : EmbeddingSettings
        Network and training.
    tested : tuple of str
        Subsets of that session that are looked at, such as ``("train", "test")``.

    Returns
    -------
    Fold
        All decisions.
    """
    sessions = material.all_sessions()
    parallel = _with_speech([one for one in sessions if one.name != held_out], settings)
    encoder = train_emg_encoder(
        [one.emg.frames for one in parallel],
        [_speech(one) for one in parallel],
        _encoder(teacher.weights, settings),
        settings,
        material.device,
    )
    learned = [
        one
        for session in several_sessions(sessions)
        if session.name != held_out
        for one in session.subset("train", "audible")
        if len(one.emg.frames)
    ]
    unseen = [
        one
        for split in tested
        for one in material.session(held_out).subset(split)
        if len(one.emg.frames)
    ]
    audible = [one for one in unseen if one.mode == "audible"]
    embeddings = {
        one.name: utterance_embedding(encoder, one.emg.frames, settings)
        for one in (*learned, *unseen)
    }
    equal = make_pipeline(StandardScaler(), discriminant(len({one.speaker for one in learned})))
    return Fold(
        _decisions(LinearDiscriminantAnalysis(), embeddings, learned, unseen),
        _decisions(equal, embeddings, learned, audible),
        _decisions(LinearDiscriminantAnalysis(), teacher.embeddings, learned, audible),
    )


def _with_speech(sessions: Sequence[Session], settings: EmbeddingSettings) -> list[Utterance]:
    return [
        one
        for session in sessions
        for one in session.subset("train")
        if one.mode in SOUNDING
        and one.speech is not None
        and min(len(one.emg.frames), len(one.speech.mel_cepstrum)) >= settings.slice_frames
    ]


def _heard(utterance: Utterance) -> bool:
    return utterance.speech is not None and len(utterance.speech.mel_cepstrum) > 0


def _speech(utterance: Utterance) -> Array:
    assert utterance.speech is not None
    return acoustic_frames(utterance.speech)


def _encoder(weights: Arrays, settings: EmbeddingSettings) -> SpeakerEncoder:
    encoder = SpeakerEncoder(weights["mean"], weights["scale"], settings)
    # Arrays that come from another process may be read-only, which PyTorch does not like.
    encoder.load_state_dict(
        {name: torch.from_numpy(np.array(one)) for name, one in weights.items()}
    )
    return encoder.eval()


def _decisions(
    discriminating: Any,
    embeddings: Arrays,
    learned: Sequence[Utterance],
    unseen: Sequence[Utterance],
) -> list[Decision]:
    """Learn, and tell those that have an embedding; none where only one speaker is known."""
    known = [one for one in learned if one.name in embeddings]
    asked = [one for one in unseen if one.name in embeddings]
    if len({one.speaker for one in known}) < 2 or not asked:
        return []
    vectors, speakers = np.stack([embeddings[o.name] for o in known]), [o.speaker for o in known]
    different = np.unique(vectors, axis=0, return_index=True)[1]  # a session may have been copied
    check_learned([speakers[k] for k in different])
    discriminating.fit(vectors, speakers)
    said = discriminating.predict(np.stack([embeddings[one.name] for one in asked]))
    return [
        Decision(one.session, one.mode, one.speaker, str(who))
        for one, who in zip(asked, said, strict=True)
    ]
