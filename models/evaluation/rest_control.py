"""How much of the speaking mode can be told before anybody speaks.

Modes were recorded in blocks, so a classifier of the mode can live on the drift of the session.
``python -m models.evaluation.rest_control CORPUS`` trains the mode classifier of a bundle on the
first moments of the training utterances alone, tests it on those of the test utterances, and
prints one JSON object: what it gets right there, beside chance.
"""

import argparse
import json
from pathlib import Path

from sklearn.metrics import recall_score

from drivers.recordings.emg_uka.corpus import EmgUkaCorpus
from models.training.classifiers import fit_discriminant, window_examples
from models.training.examples import Emg, SignalSettings, emg_of
from models.training.parts import MODE_FEATURES
from models.training.train import MODES

REST_S = 0.2
"""Speech begins 0.2 to 0.5 s into most utterances."""


def beginnings(corpus: EmgUkaCorpus, split: str) -> tuple[list[Emg], list[int], float]:
    """Cut the beginnings of a split's utterances, of all sessions with several modes.

    Parameters
    ----------
    corpus : EmgUkaCorpus
        The corpus.
    split : str
        ``"train"`` or ``"test"``.

    Returns
    -------
    emg : list of Emg
        `REST_S` of each utterance.
    modes : list of int
        Numbers of their modes.
    rate_hz : float
        Sampling rate.
    """
    settings = SignalSettings()
    found, modes, rate_hz = [], [], 0.0
    for session in corpus.sessions:
        subsets = [name for name in corpus.subsets(session) if name.startswith(split)]
        if len(subsets) < 2:
            continue
        for recording in (one for name in subsets for one in corpus.recordings(session, name)):
            rate_hz = recording.rate_hz
            emg = emg_of(recording, settings)
            frames = round(REST_S / settings.features.shift_s)
            found.append(Emg(emg.samples[: round(REST_S * rate_hz)], emg.frames[:frames]))
            assert recording.mode is not None
            modes.append(MODES.index(recording.mode))
    return found, modes, rate_hz


def control(corpus: EmgUkaCorpus) -> dict[str, float]:
    """Train and test on beginnings.

    Parameters
    ----------
    corpus : EmgUkaCorpus
        With sessions of several modes.

    Returns
    -------
    dict of str to float
        ``rest_s``, ``balanced_accuracy`` per test utterance, ``chance``, ``utterances``.
    """
    features = SignalSettings().features
    emg, modes, rate_hz = beginnings(corpus, "train")
    rows = window_examples(emg, modes, MODE_FEATURES, (REST_S,), rate_hz, features)
    pipeline = fit_discriminant(*rows)
    emg, modes, rate_hz = beginnings(corpus, "test")
    vectors, truth, _ = window_examples(emg, modes, MODE_FEATURES, (REST_S,), rate_hz, features)
    said = pipeline.predict(vectors)
    return {
        "rest_s": REST_S,
        "balanced_accuracy": round(float(recall_score(truth, said, average="macro")), 4),
        "chance": round(1 / len(set(modes)), 4),
        "utterances": len(modes),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path)
    print(json.dumps(control(EmgUkaCorpus(parser.parse_args().corpus))))  # noqa: T201
