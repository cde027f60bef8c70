"""What the jobs found, as numbers."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from models.evaluation.metrics.calibration import expected_calibration_error
from models.evaluation.metrics.decisions import confusion, unweighted_average_recall
from models.evaluation.mode.jobs import Told
from models.training.train import MODES


def told_figures(told: Sequence[Told]) -> dict[str, Any] | None:
    """Count what was right.

    Parameters
    ----------
    told : sequence of Told
        Utterances.

    Returns
    -------
    dict or None
        Balanced accuracy over all and by session, and the confusion matrix in the order of
        ``modes``; None without utterances.
    """
    if not told:
        return None
    truth, said = [one.truth for one in told], [one.said for one in told]
    modes = [mode for mode in MODES if mode in truth or mode in said]
    return {
        "utterances": len(told),
        "balanced_accuracy": unweighted_average_recall(truth, said),
        "chance": 1 / len(told[0].modes),
        "sessions": {
            session: unweighted_average_recall(
                [one.truth for one in told if one.session == session],
                [one.said for one in told if one.session == session],
            )
            for session in sorted({one.session for one in told})
        },
        "modes": modes,
        "confusion": confusion(truth, said, modes).tolist(),
    }


def rolling_figures(told: Sequence[Told]) -> dict[str, Any] | None:
    """Count the windows that were right, each for itself.

    Parameters
    ----------
    told : sequence of Told
        With windows.

    Returns
    -------
    dict or None
        None without windows.
    """
    truth = [one.truth for one in told for _ in one.windows]
    said = [one.modes[int(np.argmax(row))] for one in told for row in one.windows]
    if not truth:
        return None
    return {
        "windows": len(truth),
        "balanced_accuracy": unweighted_average_recall(truth, said),
        "ece": _ece([(one, row) for one in told for row in one.windows]),
    }


def utterance_ece(told: Sequence[Told]) -> float | None:
    """Return the expected calibration error over utterances; None without any."""
    return _ece([(one, one.probabilities) for one in told]) if told else None


def _ece(rows: Sequence[tuple[Told, Sequence[float]]]) -> float:
    truth = [one.modes.index(one.truth) if one.truth in one.modes else -1 for one, _ in rows]
    return expected_calibration_error(np.array([row for _, row in rows]), np.array(truth))
