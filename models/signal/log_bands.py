"""Log energies of EMG in frequency bands, frame by frame."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Literal

import numpy as np
import scipy
from pydantic import Field

from drivers.errors import SignalMismatchError, StreamerError
from models.bounds import check_bounds, check_size
from models.signal import kernels
from models.signal.compression import FLOOR_UV, Microvolts
from models.signal.framing import MOST_SAMPLES, FrameGrid, Framer, FrameSeconds, ShiftSeconds
from models.signal.operator import Array, as_rows


@dataclass(frozen=True)
class LogBandSettings:
    """How the energies are made.

    Attributes
    ----------
    kind : str
        Tells these settings from those of other frame features.
    frame_s, shift_s : float
        Grid of the frames, as that of the TD features.
    window_s : float
        Length of the spectrum's window, which ends with the frame: 64 samples at 600 Hz,
        for the 27 ms of a frame cannot tell eight bands apart.
    bands : int
        Number of bands, all equally wide.
    low_hz, high_hz : float
        Edges of the lowest and the highest band.
    floor_uv : float
        RMS that counts as one in the logarithm; see `models.signal.compression`.
    """

    kind: Literal["log_bands"] = "log_bands"
    frame_s: FrameSeconds = 0.027
    shift_s: ShiftSeconds = 0.010
    window_s: Annotated[float, Field(gt=0, le=10)] = 0.107
    bands: Annotated[int, Field(ge=1, le=256)] = 8
    low_hz: Annotated[float, Field(gt=0, le=50_000)] = 10.0
    high_hz: Annotated[float, Field(gt=0, le=50_000)] = 300.0
    floor_uv: Microvolts = FLOOR_UV

    def __post_init__(self) -> None:
        """Refuse what gives no bands."""
        check_bounds(self, "log bands")
        if not 0 < self.low_hz < self.high_hz:
            raise StreamerError(
                "edges of the bands",
                value=f"{self.low_hz:g} to {self.high_hz:g} Hz",
                allowed="0 < low < high",
            )


@dataclass(frozen=True, eq=False)
class Tables:
    """What the energies of all signals with the same settings have in common.

    Attributes
    ----------
    edges_hz : ndarray, shape (bands + 1,)
        Edges of the bands.
    spectrum : ndarray, shape (2 * lines, window)
        From samples to the spectrum under the taper, real parts before imaginary ones.
    taper_power : ndarray, shape (window + 1,)
        Power of the taper over the last n samples of the window.
    bands : ndarray, shape (bands, 2 * lines)
        Weight of each squared part of the spectrum in each band.
    """

    edges_hz: Array
    spectrum: Array
    taper_power: Array
    bands: Array


@cache
def _tables(settings: LogBandSettings, rate_hz: float, window: int) -> Tables:
    taper = scipy.signal.get_window("hann", window)
    frequencies_hz = np.fft.rfftfreq(window, 1 / rate_hz)
    edges_hz = np.linspace(settings.low_hz, settings.high_hz, settings.bands + 1)
    bins = np.searchsorted(frequencies_hz, edges_hz)
    bins[-1] = np.searchsorted(frequencies_hz, edges_hz[-1], side="right")
    if not np.all(np.diff(bins)):
        raise StreamerError(
            "bands of the spectrum",
            value=f"{settings.bands} bands from {window} samples",
            allowed="one line of the spectrum or more in each",
            way_out="take fewer bands or a longer window_s",
        )
    # All lines but those at 0 and at half the rate stand for two.
    sides = np.where((frequencies_hz == 0) | (frequencies_hz == rate_hz / 2), 1.0, 2.0)
    numbers = np.arange(len(frequencies_hz))
    inside = (numbers >= bins[:-1, np.newaxis]) & (numbers < bins[1:, np.newaxis])
    taper_power = np.concatenate(([0.0], np.cumsum(taper[::-1] ** 2)))
    tapered = scipy.linalg.dft(window)[: len(numbers)] * taper
    spectrum = np.concatenate((tapered.real, tapered.imag))
    bands = np.tile(np.where(inside, sides, 0.0), 2)
    tables = Tables(edges_hz, spectrum, taper_power, bands)
    for table in vars(tables).values():
        table.flags.writeable = False
    return tables


class LogBands:
    """Log RMS of each channel in equally wide bands.

    The spectrum is a periodogram under a Hann window that ends with the frame; band b
    holds the mean square of the signal between its edges (the upper one only in the last
    band), and the column is ``ln(sqrt(1 + P / floor^2))``. Where the window reaches
    back before the epoch, the samples that exist are weighted up for those that do not.
    Columns are ordered channel by channel, within a channel from the lowest band up.

    There is no smoothing here, so a frame comes earlier than the TD features' frame of
    the same number; once flushed, there are as many of both.

    Parameters
    ----------
    settings : LogBandSettings
        Frames and bands.
    rate_hz : float
        Sampling rate.
    channels : int
        Columns of the signal.

    Attributes
    ----------
    tables : Tables
        What the energies are computed with.
    """

    def __init__(self, settings: LogBandSettings, rate_hz: float, channels: int) -> None:
        if settings.high_hz > rate_hz / 2:
            raise SignalMismatchError(
                "upper edge of the bands",
                value=f"{settings.high_hz:g} Hz",
                allowed=f"up to {rate_hz / 2:g} Hz, half the rate",
            )
        self.settings = settings
        self.rate_hz = rate_hz
        self.channels = channels
        self.grid = FrameGrid(rate_hz, settings.frame_s, settings.shift_s)
        check_size("samples of the bands' window", settings.window_s * rate_hz, MOST_SAMPLES)
        self.window = round(settings.window_s * rate_hz)
        if self.window < self.grid.length:
            raise StreamerError(
                "samples of the bands' window",
                value=self.window,
                allowed=f"a frame's {self.grid.length} or more",
            )
        self._framer = Framer(self.grid, channels, before=self.window - self.grid.length)
        self.tables = _tables(settings, rate_hz, self.window)
        self.edges_hz = self.tables.edges_hz

    @property
    def columns(self) -> int:
        """Features in a frame."""
        return self.channels * self.settings.bands

    @property
    def delay_s(self) -> float:
        """Half a window: from its centre to its last sample."""
        return self.window / 2 / self.rate_hz

    def labels(self, channels: Sequence[str]) -> list[str]:
        """Name the columns.

        Parameters
        ----------
        channels : sequence of str
            Labels of the channels.

        Returns
        -------
        list of str
            ``"<channel> <low>-<high> Hz"`` for each column.
        """
        bands = [
            f"{low:.0f}-{high:.0f} Hz"
            for low, high in zip(self.edges_hz[:-1], self.edges_hz[1:], strict=True)
        ]
        return [f"{channel} {band}" for channel in channels for band in bands]

    def process(self, chunk: Array) -> Array:
        """Take the next samples and return the frames that they complete.

        Parameters
        ----------
        chunk : ndarray, shape (n, channels)
            DC-free EMG in microvolts; not modified.

        Returns
        -------
        ndarray, shape (frames, columns)
            Log RMS.
        """
        starts, windows = self._framer.process(as_rows(chunk, self.channels))
        if not len(windows):
            return np.empty((0, self.columns))
        tables = self.tables
        weights = self.window * tables.taper_power[self.window + np.minimum(starts, 0)]
        return kernels.log_bands(
            windows, tables.spectrum, tables.bands, weights, self.settings.floor_uv
        )

    def flush(self) -> Array:
        """End the epoch; nothing is owed.

        Returns
        -------
        ndarray, shape (0, columns)
            Nothing.
        """
        self.reset()
        return np.empty((0, self.columns))

    def reset(self) -> None:
        """Forget the past: the next sample is the first of an epoch."""
        self._framer.reset()
