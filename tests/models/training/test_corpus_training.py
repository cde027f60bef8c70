"""Training on real sessions, as far as they are on this disk."""

from pathlib import Path

import numpy as np
import pytest

from drivers.recordings.emg_uka import EmgUkaCorpus

pytest.importorskip("torch")

from sklearn.metrics import balanced_accuracy_score  # noqa: E402

from models.signal.td_features import TDSettings  # noqa: E402
from models.speech.analysis import SpeechSettings  # noqa: E402
from models.training.classifiers import cross_validated, window_examples  # noqa: E402
from models.training.converter import train_converter  # noqa: E402
from models.training.examples import SignalSettings, emg_of, speech_of  # noqa: E402
from models.training.network import ConverterSettings  # noqa: E402
from models.training.parts import MODE_FEATURES, WINDOWS_S  # noqa: E402
from models.training.train import MODES  # noqa: E402

DATA = Path(__file__).parents[3] / "data" / "emg-uka"
MULTI_MODE = ("002-001", "002-003", "004-001", "006-001", "008-002", "008-003")

pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(not DATA.is_dir(), reason="no real recordings in data/emg-uka"),
]


def test_a_real_session_is_learned():
    """A few epochs of a small network; predicting the mean gives 7.6 dB."""
    corpus = EmgUkaCorpus(DATA)
    if "008-001" not in corpus.sessions:
        pytest.skip("no session 008-001 in data/emg-uka")
    recordings = list(corpus.recordings("008-001", "train.audible"))
    frames = [emg_of(recording, SignalSettings()).frames for recording in recordings]
    speech = [speech_of(recording, SpeechSettings()) for recording in recordings]
    settings = ConverterSettings(widths=(256, 64, 256), epochs=4)
    trained = train_converter(frames, speech, TDSettings(), settings, lambda *now: None)
    assert trained.held_out_mcd_db < 6.2


def test_real_modes_are_told_apart():
    """In a second or two of known sessions: 87 % with three of them."""
    corpus = EmgUkaCorpus(DATA)
    sessions = [session for session in MULTI_MODE if session in corpus.sessions]
    if not sessions:
        pytest.skip("no session with several modes in data/emg-uka")
    emg, labels, where = [], [], []
    for number, session in enumerate(sessions):
        for recording in corpus.recordings(session, "train"):
            emg.append(emg_of(recording, SignalSettings()))
            labels.append(MODES.index(recording.mode))
            where.append(number)
    vectors, windows, utterances, _ = window_examples(
        emg, labels, MODE_FEATURES, WINDOWS_S, 600.0, TDSettings()
    )
    said = cross_validated(vectors, windows, utterances, np.array(where)[utterances])
    assert balanced_accuracy_score(windows, said) > 0.7  # chance is 0.33
