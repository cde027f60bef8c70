"""What the conversion experiment computes: a base, and then each session for itself."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from models.evaluation.conversion.base import SIGNAL
from models.evaluation.conversion.measures import Measured, measure, summary
from models.evaluation.conversion.rescaled import rescaled
from models.evaluation.dc_removal import mean_removed
from models.evaluation.material import Material, Session
from models.frame_models import SpeechFrames
from models.speech.analysis import SpeechSettings
from models.training.causal import Base, CausalNetwork, CausalSettings
from models.training.causal_training import convert, train_session
from models.training.converter import train_converter
from models.training.examples import Parallel, Utterance, parallel, stack
from models.training.network import ConverterSettings
from models.training.progress import nobody
from models.training.silent import aligned_targets, by_sentence

SPEECH = SpeechSettings()

Convert = Callable[[Utterance], SpeechFrames]


@dataclass(frozen=True)
class Silent:
    """How silent speech is learned.

    Attributes
    ----------
    rounds : int
        How often the targets are aligned: first by the network trained on audible EMG, then by
        the one trained on silent EMG.
    """

    rounds: int = 2


def session_of(
    material: Material, name: str, settings: CausalSettings, base: Base | None, silent: Silent
) -> dict[str, Any] | None:
    """Train on a session and measure its test subsets.

    Parameters
    ----------
    material : Material
        The corpus.
    name : str
        Recording session.
    settings : CausalSettings
        Network.
    base : Base or None
        Where it starts from.
    silent : Silent
        How silent speech is learned.

    Returns
    -------
    dict or None
        `summary` by mode and training: ``audible``; for whispered and silent speech
        ``.audible_trained_as_is`` and, `rescaled`, ``.audible_trained``;
        ``silent.silent_trained``. None without audible training data.
    """
    session = material.session(name)
    shift_s = SIGNAL.features.shift_s
    own = parallel(session.subset("train", "audible"))
    if base is None or not len(own):
        return None

    def train(data: Parallel, start: Base) -> CausalNetwork:
        return train_session(name, data, start, settings, shift_s, nobody, material.device)

    network = train(own, base)
    found: dict[str, Any] = {
        f"{key}_as_is" if key != "audible" else key: value
        for key, value in measured_modes(material, session, _with(network, settings)).items()
    }
    for mode in ("whispered", "silent"):
        scaled = rescaled(network, session.subset("train", mode))
        if scaled is not None and session.subset("test", mode):
            found |= measured_modes(material, session, _with(scaled, settings), (mode,))
    references = by_sentence(session.subset("train", "audible"))
    quiet = session.subset("train", "silent")
    start, trained = base_from(network, base, name), network
    for _ in range(silent.rounds):
        aligned = aligned_targets(trained, quiet, references, settings.future)
        if not len(aligned):
            return found
        trained = train(aligned, start)
    modes = measured_modes(material, session, _with(trained, settings), ("silent",))
    found["silent.silent_trained"] = modes["silent.audible_trained"]
    return found


def base_from(network: CausalNetwork, base: Base, name: str) -> Base:
    """Return a base that starts from a network of one session."""
    state = {key: value.numpy() for key, value in network.state_dict().items()}
    shared = {key: value for key, value in state.items() if not key.startswith("layer.")}
    layer = {key.removeprefix("layer."): v for key, v in state.items() if key.startswith("layer.")}
    return replace(base, shared=shared, layers={name: layer})


def paper_session(
    material: Material, name: str, settings: ConverterSettings
) -> dict[str, Any] | None:
    """Train the paper's network on a session alone, and measure its test subsets.

    Its features are plain, of EMG with the mean of each whole utterance removed, as in the papers.

    Parameters
    ----------
    material : Material
        The corpus.
    name : str
        Recording session.
    settings : ConverterSettings
        Network.

    Returns
    -------
    dict or None
        As `session_of`, without what is trained on silent speech.
    """
    session = material.session(name)
    train = [one for one in session.subset("train", "audible") if one.speech is not None]
    if len(train) < 2:
        return None
    features = replace(SIGNAL.features, log=False)
    frames = [mean_removed(material.recording(one.name), features) for one in train]
    speech = [one.speech for one in train if one.speech is not None]
    trained = train_converter(frames, speech, features, settings, nobody)

    def made(one: Utterance) -> SpeechFrames:
        plain = mean_removed(material.recording(one.name), features)
        return trained.convert(stack(plain, settings.stacking, features))

    return measured_modes(material, session, made)


def measured_modes(
    material: Material,
    session: Session,
    made: Convert,
    modes: Sequence[str] = ("audible", "whispered", "silent"),
) -> dict[str, Any]:
    """Measure the test subsets of a session; what was not audible against what was."""
    references = by_sentence(session.subset("test", "audible"))
    found: dict[str, Any] = {}
    for mode in modes:
        measured: list[Measured] = []
        for one in session.subset("test", mode):
            reference = one if mode == "audible" else references.get(one.transcript or "")
            if reference is None or reference.speech is None:
                continue
            audio = material.recording(reference.name).audio
            assert audio is not None
            measured.append(
                measure(
                    made(one),
                    reference.speech,
                    audio.astype(np.float64),
                    SPEECH,
                    aligned=mode != "audible",
                )
            )
        key = mode if mode == "audible" else f"{mode}.audible_trained"
        found[key] = summary(measured, "mcd_db" if mode == "audible" else "dtw_mcd_db")
    return found


def _with(network: CausalNetwork, settings: CausalSettings) -> Convert:
    return lambda one: convert(network, one.emg.joined, settings.future)
