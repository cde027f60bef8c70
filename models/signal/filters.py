"""Removal of DC and hum, causal and settled from the first sample on.

EMG amplifiers add a large, drifting DC offset to each channel that is no muscle
signal. A high-pass that starts from zero answers it with a transient that is larger
than the EMG; one that starts in its steady state for that offset does not.
"""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
import scipy
from numpy.typing import NDArray
from pydantic import Field

from drivers.errors import SignalMismatchError
from models.bounds import check_bounds
from models.signal.kernels import filter_rows
from models.signal.operator import Array, as_rows


@dataclass(frozen=True)
class HighPassSettings:
    """A Butterworth high-pass.

    The defaults are gentle: on EMG-UKA every higher cut-off and order made a linear
    regression of the mel-cepstrum worse, by up to 0.2 dB at 20 Hz and order 4, for what a
    filter rejects faster it also rings with, and slow activity is part of speech.

    Attributes
    ----------
    cutoff_hz : float
        Frequency at which it has lost 3 dB.
    order : int
        Order of the filter: 6 dB per octave each.
    """

    cutoff_hz: Annotated[float, Field(ge=0.001, le=50_000)] = 1.0
    order: Annotated[int, Field(ge=1, le=8)] = 1

    def __post_init__(self) -> None:
        """Refuse what is no filter."""
        check_bounds(self, "high-pass")

    def sections(self, rate_hz: float) -> Array:
        """Return the second-order sections at a sampling rate.

        Parameters
        ----------
        rate_hz : float
            Sampling rate.

        Returns
        -------
        ndarray, shape (sections, 6)
            As `scipy.signal.sosfilt` takes them.

        Raises
        ------
        SignalMismatchError
            When the cut-off lies above half the rate.
        """
        _check_below_nyquist("cut-off of the high-pass", self.cutoff_hz, rate_hz)
        sections: Array = scipy.signal.butter(
            self.order, self.cutoff_hz, "highpass", fs=rate_hz, output="sos"
        )
        return sections


@dataclass(frozen=True)
class NotchSettings:
    """Notches at the mains frequency and its harmonics.

    Attributes
    ----------
    hum_hz : float
        Frequency of the mains, 50 or 60 Hz.
    quality : float
        Hum frequency by bandwidth of the first notch; the others are as wide in hertz.
    harmonics : int
        Number of notches: 1 is the mains frequency alone.
    """

    hum_hz: Annotated[float, Field(ge=1, le=1000)] = 50.0
    quality: Annotated[float, Field(ge=0.1, le=10_000)] = 30.0
    harmonics: Annotated[int, Field(ge=1, le=100)] = 3

    def __post_init__(self) -> None:
        """Refuse what is no filter."""
        check_bounds(self, "notch")

    def sections(self, rate_hz: float) -> Array:
        """Return the second-order sections at a sampling rate.

        Parameters
        ----------
        rate_hz : float
            Sampling rate.

        Returns
        -------
        ndarray, shape (harmonics, 6)
            As `scipy.signal.sosfilt` takes them.

        Raises
        ------
        SignalMismatchError
            When a harmonic lies above half the rate.
        """
        numbers = range(1, self.harmonics + 1)
        _check_below_nyquist("highest harmonic of the notch", numbers[-1] * self.hum_hz, rate_hz)
        return np.array(
            [
                np.concatenate(scipy.signal.iirnotch(n * self.hum_hz, n * self.quality, fs=rate_hz))
                for n in numbers
            ]
        )


def _check_below_nyquist(thing: str, frequency_hz: float, rate_hz: float) -> None:
    if not frequency_hz < rate_hz / 2:
        raise SignalMismatchError(
            thing, value=f"{frequency_hz:g} Hz", allowed=f"below {rate_hz / 2:g} Hz, half the rate"
        )


class SosFilter:
    """A cascade of second-order sections that starts in its steady state.

    The state before the first sample of an epoch is that of a signal that has always had
    the value of this first sample, so that a DC offset makes no transient. Recursive
    filters of minimum phase: the delay in the passband is taken as zero.

    Parameters
    ----------
    sections : ndarray, shape (sections, 6)
        As `HighPassSettings.sections` returns them; several filters are concatenated.
    channels : int
        Columns of the signal.
    """

    delay_s = 0.0

    def __init__(self, sections: Array, channels: int) -> None:
        self.channels = channels
        self.sections = sections
        self._steady = scipy.signal.sosfilt_zi(sections)[:, :, np.newaxis]
        self._state: Array | None = None

    def settle(self, lead_in: Array | None) -> None:
        """Start an epoch on the samples acquired right before it.

        Called once per epoch, before `process`; without it, or without samples, the
        filter settles on the first sample that it sees.

        Parameters
        ----------
        lead_in : ndarray, shape (m, channels), or None
            Samples before the epoch, as `Chunk.lead_in`.
        """
        self.reset()
        if lead_in is not None:
            self.process(lead_in)

    def process(self, chunk: Array) -> Array:
        """Filter the next samples.

        Parameters
        ----------
        chunk : ndarray, shape (n, channels)
            Samples; not modified.

        Returns
        -------
        ndarray, shape (n, channels)
            One for each.
        """
        rows = as_rows(chunk, self.channels).copy()
        if not len(rows):
            return rows
        filter_rows(self.sections, self.state(rows), rows)
        return rows

    def state(self, rows: Array) -> Array:
        """Return the state before the next samples, which filtering changes in place.

        Parameters
        ----------
        rows : ndarray, shape (n, channels)
            The next samples: at the beginning of an epoch the filter settles on the first.

        Returns
        -------
        ndarray, shape (sections, 2, channels)
            As `scipy.signal.sosfilt` keeps it.
        """
        if self._state is None:
            self._state = self._steady * rows[0]
        return self._state

    def restart(self, channels: NDArray[np.bool_], row: Array) -> None:
        """Begin anew in some channels, in the steady state of the next sample.

        Parameters
        ----------
        channels : ndarray of bool, shape (channels,)
            Which.
        row : ndarray, shape (channels,)
            The next sample.
        """
        if self._state is not None:
            self._state[:, :, channels] = (self._steady * row)[:, :, channels]

    def flush(self) -> Array:
        """End the epoch; nothing is owed.

        Returns
        -------
        ndarray, shape (0, channels)
            Nothing.
        """
        self.reset()
        return np.empty((0, self.channels))

    def reset(self) -> None:
        """Forget the past: the next sample is the first of an epoch."""
        self._state = None
