"""The double moving average that splits EMG into its low and its high part."""

from typing import Final, Literal

import numpy as np

from drivers.errors import StreamerError
from models.compiled import compiled
from models.signal.operator import Array, as_rows

Side = Literal["centred", "past"]
"""Where an average's samples lie: around its own, or up to it."""

CENTRED: Final = "centred"


class DoubleMovingAverage:
    """A moving average, applied twice.

    ``v[n] = 1/taps sum_k x[n+k]``, ``w[n] = 1/taps sum_k v[n+k]`` with k from
    ``-(taps-1)/2`` to ``(taps-1)/2``: w of the TD features (Jou et al., Interspeech 2006). Of the
    past alone, k runs from ``-(taps-1)`` to 0, and nothing is waited for. The signal is taken as
    zero before the epoch and, at `flush`, after it, which is its mean: the input is free of DC.

    Sums run over the taps in a fixed order, so the result does not depend on how the
    signal is cut, and no rounding error builds up as it does in a running sum.

    Parameters
    ----------
    taps : int
        Samples in each average; odd, so that it has a centre.
    rate_hz : float
        Sampling rate.
    columns : int
        Columns of the signal.
    side : str
        ``"centred"`` or ``"past"``.
    """

    def __init__(self, taps: int, rate_hz: float, columns: int, side: Side = CENTRED) -> None:
        if taps < 1 or taps % 2 == 0:
            raise StreamerError("taps of the moving average", value=taps, allowed="1, 3, 5, ...")
        self.taps = taps
        self.side = side
        self.rate_hz = rate_hz
        self.columns = columns
        self._samples: Array
        self._averages: Array
        self._early: int
        self.reset()

    @property
    def delay_samples(self) -> int:
        """Samples that must follow an output's own sample: half of the taps, twice, or none."""
        return self.taps - 1 if self.side == CENTRED else 0

    @property
    def delay_s(self) -> float:
        """Samples that must follow an output's own sample, in seconds."""
        return self.delay_samples / self.rate_hz

    def process(self, chunk: Array) -> Array:
        """Take the next samples and return the averages that they complete.

        Parameters
        ----------
        chunk : ndarray, shape (n, columns)
            Samples; not modified.

        Returns
        -------
        ndarray, shape (m, columns)
            The averages around the samples `delay_samples` ago, from the epoch's first on.
        """
        once, self._samples = self._average(self._samples, as_rows(chunk, self.columns))
        twice, self._averages = self._average(self._averages, once)
        # The first averages lie around samples before the epoch.
        early = min(self._early, len(twice))
        self._early -= early
        return twice[early:]

    def flush(self) -> Array:
        """Return the averages around the last samples, with zeros after them; then reset.

        Returns
        -------
        ndarray, shape (m, columns)
            As many rows in total as samples went in.
        """
        rest = self.process(np.zeros((self.delay_samples, self.columns)))
        self.reset()
        return rest

    def reset(self) -> None:
        """Forget the past: the next sample is the first of an epoch."""
        self._samples = np.zeros((self.taps - 1, self.columns))
        self._averages = np.zeros((self.taps - 1, self.columns))
        self._early = self.delay_samples

    def _average(self, history: Array, rows: Array) -> tuple[Array, Array]:
        """Average each row with the `taps - 1` before it; return that and the new history."""
        extended = np.concatenate((history, rows))
        return _moving_average(extended, self.taps), extended[len(rows) :].copy()


@compiled
def _moving_average(rows: Array, taps: int) -> Array:
    """Average each row but the first `taps - 1` with those before it."""
    count, columns = len(rows) - taps + 1, rows.shape[1]
    averages = rows[:count].copy()
    for n in range(count):
        for tap in range(1, taps):
            for column in range(columns):
                averages[n, column] += rows[n + tap, column]
        for column in range(columns):
            averages[n, column] /= taps
    return averages
