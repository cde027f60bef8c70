"""How answers get better while somebody speaks.

A course is what was said of one utterance from update to update, offline or by a live session:
both are measured by the same functions.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.evaluation.metrics.calibration import Reliability, expected_calibration_error
from models.evaluation.metrics.calibration import reliability as reliability_of
from models.evaluation.metrics.decisions import accuracy, unweighted_average_recall

Array = NDArray[np.float64]

SECONDS: Final = (0.25, 0.5, 1.0, 2.0, 3.0, 5.0)
"""Seconds of speech heard after which answers are counted."""

PROBABILITIES: Final = (0.9, 0.95, 0.99, 0.999, 0.9999, 0.99999)
"""Probabilities from which on a decision could be taken."""

STATED_ERROR: Final = 0.01

_SPEECH: Final = 0.5
_NO_ANSWER: Final = ""
_EPSILON: Final = 1e-6


@dataclass(frozen=True, eq=False)
class Course:
    """What was said of an utterance while it went on.

    Attributes
    ----------
    truth : str
        Its class.
    labels : tuple of str
        The classes to choose from.
    time_s : ndarray, shape (updates,)
        EMG since the utterance began.
    heard_s : ndarray, shape (updates,)
        Speech in it; see `speech_heard`.
    window_s : ndarray, shape (updates,)
        EMG that each answer rests on.
    probabilities : ndarray, shape (updates, labels)
        Rows of nan where nothing was said yet.
    whole : ndarray, shape (labels,), or None
        Over the whole utterance; None where nothing was said of it.
    """

    truth: str
    labels: tuple[str, ...]
    time_s: Array
    heard_s: Array
    window_s: Array
    probabilities: Array
    whole: Array | None


def speech_heard(speech: ArrayLike, update_s: ArrayLike) -> Array:
    """Count the speech heard so far.

    Parameters
    ----------
    speech : array_like, shape (updates,)
        Mean probability of speech in each update.
    update_s : array_like, shape () or (updates,)
        Time from one update to the next.

    Returns
    -------
    ndarray, shape (updates,)
        Seconds of the updates so far in which speech was at least as likely as rest.
    """
    heard = (np.asarray(speech) >= _SPEECH) * np.asarray(update_s)
    return np.asarray(np.cumsum(heard), dtype=np.float64)


def answers_after(courses: Sequence[Course], seconds: float) -> list[str]:
    """Return what is said once so much speech was heard.

    Parameters
    ----------
    courses : sequence of Course
        Of utterances.
    seconds : float
        Speech heard; what lies between two updates counts from the earlier one.
        An utterance with less speech is told by the whole of it.

    Returns
    -------
    list of str
        Most probable classes, empty where nothing was said.
    """
    said = []
    for course in courses:
        heard = course.heard_s
        if heard.max(initial=0.0) < seconds - _EPSILON:
            said.append(_most_probable(course, course.whole))
            continue
        reached = heard[heard <= seconds + _EPSILON].max(initial=0.0)
        first = int(np.searchsorted(heard, reached - _EPSILON))
        said.append(_most_probable(course, course.probabilities[first]))
    return said


def _most_probable(course: Course, probabilities: Array | None) -> str:
    if probabilities is None or np.isnan(probabilities).any():
        return _NO_ANSWER
    return course.labels[int(np.argmax(probabilities))]


def accuracy_after(
    courses: Sequence[Course], seconds: Sequence[float] = SECONDS
) -> dict[str, dict[str, Any]]:
    """Count right answers against speech heard.

    Parameters
    ----------
    courses : sequence of Course
        One or more.
    seconds : sequence of float
        Speech heard.

    Returns
    -------
    dict of str to dict
        By milliseconds, ``"whole"`` last: accuracy and UAR over all utterances, an answer
        that is not there counting as wrong, and how many utterances have so much speech.
    """
    truth = [one.truth for one in courses]
    figures = {}
    for moment in (*seconds, np.inf):
        said = answers_after(courses, moment)
        figures["whole" if np.isinf(moment) else f"{1000 * moment:g}"] = {
            "uar": unweighted_average_recall(truth, said),
            "accuracy": accuracy(truth, said),
            "long_enough": len(courses)
            if np.isinf(moment)
            else sum(bool(one.heard_s.max(initial=0.0) >= moment - _EPSILON) for one in courses),
        }
    return figures


def decisions(courses: Sequence[Course], probability: float) -> dict[str, Any]:
    """Decide each utterance as soon as a class is so probable, and never again.

    Parameters
    ----------
    courses : sequence of Course
        One or more.
    probability : float
        From which on the decision is taken, after some speech.

    Returns
    -------
    dict
        Part of the decisions that is wrong, and the mean of this part over the classes; part
        of the utterances that end undecided; medians over all utterances of the speech
        heard and of the EMG since the utterance began, an undecided one counting as longer
        than any, None where half of them are.
    """
    heard, time, truths, wrong = [], [], [], []
    for course in courses:
        top = np.nan_to_num(course.probabilities, nan=0.0).max(axis=1, initial=0.0)
        at = np.flatnonzero((top >= probability) & (course.heard_s > 0))
        heard.append(course.heard_s[at[0]] if len(at) else np.inf)
        time.append(course.time_s[at[0]] if len(at) else np.inf)
        if len(at):
            truths.append(course.truth)
            wrong.append(_most_probable(course, course.probabilities[at[0]]) != course.truth)
    by_class = [
        float(np.mean([bad for bad, one in zip(wrong, truths, strict=True) if one == truth]))
        for truth in sorted(set(truths))
    ]
    return {
        "probability": probability,
        "utterances": len(courses),
        "errors": float(np.mean(wrong)) if wrong else None,
        "balanced_errors": float(np.mean(by_class)) if by_class else None,
        "undecided": 1 - len(truths) / len(courses),
        "median_heard_s": _finite(float(np.median(heard))),
        "median_time_s": _finite(float(np.median(time))),
    }


def _finite(value: float) -> float | None:
    return round(value, 6) if np.isfinite(value) else None


def decision_curve(courses: Sequence[Course]) -> dict[str, Any]:
    """Decide with several probabilities.

    Parameters
    ----------
    courses : sequence of Course
        One or more.

    Returns
    -------
    dict
        ``curve``, what `decisions` returns for each of `PROBABILITIES`; and
        ``at_stated_error``, the first of them of which errors are within `STATED_ERROR`, over
        utterances as over classes; None where there is none.
    """
    curve = [decisions(courses, one) for one in PROBABILITIES]
    within = [
        one
        for one in curve
        if one["errors"] is not None
        and max(one["errors"], one["balanced_errors"]) <= STATED_ERROR + _EPSILON
    ]
    return {
        "stated_error": STATED_ERROR,
        "at_stated_error": within[0] if within else None,
        "curve": curve,
    }


def calibration_rows(courses: Sequence[Course]) -> tuple[Array, NDArray[np.int64]]:
    """Return every answer that was given after some speech.

    Parameters
    ----------
    courses : sequence of Course
        Of utterances; labels may differ.

    Returns
    -------
    probabilities : ndarray, shape (n, most labels)
        One row an update, zeros where its course has fewer labels.
    truth : ndarray of int, shape (n,)
        Column of the true class, -1 for none.
    """
    width = max((len(one.labels) for one in courses), default=0)
    rows, truths = [np.empty((0, width))], [np.empty(0, dtype=np.int64)]
    for course in courses:
        answered = (course.heard_s > 0) & ~np.isnan(course.probabilities).any(axis=1)
        given = course.probabilities[answered]
        known = course.truth in course.labels
        rows.append(np.pad(given, ((0, 0), (0, width - given.shape[1]))))
        truths.append(np.full(len(given), course.labels.index(course.truth) if known else -1))
    return np.concatenate(rows), np.concatenate(truths)


def reliability(courses: Sequence[Course]) -> Reliability | None:
    """Return the reliability of all answers after some speech; None where none was given."""
    rows, truth = calibration_rows(courses)
    return reliability_of(rows, truth) if len(rows) else None


def course_figures(courses: Sequence[Course]) -> dict[str, Any] | None:
    """Return all figures of courses.

    Parameters
    ----------
    courses : sequence of Course
        Of utterances.

    Returns
    -------
    dict or None
        ``after_ms`` of speech heard, ``rolling`` over the answers with the longest window,
        ``decision``, ``ece``, ``utterances``; None without courses.
    """
    if not courses:
        return None
    rows, truth = calibration_rows(courses)
    return {
        "utterances": len(courses),
        "after_ms": accuracy_after(courses),
        "rolling": _rolling(courses),
        "decision": decision_curve(courses),
        "ece": expected_calibration_error(rows, truth) if len(rows) else None,
    }


def _rolling(courses: Sequence[Course]) -> dict[str, Any] | None:
    """Count the answers of full windows, whatever is in them."""
    longest = max((one.window_s.max(initial=0.0) for one in courses), default=0.0)
    truth, said = [], []
    for course in courses:
        for row in course.probabilities[course.window_s >= longest - _EPSILON]:
            if not np.isnan(row).any():
                truth.append(course.truth)
                said.append(_most_probable(course, row))
    if not truth:
        return None
    return {
        "window_s": round(float(longest), 6),
        "windows": len(truth),
        "uar": unweighted_average_recall(truth, said),
        "accuracy": accuracy(truth, said),
    }
