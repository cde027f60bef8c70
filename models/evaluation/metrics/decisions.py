"""How often decisions are right: the figures of the classifiers."""

import warnings
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import accuracy_score, confusion_matrix, recall_score, roc_curve

from drivers.errors import SignalMismatchError


def accuracy(truth: Sequence[str], said: Sequence[str]) -> float:
    """Return the part of the decisions that are right.

    Parameters
    ----------
    truth, said : sequence of str
        What was the case, and what was said; one or more.

    Returns
    -------
    float
        0 to 1.
    """
    _check_pairs(truth, said)
    return float(accuracy_score(truth, said))


def unweighted_average_recall(truth: Sequence[str], said: Sequence[str]) -> float:
    """Return the mean recall of the classes that occur, also called balanced accuracy.

    A class that is said and never the case has no recall: it lowers that of the others, as
    it should, and is not counted itself.

    Parameters
    ----------
    truth, said : sequence of str
        What was the case, and what was said; one or more.

    Returns
    -------
    float
        0 to 1.
    """
    _check_pairs(truth, said)
    occurring = sorted(set(truth))
    return float(recall_score(truth, said, labels=occurring, average="macro", zero_division=0))


def confusion(
    truth: Sequence[str], said: Sequence[str], classes: Sequence[str]
) -> NDArray[np.int64]:
    """Count what was said of what.

    Parameters
    ----------
    truth, said : sequence of str
        What was the case, and what was said; one or more.
    classes : sequence of str
        Order of rows and columns; one of them at least occurs.

    Returns
    -------
    ndarray of int, shape (classes, classes)
        One row a true class, one column a said one.
    """
    _check_pairs(truth, said)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "A single label was found")  # and is all there is
        counts: NDArray[np.int64] = confusion_matrix(truth, said, labels=list(classes))
    return counts


def equal_error_rate(target_scores: ArrayLike, impostor_scores: ArrayLike) -> float:
    """Return the error rate at the threshold that misses targets and passes impostors equally.

    Between two thresholds of the scores both rates are interpolated linearly.

    Parameters
    ----------
    target_scores, impostor_scores : array_like, shapes (n,) and (m,)
        How much each speaks for the target; one of both or more.

    Returns
    -------
    float
        0 to 1; 0.5 is chance.

    Raises
    ------
    SignalMismatchError
        When one of the two is empty, or a score is not a number.
    """
    targets = np.asarray(target_scores, dtype=np.float64).ravel()
    impostors = np.asarray(impostor_scores, dtype=np.float64).ravel()
    scores = np.concatenate((targets, impostors))
    if not len(targets) or not len(impostors) or np.isnan(scores).any():
        raise SignalMismatchError(
            "scores to verify",
            value=f"{len(targets)} of targets, {len(impostors)} of impostors, "
            f"{np.isnan(scores).sum()} not a number",
            allowed="one of both or more, all of them numbers",
        )
    is_target = np.arange(len(scores)) < len(targets)
    passed, hit, _ = roc_curve(is_target, scores, drop_intermediate=False)
    over = passed - (1 - hit)  # grows from -1 to 1 as the threshold falls
    last = int(np.argmax(over >= 0))
    first = max(0, last - 1)
    if over[last] == over[first]:
        return float(passed[last])
    part = -over[first] / (over[last] - over[first])
    return float(passed[first] + part * (passed[last] - passed[first]))


def _check_pairs(truth: Sequence[str], said: Sequence[str]) -> None:
    if len(truth) != len(said) or not len(truth):
        raise SignalMismatchError(
            "decisions to count",
            value=f"{len(truth)} truths and {len(said)} decisions",
            allowed="as many of both, one or more",
        )
