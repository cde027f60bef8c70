"""A corpus to a bundle."""

import shutil
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
from sklearn.metrics import balanced_accuracy_score

from drivers.errors import RecordingError, StreamerError
from drivers.recordings.emg_uka.corpus import EmgUkaCorpus
from drivers.recordings.recording import Recording
from models.bundle import MANIFEST
from models.manifest import (
    ActivityPart,
    ClassifierPart,
    ConverterPart,
    FeatureSet,
    Manifest,
    Provenance,
    SignalPart,
)
from models.signal.operator import Array
from models.speech.analysis import SpeechSettings
from models.training import activity as gate
from models.training.classifiers import (
    CALIBRATION,
    cross_validated,
    fit_discriminant,
    window_examples,
)
from models.training.converter import ConverterSettings, Progress, train_converter
from models.training.examples import (
    Emg,
    SignalSettings,
    emg_of,
    level_db,
    rest_and_speech,
    speech_of,
    stack,
)
from models.training.export import export_classifier, export_converter

MODES = ("audible", "whispered", "silent")
WINDOWS_S = (1.0, 2.0)
ROLLING_WINDOW_S = 2.0
MODE_FEATURES: tuple[FeatureSet, ...] = ("td_statistics", "band_statistics")
SPEAKER_FEATURES: tuple[FeatureSet, ...] = ("speaker", "band_statistics")
SPEECH_DBFS = -23.0

_CHECKED_ROWS = 2000  # windows, from all classes, to compare an exported classifier on


@dataclass(frozen=True)
class TrainingSettings:
    """All that training decides beside the data.

    Attributes
    ----------
    signal : SignalSettings
        Filters and features.
    speech : SpeechSettings
        Analysis of the natural speech.
    converter : ConverterSettings
        Network.
    """

    signal: SignalSettings = field(default_factory=SignalSettings)
    speech: SpeechSettings = field(default_factory=SpeechSettings)
    converter: ConverterSettings = field(default_factory=ConverterSettings)


@dataclass(frozen=True, eq=False)
class _Utterance:
    """What is kept of a recording for the classifiers."""

    session: str
    speaker: str
    mode: str
    emg: Emg
    rest: Array  # labels of rest_and_speech


