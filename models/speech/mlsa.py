"""The MLSA filter: excitation in, speech with the spectrum of a mel-cepstrum out.

Imai (1983), "Cepstral analysis synthesis on the mel frequency scale", with a Pade
approximation of fifth order; the arithmetic and the layout of the delay line are SPTK's.
Compiled by numba, without the interpreter's lock; where numba is missing, pysptk filters
sample by sample.
"""

from typing import Protocol

import numpy as np
import pysptk
from numpy.typing import NDArray

from models.compiled import compiled

Array = NDArray[np.float64]

PADE = 5
_PADE_TERMS = np.array(
    [1.0, 0.4999391, 0.1107098, 0.01369984, 0.0009564853, 0.00003041721]
)  # SPTK's, Chebyshev-adjusted
_STABLE_LOG_GAIN = 6.0  # nepers, of either stage; Imai's bound for the fifth order is 6.2
_LOG_LEVELS = (-20.0, 2.0)  # of the excitation; speech in full scale 1 lies in -10 ... -2
_LARGEST = 100.0  # mel-cepstral coefficient that cannot overflow; speech stays below 12
_GRID = 64  # points on the warped frequency axis; order 24 varies slowly between them


class Filter(Protocol):
    """Something that filters one hop."""

    def __call__(
        self, excitation: Array, start: Array, end: Array, all_pass: float, delays: Array
    ) -> Array:
        """Return the filtered excitation.

        Parameters
        ----------
        excitation : ndarray, shape (n,)
            Samples of the hop.
        start, end : ndarray, shape (order + 1,)
            Filter coefficients at the hop's first sample and right after its last one;
            they run linearly between them.
        all_pass : float
            All-pass constant.
        delays : ndarray
            State, changed in place; see `delay_line`.
        """


def delay_line(order: int) -> Array:
    """Return the state of a filter at rest."""
    return np.zeros(3 * (PADE + 1) + PADE * (order + 2))


class Coefficients:
    """From mel-cepstra to filter coefficients within the range where the filter is stable.

    Parameters
    ----------
    order : int
        Order of the mel-cepstrum.
    all_pass : float
        All-pass constant.
    """

    def __init__(self, order: int, all_pass: float) -> None:
        a = all_pass
        self._all_pass = a
        warped = np.linspace(0.0, np.pi, _GRID)
        omega = warped - 2 * np.arctan2(a * np.sin(warped), 1 + a * np.cos(warped))
        z = np.exp(-1j * omega)
        first = (1 - a * a) * z / (1 - a * z)
        stages = first * np.exp(-1j * warped) ** np.arange(order)[:, None]
        self._second = np.hstack([stages[1:].real, stages[1:].imag])
        self._largest_first = _STABLE_LOG_GAIN / (1 + a)

    def of(self, mel_cepstrum: Array) -> tuple[Array, bool]:
        """Convert one finite frame, shape (order + 1,); tell whether it had to be tamed."""
        b = np.empty(len(mel_cepstrum))
        tamed = _convert(mel_cepstrum, self._all_pass, self._second, self._largest_first, b)
        return b, tamed


@compiled
def _convert(
    mel_cepstrum: Array, all_pass: float, second: Array, largest_first: float, b: Array
) -> bool:
    """Put filter coefficients into `b`; tell whether they had to be tamed."""
    above = 0.0
    for m in range(len(b) - 1, -1, -1):  # SPTK's mc2b
        above = min(max(mel_cepstrum[m], -_LARGEST), _LARGEST) - all_pass * above
        b[m] = above
    level = min(max(b[0], _LOG_LEVELS[0]), _LOG_LEVELS[1])
    first = min(max(b[1], -largest_first), largest_first)
    response = np.zeros(2 * _GRID)
    for m in range(2, len(b)):
        response += b[m] * second[m - 2]
    peak = np.sqrt((response[:_GRID] ** 2 + response[_GRID:] ** 2).max())
    tamed = bool(level != b[0] or first != b[1] or peak > _STABLE_LOG_GAIN)
    if tamed:
        b[0], b[1] = level, first
        b[2:] *= _STABLE_LOG_GAIN / max(peak, _STABLE_LOG_GAIN)
    return tamed


