"""The rate of a recorded stream, from all of its time stamps.

The live inlet judges the last half minute as it goes (`drivers.effective_rate`); in a file all
stamps are there, so that less is left uncertain: a loss that is none would be EMG invented.
"""

import numpy as np
from numpy.typing import NDArray

_LONG_S, _SHORT_S = 2.0, 0.1
_NOTICEABLE = 5e-4  # half of the drift that `Timeline` follows
_CERTAIN = 4.0  # standard errors of a median
_EXACT = 1e-3  # of a sample, as are all steps
_MOST = 0.6  # of the samples


def recorded_rate_hz(times_s: NDArray[np.float64], rate_hz: float) -> float:
    """Tell at which rate samples came, losses left aside.

    A slow clock and losses look the same from afar: fewer samples than the nominal rate
    promises. They differ in the steps from stamp to stamp. Those of a slow clock are all a
    little longer, losses make few of them longer by whole samples.

    Parameters
    ----------
    times_s : ndarray of float64, shape (n,)
        Finite stamps of a stream.
    rate_hz : float
        Its nominal rate.

    Returns
    -------
    float
        The nominal rate where the stamps do not say for certain that it is another one.
    """
    long, error = _slope(times_s, rate_hz, _LONG_S)
    if not 0.01 < long < 100 or abs(long - 1) < max(_NOTICEABLE, _CERTAIN * error):
        return rate_hz
    step = _exact_step(np.diff(times_s) * rate_hz)
    if step is None:  # stamps jitter, and no loss is in most of the short stretches
        short, error = _slope(times_s, rate_hz, _SHORT_S)
        is_slow = abs(short - long) < abs(short - 1)
        step = 1.0 if not is_slow else short if error < _NOTICEABLE else long
    return rate_hz if abs(step - 1) < _NOTICEABLE else rate_hz / step


def _slope(times_s: NDArray[np.float64], rate_hz: float, over_s: float) -> tuple[float, float]:
    """Return the median step over stretches of so many seconds, and its standard error."""
    rows = max(min(round(over_s * rate_hz), len(times_s) // 8), 1)
    slopes = np.diff(times_s[::rows]) * (rate_hz / rows)
    if len(slopes) < 4:
        return 1.0, 0.0
    slope = float(np.median(slopes))
    spread = 1.4826 * float(np.median(np.abs(slopes - slope)))
    return slope, 1.25 * spread / len(slopes) ** 0.5


def _exact_step(steps: NDArray[np.float64]) -> float | None:
    """Return the step that most samples have without jitter; None where they have none."""
    step = float(np.median(steps))
    if step <= 0 or np.mean(np.abs(steps - step) < _EXACT) < _MOST:
        return None
    if abs(step - 1) > _EXACT:
        return step
    # Samples that were pushed together have the nominal step, so the pushes count.
    starts = np.flatnonzero(np.abs(steps - 1) > 10 * _EXACT)
    if not len(starts):
        return 1.0
    elapsed = np.concatenate([[0.0], np.cumsum(steps)])
    sizes = np.diff(starts)
    pushes = np.diff(elapsed[starts + 1])
    if len(sizes):
        push = _weighted_median(pushes / sizes, sizes)
        is_steady = np.abs(pushes / sizes - push) < abs(push - 1) / 10
        if np.sum(sizes[is_steady]) > _MOST * len(steps):
            return push
    longer = np.maximum(steps[starts] - 1, 0.0)
    is_whole = (np.abs(longer - np.round(longer)) < 0.1) & (longer > 0.5)
    return 1.0 if np.sum(longer[is_whole]) > 0.8 * np.sum(longer) else None


def _weighted_median(values: NDArray[np.float64], weights: NDArray[np.int64]) -> float:
    order = np.argsort(values)
    total = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(total, total[-1] / 2)])
