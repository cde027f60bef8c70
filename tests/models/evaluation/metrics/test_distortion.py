import sys
from subprocess import run

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.errors import SignalMismatchError
from models.evaluation.metrics.distortion import (
    dtw_distortion,
    dtw_path,
    frame_distortion,
    mel_cepstral_distortion,
)


def test_the_formula_is_the_fields():
    """One coefficient off by 1 is 10 / ln 10 * sqrt(2) = 6.14 dB; the level does not count."""
    a = np.zeros((3, 25))
    b = a.copy()
    b[:, 0] = 99.0
    b[1, 1] = 1.0
    b[2, 3:5] = 1.0, -1.0
    unit = 10 / np.log(10) * np.sqrt(2)
    np.testing.assert_allclose(frame_distortion(a, b), [0.0, unit, unit * np.sqrt(2)])
    assert mel_cepstral_distortion(a, b) == pytest.approx(unit * (1 + np.sqrt(2)) / 3)


def test_a_few_spare_frames_are_cut_and_many_are_an_error():
    """Framing explains two frames; more means that two different utterances are compared."""
    a = np.random.default_rng(0).normal(size=(20, 25))
    assert mel_cepstral_distortion(a, a[:18]) == 0.0
    with pytest.raises(SignalMismatchError, match="20 and 14 frames"):
        mel_cepstral_distortion(a, a[:14])


@pytest.mark.parametrize("shape", [(0, 25), (4, 24), (4, 1), (25,)])
def test_what_cannot_be_compared_is_said(shape):
    """One line that names both sides."""
    for metric in (mel_cepstral_distortion, dtw_distortion, dtw_path):
        with pytest.raises(SignalMismatchError, match="shapes"):
            metric(np.zeros((4, 25)), np.zeros(shape))


def cheapest(distances):
    """The textbook recursion."""
    best = np.full(distances.shape, np.inf)
    for i in range(len(best)):
        for j in range(best.shape[1]):
            before = [
                best[x, y] for x, y in ((i - 1, j - 1), (i - 1, j), (i, j - 1)) if x >= 0 <= y
            ]
            best[i, j] = distances[i, j] + min(before, default=0.0)
    return best[-1, -1]


@settings(max_examples=40)
@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 2**32 - 1))
def test_the_path_is_a_cheapest_one(n, m, seed):
    """DTW-MCD of silent speech is only as good as its alignment."""
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=(n, 4)), rng.normal(size=(m, 4))
    path = dtw_path(a, b)
    assert tuple(path[0]) == (0, 0)
    assert tuple(path[-1]) == (n - 1, m - 1)
    assert {tuple(step) for step in np.diff(path, axis=0)} <= {(1, 1), (1, 0), (0, 1)}
    distances = np.array([[frame_distortion(x[None], y[None])[0] for y in b] for x in a])
    cost = distances[path[:, 0], path[:, 1]]
    assert cost.sum() == pytest.approx(cheapest(distances))
    assert dtw_distortion(a, b) == pytest.approx(cost.mean())


def test_stretched_speech_is_the_same_speech():
    """Speaking more slowly is no error."""
    a = np.random.default_rng(1).normal(size=(50, 25))
    assert dtw_distortion(a, np.repeat(a, 2, axis=0)) == pytest.approx(0.0, abs=1e-9)


@pytest.mark.system
def test_no_training_library_is_needed():
    """A session reports its MCD on a machine without torch and scikit-learn."""
    code = (
        "import sys, models.evaluation.metrics.distortion;"
        "assert not {'torch', 'sklearn', 'onnx'} & set(sys.modules)"
    )
    assert run([sys.executable, "-c", code], check=False).returncode == 0
