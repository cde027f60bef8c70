"""A corpus to a bundle."""

import shutil
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
from sklearn.metrics import balanced_accuracy_score

from drivers.errors import RecordingError, SignalMismatchError, StreamerError
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

_CHECKED_ROWS = 2000  # rows on which an exported model is compared with its original


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
    rest: np.ndarray  # labels of rest_and_speech


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
        When `out` exists, or the corpus lacks what is needed.
    """
    settings = settings or TrainingSettings()
    if out.exists():
        raise StreamerError(
            f"bundle {out}", value="it exists", way_out="choose another --out, or remove it"
        )
    data = EmgUkaCorpus(corpus)
    audible = list(data.recordings(session, "train.audible"))
    _check_equal_signals(audible)
    rate_hz = audible[0].rate_hz
    utterances = _load(data, settings.signal, rate_hz, progress)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        work = Path(mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    except OSError as error:
        raise StreamerError(
            f"bundle {out} cannot be written: {error.strerror}",
            way_out="choose an --out that you may write to",
        ) from None
    try:
        manifest = _train(data, session, audible, utterances, work, out.name, settings, progress)
        text = manifest.model_dump_json(indent=2)
        (work / MANIFEST).write_text(text + "\n", "utf-8")
        work.chmod(0o755)
        work.rename(out)
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        raise
    return manifest


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
    first = audible[0]
    gain_db, converter_figures = _converter(audible, work, settings, progress)
    own = [one for one in utterances if one.session == session]
    activity, activity_figures = _activity(own, work, settings, progress)
    several = [
        one
        for one in utterances
        if len({other.mode for other in utterances if other.session == one.session}) > 1
    ]
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
                "corpus": data.root.name,
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
        },
    )


def _load(
    data: EmgUkaCorpus, settings: SignalSettings, rate_hz: float, progress: Progress
) -> list[_Utterance]:
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
            if recording.rate_hz != rate_hz:
                continue
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
    what = f"training the {name} classifier"
    progress(what, 0, 3)
    vectors, numbers, groups = window_examples(
        [one.emg for one in utterances], [labels.index(one) for one in classes],
        sets, WINDOWS_S, rate_hz, settings.signal.features,
    )  # fmt: skip
    progress(what, 1, 3)
    pipeline = fit_discriminant(vectors, numbers, groups)
    difference = export_classifier(pipeline, work / f"{name}.onnx", vectors[:_CHECKED_ROWS])
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


def _check_equal_signals(recordings: Iterable[Recording]) -> None:
    signals = {(one.rate_hz, one.channels) for one in recordings}
    if len(signals) > 1:
        raise SignalMismatchError(
            "signals of the training subset",
            value="; ".join(f"{rate:g} Hz, {len(channels)} channels" for rate, channels in signals),
            allowed="one rate and one set of channels",
        )
    if not signals:
        raise RecordingError("training subset", value="no utterances", allowed="2 or more")


def _sessions(utterances: Sequence[_Utterance]) -> dict[str, int]:
    """Count the training utterances of each session."""
    counts: dict[str, int] = {}
    for one in utterances:
        counts[one.session] = counts.get(one.session, 0) + 1
    return counts


def _versions() -> dict[str, str]:
    packages = ("numpy", "scipy", "torch", "scikit-learn", "skl2onnx", "onnx", "onnxruntime")
    return {"python": sys.version.split()[0]} | {name: version(name) for name in packages}
