"""Training of the classifiers."""

import numpy as np
import pytest

pytest.importorskip("sklearn")

from models.signal.td_features import TDSettings  # noqa: E402
from models.training.classifiers import (  # noqa: E402
    cross_validated,
    fit_discriminant,
    window_examples,
)
from models.training.examples import SignalSettings, emg_of  # noqa: E402


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
    unseen = cross_validated(vectors, labels, numbers, "predict")
    assert (unseen == labels).mean() < 0.75  # each utterance alone would give 1.0
    scores = cross_validated(vectors, labels, numbers, "decision_function")
    np.testing.assert_array_equal(scores > 0, unseen == 1)


@pytest.mark.parametrize("utterances", [2, 3, 5])
@pytest.mark.parametrize("in_turn", [False, True])
def test_no_fold_loses_a_class(utterances, in_turn):
    """A small corpus, recorded class after class or in turn, could not be trained on."""
    vectors, labels, numbers = rows(5, utterances)
    if in_turn:
        numbers = 5 * (numbers % utterances) + numbers // utterances
    pipeline = fit_discriminant(vectors, labels, numbers)
    assert pipeline.predict_proba(vectors).shape == (len(vectors), 5)
    assert set(cross_validated(vectors, labels, numbers, "predict")) <= {0, 1, 2, 3, 4}


def test_a_rare_class_is_as_likely_as_a_frequent_one():
    """Whoever recorded less is not less likely to speak."""
    vectors, labels, numbers = rows(2, utterances=200, apart=0.5)
    kept = numbers < 220  # ten times as many of the first
    pipeline = fit_discriminant(vectors[kept], labels[kept], numbers[kept])
    right = pipeline.predict(vectors) == labels
    assert right[labels == 0].mean() > 0.55
    assert right[labels == 1].mean() > 0.55


def test_windows_of_several_lengths_carry_class_and_utterance(make_recording):
    """A window under the wrong label, or in the wrong fold, is wrong knowledge."""
    emg = [emg_of(make_recording(seed), SignalSettings()) for seed in range(3)]
    vectors, labels, numbers = window_examples(
        emg, [1, 0, 1], ["speaker", "td_statistics"], (0.5, 2.0), 600.0, TDSettings()
    )
    assert vectors.shape == (9, 6 * 11 + 6 * 30)  # 1.1 s: two of 0.5 s, and all of it
    assert list(labels) == [1] * 3 + [0] * 3 + [1] * 3
    assert list(numbers) == [0] * 3 + [1] * 3 + [2] * 3
    assert np.isfinite(vectors).all()
