"""What is removed from raw EMG before any feature is made of it."""

from dataclasses import dataclass, field

import numpy as np

from models.signal.filters import HighPassSettings, NotchSettings, SosFilter


@dataclass(frozen=True)
class ConditioningSettings:
    """What is removed from raw EMG.

    Attributes
    ----------
    high_pass : HighPassSettings
        Removes the DC offset and its drift.
    notch : NotchSettings, optional
        Removes hum; None leaves it in.
    """

    high_pass: HighPassSettings = field(default_factory=HighPassSettings)
    notch: NotchSettings | None = None


def conditioner(settings: ConditioningSettings, rate_hz: float, channels: int) -> SosFilter:
    """Build the filters as one cascade, which costs one call per chunk.

    Parameters
    ----------
    settings : ConditioningSettings
        Filters.
    rate_hz : float
        Sampling rate.
    channels : int
        Columns of the signal.

    Returns
    -------
    SosFilter
        The operator: raw EMG in, DC-free EMG out, both in microvolts.
    """
    sections = [settings.high_pass.sections(rate_hz)]
    if settings.notch is not None:
        sections.append(settings.notch.sections(rate_hz))
    return SosFilter(np.concatenate(sections), channels)
