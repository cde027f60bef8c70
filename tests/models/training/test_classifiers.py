"""Training of the classifiers."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("sklearn")

from drivers.errors import RecordingError  # noqa: E402
from models.evaluation.metrics.calibration import expected_calibration_error  # noqa: E402
from models.signal.td_features import TDSettings  # noqa: E402
from models.training.classifiers import (  # noqa: E402
    cross_validated,
    fit_discriminant,
    window_examples,
)
from models.training.examples import Emg, SignalSettings, emg_of  # noqa: E402


def rows(classes: int, utterances: int = 6, each: int = 8, apart: float = 1.5, seed: int = 0):
    """Windows of utterances; every utterance has a colour of its own."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(classes, 5)) * apart
    vectors, labels, numbers = [], [], []
    for number in range(classes * utterances):
        label = number // utterances  # in blocks, as recorded
        colour = rng.normal(size=5)
        vectors.append(centres[label] + colour + 0.1 * rng.normal(size=(each, 5)))
        labels += [label] * each
        numbers += [number] * each
    return np.concatenate(vectors), np.array(labels), np.array(numbers)


@pytest.mark.parametrize("classes", [2, 3, 4])
def test_probabilities_are_those_of_unseen_utterances(classes):
    """Windows of one utterance are alike: fitted on themselves they would be too sure."""
    vectors, labels, numbers = rows(classes)
    pipeline = fit_discriminant(vectors, labels, numbers)
    probabilities = pipeline.predict_proba(vectors)
    assert probabilities.shape == (len(vectors), classes)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-9)
    new, new_labels, _ = rows(classes, utterances=40, seed=0)
    right = (pipeline.predict(new) == new_labels).mean()
    assert right > 1.3 / classes
    assert pipeline.predict_proba(new).max(axis=1).mean() < right + 0.1  # not surer than right


def test_utterances_stay_together_in_cross_validation():
    """A window beside one that was learned says nothing about another day."""
    rng = np.random.default_rng(0)
    numbers = np.repeat(np.arange(40), 10)
    labels = numbers % 2
    vectors = rng.normal(size=(40, 60))[numbers] + 0.01 * rng.normal(size=(400, 60))
    unseen = cross_validated(vectors, labels, numbers)
    assert (unseen == labels).mean() < 0.75  # each utterance alone would give 1.0


@pytest.mark.parametrize("utterances", [2, 3, 5])
@pytest.mark.parametrize("in_turn", [False, True])
def test_no_fold_loses_a_class(utterances, in_turn):
    """A small corpus, recorded class after class or in turn, could not be trained on."""
    vectors, labels, numbers = rows(5, utterances)
    if in_turn:
        numbers = 5 * (numbers % utterances) + numbers // utterances
    pipeline = fit_discriminant(vectors, labels, numbers)
    assert pipeline.predict_proba(vectors).shape == (len(vectors), 5)
    assert set(cross_validated(vectors, labels, numbers)) <= {0, 1, 2, 3, 4}


def test_a_rare_class_is_as_likely_as_a_frequent_one():
    """Whoever recorded less is not less likely to speak."""
    vectors, labels, numbers = rows(2, utterances=200, apart=0.5)
    kept = numbers < 220  # ten times as many of the first
    pipeline = fit_discriminant(vectors[kept], labels[kept], numbers[kept])
    right = pipeline.predict(vectors) == labels
    assert right[labels == 0].mean() > 0.55
    assert right[labels == 1].mean() > 0.55


@pytest.mark.parametrize("classes", [2, 3])
def test_confidence_is_how_often_it_is_right(classes):
    """Half as sure as one may be, a session keeps saying `unsure`."""
    vectors, labels, numbers = rows(classes, utterances=400, each=2, apart=0.8)
    known = numbers % 2 == 0
    classifier = fit_discriminant(vectors[known], labels[known], numbers[known])
    said = classifier.predict_proba(vectors[~known])
    right = said.argmax(axis=1) == labels[~known]
    assert right.mean() < 0.95
    assert expected_calibration_error(said, labels[~known]) < 0.05
    overdone = replace(classifier, slope=3 * classifier.slope)
    assert expected_calibration_error(overdone.predict_proba(vectors[~known]), labels[~known]) > 0.1


