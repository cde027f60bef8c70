import json

import numpy as np
import pytest

pytest.importorskip("sklearn")

from models.evaluation.metrics.courses import (  # noqa: E402
    Course,
    accuracy_after,
    answers_after,
    calibration_rows,
    course_figures,
    decision_curve,
    decisions,
    speech_heard,
)


def course(truth, of_a, whole=0.5, speech=None, window_s=None, labels=("a", "b")):
    """An utterance in which `a` is so probable at each update of 100 ms."""
    first = np.array(of_a, dtype=float)
    updates = np.arange(1, len(first) + 1) / 10
    return Course(
        truth,
        labels,
        updates,
        speech_heard(np.ones(len(first)) if speech is None else speech, 0.1),
        np.minimum(updates, 0.3) if window_s is None else np.array(window_s),
        np.stack((first, 1 - first), axis=1),
        None if whole is None else np.array([whole, 1 - whole]),
    )


def test_rest_is_not_heard():
    """Half a second of rest before a word would count as half a second of speech."""
    np.testing.assert_allclose(speech_heard([0.1, 0.5, 0.2, 0.9], 0.1), [0, 0.1, 0.1, 0.2])


def test_an_answer_rests_on_no_more_than_the_speech_asked_for():
    """Every figure against seconds would be a bit too good."""
    one = course("a", [0.1, 0.9, 0.2, 0.8], speech=[1, 0, 1, 1])
    assert answers_after([one], 0.1) == ["b"]
    assert answers_after([one], 0.15) == ["b"]
    assert answers_after([one], 0.2) == ["b"]  # the first moment, not the latest
    assert answers_after([one], 0.3) == ["a"]
    assert answers_after([course("a", [0.9, 0.9])], 0.05) == ["a"]  # the first update


def test_short_utterances_are_told_by_all_of_them():
    """To leave them out would keep the long and easy ones."""
    short = course("a", [0.1, 0.1], whole=0.9)
    assert answers_after([short], 1.0) == ["a"]
    figures = accuracy_after([short, course("b", [0.2] * 20, whole=0.9)], (1.0,))
    assert figures["1000"] == {"uar": 1.0, "accuracy": 1.0, "long_enough": 1}
    assert figures["whole"] == {"uar": 0.5, "accuracy": 0.5, "long_enough": 2}


def test_no_answer_is_a_wrong_one():
    """A system that says nothing would be perfect."""
    silent = course("a", [np.nan] * 3, whole=None)
    assert accuracy_after([silent], (0.1,))["100"]["accuracy"] == 0
    assert accuracy_after([silent], (0.1,))["whole"]["accuracy"] == 0


def test_the_first_sure_answer_stands():
    """Time to decision means nothing if the decision may be taken back."""
    given = [
        course("a", [0.5, 0.95, 0.1, 0.99]),  # right after 0.2 s
        course("b", [0.91, 0.05, 0.05]),  # wrong after 0.1 s
        course("b", [0.5, 0.5, 0.05], speech=[0, 0, 1]),  # right after 0.1 s of speech
        course("b", [0.5, 0.5]),  # never
    ]
    found = decisions(given, 0.9)
    assert found["errors"] == pytest.approx(1 / 3)
    assert found["balanced_errors"] == pytest.approx((0 + 1 / 2) / 2)
    assert found["undecided"] == pytest.approx(1 / 4)
    assert found["median_heard_s"] == pytest.approx(0.15)
    assert found["median_time_s"] == pytest.approx(0.25)
    assert decisions(given, 0.99)["median_heard_s"] is None  # three of four never end
    assert decisions(given[3:], 0.9)["errors"] is None


def test_nothing_is_decided_before_there_is_speech():
    """A classifier that lives on rest would be the fastest."""
    found = decisions([course("a", [0.99, 0.99, 0.99], speech=[0, 0, 1])], 0.9)
    assert found["median_time_s"] == pytest.approx(0.3)


def test_the_stated_error_holds_for_utterances_and_for_classes():
    """A rare class could be wrong throughout."""
    easy = [course("a", [0.92, 0.92, 0.92, 0.9995]) for _ in range(200)]
    assert decision_curve(easy)["at_stated_error"]["probability"] == 0.9
    hard = course("b", [0.92, 0.1, 0.0001, 0.0001])
    curve = decision_curve([*easy, hard])
    assert curve["curve"][0]["errors"] < 0.01
    assert curve["at_stated_error"]["probability"] == 0.95
    assert decision_curve([course("b", [0.999999])])["at_stated_error"] is None


def test_all_figures_can_be_written():
    """JSON has no nan, and scripts look for these names."""
    given = [course("a", [0.9] * 4, 0.9), course("b", [np.nan, 0.6, 0.4, 0.2], 0.1)]
    figures = course_figures(given)
    assert json.dumps(figures, allow_nan=False)
    assert figures["after_ms"]["whole"]["uar"] == 1.0
    assert figures["rolling"] == {"window_s": 0.3, "windows": 4, "uar": 1.0, "accuracy": 1.0}
    assert figures["ece"] == pytest.approx((4 * 0.1 + 2 * 0.1 + 0.2) / 7)
    assert course_figures([]) is None
    silent = course_figures([course("a", [np.nan], None)])
    assert silent["ece"] is None
    assert silent["rolling"] is None


def test_courses_of_different_bundles_go_together():
    """Nine runs have nine bundles; who is not in one of them is never told right by it."""
    other = course("a", [0.9], labels=("c", "a"))
    rows, truth = calibration_rows(
        [course("a", [0.9]), other, course("b", [0.9], labels=("c", "a"))]
    )
    np.testing.assert_array_equal(truth, [0, 1, -1])
    assert rows.shape == (3, 2)
