"""What replayed runs reached, measured on what they left behind.

``python -m models.evaluation.runs CORPUS RUN...`` compares the outputs of ``streamer replay``
with the corpus: the converter's mel-cepstral distortion, that of its WAVs analysed again, that of
copy synthesis (natural speech through analysis and vocoder), and how often mode and speaker were
right. It prints one JSON object.
"""

import argparse
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from drivers.recordings.emg_uka.corpus import EmgUkaCorpus
from drivers.recordings.recording import Recording
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
        utterances: balanced accuracy of the most probable class, and the confusion.
    """
    figures: dict[str, dict[str, float]] = {}
    truths: dict[str, list[str]] = {"mode": [], "speaker": []}
    labels: dict[str, list[str]] = {"mode": [], "speaker": []}
    for run in runs:
        summary = json.loads((run / "summary.json").read_text("utf-8"))
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
    return {
        "runs": figures,
        "mean": {
            name: round(float(np.mean([one[name] for one in figures.values()])), 3)
            for name in next(iter(figures.values()), {})
        },
    } | {name: _accuracy(truths[name], labels[name]) for name in truths if truths[name]}


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
    pairs = Counter(zip(truth, label, strict=True))
    recalls = [pairs[one, one] / truth.count(one) for one in set(truth)]
    return {
        "utterances": len(truth),
        "classes_that_occur": len(recalls),
        "balanced_accuracy": round(sum(recalls) / len(recalls), 4),
        "classes": classes,
        "confusion": [[pairs[a, b] for b in classes] for a in classes],
    }


def main() -> None:
    """Measure the runs named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("run", type=Path, nargs="+", help="as `streamer replay --out` names it")
    given = parser.parse_args()
    print(json.dumps(measure(EmgUkaCorpus(given.corpus), given.run), indent=2))  # noqa: T201


if __name__ == "__main__":
    main()