def test_nobody_is_certain_of_what_few_utterances_showed():
    """However far apart two utterances of each are, a third may be different."""
    vectors, labels, numbers = rows(2, utterances=2, apart=30)
    assert fit_discriminant(vectors, labels, numbers).predict_proba(vectors).max() < 0.8
    vectors, labels, numbers = rows(2, utterances=100, apart=30)
    assert (
        fit_discriminant(vectors, labels, numbers).predict_proba(vectors).min(axis=1).max() < 0.02
    )


def in_sessions(utterances: int = 20):
    """Three sessions, whose classes lie in another order in each and closer than sessions do."""
    rng = np.random.default_rng(3)
    numbers = np.repeat(np.arange(9 * utterances), 4)
    labels = numbers % 3
    sessions = numbers // (3 * utterances)
    vectors = rng.normal(size=(len(numbers), 4))
    vectors[:, 0] += 20 * sessions
    vectors[:, 1] += 4 * ((labels + sessions) % 3)
    return vectors, labels, numbers, sessions


def test_each_session_has_its_own_modes():
    """What sessions differ in would count as spread within a mode."""
    vectors, labels, numbers, sessions = in_sessions()
    assert (cross_validated(vectors, labels, numbers) == labels).mean() < 0.6
    assert (cross_validated(vectors, labels, numbers, sessions) == labels).mean() > 0.95
    classifier = fit_discriminant(vectors, labels, numbers, sessions)
    said = classifier.predict_proba(vectors)
    assert said.shape == (len(vectors), 3)
    np.testing.assert_allclose(said.sum(axis=1), 1, atol=1e-9)
    assert (classifier.predict(vectors) == labels).mean() > 0.95


def test_a_mode_of_one_session_is_as_likely_as_one_of_three():
    """Who was whispered at in every session would be heard to whisper."""
    rng = np.random.default_rng(0)
    sessions = np.repeat([0, 1, 2, 0], 100)
    labels = np.repeat([0, 0, 0, 1], 100)
    vectors = rng.normal(size=(400, 3))  # nothing to be told
    classifier = fit_discriminant(vectors, labels, np.arange(400), sessions)
    np.testing.assert_allclose(classifier.predict_proba(vectors).mean(axis=0), 0.5, atol=0.05)


@pytest.mark.parametrize("left", [1, 2])
def test_few_utterances_in_a_session_are_no_group_of_their_own(left):
    """A corpus with a hole could not be trained on."""
    vectors, labels, numbers, sessions = in_sessions()
    kept = (labels > 0) | (sessions > 0) | (numbers < 3 * left)
    classifier = fit_discriminant(vectors[kept], labels[kept], numbers[kept], sessions[kept])
    assert classifier.members.shape == (3, 3)


def test_windows_of_several_lengths_carry_class_and_utterance(make_recording):
    """A window under the wrong label, or in the wrong fold, is wrong knowledge."""
    emg = [emg_of(make_recording(seed), SignalSettings()) for seed in range(3)]
    vectors, labels, numbers, longest = window_examples(
        emg, [1, 0, 1], ["speaker", "td_statistics"], (0.5, 2.0), 600.0, TDSettings()
    )
    assert vectors.shape == (9, 6 * 11 + 6 * 30)  # 1.1 s: two of 0.5 s, and all of it
    assert list(labels) == [1] * 3 + [0] * 3 + [1] * 3
    assert list(numbers) == [0] * 3 + [1] * 3 + [2] * 3
    assert list(longest) == [False, False, True] * 3
    assert np.isfinite(vectors).all()


@pytest.mark.parametrize("frames", [[], [0, 0]])
def test_no_window_to_learn_from_is_one_line(frames):
    """It ended in a traceback of NumPy: need at least one array to stack."""
    utterances = [Emg(np.empty((0, 6)), np.empty((count, 30))) for count in frames]
    with pytest.raises(RecordingError, match=f"none in {len(frames)} training utterances"):
        window_examples(
            utterances, [0] * len(frames), ("td_statistics",), (1.0,), 600.0, TDSettings()
        )
