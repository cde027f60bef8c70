"""Converter and gate of a bundle: trained, exported, and described for the manifest."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from drivers.errors import RecordingError
from drivers.recordings.recording import Recording
from models.evaluation.metrics.distortion import mel_cepstral_distortion
from models.frame_models import SpeechFrames
from models.manifest import ActivityPart, ConverterPart, StandInPart
from models.signal.operator import Array
from models.signal.stacking import StackingSettings
from models.signal.td_features import FEATURES
from models.training.activity import STACKING, TrainedActivity, train_activity
from models.training.base_file import Fits, KnownBase, learned_from, write_base
from models.training.causal import CausalNetwork, CausalSettings
from models.training.causal_training import convert, train_base, train_session
from models.training.converter import train_converter
from models.training.examples import Parallel, Utterance, hold_out, level_db, parallel, stack
from models.training.export import export_causal, export_classifier, export_converter
from models.training.network import ConverterSettings
from models.training.progress import Progress
from models.training.settings import TrainingSettings
from models.training.stand_in import TrainedStandIn, train_stand_in

SPEECH_DBFS = -23.0

Figures = dict[str, float]


def train_gate(
    own: Sequence[Utterance], settings: TrainingSettings, progress: Progress
) -> TrainedActivity:
    """Train the activity gate of one recording session.

    Parameters
    ----------
    own : sequence of Utterance
        Its training utterances of every mode.
    settings : TrainingSettings
        Models.
    progress : callable
        Told what is being done.

    Returns
    -------
    TrainedActivity
        With its errors on utterances that a fold had not seen.
    """
    progress("training the activity gate", 0, 1)
    features = settings.signal.features
    trained = train_activity([one.emg.frames for one in own], [one.rest for one in own], features)
    progress("training the activity gate", 1, 1)
    return trained


def train_frame_parts(
    session: str,
    audible: Sequence[Recording],
    utterances: Sequence[Utterance],
    gate: TrainedActivity,
    known: KnownBase | None,
    fits: Fits,
    work: Path,
    settings: TrainingSettings,
    progress: Progress,
) -> tuple[ConverterPart, ActivityPart, StandInPart, dict[str, Figures]]:
    """Train the converter of one recording session, and write it and the gate.

    Parameters
    ----------
    session : str
        Whose voice it is.
    audible : sequence of Recording
        Its audible training utterances: their level becomes `SPEECH_DBFS`.
    utterances : sequence of Utterance
        Training utterances of all sessions, with their speech where they are audible.
    gate : TrainedActivity
        Of the session.
    known : KnownBase or None
        What a converter that remembers starts from; None to train it.
    fits : dict of str to object
        What it is of, as `fits_of` says, where it is trained and written.
    work : Path
        Where ``converter.onnx`` is written; ``converter_frame.onnx`` beside it where it remembers,
        else ``activity.onnx``.
    settings : TrainingSettings
        Models.
    progress : callable
        Told what is being done.

    Returns
    -------
    converter, activity, stand_in : ConverterPart, ActivityPart, StandInPart
        For the manifest.
    figures : dict of str to dict of str to float
        Of ``converter``, ``activity`` and ``stand_in``: held-out distortion, errors on utterances
        that a fold had not seen, agreement of ONNX with the trained models, distortion without
        a channel.

    Raises
    ------
    RecordingError
        With fewer than two utterances that have sound.
    """
    heard = [one for one in utterances if one.mode == "audible" and one.speech is not None]
    own = [one for one in heard if one.session == session]
    if len(own) < 2:
        raise RecordingError("training utterances with audio", value=len(own), allowed="2 or more")
    gain_db = level_db(audible, SPEECH_DBFS)
    # A gain moves the mel-cepstrum's zeroth coefficient only.
    level = gain_db / 20 * np.log(10)
    file = work / "converter.onnx"
    how = settings.converter
    if isinstance(how, ConverterSettings):
        part, stand_in, figures = _feedforward(own, level, file, settings, how, progress)
        gate_file = work / "activity.onnx"
        rows = np.concatenate([_context(one, settings) for one in own[:5]])
        gate_difference = export_classifier(gate.classifier, gate_file, rows)
    else:
        part, stand_in, figures, gate_difference = _causal(
            session, heard, gate, known, fits, level, file, settings, how, progress
        )
        gate_file = file
    activity = ActivityPart(file=gate_file.name, stacking=STACKING, threshold=gate.threshold)
    return (
        part.model_copy(update={"level_db": gain_db}),
        activity,
        stand_in.part,
        {
            "converter": figures,
            "activity": _errors(gate) | {"onnx_difference": gate_difference},
            "stand_in": stand_in.figures,
        },
    )


def _context(one: Utterance, settings: TrainingSettings) -> Array:
    """Return the frames of an utterance as the gate sees them."""
    return stack(one.emg.frames, STACKING, settings.signal.features)


def _errors(gate: TrainedActivity) -> Figures:
    names = ("missed_speech", "false_speech", "false_activations_per_min")
    return {name: getattr(gate, name) for name in names}


def _feedforward(
    own: Sequence[Utterance],
    level: float,
    file: Path,
    settings: TrainingSettings,
    how: ConverterSettings,
    progress: Progress,
) -> tuple[ConverterPart, TrainedStandIn, Figures]:
    features, frames = settings.signal.features, [one.emg.frames for one in own]
    speech = []
    for one in parallel(own).speech:
        mel_cepstrum = one.mel_cepstrum.copy()
        mel_cepstrum[:, 0] += level
        speech.append(replace(one, mel_cepstrum=mel_cepstrum))
    trained = train_converter(frames, speech, features, how, progress)
    examples = np.concatenate([stack(one, how.stacking, features) for one in frames[:5]])
    difference = export_converter(trained.network, file, examples)
    part = ConverterPart(file=file.name, stacking=how.stacking, lead_ms=how.lead_ms, level_db=0.0)

    def distortion(one: Utterance, frames: Array) -> float:
        made = trained.convert(stack(frames, how.stacking, features))
        return _distortion(made, one, how.lead_ms, features.shift_s)

    # The network has learned from these utterances, too: there is none that has not.
    learned, held_out = ([own[k] for k in numbers] for numbers in hold_out(len(own)))
    stand_in = train_stand_in(
        learned, held_out, lambda one: one.emg.frames, (len(FEATURES),), distortion
    )
    return (
        part,
        stand_in,
        {
            "held_out_mcd_db": trained.held_out_mcd_db,
            "epochs": trained.epochs,
            "onnx_difference": difference,
        },
    )


def _causal(
    session: str,
    heard: Sequence[Utterance],
    gate: TrainedActivity,
    known: KnownBase | None,
    fits: Fits,
    level: float,
    file: Path,
    settings: TrainingSettings,
    how: CausalSettings,
    progress: Progress,
) -> tuple[ConverterPart, TrainedStandIn, Figures, float]:
    own = [one for one in heard if one.session == session]
    if known is None:
        first = heard if settings.others else own
        held_out = _held_out(own, first)
        known = _train_base([o for o in first if o not in held_out], fits, settings, how, progress)
    else:
        held_out = _unknown(own, known)
    base = known.base
    shift_s = settings.signal.features.shift_s

    def train(data: Parallel, what: str) -> CausalNetwork:
        return train_session(
            session, data, base, how, shift_s,
            lambda _, done, total: progress(what, done, total),
        )  # fmt: skip

    of_session = [one for one in held_out if one.session == session]
    learned = [one for one in own if one not in held_out]
    partial = train(parallel(learned), "learning from a part of the session")
    network = train(parallel(own), "learning from the session")
    network.layer.target_mean[0] += level
    frame_file = file.with_stem(f"{file.stem}_frame")
    frames = np.concatenate([one.emg.joined for one in own[:5]])
    context = np.concatenate([_context(one, settings) for one in own[:5]])
    differences, states = export_causal(network, gate.classifier, file, frame_file, frames, context)
    part = ConverterPart(
        file=file.name,
        frame_file=frame_file.name,
        bands=settings.signal.bands,
        stacking=StackingSettings(0, 0),
        states=states,
        ahead=how.future,
        lead_ms=how.lead_ms,
        level_db=0.0,
    )

    def distortion(one: Utterance, frames: Array) -> float:
        return _distortion(convert(partial, frames, how.future), one, how.lead_ms, shift_s)

    blocks = (len(FEATURES), settings.signal.bands.bands)
    stand_in = train_stand_in(learned, of_session, lambda one: one.emg.joined, blocks, distortion)
    figures = {
        "held_out_mcd_db": float(np.mean([distortion(one, one.emg.joined) for one in of_session])),
        "onnx_difference": differences["converter"],
    }
    if flattering := sum(known.knows(one) for one in of_session):
        figures["held_out_known_to_base"] = float(flattering)
    return part, stand_in, figures, differences["gate"]


def _held_out(own: Sequence[Utterance], known: Sequence[Utterance]) -> list[Utterance]:
    """Choose the utterances to measure on: some *sentences*, of all sessions alike.

    A sentence that another session said would be known already; and held out of all sessions
    alike, every one of them can start from the same base. Where few sentences were said often,
    as in drills of words, or the session has none of those sentences, it is some of its own
    utterances instead.
    """
    sentences = sorted({one.transcript for one in known if one.transcript is not None})
    chosen = {sentences[k] for k in hold_out(len(sentences))[1]} if len(sentences) > 1 else set()
    held_out = [one for one in known if one.transcript in chosen]
    of_session = sum(one in held_out for one in own)
    if 0 < of_session < len(own) and 2 * len(held_out) < len(known):
        return held_out
    return [own[k] for k in hold_out(len(own))[1]]


def _unknown(own: Sequence[Utterance], known: KnownBase) -> list[Utterance]:
    """Choose the utterances to measure on, where others chose what a base learns from.

    At best it has not learned their sentences, else not them; where it has learned all, so be it.
    """
    others = [one for one in own if not known.knows(one)]
    of_other_sentences = [one for one in others if not known.knows_sentence(one)]
    for fresh in (of_other_sentences, others):
        if fresh and 2 * len(fresh) <= len(own):
            return fresh
        if fresh:
            return [fresh[k] for k in hold_out(len(fresh))[1]]
    return [own[k] for k in hold_out(len(own))[1]]


def _train_base(
    heard: Sequence[Utterance],
    fits: Fits,
    settings: TrainingSettings,
    how: CausalSettings,
    progress: Progress,
) -> KnownBase:
    names = sorted({one.session for one in heard})
    sessions = {name: parallel([one for one in heard if one.session == name]) for name in names}
    base = train_base(sessions, how, settings.signal.features.shift_s, progress)
    known = KnownBase(base, learned_from(heard))
    if settings.base is not None:
        write_base(settings.base, known, fits)
    return known


def _distortion(made: SpeechFrames, one: Utterance, lead_ms: float, shift_s: float) -> float:
    """Compare an utterance's converted speech with its natural speech."""
    assert one.speech is not None
    natural = one.speech.mel_cepstrum[round(lead_ms / 1000 / shift_s) :]
    count = min(len(made), len(natural))
    return mel_cepstral_distortion(made.mel_cepstrum[:count], natural[:count])
