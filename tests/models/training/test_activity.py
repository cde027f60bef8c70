"""Training of the activity gate."""

import numpy as np
import pytest

from drivers.errors import RecordingError
from models.signal.td_features import TDSettings

pytest.importorskip("sklearn")

from models.training import activity  # noqa: E402
from models.training.activity import PASSED, false_activations, train_activity  # noqa: E402
from models.training.examples import stack  # noqa: E402


def utterances(count: int = 5, apart: float = 2.0, seed: int = 0):
    """Frames of rest, speech, rest; some at the turns are of unknown kind."""
    rng = np.random.default_rng(seed)
    frames, labels = [], []
    for _ in range(count):
        truth = np.r_[np.zeros(30), np.ones(60), np.zeros(30)]
        frames.append(rng.normal(size=(120, 3)) + apart * truth[:, np.newaxis])
        truth[[29, 30, 89, 90]] = np.nan
        labels.append(truth)
    return frames, labels


def train(frames, labels):
    return train_activity(frames, labels, TDSettings())


def test_lets_speech_pass_and_stops_rest():
    """Speech that the gate stops is lost; rest that it lets pass is noise."""
    trained = train(*utterances())
    assert trained.missed_speech <= 1 - PASSED + 0.01
    assert trained.false_speech < 0.1
    frames, labels = utterances(seed=1)
    said = [
        trained.classifier.predict_proba(stack(one, activity.STACKING, TDSettings()))[:, 1]
        >= trained.threshold
        for one in frames
    ]
    said, truth = np.concatenate(said), np.concatenate(labels)
    assert said[truth == 1].mean() > 0.95
    assert said[truth == 0].mean() < 0.2


def test_stays_open_where_emg_tells_nothing():
    """Better to hear rest than to lose words."""
    trained = train(*utterances(apart=0.0))
    assert trained.missed_speech <= 1 - PASSED + 0.01
    assert trained.false_speech > 0.8
    assert 0 <= trained.threshold <= 1


@pytest.mark.parametrize(("code", "name"), [(0, "rest"), (1, "speech")])
@pytest.mark.parametrize("left", [0, 1])
def test_needs_rest_and_speech(code, name, left):
    """Recordings cut close to the words teach no rest: said in one line."""
    frames, labels = utterances()
    for label in labels[left:]:
        label[label == code] = np.nan
    with pytest.raises(RecordingError, match=rf"frames of {name}: got {left}; allowed: 2 or more"):
        train(frames, labels)


@pytest.mark.parametrize(
    ("active", "labels", "count"),
    [
        ("........", "00001111", 0),
        ("..x.xx..", "00000000", 2),
        ("xxxxxxxx", "00000000", 1),
        ("..xxxxx.", "00011100", 0),  # early and late, not false
        (".x.xxx.x", "00011100", 2),
        (".x......", "0?000000", 0),  # nobody knows
        ("xx......", "0?000000", 1),
        ("", "", 0),
    ],
)
def test_false_activations_are_runs_in_rest(active, labels, count):
    """Reported per minute: a listener hears each as a noise out of nowhere."""
    truth = np.array([np.nan if c == "?" else float(c) for c in labels])
    assert false_activations(np.array([c == "x" for c in active], dtype=bool), truth) == count
