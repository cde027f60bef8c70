"""What of an utterance a classifier of the mode is given."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from drivers.recordings.emg_uka.files import RATE_HZ
from models.evaluation.material import Material, Session
from models.signal.filters import NotchSettings, SosFilter
from models.signal.td_features import TDFeatures, TDSettings
from models.training.examples import Emg, SignalSettings, Utterance
from models.training.train import MODES

REST_S: Final = 0.2
"""Speech begins 0.2 to 0.5 s into most utterances of EMG-UKA."""

LEAST: Final = 3
"""Utterances of a mode: one to calibrate on, and two to show a spread."""

UNSTABLE: Final = 4
"""Channel 5, which the corpus' authors leave out."""


@dataclass(frozen=True)
class Variant:
    """A way of listening.

    Attributes
    ----------
    rest : bool
        Only the first `REST_S` of each utterance: the control.
    plain : bool
        TD features without logarithms, as in the paper.
    notch : bool
        Hum is removed at 50 Hz and its harmonics.
    without_unstable : bool
        Channel 5 is left out.
    every : int
        One of so many utterances of each mode and split is taken.
    """

    rest: bool = False
    plain: bool = False
    notch: bool = False
    without_unstable: bool = False
    every: int = 1


def heard(session: Session, split: str, variant: Variant) -> list[Utterance]:
    """Return the utterances of a split as a variant hears them.

    Parameters
    ----------
    session : Session
        As the bundle's front end sees it.
    split : str
        ``"train"`` or ``"test"``.
    variant : Variant
        What is changed.

    Returns
    -------
    list of Utterance
        Mode after mode; to learn from, only of `learned_modes`.
    """
    modes = learned_modes(session, variant) if split == "train" else MODES
    chosen = [one for mode in modes for one in _usable(session, split, mode, variant)]
    return [replace(one, emg=_emg(one.emg, variant)) for one in chosen]


def several_modes(material: Material, variant: Variant) -> list[str]:
    """Return the sessions of which several modes can be learned."""
    sessions = material.sessions
    return [one for one in sessions if len(learned_modes(material.session(one), variant)) > 1]


def learned_modes(session: Session, variant: Variant) -> list[str]:
    """Return the modes that can be learned from a session: of `LEAST` utterances or more."""
    return [mode for mode in MODES if len(_usable(session, "train", mode, variant)) >= LEAST]


def _usable(session: Session, split: str, mode: str, variant: Variant) -> list[Utterance]:
    """Return those of a split and mode that are as long as the control listens."""
    shift_s = SignalSettings().features.shift_s
    long = [one for one in session.subset(split, mode) if len(one.emg.frames) * shift_s >= REST_S]
    return long[:: variant.every]


def _emg(emg: Emg, variant: Variant) -> Emg:
    samples, frames = emg.samples, emg.frames
    settings: TDSettings = SignalSettings().features
    if variant.without_unstable:
        samples = np.delete(samples, UNSTABLE, axis=1)
    if variant.notch:
        samples = SosFilter(NotchSettings().sections(RATE_HZ), samples.shape[1]).process(samples)
    if variant.plain or samples is not emg.samples:
        operator = TDFeatures(replace(settings, log=not variant.plain), RATE_HZ, samples.shape[1])
        frames = np.concatenate((operator.process(samples), operator.flush()))
    if variant.rest:
        samples = samples[: round(REST_S * RATE_HZ)]
        frames = frames[: round(REST_S / settings.shift_s)]
    return Emg(samples, frames)
