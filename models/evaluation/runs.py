"""What replayed runs reached, measured on what they left behind.

``python -m models.evaluation.runs CORPUS RUN...`` compares the outputs of ``streamer replay``
with the corpus: the converter's mel-cepstral distortion, that of its WAVs analysed again, that of
copy synthesis (natural speech through analysis and vocoder), and how often, how soon and how surely
mode and speaker were right: the figures of the experiment ``rolling``, by the same functions. It
prints one JSON object.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from drivers.outside.strict_json import to_json
from drivers.outside.texts import parse_json, read_json, read_text
from drivers.recordings.emg_uka.corpus import EmgUkaCorpus
from drivers.recordings.recording import Recording
from models.evaluation.metrics.courses import Course, course_figures, speech_heard
from models.evaluation.metrics.decisions import confusion, unweighted_average_recall
from models.evaluation.metrics.distortion import mel_cepstral_distortion
from models.signal.operator import Array
from models.speech.analysis import mel_cepstrum, pitch
from models.speech.vocoder import Vocoder


def copy_synthesis(audio: Array) -> Array:
    """Analyse speech and make it again, through 16 bits as a WAV does.

    Parameters
    ----------
    audio : ndarray, shape (samples,)
        Natural speech at 16 kHz, full scale is 1.

    Returns
    -------
    ndarray, shape (samples,)
        The same through the vocoder.
    """
    f0_hz = pitch(audio)
    vocoder = Vocoder()
    voice = vocoder.process(mel_cepstrum(audio), f0_hz, f0_hz > 0)
    voice = np.concatenate((voice, vocoder.finish(len(audio))))
    through_16_bits: Array = np.round(voice * 32768) / 32768
    return through_16_bits


def measure(corpus: EmgUkaCorpus, runs: Sequence[Path]) -> dict[str, Any]:
    """Measure runs.

    Parameters
    ----------
    corpus : EmgUkaCorpus
        What they replayed.
    runs : sequence of Path
        Their directories.

    Returns
    -------
    dict
        ``runs`` by directory, their means in ``mean``, and ``mode`` and ``speaker`` over all
        utterances: balanced accuracy of the most probable class, the confusion, and in
        ``rolling`` what `course_figures` says of the estimates.
    """
    figures: dict[str, dict[str, float]] = {}
    truths: dict[str, list[str]] = {"mode": [], "speaker": []}
    labels: dict[str, list[str]] = {"mode": [], "speaker": []}
    followed = {
        name: [one for run in runs for one in courses(corpus, run, name)] for name in truths
    }
    for run in runs:
        summary = _summary(run)
        rows = []
        for utterance in summary["utterances"]:
            recording = corpus.recording(utterance["utterance"])
            for name, truth in (("mode", recording.mode), ("speaker", recording.speaker)):
                if utterance[name] is not None and truth is not None:
                    truths[name].append(truth)
                    labels[name].append(utterance[name]["label"])
            if utterance["mcd_db"] is not None:
                rows.append([utterance["mcd_db"], *_distortions(recording, utterance["audio"])])
        if rows:
            names = ("mcd_db", "reanalysed_mcd_db", "copy_synthesis_mcd_db")
            means = np.mean(rows, axis=0)
            figures[run.name] = {n: round(float(v), 3) for n, v in zip(names, means, strict=True)}
    rolling = {name: course_figures(one) for name, one in followed.items()}
    if rolling["speaker"] is not None and _by_evidence(runs):
        rolling["speaker"].pop("rolling", None)  # there is no window of a fixed length
    return {
        "runs": figures,
        "mean": {
            name: round(float(np.mean([one[name] for one in figures.values()])), 3)
            for name in next(iter(figures.values()), {})
        },
    } | {
        name: _accuracy(truths[name], labels[name]) | {"rolling": rolling[name]}
        for name in truths
        if truths[name]
    }


def _by_evidence(runs: Sequence[Path]) -> bool:
    """Say whether a run told speakers by evidence, which rests on as much speech as there is."""
    said = [_summary(run).get("models", {}) for run in runs]
    return any(one.get("speaker") == "evidence" for one in said)


def _summary(run: Path) -> dict[str, Any]:
    summary: dict[str, Any] = read_json(run / "summary.json", "summary")
    return summary


def courses(corpus: EmgUkaCorpus, run: Path, name: str) -> list[Course]:
    """Read how the answers of a run went on.

    Parameters
    ----------
    corpus : EmgUkaCorpus
        What it replayed.
    run : Path
        Its directory.
    name : str
        ``"mode"`` or ``"speaker"``.

    Returns
    -------
    list of Course
        One an utterance of which anything was said, from ``estimates.jsonl``; its answer as a
        whole from ``summary.json``.
    """
    lines = read_text(run / "estimates.jsonl", "estimates").splitlines()
    estimates: dict[tuple[int, str], list[dict[str, Any]]] = {}
    for one in (parse_json(line, "estimate") for line in lines):
        estimates.setdefault((one["epoch"], one["utterance"]), []).append(one)
    summary = _summary(run)
    found = []
    for utterance in summary["utterances"]:
        rows = estimates.get((utterance["epoch"], utterance["utterance"]), [])
        whole = utterance[name]
        said = [one[name] for one in rows if one[name] is not None]
        truth = getattr(corpus.recording(utterance["utterance"]), name)
        if truth is not None and (said or whole is not None):
            found.append(_course(truth, rows, name, whole))
    return found


def _course(
    truth: str, rows: list[dict[str, Any]], name: str, whole: dict[str, Any] | None
) -> Course:
    answers = [one[name] for one in rows]
    labels = tuple(next(one for one in (whole, *answers) if one is not None)["probabilities"])
    time_s = np.array([one["epoch_time_s"] for one in rows], dtype=np.float64)
    said = np.full((len(rows), len(labels)), np.nan)
    window_s = np.zeros(len(rows))
    for number, answer in enumerate(answers):
        if answer is not None:
            said[number] = list(answer["probabilities"].values())
            window_s[number] = answer["window_s"]
    heard_s = speech_heard([one["speech"] for one in rows], np.diff(time_s, prepend=0.0))
    overall = None if whole is None else np.array(list(whole["probabilities"].values()))
    return Course(truth, labels, time_s, heard_s, window_s, said, overall)


def _distortions(recording: Recording, wav: str) -> tuple[float, float]:
    assert recording.audio is not None
    natural = recording.audio.astype(np.float64)
    reference = mel_cepstrum(natural)
    made, _ = soundfile.read(wav)
    return (
        mel_cepstral_distortion(mel_cepstrum(made), reference),
        mel_cepstral_distortion(mel_cepstrum(copy_synthesis(natural)), reference),
    )


def _accuracy(truth: list[str], label: list[str]) -> dict[str, Any]:
    """Count; balanced accuracy is the mean recall of the classes that occur."""
    classes = sorted(set(truth) | set(label))
    return {
        "utterances": len(truth),
        "classes_that_occur": len(set(truth)),
        "balanced_accuracy": round(unweighted_average_recall(truth, label), 4),
        "classes": classes,
        "confusion": confusion(truth, label, classes).tolist(),
    }


def main() -> None:
    """Measure the runs named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("run", type=Path, nargs="+", help="as `streamer replay --out` names it")
    given = parser.parse_args()
    print(to_json(measure(EmgUkaCorpus(given.corpus), given.run), indent=2))  # noqa: T201


if __name__ == "__main__":
    main()
