"""From raw EMG to frame features: the part that converter and classifiers share."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from models.signal.filters import HighPassSettings, NotchSettings, SosFilter
from models.signal.log_bands import LogBands, LogBandSettings
from models.signal.operator import Array
from models.signal.td_features import TDFeatures, TDSettings


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


@dataclass(frozen=True)
class FrontEndSettings:
    """What is removed from raw EMG, and what is made of the rest.

    Attributes
    ----------
    conditioning : ConditioningSettings
        Filters.
    features : TDSettings or LogBandSettings
        Frame features; their `kind` tells one from the other in a manifest.
    """

    conditioning: ConditioningSettings = field(default_factory=ConditioningSettings)
    features: TDSettings | LogBandSettings = field(default_factory=TDSettings)


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


class FrontEnd:
    """Raw EMG in, frame features out.

    Parameters
    ----------
    settings : FrontEndSettings
        Filters and features.
    rate_hz : float
        Sampling rate.
    channels : int
        Columns of the signal.
    """

    def __init__(self, settings: FrontEndSettings, rate_hz: float, channels: int) -> None:
        self.settings = settings
        self.rate_hz = rate_hz
        self.channels = channels
        self._conditioner = conditioner(settings.conditioning, rate_hz, channels)
        self._features: TDFeatures | LogBands
        if isinstance(settings.features, TDSettings):
            self._features = TDFeatures(settings.features, rate_hz, channels)
        else:
            self._features = LogBands(settings.features, rate_hz, channels)
        self.grid = self._features.grid

    @property
    def columns(self) -> int:
        """Features in a frame."""
        return self._features.columns

    @property
    def delay_s(self) -> float:
        """From a frame's centre to its last input."""
        return self._features.delay_s

    def labels(self, channels: Sequence[str]) -> list[str]:
        """Name the columns.

        Parameters
        ----------
        channels : sequence of str
            Labels of the channels.

        Returns
        -------
        list of str
            One for each column.
        """
        return self._features.labels(channels)

    def settle(self, lead_in: Array | None) -> None:
        """Start an epoch with the filters settled on the samples right before it.

        Called once per epoch, before `process`; without it, or without samples, the
        filters settle on the first sample that they see.

        Parameters
        ----------
        lead_in : ndarray, shape (m, channels), or None
            Samples before the epoch, as `Chunk.lead_in`. They give no frames.
        """
        self.reset()
        self._conditioner.settle(lead_in)

    def process(self, chunk: Array) -> Array:
        """Take the next samples and return the frames that they complete.

        Parameters
        ----------
        chunk : ndarray, shape (n, channels)
            Raw EMG in microvolts; not modified.

        Returns
        -------
        ndarray, shape (frames, columns)
            Features.
        """
        return self._features.process(self._conditioner.process(chunk))

    def flush(self) -> Array:
        """Return the frames that lie wholly inside the ended signal; then reset.

        Returns
        -------
        ndarray, shape (frames, columns)
            `grid.frames_in(samples)` rows in total.
        """
        self._conditioner.reset()
        return self._features.flush()

    def reset(self) -> None:
        """Forget the past: the next sample is the first of an epoch."""
        self._conditioner.reset()
        self._features.reset()
