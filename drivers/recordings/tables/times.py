"""Which sample a line of a table is, from the column of times."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from drivers.effective_rate import TOLERANCE
from drivers.errors import RecordingError

# Times of a regular clock are off by no more than this part of a sample and their digits.
_JITTER = 0.25


def rows_of(
    times_s: NDArray[np.float64], rate_hz: float | None, resolution_s: float, path: Path
) -> tuple[float, NDArray[np.int64]]:
    """Place the lines of a table on a regular grid.

    Parameters
    ----------
    times_s : ndarray of float64, shape (n,)
        Column of times.
    rate_hz : float or None
        Sampling rate if the file says it; None takes it from the times.
    resolution_s : float
        The times are rounded to this.
    path : Path
        The file, for errors.

    Returns
    -------
    rate_hz : float
        Sampling rate.
    rows : ndarray of int64, shape (n,)
        Sample numbers, the first one 0; what is left out between them was lost.

    Raises
    ------
    RecordingError
        The times do not grow, or are irregular.
    """
    with np.errstate(invalid="ignore"):
        steps_s = np.diff(times_s)
    wrong = ~np.isfinite(times_s) | np.concatenate([[False], ~(steps_s > 0)])
    if np.any(wrong):
        bad = int(np.argmax(wrong))
        raise RecordingError(
            f"time of sample {bad} in {path}",
            value=f"{times_s[bad]:.9g} s",
            allowed="later than the one before",
            way_out="write the times with more digits",
        )
    if rate_hz is None:
        rate_hz, _ = _rate_hz(steps_s, resolution_s, path)
    slack = resolution_s * rate_hz
    # a step is a gap where it is longer than one sample and the rounding of two times
    begins = np.flatnonzero(np.concatenate([[True], steps_s * rate_hz > 1.5 + slack]))
    begin = np.repeat(begins, np.diff(np.append(begins, len(times_s))))
    after_begin = np.arange(len(times_s)) - begin
    off = np.abs((times_s - times_s[begin]) * rate_hz - after_begin)
    if np.any(off > _JITTER + slack):
        bad = int(np.argmax(off > _JITTER + slack))
        raise RecordingError(
            f"time of sample {bad} in {path}",
            value=f"{off[bad] / rate_hz * 1e3:.3g} ms off a rate of {rate_hz:.6g} Hz",
            allowed="regular times, with jumps where samples were lost",
            way_out="remove the column and put a line '# rate_hz: 600' before all others",
        )
    # float first: a jump may be longer than any integer
    rows = np.round((times_s[begin] - times_s[0]) * rate_hz) + after_begin
    rows = np.clip(rows, 0, 2.0**62).astype(np.int64)
    return rate_hz, np.maximum.accumulate(rows)


def another_rate_hz(
    times_s: NDArray[np.float64], rate_hz: float, resolution_s: float, path: Path
) -> float | None:
    """Say at which rate lines come, where it is none that the declared one can stand for.

    Parameters
    ----------
    times_s : ndarray of float64, shape (n,)
        Column of times.
    rate_hz : float
        What the file says.
    resolution_s, path
        As for `rows_of`.

    Returns
    -------
    float or None
        None where the times are no others than the declared rate makes, or too few to tell.
    """
    steps_s = np.diff(times_s)
    if not (len(steps_s) and np.all(steps_s > 0)):
        return None  # `rows_of` refuses what does not grow
    measured_hz, uncertainty_hz = _rate_hz(steps_s, resolution_s, path)
    differs = abs(measured_hz - rate_hz) > max(TOLERANCE * rate_hz, 2 * uncertainty_hz)
    return measured_hz if differs else None


def _rate_hz(steps_s: NDArray[np.float64], resolution_s: float, path: Path) -> tuple[float, float]:
    """Divide the steps without a gap by their time; take a whole number that fits, too.

    The second value is by how much it may be off.
    """
    if not len(steps_s):
        raise RecordingError(
            f"sampling rate of {path}",
            value="unknown, with a single sample",
            way_out="put a line '# rate_hz: 600' before all others",
        )
    regular = steps_s <= 1.5 * np.median(steps_s) + resolution_s
    total_s = float(steps_s[regular].sum())
    rate_hz = int(regular.sum()) / total_s
    runs = len(steps_s) - int(regular.sum()) + 1
    uncertainty_hz = rate_hz * (runs + 1) * max(resolution_s, 1e-9) / total_s
    whole_hz = round(rate_hz)
    if abs(whole_hz - rate_hz) <= uncertainty_hz and whole_hz:
        rate_hz = float(whole_hz)
    return rate_hz, uncertainty_hz
