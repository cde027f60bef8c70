"""One idea for the converter, measured on sentences that no network of it has heard."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from models.evaluation.material import Material
from models.evaluation.metrics.distortion import mel_cepstral_distortion
from models.evaluation.metrics.lag import prediction_lag
from models.evaluation.search.variants import MixtureHead, RecurrentBody, SeveralLeads, unchanged
from models.signal.operator import Array
from models.training.causal import Base, CausalSettings
from models.training.causal_training import (
    USUAL,
    Variant,
    convert,
    network_from,
    train_base,
    train_session,
)
from models.training.converter import train_converter
from models.training.examples import Parallel, SignalSettings, Utterance, stack
from models.training.network import ConverterSettings
from models.training.progress import nobody

_HELD_OUT = 8  # one sentence of so many
VARIANTS = {
    "usual": USUAL,
    "recurrent": Variant(body=RecurrentBody),
    "unchanged": Variant(changed=unchanged),
    "several leads": Variant(head=SeveralLeads),
    "mixture": Variant(head=MixtureHead),
}


@dataclass(frozen=True)
class Idea:
    """What is tried.

    Attributes
    ----------
    name : str
        For people.
    settings : CausalSettings
        Of the network.
    variant : str
        One of `VARIANTS`.
    signal : SignalSettings
        The chain up to the features.
    bands : bool
        Bands beside the TD features.
    others : str
        Learn first from ``"all"`` sessions, those of the ``"speaker"``, or from ``"none"`` but
        the own one.
    networks : int
        So many of other seeds, and the mean of what they say.
    feedforward : ConverterSettings, optional
        The paper's kind of network instead, on the session alone.
    """

    name: str
    settings: CausalSettings = field(default_factory=CausalSettings)
    variant: str = "usual"
    signal: SignalSettings = field(default_factory=SignalSettings)
    bands: bool = True
    others: str = "all"
    networks: int = 1
    feedforward: ConverterSettings | None = None

    @property
    def effort(self) -> float:
        """About how long it takes, in times of the usual."""
        apart = 1.0 if self.others == "all" else 3.0  # a network for each session that is measured
        recurrent = 3.0 if self.variant == "recurrent" else 1.0
        return self.networks * apart * recurrent * (2.0 if self.feedforward else 1.0)


def held_out_sentences(material: Material, seed: int) -> tuple[str, ...]:
    """Choose training sentences to measure on, for all sessions at once.

    The same sentences were read in several sessions: one that is held out of one session only
    would have been heard in another.

    Parameters
    ----------
    material : Material
        The corpus.
    seed : int
        Of the choice.

    Returns
    -------
    tuple of str
        An eighth of those that are in the audible training subsets, in order: a set would have
        another order, and so another key in the cache, in every process.
    """
    sentences = sorted(
        {
            one.transcript
            for session in material.all_sessions()
            for one in session.subset("train", "audible")
            if one.transcript is not None
        }
    )
    order = np.random.default_rng(seed).permutation(len(sentences))
    return tuple(sorted(sentences[k] for k in order[: max(1, len(sentences) // _HELD_OUT)]))


Said = dict[str, list[Array]]
"""Mel-cepstra of the held-out utterances, by what they are measured as."""


def try_idea(
    material: Material, idea: Idea, measured: tuple[str, ...], held_out: tuple[str, ...]
) -> dict[str, dict[str, float]]:
    """Train as an idea says, and measure on held-out sentences.

    Parameters
    ----------
    material : Material
        The corpus; its test subsets are not read.
    idea : Idea
        What is tried.
    measured : tuple of str
        Sessions to measure.
    held_out : tuple of str
        Sentences to measure on.

    Returns
    -------
    dict
        By session: ``mcd_db``, and ``base_mcd_db`` before the network has learned from the
        session by itself; ``lag_frames``, see `prediction_lag`. Sessions without a held-out
        sentence are missing.
    """
    signal = idea.signal
    heard = {
        name: [
            one
            for one in material.session(name, signal).subset("train", "audible")
            if one.speech is not None
        ]
        for name in material.sessions
    }
    tested = {name: [one for one in heard[name] if one.transcript in held_out] for name in measured}
    learned = {
        name: _parallel([one for one in every if one.transcript not in held_out], idea)
        for name, every in heard.items()
    }
    learned = {name: one for name, one in learned.items() if len(one) > 1}
    said: dict[str, list[Said]] = {}
    for number in range(idea.networks):
        seeded = replace(idea, settings=replace(idea.settings, seed=idea.settings.seed + number))
        bases: dict[tuple[str, ...], Base] = {}
        for name, few in tested.items():
            if few and name in learned:
                frames = [_frames(one, idea) for one in few]
                made = _made(seeded, name, learned, frames, bases, signal, material.device)
                said.setdefault(name, []).append(made)
    lead = round(idea.settings.lead_ms / 1000 / signal.features.shift_s)
    return {name: _measured(tested[name], every, lead) for name, every in said.items()}


def _made(
    idea: Idea,
    name: str,
    learned: Mapping[str, Parallel],
    frames: Sequence[Array],
    bases: dict[tuple[str, ...], Base],
    signal: SignalSettings,
    device: str,
) -> Said:
    """Train the network of a session and let it speak; bases are kept for the next one."""
    own = learned[name]
    if idea.feedforward is not None:
        how = idea.feedforward
        trained = train_converter(own.frames, own.speech, signal.features, how, nobody)
        stacked = [stack(one, how.stacking, signal.features) for one in frames]
        return {"mcd_db": [trained.convert(one).mel_cepstrum for one in stacked]}
    settings, variant = idea.settings, VARIANTS[idea.variant]
    shift_s = signal.features.shift_s
    group = tuple(one for one in learned if _joins(one, name, idea.others))
    if group not in bases:
        parts = {one: learned[one] for one in group}
        bases[group] = train_base(parts, settings, shift_s, nobody, device, variant)
    base = bases[group]
    networks = {
        "base_mcd_db": network_from(name, own, base, settings, variant),
        "mcd_db": train_session(name, own, base, settings, shift_s, nobody, device, variant),
    }
    return {
        key: [convert(network, one, settings.future).mel_cepstrum for one in frames]
        for key, network in networks.items()
    }


def _joins(other: str, session: str, others: str) -> bool:
    """Say whether a session learns from another one."""
    same_speaker = other.split("-")[0] == session.split("-")[0]
    return other == session or others == "all" or (others == "speaker" and same_speaker)


def _frames(utterance: Utterance, idea: Idea) -> Array:
    return utterance.emg.joined if idea.bands else utterance.emg.frames


def _parallel(utterances: Sequence[Utterance], idea: Idea) -> Parallel:
    speech = [one.speech for one in utterances if one.speech is not None]
    return Parallel([_frames(one, idea) for one in utterances], speech)


def _measured(utterances: Sequence[Utterance], said: Sequence[Said], lead: int) -> dict[str, float]:
    """Measure the mean of what several networks say of speech that is `lead` frames ahead."""
    natural = [one.speech.mel_cepstrum[lead:] for one in utterances if one.speech is not None]
    found = {}
    for key in said[0]:
        made = [np.mean(every, axis=0) for every in zip(*(one[key] for one in said), strict=True)]
        counts = [min(len(a), len(b)) for a, b in zip(made, natural, strict=True)]
        pairs = [(a[:n], b[:n]) for a, b, n in zip(made, natural, counts, strict=True)]
        found[key] = float(np.mean([mel_cepstral_distortion(a, b) for a, b in pairs]))
        if key == "mcd_db":
            found["lag_frames"] = prediction_lag([a for a, _ in pairs], [b for _, b in pairs])
    return found
