"""From raw EMG to what models see of each frame, in one step."""

import numpy as np
from numpy.typing import NDArray

from drivers.errors import SignalMismatchError
from models.signal import kernels
from models.signal.conditioning import ConditioningSettings, conditioner
from models.signal.log_bands import LogBands, LogBandSettings
from models.signal.operator import Array, as_rows
from models.signal.td_features import TDFeatures, TDSettings


class EmgFrames:
    """Filters, TD features, and log energies in bands of the same frames behind them.

    It gives what `SosFilter`, `TDFeatures` and `LogBands` give one after the other, to the last
    bit, for a part of their cost: live, where six samples come at a time, that is mostly what
    surrounds the computing. The bands of a frame are known before its TD features, which wait for
    their smoothing: they wait for them, and cost no delay.

    Parameters
    ----------
    conditioning : ConditioningSettings
        Filters.
    features : TDSettings
        TD features.
    bands : LogBandSettings or None
        Bands, on the grid of the TD features; None gives none.
    rate_hz : float
        Sampling rate.
    channels : int
        Columns of the signal.

    Attributes
    ----------
    grid : FrameGrid
        Where the frames lie.
    channels : int
        Columns of the signal.
    more_columns : int
        Of the bands, behind the TD features of a frame.

    Raises
    ------
    SignalMismatchError
        The bands have frames of their own.
    """

    def __init__(
        self,
        conditioning: ConditioningSettings,
        features: TDSettings,
        bands: LogBandSettings | None,
        rate_hz: float,
        channels: int,
    ) -> None:
        self.channels = channels
        self._filter = conditioner(conditioning, rate_hz, channels)
        self._td = td = TDFeatures(features, rate_hz, channels)
        grid = self.grid = td.grid
        spectrum, weights = np.empty((0, grid.length)), np.empty((0, 0))
        taper_power, bands_floor_uv = np.zeros(grid.length + 1), 1.0
        if bands is not None:
            operator = LogBands(bands, rate_hz, channels)
            if operator.grid != grid:
                raise SignalMismatchError(
                    "frames of the bands", value=operator.grid, allowed=f"those of TD, {grid}"
                )
            tables, bands_floor_uv = operator.tables, bands.floor_uv
            spectrum, weights, taper_power = tables.spectrum, tables.bands, tables.taper_power
        self.more_columns = channels * len(weights)
        self._constants = kernels.Constants(
            shift_s=grid.shift_s,
            rate_hz=rate_hz,
            length=grid.length,
            taps=features.taps,
            before=td.before,
            after=td.after,
            log=features.log,
            scale_uv=features.scale_uv,
            floor_uv=features.floor_uv,
            spectrum=spectrum,
            bands=weights,
            taper_power=taper_power,
            bands_floor_uv=bands_floor_uv,
        )
        # A frame that is not complete yet begins at most so long ago.
        seen = max(td.before + grid.length, spectrum.shape[1]) + td.after
        self._history = np.zeros((seen, channels))
        self._clock = np.zeros(2, dtype=np.int64)

    @property
    def columns(self) -> int:
        """TD features in a frame; behind them come `more_columns` for the bands."""
        return self._td.columns

    @property
    def delay_s(self) -> float:
        """From a frame's centre to its last input."""
        return self._td.delay_s

    @property
    def reach_s(self) -> float:
        """From a frame's first sample to behind its last input."""
        return self._td.reach_s

    def settle(self, lead_in: Array | None) -> None:
        """Start an epoch on the samples acquired right before it; see `SosFilter.settle`."""
        self.reset()
        self._filter.settle(lead_in)

    def restart(self, channels: NDArray[np.bool_], row: Array) -> None:
        """Let the filters of some channels settle anew on the next sample; see `SosFilter`."""
        self._filter.restart(channels, row)

    def process(self, chunk: Array) -> tuple[Array, Array, Array]:
        """Take the next samples and return the frames that they complete.

        Parameters
        ----------
        chunk : ndarray, shape (n, channels)
            EMG in microvolts; not modified.

        Returns
        -------
        samples : ndarray, shape (n, channels)
            The same, DC-free.
        frames : ndarray, shape (m, columns)
            TD features.
        joined : ndarray, shape (m, columns + more_columns)
            The same frames with their bands.

        Raises
        ------
        SignalMismatchError
            The chunk has other channels.
        """
        rows = as_rows(chunk, self.channels).copy()
        if not len(rows):
            return rows, *self._unfiltered(rows)  # the filter settles on a sample: none is here
        return rows, *self._step(rows, self._filter.sections, self._filter.state(rows))

    def flush(self) -> tuple[Array, Array]:
        """Return the frames that lie wholly inside the ended signal; then reset.

        Returns
        -------
        frames, joined : ndarray
            As `process` gives them; the smoothing has reached into zeros after the signal.
        """
        owed = self._unfiltered(np.zeros((self._td.after, self.channels)))
        self.reset()
        return owed

    def reset(self) -> None:
        """Forget the past: the next sample is the first of an epoch."""
        self._filter.reset()
        self._history[:] = 0.0
        self._clock[:] = 0

    def _step(self, rows: Array, sections: Array, state: Array) -> tuple[Array, Array]:
        return kernels.emg_frames(
            rows, sections, state, self._history, self._clock, *self._constants
        )

    def _unfiltered(self, rows: Array) -> tuple[Array, Array]:
        return self._step(rows, np.empty((0, 6)), np.empty((0, 2, self.channels)))
