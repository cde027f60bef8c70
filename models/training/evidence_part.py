"""The speaker classifier whose evidence adds up, as a part of a bundle."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from sklearn.metrics import balanced_accuracy_score

from models.evidence import LEAST_FRAMES, WINDOW_S, evidence_vectors
from models.manifest import ClassifierPart
from models.signal.operator import Array
from models.signal.td_features import TDSettings
from models.training.activity import TrainedActivity, gate_of, speech_of
from models.training.evidence import (
    BANDS,
    WINDOWS_S,
    evidence_bands,
    evidence_examples,
    fit_evidence,
)
from models.training.examples import Utterance
from models.training.export import export_classifier
from models.training.parts import check_classes
from models.training.progress import Progress

FILE: Final = "speaker_evidence.onnx"
CALIBRATION: Final = (
    f"what a second of speech is worth, up to {max(WINDOWS_S):g} s of it, on utterances of the "
    "same sessions that the fold had not seen"
)


def train_evidence_part(
    utterances: Sequence[Utterance],
    work: Path,
    features: TDSettings,
    rate_hz: float,
    progress: Progress,
) -> tuple[ClassifierPart, dict[str, float]]:
    """Train it on the speech in utterances, told from rest by a gate of each session.

    Parameters
    ----------
    utterances : sequence of Utterance
        Training utterances of all sessions, of two speakers or more.
    work : Path
        Where the graph is written.
    features : TDSettings
        Grid of the frames.
    rate_hz : float
        Sampling rate of the EMG.
    progress : callable
        Told what is being done.

    Returns
    -------
    part : ClassifierPart
        For the manifest.
    figures : dict of str to float
        Balanced accuracy of stretches of 0.2 to 1.6 s of speech of utterances that a fold had
        not seen.

    Raises
    ------
    RecordingError
        When a speaker has one utterance only.
    """
    check_classes("speaker", [one.speaker for one in utterances])
    what = "training the speaker classifier of all speech so far"
    gates = _gates(utterances, features, lambda done, total: progress(what, done, total + 2))
    rows, lengths, counts = [], [], []
    for one in utterances:
        profiles, seconds = _examples(one, gates[one.session], features, rate_hz)
        rows.append(profiles)
        lengths.append(seconds)
        counts.append(len(seconds))
    profiles, seconds = np.concatenate(rows), np.concatenate(lengths)
    labels = np.repeat([one.speaker for one in utterances], counts)
    numbers = np.repeat(np.arange(len(utterances)), counts)
    progress(what, len(gates) + 1, len(gates) + 2)
    classifier = fit_evidence(profiles, seconds, labels, numbers)
    difference = export_classifier(classifier, work / FILE, evidence_vectors(profiles, seconds))
    progress(what, len(gates) + 2, len(gates) + 2)
    part = ClassifierPart(
        name="evidence",
        file=FILE,
        labels=classifier.labels,
        features=("evidence",),
        bands=BANDS,
        window_s=WINDOW_S,
        calibration=CALIBRATION,
    )
    return part, {
        "cross_validated_balanced_accuracy_within_1600_ms": float(
            balanced_accuracy_score(labels, classifier.unseen)
        ),
        "sessions_without_gate": sum(gate is None for gate in gates.values()),
        "onnx_difference": difference,
    }


def _gates(
    utterances: Sequence[Utterance], features: TDSettings, progress: Callable[[int, int], None]
) -> dict[str, TrainedActivity | None]:
    by_session: dict[str, list[Utterance]] = {}
    for one in utterances:
        by_session.setdefault(one.session, []).append(one)
    gates = {}
    for number, (session, own) in enumerate(by_session.items()):
        progress(number, len(by_session))
        gates[session] = gate_of(own, features)
    return gates


def _examples(
    one: Utterance, gate: TrainedActivity | None, features: TDSettings, rate_hz: float
) -> tuple[Array, Array]:
    """Describe the speech of an utterance, or all of it where there is next to none."""
    threshold = 0.0 if gate is None else gate.threshold
    spoken = np.flatnonzero(speech_of(gate, one, features) >= threshold)
    bands = evidence_bands(one.emg.samples, rate_hz)
    if len(spoken) < LEAST_FRAMES:
        spoken = np.arange(len(bands))
    speech = bands[spoken[spoken < len(bands)]]
    return evidence_examples(speech, one.emg.samples.shape[1], features.shift_s)
