"""How late heard speech is, by cross-correlation of spectral envelopes.

The envelopes are mel-cepstra 1 ... 12, every 2.5 ms: the spectrum's shape without its level,
so that neither the gate nor a volume moves the result. Only frames count in which the
reference speaks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, NDArray
from scipy.fft import dct

from drivers.errors import StreamerError
from models.evaluation.metrics.lag import parabola
from streamer.bench.heard import Heard

Array = NDArray[np.float64]

HOP_MS = 2.5
RATE_HZ = 16000

_HOP = 40
_WINDOW = 400
_FFT = 512
_BANDS = 24
_LOW_HZ, _HIGH_HZ = 80.0, 7600.0
_COEFFICIENTS = 12
_RANGE_DB = 60.0  # below the loudest frame all is silence
_SPEECH_DB = 35.0  # below the loud frames of the reference nobody speaks
_EARLIEST_MS, _LATEST_MS = -200.0, 600.0
_LEAST_FRAMES = 40


@dataclass(frozen=True, eq=False)
class Spoken:
    """Speech, and when its first sample would sound without any delay.

    Attributes
    ----------
    name : str
        Of the utterance.
    audio : ndarray, shape (n,)
        At 16 kHz.
    start_s : float
        On the clock of what was heard.
    """

    name: str
    audio: NDArray[np.floating]
    start_s: float

    def between(self, begin_s: float, end_s: float) -> "Spoken":
        """Return what of it would sound between two instants; it may be nothing."""
        first, last = (
            min(max(0, round((time_s - self.start_s) * RATE_HZ)), len(self.audio))
            for time_s in (begin_s, end_s)
        )
        return Spoken(self.name, self.audio[first:last], self.start_s + first / RATE_HZ)


@dataclass(frozen=True, eq=False)
class Lag:
    """How late it was heard.

    Attributes
    ----------
    lag_ms : float
        Where the correlation over all utterances together peaks, between two frames too.
    correlation : float
        At the peak, 1 at the most.
    of_each_ms : dict of str to float
        Of each utterance alone.
    lags_ms, curve : ndarray, shape (m,)
        The correlation over all utterances at each lag.
    """

    lag_ms: float
    correlation: float
    of_each_ms: dict[str, float]
    lags_ms: Array
    curve: Array

    @property
    def at_edge(self) -> bool:
        """The correlation is highest at an end of the lags: its peak may lie beyond."""
        return int(np.argmax(self.curve)) in (0, len(self.curve) - 1)

    @property
    def median_ms(self) -> float:
        """Median over the utterances."""
        return float(np.median(list(self.of_each_ms.values())))

    @property
    def sd_ms(self) -> float:
        """Standard deviation over the utterances."""
        return float(np.std(list(self.of_each_ms.values())))


def measure_lag(spoken: Sequence[Spoken], heard: Heard) -> Lag:
    """Measure how late speech was heard.

    Parameters
    ----------
    spoken : sequence of Spoken
        The reference.
    heard : Heard
        What was heard.

    Returns
    -------
    Lag
        Over all of it.

    Raises
    ------
    StreamerError
        There is no speech in the reference, or nothing was heard.
    """
    lags = np.arange(round(_EARLIEST_MS / HOP_MS), round(_LATEST_MS / HOP_MS) + 1)
    sums, of_each_ms = np.zeros((3, len(lags))), {}
    for one in spoken:
        reference, speaks = envelope(one.audio)
        if speaks.sum() < _LEAST_FRAMES:
            continue
        begin_s = one.start_s + _EARLIEST_MS / 1000
        end_s = one.start_s + len(one.audio) / RATE_HZ + _LATEST_MS / 1000
        cut, first_s = heard.between(begin_s, end_s)
        if not cut.any():
            continue
        later, _ = envelope(cut)
        early_ms = 1000 * (begin_s - first_s)  # of a sample
        its = _products(reference, speaks, later, len(lags))
        sums += its
        of_each_ms[one.name] = _peak(lags.astype(np.float64) * HOP_MS - early_ms, _normalised(its))[
            0
        ]
    if not of_each_ms:
        raise StreamerError(
            "acoustic lag",
            value="nothing to compare",
            allowed="a voice that is heard, and natural speech of the same utterances",
            way_out="choose audible utterances with --subset",
        )
    lags_ms, curve = lags.astype(np.float64) * HOP_MS, _normalised(sums)
    lag_ms, correlation = _peak(lags_ms, curve)
    return Lag(lag_ms, correlation, of_each_ms, lags_ms, curve)


def envelope(audio: ArrayLike) -> tuple[Array, NDArray[np.bool_]]:
    """Describe speech by the shape of its spectra.

    Parameters
    ----------
    audio : array_like, shape (n,)
        At 16 kHz.

    Returns
    -------
    ndarray, shape (frames, 12)
        Mel-cepstra 1 ... 12, every 2.5 ms.
    ndarray of bool, shape (frames,)
        There is speech.
    """
    x = np.asarray(audio, dtype=np.float64)
    x = np.pad(x, (0, max(0, _WINDOW - len(x))))
    frames = sliding_window_view(x, _WINDOW)[::_HOP] * np.hanning(_WINDOW)
    power = (np.abs(np.fft.rfft(frames, _FFT)) ** 2) @ _mel_bands().T
    level = power.sum(axis=1)
    floor = max(float(level.max()) * 10 ** (-_RANGE_DB / 10) / _BANDS, 1e-12)
    cepstra: Array = dct(np.log(power + floor), norm="ortho", axis=1)[:, 1 : _COEFFICIENTS + 1]
    loud = float(np.percentile(level, 95))
    return cepstra, level > max(loud * 10 ** (-_SPEECH_DB / 10), 1e-9)


def _products(reference: Array, speaks: NDArray[np.bool_], later: Array, lags: int) -> Array:
    """Return for each lag the product of both, and the power of either, over the speech."""
    rows = np.flatnonzero(speaks)
    rows = rows[rows < len(later) - lags + 1]
    x = reference[rows] - reference[rows].mean(axis=0)
    result = np.empty((3, lags))
    for lag in range(lags):
        y = later[rows + lag]
        y = y - y.mean(axis=0)
        result[:, lag] = (x * y).sum(), (x * x).sum(), (y * y).sum()
    return result


def _normalised(sums: Array) -> Array:
    result: Array = sums[0] / np.sqrt(np.maximum(sums[1] * sums[2], 1e-30))
    return result


def _peak(lags_ms: Array, curve: Array) -> tuple[float, float]:
    """Return place and height of the highest point, on the parabola through it."""
    place, height = parabola(curve)
    return float(lags_ms[0] + place * (lags_ms[1] - lags_ms[0])), height


@cache
def _mel_bands() -> Array:
    """Triangles of equal width in mel, shape (bands, bins)."""
    low_mel, high_mel = (2595 * np.log10(1 + hz / 700) for hz in (_LOW_HZ, _HIGH_HZ))
    edges_mel = np.linspace(low_mel, high_mel, _BANDS + 2)
    edges_hz = 700 * (10 ** (edges_mel / 2595) - 1)
    hz = np.fft.rfftfreq(_FFT, 1 / RATE_HZ)
    up = (hz - edges_hz[:-2, None]) / (edges_hz[1:-1] - edges_hz[:-2])[:, None]
    down = (edges_hz[2:, None] - hz) / (edges_hz[2:] - edges_hz[1:-1])[:, None]
    result: Array = np.clip(np.minimum(up, down), 0, None)
    return result
