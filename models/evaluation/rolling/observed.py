"""Sessions as a listener meets them, kept in the store for many jobs."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import joblib

from models.evaluation.code import code_digest
from models.evaluation.kept import keep
from models.evaluation.material import Material, Session
from models.evaluation.rolling.gate import GateFigures, gate_figures
from models.evaluation.rolling.hearing import Observed, hear
from models.training.activity import gate_of, speech_of
from models.training.examples import SignalSettings, Utterance


@dataclass(frozen=True)
class ObservedSession:
    """A session as it is heard.

    Attributes
    ----------
    name, speaker : str
        Which.
    utterances : tuple of Observed
        All, or one of so many.
    gate : GateFigures or None
        None where the session's training utterances hold no speech or no rest to learn from:
        everything counts as speech then.
    """

    name: str
    speaker: str
    utterances: tuple[Observed, ...]
    gate: GateFigures | None


@dataclass(frozen=True)
class Heard:
    """What an experiment must know of a session to plan.

    Attributes
    ----------
    name, speaker : str
        Which.
    modes : tuple of str
        Of its training utterances; empty where it has none.
    gate : GateFigures or None
        As in `ObservedSession`.
    """

    name: str
    speaker: str
    modes: tuple[str, ...]
    gate: GateFigures | None


Variants = dict[bool, ObservedSession]
"""A session without (False) and with (True) a notch before the speaker is told."""


def listen(material: Material, name: str, every: int) -> Heard:
    """Observe a session, for other jobs to find it in the store.

    Parameters
    ----------
    material, name, every
        As for `observed`.

    Returns
    -------
    Heard
        The session without what was heard.
    """
    session = observed(material, name, every)
    modes = {one.mode for one in session.utterances if one.split == "train"}
    return Heard(name, session.speaker, tuple(sorted(modes)), session.gate)


def observed(material: Material, name: str, every: int, notch: bool = False) -> ObservedSession:
    """Return an observed session, from memory or from the store where it is there.

    Parameters
    ----------
    material : Material
        The corpus.
    name : str
        Of the session.
    every : int
        One of so many utterances of each subset is taken.
    notch : bool
        Hum is removed before the speaker is told.

    Returns
    -------
    ObservedSession
        The session.
    """
    return _kept(material, name, every)[notch]


@lru_cache(maxsize=128)
def _kept(material: Material, name: str, every: int) -> Variants:
    store = material.store
    if store is None or not os.path.isdir(store):  # a worker without a shared disk
        return observe(material, name, every)
    key = ("observed", material.corpus, name, every, code_digest(observe))
    return keep(store / f"{joblib.hash(key)}.kept", lambda: observe(material, name, every))


def observe(material: Material, name: str, every: int) -> Variants:
    """Train a session's gate on its training subsets, and listen to its utterances.

    Parameters
    ----------
    material, name, every
        As for `observed`.

    Returns
    -------
    dict of bool to ObservedSession
        Without and with the notch; the gate is the same.
    """
    session = material.session(name)
    chosen = _chosen(session, every)
    features = SignalSettings().features
    gate = gate_of([one for one in chosen if one.split == "train"], features)
    speech = [speech_of(gate, one, features) for one in chosen]
    threshold = 0.0 if gate is None else gate.threshold
    figures = None if gate is None else gate_figures(gate, chosen, speech, features)
    pairs = list(zip(chosen, speech, strict=True))
    return {
        notch: ObservedSession(
            name,
            session.speaker,
            tuple(hear(one, likely, threshold, features, notch) for one, likely in pairs),
            figures,
        )
        for notch in (False, True)
    }


def heard_through(
    material: Material, name: str, others: Sequence[str], every: int
) -> tuple[Observed, ...]:
    """Listen to a session with the gate of others: on a day that nobody has labelled.

    Parameters
    ----------
    material, name, every
        As for `observed`.
    others : sequence of str
        Sessions whose training utterances the gate learns from.

    Returns
    -------
    tuple of Observed
        The session's utterances.
    """
    features = SignalSettings().features
    learned = [one for other in others for one in _chosen(material.session(other), every)]
    gate = gate_of([one for one in learned if one.split == "train"], features)
    threshold = 0.0 if gate is None else gate.threshold
    return tuple(
        hear(one, speech_of(gate, one, features), threshold, features, notch=False)
        for one in _chosen(material.session(name), every)
    )


def _chosen(session: Session, every: int) -> list[Utterance]:
    return [
        one
        for split in ("train", "test")
        for mode in session.modes
        for one in session.subset(split, mode)[::every]
        if len(one.emg.frames)
    ]
