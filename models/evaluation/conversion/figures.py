"""Sessions to means: the numbers of the conversion experiment."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

Rows = Mapping[str, Mapping[str, Mapping[str, Any] | None]]
"""`jobs.session_of` by setting and session."""

TRAININGS = ("audible_trained", "audible_trained_as_is", "silent_trained")

_RELIED_ON = {("symmetric", "audible_trained"), ("symmetric", "silent_trained")}
"""Scripts look for them, though no session has such speech."""

_SPREAD = ("mcd_db", "dtw_mcd_db", "f0_rmse_cents", "voicing_error", "estoi")


def figures_of(rows: Rows) -> dict[str, Any]:
    """Put the sessions of every setting together.

    Parameters
    ----------
    rows : mapping
        By setting (``symmetric``, ``causal``, ``paper``) and session; a session that could not be
        trained is None.

    Returns
    -------
    dict
        ``audible.<setting>``; ``whispered.<training>`` and ``silent.<training>`` in the symmetric
        setting, as in the paper, and ``silent.<setting>.<training>`` in the others. Each has
        its spreads over sessions, its CCC, and ``sessions``.
    """
    figures: dict[str, Any] = {"audible": {}, "whispered": {}, "silent": {}}
    for setting, sessions in rows.items():
        figures["audible"][setting] = over_sessions(sessions, "audible")
        for mode in ("whispered", "silent"):
            there = figures[mode] if setting == "symmetric" else {}
            if setting != "symmetric":
                figures[mode][setting] = there
            for training in TRAININGS:
                key = f"{mode}.{training}"
                found = over_sessions(sessions, key)
                if found is not None or (setting, training) in _RELIED_ON:
                    there[training] = found or {"dtw_mcd_db": spread([])}
    return figures


def over_sessions(
    sessions: Mapping[str, Mapping[str, Any] | None], key: str
) -> dict[str, Any] | None:
    """Return mean, SD and range over the sessions that have a result, and each of them.

    Parameters
    ----------
    sessions : mapping
        `jobs.session_of` by session.
    key : str
        Which of its results.

    Returns
    -------
    dict or None
        None where no session has one.
    """
    found = {name: one[key] for name, one in sessions.items() if one and one.get(key)}
    if not found:
        return None
    figures: dict[str, Any] = {}
    for name in _SPREAD:
        values = [one[name] for one in found.values() if one.get(name) is not None]
        if any(name in one for one in found.values()):
            figures[name] = spread(values)
    ccc = np.array([[np.nan if v is None else v for v in one["ccc"]] for one in found.values()])
    figures["ccc"] = {
        "mean": [float(v) for v in np.nan_to_num(np.nanmean(ccc, axis=0))],
        "sd": [float(v) for v in np.nan_to_num(np.nanstd(ccc, axis=0))],
    }
    figures["utterances"] = sum(one["utterances"] for one in found.values())
    figures["sessions"] = found
    return figures


def spread(values: Sequence[float]) -> dict[str, float | int | None]:
    """Return mean, SD (over n), least and largest of some values, and their number."""
    if not values:
        return {"mean": None, "sd": None, "min": None, "max": None, "sessions": 0}
    return {
        "mean": float(np.mean(values)),
        "sd": float(np.std(values)),
        "min": float(np.min(values)),
        "max": float(np.max(values)),
        "sessions": len(values),
    }
