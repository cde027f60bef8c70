"""A corpus to a bundle."""

import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from drivers.errors import RecordingError, StreamerError
from drivers.recordings.emg_uka.corpus import EmgUkaCorpus
from drivers.recordings.recording import Recording
from models.bundle import MANIFEST
from models.manifest import ClassifierData, ConverterData, Manifest, Provenance, SignalPart
from models.training.base_file import Fits, KnownBase, fits_of, read_base
from models.training.causal import CausalSettings
from models.training.examples import Utterance, utterance_of
from models.training.frame_parts import train_frame_parts, train_gate
from models.training.parts import (
    MODE_FEATURES,
    MODE_LDA,
    train_classifier_part,
)
from models.training.progress import Progress
from models.training.settings import TrainingSettings
from models.training.speakers import train_speaker_parts
from models.training.threads import few_threads
from models.training.work import publish, work_directory

MODES = ("audible", "whispered", "silent")


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
    _check_audio(data, audible)
    fits, known = _base(audible[0], session, settings)
    try:
        with work_directory(out) as work, few_threads():
            utterances = _load(data, settings, progress)
            manifest = _train(
                data, session, audible, utterances, fits, known, work, out.name, settings, progress
            )
            text = manifest.model_dump_json(indent=2)
            (work / MANIFEST).write_text(text + "\n", "utf-8")
            publish(work, out)
    except OSError as error:
        raise StreamerError(
            f"bundle {out} cannot be written: {error.strerror or error}",
            way_out="choose an --out that you may write to",
        ) from error
    return manifest


def _check_audio(data: EmgUkaCorpus, audible: Sequence[Recording]) -> None:
    """Refuse what no voice can be learned from before minutes have passed, and say why."""
    data.refuse_silence()
    count = sum(one.audio is not None for one in audible)
    if count < 2:
        holes = ", ".join(f"{len(names)} {reason}" for reason, names in data.holes.items())
        raise RecordingError(
            "training utterances with audio",
            value=f"{count} ({holes})" if holes else count,
            allowed="2 or more",
        )


def _base(
    first: Recording, session: str, settings: TrainingSettings
) -> tuple[Fits, KnownBase | None]:
    """Return what a base has to have been made with, and the one that is there."""
    network = settings.converter
    if not isinstance(network, CausalSettings):
        return {}, None
    channels = [channel.label for channel in first.channels]
    fits = fits_of(network, settings.signal, settings.speech, first.rate_hz, channels)
    if settings.base is None or not settings.base.exists():
        return fits, None
    known = read_base(settings.base, network, fits)
    others = sorted(set(known.sessions) - {session})
    if others and not settings.others:
        raise StreamerError(
            f"sessions of base {settings.base}",
            value=", ".join(others),
            allowed=f"{session} alone: train.others is off",
            way_out="name another train.base, or set train.others=true",
        )
    return fits, known


def _train(
    data: EmgUkaCorpus,
    session: str,
    audible: Sequence[Recording],
    utterances: Sequence[Utterance],
    fits: Fits,
    known: KnownBase | None,
    work: Path,
    name: str,
    settings: TrainingSettings,
    progress: Progress,
) -> Manifest:
    # What takes longest comes last: what a corpus lacks is found out before.
    first = audible[0]
    own = [one for one in utterances if one.session == session]
    gate = train_gate(own, settings, progress)
    modes_of = Counter(where for where, _ in {(one.session, one.mode) for one in utterances})
    several = [one for one in utterances if modes_of[one.session] > 1]
    modes = [mode for mode in MODES if any(one.mode == mode for one in several)]
    mode, mode_figures = train_classifier_part(
        "mode", several, [one.mode for one in several], modes,
        MODE_FEATURES, work, settings, first.rate_hz, progress, MODE_LDA,
    )  # fmt: skip
    speakers, speaker_figures = train_speaker_parts(
        utterances, work, settings, first.rate_hz, progress
    )
    converter, activity, stand_in, frame_figures = train_frame_parts(
        session, audible, utterances, gate, known, fits, work, settings, progress
    )
    return Manifest(
        name=name,
        signal=SignalPart(
            rate_hz=first.rate_hz, channels=tuple(channel.label for channel in first.channels)
        ),
        conditioning=settings.signal.conditioning,
        features=settings.signal.features,
        speech=settings.speech,
        converter=converter,
        activity=activity,
        stand_in=stand_in,
        mode=mode,
        speaker=speakers[0] if speakers else None,
        other_speakers=tuple(speakers[1:]),
        provenance=Provenance(
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            seed=settings.converter.seed,
            converter_data=ConverterData.model_validate(
                {
                    "corpus": data.root.resolve().name,
                    "session": session,
                    "subset": "train.audible",
                    "utterances": len([one for one in audible if one.audio is not None]),
                    "learned_first_from": _learned_first(utterances, known, settings),
                }
            ),
            classifier_data=ClassifierData.model_validate(
                {
                    "activity": _sessions(own),
                    "mode": _sessions(several),
                    "speaker": _sessions(utterances),
                }
            ),
            versions=_versions(),
        ),
        figures={
            **frame_figures,
            "mode": mode_figures,
            **speaker_figures,
            "skipped_utterances": {reason: len(names) for reason, names in data.skipped.items()},
            "incomplete_utterances": {what: len(names) for what, names in data.holes.items()},
            "clipped_utterances": dict(Counter(name.rpartition("-")[0] for name in data.clipped)),
        },
    )


def _load(data: EmgUkaCorpus, settings: TrainingSettings, progress: Progress) -> list[Utterance]:
    """Read the training subsets of every session, with the sound that converters learn from."""
    names = [
        (session, subset)
        for session in data.sessions
        for subset in data.subsets(session)
        if subset.startswith("train.")
    ]
    sizes = [len(data.utterances(session, subset)) for session, subset in names]
    what, total = "reading the training subsets of all sessions", sum(sizes)
    utterances = []
    for number, (session, subset) in enumerate(names):
        wanted = subset.endswith(".audible") or "embedding" in settings.speakers
        speech = settings.speech if wanted else None
        before = sum(sizes[:number])
        for done, recording in enumerate(data.recordings(session, subset)):
            progress(what, before + done, total)
            utterances.append(utterance_of(recording, settings.signal, speech))
    progress(what, total, total)
    data.refuse_silence()
    return utterances


def _learned_first(
    utterances: Sequence[Utterance], known: KnownBase | None, settings: TrainingSettings
) -> dict[str, int]:
    """Count what the converter learned from before its own session, by session."""
    if known is not None:
        return known.sessions
    if not isinstance(settings.converter, CausalSettings) or not settings.others:
        return {}
    return _sessions(one for one in utterances if one.speech is not None and one.mode == "audible")


def _sessions(utterances: Iterable[Utterance]) -> dict[str, int]:
    """Count the training utterances of each session."""
    return dict(Counter(one.session for one in utterances))


def _versions() -> dict[str, str]:
    packages = ("numpy", "scipy", "torch", "scikit-learn", "skl2onnx", "onnx", "onnxruntime")
    return {"python": sys.version.split()[0]} | {name: version(name) for name in packages}
