import numpy as np
import pytest

pytest.importorskip("sklearn")

from models.training.evidence import fit_evidence  # noqa: E402


def examples(classes, apart=1.0, utterances=30, windows=8, drift=0.0, seed=0):
    """Windows around each class's place; those of an utterance drift together."""
    rng = np.random.default_rng(seed)
    rows, labels, numbers = [], [], []
    for place, name in enumerate(classes):
        for _ in range(utterances):
            here = apart * place + drift * rng.normal(size=(1, 2))
            rows.append(here + rng.normal(size=(windows, 2)))
            labels += [name] * windows
            numbers += [len(rows) - 1] * windows
    return np.concatenate(rows), np.ones(len(labels)), np.array(labels), np.array(numbers)


def test_evidence_adds_up():
    """Two seconds must be worth what they are worth one after the other: that is what makes a
    decision after a stated error possible."""
    classifier = fit_evidence(*examples(["a", "b"]))
    first, second = np.array([[0.2, 0.9]]), np.array([[0.4, 0.3]])

    def log_odds(profile, seconds):
        said = classifier.probabilities(profile, np.array([seconds]))[0]
        return np.log(said[1] / said[0])

    both = log_odds((first + second) / 2, 2.0)
    assert both == pytest.approx(log_odds(first, 1.0) + log_odds(second, 1.0))


def test_windows_that_say_the_same_are_not_counted_as_independent():
    """Probabilities would be far too sure: what one utterance says again is no news."""
    steady = fit_evidence(*examples(["a", "b"]))
    drifting = fit_evidence(*examples(["a", "b"], drift=2.0))
    assert 0.5 < steady.per_s < 2
    rows, seconds, labels, _ = examples(["a", "b"], drift=2.0, windows=40, seed=1)
    # Each utterance's mean over its 40 windows, as 40 s of speech.
    means, truth = rows.reshape(-1, 40, 2).mean(axis=1), labels[::40] == "b"
    said = drifting.probabilities(means, 40 * seconds[::40])
    too_sure = steady.probabilities(means, 40 * seconds[::40])
    rows_of_truth = np.arange(len(truth)), truth.astype(int)
    assert (
        np.log(said[rows_of_truth] + 1e-12).mean() > np.log(too_sure[rows_of_truth] + 1e-12).mean()
    )


def test_three_classes_are_equally_likely_before_anything_is_heard():
    """The speaker with most recordings would be everybody's first guess."""
    rows, seconds, labels, numbers = examples(["a", "b", "c"], apart=3.0)
    keep = np.flatnonzero((labels != "a") | (numbers < 3))  # of a there is little
    classifier = fit_evidence(rows[keep], seconds[keep], labels[keep], numbers[keep])
    said = classifier.probabilities(rows, np.zeros(len(rows)))
    np.testing.assert_allclose(said, 1 / 3)
    after = classifier.probabilities(rows, seconds).argmax(axis=1)
    right = np.array(classifier.labels)[after] == labels
    assert min(right[labels == one].mean() for one in "abc") > 0.8


def test_somebody_unknown_is_not_taken_for_the_nearest_speaker():
    """Whoever is far from everybody else would pass as the target."""
    classifier = fit_evidence(*examples(["a", "b"], apart=6.0))
    own, other, unknown = np.array([[0.0, 0.0]]), np.array([[6.0, 6.0]]), np.array([[-12.0, 8.0]])
    scores = [classifier.familiarity(one, "a")[0] for one in (own, other, unknown)]
    assert scores[0] > 0 > max(scores[1:])
    # Between the two, all evidence speaks for `a`.
    assert classifier.probabilities(unknown, np.ones(1))[0, 0] > 0.99


def test_nothing_heard_is_nothing_said():
    """A made-up number would look like an answer."""
    classifier = fit_evidence(*examples(["a", "b"]))
    said = classifier.probabilities(np.array([[np.nan, 0.0], [0.0, 0.0]]), np.array([0.0, 1.0]))
    assert np.isnan(said[0]).all()
    assert said[1].sum() == pytest.approx(1)


def test_one_utterance_each_is_enough_to_enrol():
    """Calibration needs two; telling speakers apart does not."""
    classifier = fit_evidence(*examples(["a", "b"], apart=4.0, utterances=1))
    assert classifier.per_s == 1.0
    assert classifier.labels == ("a", "b")