def filter_pysptk(
    excitation: Array, start: Array, end: Array, all_pass: float, delays: Array
) -> Array:
    """Filter one hop sample by sample with pysptk; see `Filter`."""
    result = np.empty(len(excitation))
    slope = (end - start) / len(excitation)
    b = start.copy()
    for n, sample in enumerate(excitation):
        result[n] = pysptk.mlsadf(sample * np.exp(b[0]), b, all_pass, PADE, delays)
        b += slope
    return result


def _filter(excitation: Array, start: Array, end: Array, all_pass: float, delays: Array) -> Array:
    d = delays
    order = len(start) - 1
    result = np.empty(len(excitation))
    slope = (end - start) / len(excitation)
    b = start.copy()
    aa = 1.0 - all_pass * all_pass
    two = 2 * (PADE + 1)  # where the second stage's delays start
    taps = two + PADE * (order + 2)  # and its outputs
    outputs = d[taps:]
    chains = d[two:taps].copy().reshape(PADE, order + 2).T.copy()
    for n in range(len(excitation)):
        x = excitation[n] * np.exp(b[0])
        out = 0.0
        for i in range(PADE, 0, -1):  # first stage: b[1] alone
            d[i] = aa * d[PADE + i] + all_pass * d[i]
            d[PADE + 1 + i] = d[i] * b[1]
            v = d[PADE + 1 + i] * _PADE_TERMS[i]
            x += v if i & 1 else -v
            out += v
        d[PADE + 1] = x
        x += out
        out = 0.0
        _all_pass_chains(chains, b, all_pass, aa, outputs)  # second stage: b[2] and on
        for i in range(PADE, 0, -1):
            v = outputs[i] * _PADE_TERMS[i]
            x += v if i & 1 else -v
            out += v
        outputs[0] = x
        result[n] = x + out
        b += slope
    d[two:taps] = chains.T.copy().reshape(-1)
    return result


@compiled
def _all_pass_chains(d: Array, b: Array, all_pass: float, aa: float, taps: Array) -> None:
    """Move the all-pass chains of the Pade terms, and the delays in them, on by a sample.

    Side by side: the steps of one chain wait for each other, those of five do not. Written out,
    for a loop over the five is kept in memory instead of in registers.
    """
    last = len(b)
    p1, p2, p3, p4, p5 = taps[0], taps[1], taps[2], taps[3], taps[4]
    d[0, 0], d[0, 1], d[0, 2], d[0, 3], d[0, 4] = p1, p2, p3, p4, p5
    p1 = aa * p1 + all_pass * d[1, 0]
    p2 = aa * p2 + all_pass * d[1, 1]
    p3 = aa * p3 + all_pass * d[1, 2]
    p4 = aa * p4 + all_pass * d[1, 3]
    p5 = aa * p5 + all_pass * d[1, 4]
    d[1, 0], d[1, 1], d[1, 2], d[1, 3], d[1, 4] = p1, p2, p3, p4, p5
    y1 = y2 = y3 = y4 = y5 = 0.0
    for k in range(2, last):
        v1 = d[k, 0] + all_pass * (d[k + 1, 0] - p1)
        v2 = d[k, 1] + all_pass * (d[k + 1, 1] - p2)
        v3 = d[k, 2] + all_pass * (d[k + 1, 2] - p3)
        v4 = d[k, 3] + all_pass * (d[k + 1, 3] - p4)
        v5 = d[k, 4] + all_pass * (d[k + 1, 4] - p5)
        d[k, 0], d[k, 1], d[k, 2], d[k, 3], d[k, 4] = p1, p2, p3, p4, p5
        y1 += v1 * b[k]
        y2 += v2 * b[k]
        y3 += v3 * b[k]
        y4 += v4 * b[k]
        y5 += v5 * b[k]
        p1, p2, p3, p4, p5 = v1, v2, v3, v4, v5
    d[last, 0], d[last, 1], d[last, 2], d[last, 3], d[last, 4] = p1, p2, p3, p4, p5
    taps[1], taps[2], taps[3], taps[4], taps[5] = y1, y2, y3, y4, y5


def _chosen() -> Filter:
    """Choose pysptk where nothing can be compiled: it is faster than a loop in Python."""
    fast = compiled(_filter)
    return filter_pysptk if fast is _filter else fast


filter_hop: Filter = _chosen()
