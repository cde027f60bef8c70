"""The other jobs: training a part of the epochs, representations, and the decisions."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from models.evaluation.autoencoder.network import (
    AutoencoderSettings,
    Training,
    represent,
    train_on,
)
from models.evaluation.autoencoder.spectra import Label, Spectra
from models.evaluation.material import Material
from models.evaluation.unseen_sessions import Decision, check_learned

COMPLEXITY = 0.001

Vectors = NDArray[np.float32]


def train_some(
    material: Material,
    spectra: Spectra,
    threshold_db: float,
    settings: AutoencoderSettings,
    epochs: int,
    before: Training | None,
) -> Training:
    """Train the autoencoder of one threshold for some epochs more.

    Parameters
    ----------
    material : Material
        Says where to compute.
    spectra : Spectra
        To learn from.
    threshold_db : float
        Below which they are clipped.
    settings : AutoencoderSettings
        Network and training.
    epochs : int
        How many more.
    before : Training or None
        What there is already.

    Returns
    -------
    Training
        How far it has come.
    """
    return train_on(spectra.clipped(threshold_db), settings, epochs, before, material.device)


def representation(
    material: Material,
    spectra: Spectra,
    threshold_db: float,
    settings: AutoencoderSettings,
    training: Training,
) -> Vectors:
    """Return what the autoencoder of one threshold keeps of each utterance, a row each."""
    return represent(spectra.clipped(threshold_db), settings, training, material.device)


def decide(
    material: Material,
    vectors: Vectors,
    labels: Sequence[Label],
    trained: str,
    left_out: Sequence[str],
    seed: int,
) -> list[Decision]:
    """Leave out each session, learn from the others, and tell who speaks in it.

    Parameters
    ----------
    material : Material
        Not looked at.
    vectors : ndarray, shape (utterances, features)
        Fused representations.
    labels : sequence of Label
        What they stand for.
    trained : str
        Mode whose training subsets are learned from.
    left_out : sequence of str
        Sessions, of speakers with several; all their utterances are told.
    seed : int
        Of the support vector machine.

    Returns
    -------
    list of Decision
        Of all modes.
    """
    sessions = np.array([one.session for one in labels])
    speakers = np.array([one.speaker for one in labels])
    learned = np.array([(one.mode, one.split) == (trained, "train") for one in labels])
    learned &= np.isin(sessions, left_out)
    decisions: list[Decision] = []
    for session in left_out:
        inside = sessions == session
        known = learned & ~inside
        machine = make_pipeline(
            StandardScaler(), LinearSVC(C=COMPLEXITY, random_state=seed, max_iter=10_000)
        )
        check_learned(speakers[known].tolist())
        machine.fit(vectors[known], speakers[known])
        said = machine.predict(vectors[inside])
        told = (one for one in labels if one.session == session)
        decisions += [
            Decision(one.session, one.mode, one.speaker, str(who))
            for one, who in zip(told, said, strict=True)
        ]
    return decisions