def train_bundle(
    corpus: Path,
    session: str,
    out: Path,
    settings: TrainingSettings | None = None,
    progress: Progress = lambda what, done, total: None,
) -> Manifest:
    """Train all models of a bundle on the training subsets of a corpus, and write it.

    The converter and the activity gate learn from one session; the speaker classifier from
    every session, the mode classifier from those with two modes or more. Test subsets are
    never read.

    Parameters
    ----------
    corpus : Path
        A directory in the layout of EMG-UKA.
    session : str
        Session of the converter.
    out : Path
        Directory of the bundle; must not exist. It appears when all is written.
    settings : TrainingSettings, optional
        Models.
    progress : callable
        Told what is being done, and how much of it.

    Returns
    -------
    Manifest
        As written.

    Raises
    ------
    StreamerError
        When `out` exists or cannot be written, or the corpus lacks what is needed.
    """
    settings = settings or TrainingSettings()
    if out.exists():
        raise StreamerError(
            f"bundle {out}", value="it exists", way_out="choose another --out, or remove it"
        )
    data = EmgUkaCorpus(corpus)
    audible = list(data.recordings(session, "train.audible"))
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        work = Path(mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    except OSError as error:
        raise _cannot_write(out, error) from None
    try:
        utterances = _load(data, settings.signal, progress)
        manifest = _train(data, session, audible, utterances, work, out.name, settings, progress)
        text = manifest.model_dump_json(indent=2)
        (work / MANIFEST).write_text(text + "\n", "utf-8")
        work.chmod(0o755)
        work.rename(out)
    except OSError as error:
        raise _cannot_write(out, error) from error
    finally:
        shutil.rmtree(work, ignore_errors=True)  # nothing is left of it once it is renamed
    return manifest


def _cannot_write(out: Path, error: OSError) -> StreamerError:
    return StreamerError(
        f"bundle {out} cannot be written: {error.strerror or error}",
        way_out="choose an --out that you may write to",
    )


def _train(
    data: EmgUkaCorpus,
    session: str,
    audible: Sequence[Recording],
    utterances: Sequence[_Utterance],
    work: Path,
    name: str,
    settings: TrainingSettings,
    progress: Progress,
) -> Manifest:
    # What takes longest comes last: what a corpus lacks is found out before.
    first = audible[0]
    own = [one for one in utterances if one.session == session]
    activity, activity_figures = _activity(own, work, settings, progress)
    modes_of = Counter(where for where, _ in {(one.session, one.mode) for one in utterances})
    several = [one for one in utterances if modes_of[one.session] > 1]
    modes = [mode for mode in MODES if any(one.mode == mode for one in several)]
    speakers = sorted({one.speaker for one in utterances})
    mode, mode_figures = _classifier(
        "mode", several, [one.mode for one in several], modes,
        MODE_FEATURES, work, settings, first.rate_hz, progress,
    )  # fmt: skip
    speaker, speaker_figures = _classifier(
        "speaker", utterances, [one.speaker for one in utterances], speakers,
        SPEAKER_FEATURES, work, settings, first.rate_hz, progress,
    )  # fmt: skip
    gain_db, converter_figures = _converter(audible, work, settings, progress)
    return Manifest(
        name=name,
        signal=SignalPart(
            rate_hz=first.rate_hz, channels=tuple(channel.label for channel in first.channels)
        ),
        conditioning=settings.signal.conditioning,
        features=settings.signal.features,
        speech=settings.speech,
        converter=ConverterPart(
            file="converter.onnx",
            stacking=settings.converter.stacking,
            lead_ms=settings.converter.lead_ms,
            level_db=gain_db,
        ),
        activity=activity,
        mode=mode,
        speaker=speaker,
        provenance=Provenance(
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            seed=settings.converter.seed,
            converter_data={
                "corpus": data.root.resolve().name,
                "session": session,
                "subset": "train.audible",
                "utterances": len([one for one in audible if one.audio is not None]),
            },
            classifier_data={
                "activity": _sessions(own),
                "mode": _sessions(several),
                "speaker": _sessions(utterances),
            },
            versions=_versions(),
        ),
        figures={
            "converter": converter_figures,
            "activity": activity_figures,
            "mode": mode_figures,
            "speaker": speaker_figures,
            "skipped_utterances": {reason: len(names) for reason, names in data.skipped.items()},
            "incomplete_utterances": {what: len(names) for what, names in data.holes.items()},
        },
    )


def _load(data: EmgUkaCorpus, settings: SignalSettings, progress: Progress) -> list[_Utterance]:
    """Read the training subsets of every session."""
    names = [
        (session, subset)
        for session in data.sessions
        for subset in data.subsets(session)
        if subset.startswith("train.")
    ]
    utterances = []
    for done, (session, subset) in enumerate(names):
        for recording in data.recordings(session, subset):
            emg = emg_of(recording, settings)
            rest = rest_and_speech(recording, len(emg.frames), settings.features)
            speaker = recording.speaker or "unknown"
            utterances.append(_Utterance(session, speaker, subset.split(".")[1], emg, rest))
        progress("reading the training subsets of all sessions", done + 1, len(names))
    return utterances


def _converter(
    audible: Sequence[Recording], work: Path, settings: TrainingSettings, progress: Progress
) -> tuple[float, dict[str, float]]:
    with_audio = [recording for recording in audible if recording.audio is not None]
    frames = [emg_of(recording, settings.signal).frames for recording in with_audio]
    gain_db = level_db(with_audio, SPEECH_DBFS)
    speech = []
    for done, recording in enumerate(with_audio):
        natural = speech_of(recording, settings.speech)
        # A gain moves the mel-cepstrum's zeroth coefficient only.
        natural.mel_cepstrum[:, 0] += gain_db / 20 * np.log(10)
        speech.append(natural)
        progress("analysing the natural speech", done + 1, len(with_audio))
    features = settings.signal.features
    trained = train_converter(frames, speech, features, settings.converter, progress)
    examples = np.concatenate([stack(f, settings.converter.stacking, features) for f in frames[:5]])
    difference = export_converter(trained.network, work / "converter.onnx", examples)
    return gain_db, {
        "held_out_mcd_db": trained.held_out_mcd_db,
        "epochs": trained.epochs,
        "onnx_difference": difference,
    }


def _activity(
    own: Sequence[_Utterance], work: Path, settings: TrainingSettings, progress: Progress
) -> tuple[ActivityPart, dict[str, float]]:
    progress("training the activity gate", 0, 1)
    frames = [one.emg.frames for one in own]
    features = settings.signal.features
    trained = gate.train_activity(frames, [one.rest for one in own], features)
    examples = np.concatenate([stack(f, gate.STACKING, features) for f in frames[:5]])
    difference = export_classifier(trained.pipeline, work / "activity.onnx", examples)
    progress("training the activity gate", 1, 1)
    part = ActivityPart(file="activity.onnx", stacking=gate.STACKING, threshold=trained.threshold)
    return part, {
        "missed_speech": trained.missed_speech,
        "false_speech": trained.false_speech,
        "false_activations_per_min": trained.false_activations_per_min,
        "onnx_difference": difference,
    }


def _classifier(
    name: str,
    utterances: Sequence[_Utterance],
    classes: Sequence[str],
    labels: Sequence[str],
    sets: tuple[FeatureSet, ...],
    work: Path,
    settings: TrainingSettings,
    rate_hz: float,
    progress: Progress,
) -> tuple[ClassifierPart | None, dict[str, float]]:
    """Train the mode or speaker classifier; None where there is nothing to tell apart."""
    if len(labels) < 2:
        return None, {}
    for label in labels:
        if classes.count(label) < 2:
            raise RecordingError(
                f"training utterances of {name} {label}",
                value=classes.count(label),
                allowed="2 or more, to calibrate on those that a fit has not seen",
                way_out="take it out of the corpus, or record more",
            )
    what = f"training the {name} classifier"
    progress(what, 0, 3)
    vectors, numbers, groups = window_examples(
        [one.emg for one in utterances], [labels.index(one) for one in classes],
        sets, WINDOWS_S, rate_hz, settings.signal.features,
    )  # fmt: skip
    progress(what, 1, 3)
    pipeline = fit_discriminant(vectors, numbers, groups)
    some = vectors[:: 1 + len(vectors) // _CHECKED_ROWS]
    difference = export_classifier(pipeline, work / f"{name}.onnx", some)
    progress(what, 2, 3)
    unseen = cross_validated(vectors, numbers, groups, "predict")
    progress(what, 3, 3)
    part = ClassifierPart(
        file=f"{name}.onnx",
        labels=tuple(labels),
        features=sets,
        window_s=ROLLING_WINDOW_S,
        calibration=CALIBRATION,
    )
    return part, {
        "cross_validated_balanced_accuracy": float(balanced_accuracy_score(numbers, unseen)),
        "onnx_difference": difference,
    }


def _sessions(utterances: Sequence[_Utterance]) -> dict[str, int]:
    """Count the training utterances of each session."""
    return dict(Counter(one.session for one in utterances))


def _versions() -> dict[str, str]:
    packages = ("numpy", "scipy", "torch", "scikit-learn", "skl2onnx", "onnx", "onnxruntime")
    return {"python": sys.version.split()[0]} | {name: version(name) for name in packages}
