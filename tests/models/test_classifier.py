"""Classifiers of windows, sliding or over an utterance."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.bundle import Bundle
from models.classifier import UTTERANCE_SHIFT_S, WindowClassifier, utterance_windows, window_vector
from models.signal.td_features import TDFeatures, TDSettings

RATE_HZ, SHIFT_S = 600.0, 0.010


def emg(seconds: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    samples = np.random.default_rng(seed).normal(0, 50, (round(seconds * RATE_HZ), 2))
    features = TDFeatures(TDSettings(), RATE_HZ, 2)
    return samples, np.concatenate((features.process(samples), features.flush()))


@pytest.fixture
def classifier(make_bundle) -> WindowClassifier:
    """Of three modes, from a second of EMG."""
    mode = Bundle.open(make_bundle()).mode
    assert mode is not None
    return mode


@settings(max_examples=60)
@given(count=st.integers(1, 500), window_s=st.sampled_from([0.5, 1.0, 2.0]))
def test_windows_cover_an_utterance_from_its_end(count, window_s):
    """An answer that rests on other windows than in training is not the trained answer."""
    frames = np.arange(count)[:, np.newaxis]
    samples = np.arange(6 * count + 10)[:, np.newaxis]
    windows = utterance_windows(samples, frames, window_s, RATE_HZ, SHIFT_S)
    length = round(window_s / SHIFT_S)
    assert windows[-1][1][-1] == count - 1
    assert windows[-1][0][-1] == len(samples) - 1
    starts = [int(part[1][0, 0]) for part in windows]
    assert {len(part) for _, part in windows} == {min(length, count)}
    assert (np.diff(starts) == round(UTTERANCE_SHIFT_S / SHIFT_S)).all()
    assert starts[0] < round(UTTERANCE_SHIFT_S / SHIFT_S)  # no further one would fit before it
    for part, rows in windows:
        assert part[0, 0] == 6 * rows[0, 0]  # both begin at the same instant
    for part, rows in windows[:-1]:
        assert len(part) == 6 * len(rows)


def test_sets_of_features_follow_each_other():
    """The graph's columns have no names: their order is all there is."""
    samples, frames = emg(1.0)
    alone = [
        window_vector(samples, frames, [name], RATE_HZ)
        for name in ("td_statistics", "band_statistics", "speaker")
    ]
    assert [len(one) for one in alone] == [6 * 10, 6 * 2 * 8, 2 * 11]
    both = window_vector(samples, frames, ["speaker", "td_statistics"], RATE_HZ)
    np.testing.assert_array_equal(both, np.concatenate((alone[2], alone[0])))


def test_probabilities_add_up_to_one(classifier):
    """They are shown as such."""
    samples, frames = emg(2.3)
    window = classifier.probabilities(classifier.features(samples, frames))
    whole = classifier.utterance(samples, frames)
    for one in (window, whole):
        assert one.shape == (3,)
        assert (one >= 0).all()
        assert one.sum() == pytest.approx(1, abs=1e-9)


def test_an_utterance_shorter_than_a_window_is_one_window(classifier):
    """A short word gets the answer that rolled along with it."""
    samples, frames = emg(0.6)
    np.testing.assert_allclose(
        classifier.utterance(samples, frames),
        classifier.probabilities(classifier.features(samples, frames)),
        rtol=1e-6,
    )


def test_a_longer_utterance_does_not_make_surer_by_itself(classifier):
    """Overlapping windows are not independent: a product would be certain of anything."""
    samples, frames = emg(4.0)
    windows = utterance_windows(samples, frames, classifier.window_s, RATE_HZ, SHIFT_S)
    rolling = np.stack([classifier.probabilities(classifier.features(*one)) for one in windows])
    assert len(rolling) == 6
    whole = classifier.utterance(samples, frames)
    assert (whole <= rolling.max(axis=0) + 1e-9).all()
    mean = np.exp(np.log(rolling).mean(axis=0))
    np.testing.assert_allclose(whole, mean / mean.sum(), rtol=1e-9)
