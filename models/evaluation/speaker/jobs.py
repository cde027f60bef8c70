"""The jobs: each session described once; each session told by classifiers that never saw it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from drivers.recordings.emg_uka.files import RATE_HZ
from models.evaluation.material import Material, Session
from models.evaluation.unseen_sessions import Decision, check_learned
from models.signal.operator import Array
from models.signal.window_features import SPEAKER_FEATURES, speaker_features
from models.training.classifiers import discriminant
from models.training.examples import Utterance
from models.training.forest import DEPTH

Features = Literal["paper", "log"]
SYSTEMS: Final = ("lda", "forest")

_LEAST_SAMPLES = 3  # what the features need


@dataclass(frozen=True, eq=False)
class Described:
    """A session's utterances as vectors.

    Attributes
    ----------
    session, speaker : str
        Which.
    modes, splits : tuple of str
        Of each utterance.
    vectors : dict of str to ndarray, shape (utterances, channels * 11)
        The paper's features, and their logarithms.
    """

    session: str
    speaker: str
    modes: tuple[str, ...]
    splits: tuple[str, ...]
    vectors: dict[Features, Array]


def describe(material: Material, name: str) -> Described:
    """Compute the eleven features of each channel over each utterance.

    Parameters
    ----------
    material : Material
        The corpus.
    name : str
        Of the session.

    Returns
    -------
    Described
        Too short utterances left out.
    """
    session: Session = material.session(name)
    chosen = [one for one in session.utterances if len(one.emg.samples) >= _LEAST_SAMPLES]
    return Described(
        name,
        session.speaker,
        tuple(one.mode for one in chosen),
        tuple(one.split for one in chosen),
        {
            "paper": np.array([paper_features(one) for one in chosen]),
            "log": np.array([speaker_features(one.emg.samples, RATE_HZ) for one in chosen]),
        },
    )


def paper_features(utterance: Utterance) -> Array:
    """Return the features as the paper names them: what is a sum there grows with the length.

    Parameters
    ----------
    utterance : Utterance
        With three samples or more.

    Returns
    -------
    ndarray, shape (channels * 11,)
        As `speaker_features` orders them.
    """
    samples = utterance.emg.samples
    rates = speaker_features(samples, RATE_HZ, log=False).reshape(samples.shape[1], -1)
    summed = [name.endswith("_per_s") for name in SPEAKER_FEATURES]
    rates[:, summed] *= len(samples) / RATE_HZ
    return rates.ravel()


def fold(
    _: Material,
    session: Described,
    others: Sequence[Described],
    features: Features,
    trees: int,
    seed: int,
) -> dict[str, list[Decision]]:
    """Tell who speaks in a session by classifiers trained on others.

    Parameters
    ----------
    session : Described
        The session that is left out; all of it is told.
    others : sequence of Described
        Sessions to learn from, by their training subsets.
    features : str
        Which vectors.
    trees : int
        Of the forest.
    seed : int
        Of the forest.

    Returns
    -------
    dict of str to list of Decision
        By system.
    """
    learned = [np.array(one.splits) == "train" for one in others]
    vectors = np.concatenate(
        [one.vectors[features][rows] for one, rows in zip(others, learned, strict=True)]
    )
    names = [
        one.speaker for one, rows in zip(others, learned, strict=True) for _ in range(sum(rows))
    ]
    check_learned(names)
    speakers, labels = np.unique(names, return_inverse=True)
    decisions = {}
    for system in SYSTEMS:
        classifier = _classifier(system, features, len(speakers), trees, seed)
        said = classifier.fit(vectors, labels).predict(session.vectors[features])
        decisions[system] = [
            Decision(session.session, mode, session.speaker, str(speakers[one]))
            for mode, one in zip(session.modes, said, strict=True)
        ]
    return decisions


def _classifier(system: str, features: Features, speakers: int, trees: int, seed: int) -> Any:
    """Build the paper's classifiers; on log features with equal priors for all speakers.

    Logarithms make columns that depend on each other linearly, which is why the covariance
    of their discriminant is shrunk.
    """
    equal = features == "log"
    if system == "forest":
        return RandomForestClassifier(
            trees,
            max_depth=DEPTH,
            class_weight="balanced" if equal else None,
            random_state=seed,
        )
    return make_pipeline(
        StandardScaler(),
        discriminant(speakers) if equal else LinearDiscriminantAnalysis(),
    )
