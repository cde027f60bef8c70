"""The voice at the rate of a card that does not play the voice's own."""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Audio = NDArray[np.float32]

_TAPS = 24  # of each phase: 0.7 ms of delay at 16 kHz, images 60 dB down
_BETA = 6.0  # of the Kaiser window
_PASSED = 0.92  # of the lower of the two bands


class Resampler:
    """Takes the voice as it is needed, and gives it at another rate.

    Parameters
    ----------
    from_hz, to_hz : int
        Rates of the voice and of the card.
    render : callable
        Fills an array with the next samples of the voice.

    Attributes
    ----------
    delay_s : float
        That the filter adds.
    """

    def __init__(self, from_hz: int, to_hz: int, render: Callable[[Audio], None]) -> None:
        common = math.gcd(from_hz, to_hz)
        self._up, self._down = to_hz // common, from_hz // common
        self._render = render
        lower = min(1.0, to_hz / from_hz)
        taps = math.ceil(_TAPS / lower)
        # Row p: the filter for an instant p / up samples after a sample of the voice.
        places = np.arange(taps)[None, :] + np.arange(self._up)[:, None] / self._up
        places -= taps / 2
        cut = _PASSED * lower
        inside = np.clip(1 - (2 * places / taps) ** 2, 0, None)
        filters = np.sinc(cut * places) * np.i0(_BETA * np.sqrt(inside))
        self._filters = (filters / filters.sum(axis=1, keepdims=True)).astype(np.float32)
        self._taps = taps
        self.delay_s = taps / 2 / from_hz
        self._voice = np.zeros(taps - 1, dtype=np.float32)  # the latest, for the next block
        self._held = 0  # of them already after the instant of the next sample
        self._phase = 0

    def render(self, out: Audio) -> None:
        """Fill an array with the next samples at the card's rate.

        Parameters
        ----------
        out : ndarray of float32, shape (n,)
            Of any length.
        """
        if not len(out):
            return
        steps = self._phase + self._down * np.arange(len(out))
        places, phases = steps // self._up, steps % self._up
        more = np.empty(max(0, int(places[-1]) + 1 - self._held), dtype=np.float32)
        if len(more):
            self._render(more)
        voice = np.concatenate([self._voice, more])
        # Windows end with the sample at `places`; the newest comes last, where filters begin.
        windows = np.lib.stride_tricks.sliding_window_view(voice, self._taps)[places]
        np.einsum("ij,ij->i", windows, self._filters[phases][:, ::-1], out=out)
        passed, self._phase = divmod(self._phase + self._down * len(out), self._up)
        self._held += len(more) - passed
        self._voice = voice[len(voice) - (self._taps - 1) - self._held :]
