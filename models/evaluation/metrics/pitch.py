"""How well the fundamental frequency is met."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from drivers.errors import SignalMismatchError

CENTS_PER_OCTAVE = 1200.0


@dataclass(frozen=True)
class PitchErrors:
    """Errors of one utterance.

    Attributes
    ----------
    rmse_cents : float or None
        Root mean square of the F0 ratio in cents, over frames that are voiced in both; None
        where there is none.
    voicing_error : float
        Part of all frames whose voicing is wrong.
    both_voiced_frames, frames : int
        What the two rest on.
    """

    rmse_cents: float | None
    voicing_error: float
    both_voiced_frames: int
    frames: int


def pitch_errors(
    f0_hz: ArrayLike, voiced: ArrayLike, reference_hz: ArrayLike, reference_voiced: ArrayLike
) -> PitchErrors:
    """Compare the fundamental frequency of two series of frames that belong together.

    Parameters
    ----------
    f0_hz, reference_hz : array_like, shape (n,)
        F0; looked at where both are voiced.
    voiced, reference_voiced : array_like of bool, shape (n,)
        Voicing.

    Returns
    -------
    PitchErrors
        Of these frames.

    Raises
    ------
    SignalMismatchError
        If the lengths differ or there is no frame.
    """
    series = [np.asarray(one) for one in (f0_hz, voiced, reference_hz, reference_voiced)]
    if len({len(one) for one in series}) != 1 or not len(series[0]):
        raise SignalMismatchError(
            "F0 and voicing to compare",
            value=", ".join(str(len(one)) for one in series) + " frames",
            allowed="the same number of frames, one or more",
        )
    x, is_voiced, y, should_be = series
    both = is_voiced.astype(bool) & should_be.astype(bool)
    rmse_cents = None
    if both.any():
        cents = CENTS_PER_OCTAVE * np.log2(x[both] / y[both])
        rmse_cents = float(np.sqrt(np.mean(cents**2)))
    wrong = is_voiced.astype(bool) != should_be.astype(bool)
    return PitchErrors(rmse_cents, float(wrong.mean()), int(both.sum()), len(x))
