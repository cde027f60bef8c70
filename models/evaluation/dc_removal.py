"""What causal DC removal costs the converter, in mel-cepstral distortion.

The features of the papers have the mean of the whole utterance removed, which no live system
knows. ``python -m models.evaluation.dc_removal CORPUS SESSION...`` trains the converter on
features with either removal, compressed and not, and prints the distortion of held-out training
utterances as one line of JSON a session. Test subsets are not read.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

from drivers.outside.strict_json import to_json
from drivers.recordings.emg_uka.corpus import EmgUkaCorpus
from drivers.recordings.recording import Recording
from models.signal.operator import Array
from models.signal.td_features import TDFeatures, TDSettings
from models.speech.analysis import SpeechSettings
from models.training.converter import held_out_distortion
from models.training.examples import SignalSettings, emg_of, speech_of
from models.training.network import ConverterSettings
from models.training.threads import few_threads


def compare(corpus: EmgUkaCorpus, session: str) -> dict[str, float]:
    """Measure one session.

    Parameters
    ----------
    corpus : EmgUkaCorpus
        The corpus.
    session : str
        Its session.

    Returns
    -------
    dict of str to float
        Distortion in dB of held-out training utterances after the best epoch, by the way of
        removal and the features' compression.
    """
    recordings = [
        one for one in corpus.recordings(session, "train.audible") if one.audio is not None
    ]
    speech = [speech_of(one, SpeechSettings()) for one in recordings]
    result = {}
    for log in (False, True):
        signal = SignalSettings(features=replace(TDSettings(), log=log))
        for name, frames in (
            ("utterance_mean", [mean_removed(one, signal.features) for one in recordings]),
            ("causal", [emg_of(one, signal).frames for one in recordings]),
        ):
            curve = held_out_distortion(
                frames, speech, signal.features, ConverterSettings(), lambda *told: None
            )
            result[f"{name}.{'log' if log else 'linear'}"] = round(min(curve), 4)
    return result


def mean_removed(recording: Recording, settings: TDSettings) -> Array:
    """Return TD features of EMG less its mean over the utterance, as in the papers.

    Parameters
    ----------
    recording : Recording
        An utterance.
    settings : TDSettings
        Frames.

    Returns
    -------
    ndarray, shape (frames, columns)
        All its frames.
    """
    emg = recording.emg_uv.astype(np.float64)
    features = TDFeatures(settings, recording.rate_hz, emg.shape[1])
    return np.concatenate((features.process(emg - emg.mean(axis=0)), features.flush()))


def main() -> None:
    """Print a line for each session named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("session", nargs="+")
    given = parser.parse_args()
    corpus = EmgUkaCorpus(given.corpus)
    for session in given.session:
        with few_threads():
            figures = compare(corpus, session)
        print(to_json({"session": session} | figures), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
