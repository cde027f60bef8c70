"""Compression of amplitudes, which follow each other by factors and not by differences.

Amplitudes are counted in floors, and one floor is added before the logarithm: a dead
channel is 0 instead of minus infinity, and quantisation noise does not fill the scale. On
EMG-UKA one count is 0.033 uV and the RMS of its rounding 0.01 uV, while the high-passed EMG
of a frame has an RMS of 2 uV at the very least and of 4 to 25 uV, depending on the channel,
at its first percentile.
"""

from typing import Annotated, Final

import numpy as np
from pydantic import Field

from models.signal.operator import Array

Microvolts = Annotated[float, Field(ge=1e-6, le=1e6)]
"""A constant of a compression."""

FLOOR_UV: Final = 1.0
"""Default floor in microvolts: a hundred times the rounding, half of the quietest EMG."""


def log_amplitude(amplitude_uv: Array, floor_uv: float = FLOOR_UV) -> Array:
    """Return ``ln(1 + amplitude / floor)``.

    Parameters
    ----------
    amplitude_uv : ndarray
        Amplitudes in microvolts, none negative.
    floor_uv : float
        Amplitude below which differences are of no interest.

    Returns
    -------
    ndarray
        Of the same shape.
    """
    return np.asarray(np.log1p(amplitude_uv / floor_uv))


def log_power(power_uv2: Array, floor_uv: float = FLOOR_UV) -> Array:
    """Return ``ln(sqrt(1 + power / floor^2))``, an amplitude on the same scale.

    Parameters
    ----------
    power_uv2 : ndarray
        Mean squares in square microvolts, none negative.
    floor_uv : float
        RMS below which differences are of no interest.

    Returns
    -------
    ndarray
        Of the same shape.
    """
    return np.asarray(0.5 * np.log1p(power_uv2 / floor_uv**2))
