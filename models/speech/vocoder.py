"""The streaming vocoder: mel-cepstra, F0 and voicing in, speech out."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.compiled import compiled
from models.speech import mlsa
from models.speech.analysis import DEFAULT, SpeechSettings
from models.speech.excitation import Excitation

Array = NDArray[np.float64]

_FADE_S = 0.005
_KNEE = 0.9  # full scale is 1; below it the limiter changes nothing
_CEILING = 0.999


@dataclass
class VocoderCounts:
    """What the vocoder had to put right.

    Attributes
    ----------
    frames : int
        Frames taken.
    replaced_frames : int
        Frames with a NaN or an infinity, made silent.
    clamped_frames : int
        Frames with a spectrum or an F0 outside of what can be rendered.
    limited_samples : int
        Samples that came near full scale.
    """

    frames: int = 0
    replaced_frames: int = 0
    clamped_frames: int = 0
    limited_samples: int = 0


class Vocoder:
    """Render speech frame by frame.

    The centre of frame k is sample k * hop + frame / 2 of the speech. Frame k completes the
    samples between the centres of frames k - 1 and k, over which filter coefficients, F0 and
    gain run linearly. The first frame also brings all that lies before its centre, faded in;
    `finish` brings what lies after the last one. The result does not depend on how frames are
    grouped into calls.

    Parameters
    ----------
    settings : SpeechSettings
        As in the analysis that the frames come from.
    seed : int
        Of the noise.
    synthesis_filter : mlsa.Filter
        Filters a hop.
    """

    def __init__(
        self,
        settings: SpeechSettings = DEFAULT,
        seed: int = 0,
        synthesis_filter: mlsa.Filter = mlsa.filter_hop,
    ) -> None:
        self.counts = VocoderCounts()
        self._settings = settings
        self._filter = synthesis_filter
        self._coefficients = mlsa.Coefficients(settings.order, settings.all_pass)
        self._excitation = Excitation(settings, seed)
        self._fade = np.linspace(0.0, 1.0, int(_FADE_S * settings.rate_hz), endpoint=False)
        self.reset()

    @property
    def delay_s(self) -> float:
        """From a sample's instant to the instant of the frame that completes it, at most."""
        return self._settings.hop / self._settings.rate_hz

    def reset(self) -> None:
        """Forget the past: the next frame is the first of an utterance. Counts go on."""
        self._excitation.reset()
        self._delays = mlsa.delay_line(self._settings.order)
        self._b: Array | None = None
        self._f0_hz = 0.0
        self._gain = 0.0
        self._given = 0

    def process(
        self,
        mel_cepstrum: ArrayLike,
        f0_hz: ArrayLike,
        voiced: ArrayLike,
        gain: ArrayLike = 1.0,
        *,
        more: int = 0,
    ) -> Array:
        """Render what the next frames complete.

        Parameters
        ----------
        mel_cepstrum : array_like, shape (n, order + 1)
            As `analysis.mel_cepstrum` gives them; n may be 0.
        f0_hz : array_like, shape (n,)
            Fundamental frequency; not looked at where unvoiced.
        voiced : array_like of bool, shape (n,)
            Voicing.
        gain : array_like, shape (n,) or scalar
            0 silences a frame, 1 leaves it as it is.
        more : int
            Samples by which the last frame's are more than always, for a sound card whose
            clock runs otherwise than the EMG's. The pitch stays: F0 drives the phase.

        Returns
        -------
        ndarray of float64, shape (samples,)
            Speech in full scale 1, never at or above it: `hop` samples for each frame,
            `frame` / 2 for the first of an utterance, and `more` unless n is 0.

        Raises
        ------
        ValueError
            If the shapes do not fit.
        """
        mel = np.asarray(mel_cepstrum, dtype=np.float64)
        n = len(mel)
        if mel.shape != (n, self._settings.order + 1):
            raise ValueError(
                f"mel_cepstrum must have {self._settings.order + 1} columns, got shape {mel.shape}"
            )
        f0, v, g = _each(f0_hz, n), _each(voiced, n), _each(gain, n)
        parts = []
        for k in range(n):
            f0_or_0 = f0[k] if v[k] else 0.0
            parts.append(self._frame(mel[k], f0_or_0, g[k], more if k == n - 1 else 0))
        if n == 1:  # live, it is nearly always one
            return parts[0]
        return np.concatenate(parts) if parts else np.empty(0)

    def finish(self, samples: int) -> Array:
        """End the utterance: render its last samples, faded out, and reset.

        Parameters
        ----------
        samples : int
            Length of the whole utterance, whatever its hops had more.

        Returns
        -------
        ndarray of float64, shape (max(0, samples - samples handed out before),)
            The last frame held for as long as frames can be missing at the end of a whole
            utterance, then digital silence.
        """
        rest = np.zeros(max(0, samples - self._given))
        held = min(len(rest), self._settings.frame)
        if self._b is not None and held > 0:
            tail = self._render(held, self._b, self._f0_hz, self._gain)
            fade = np.linspace(1.0, 0.0, min(held, len(self._fade)))
            tail[held - len(fade) :] *= fade
            rest[:held] = tail
        self.reset()
        return rest

    def _frame(self, mel: Array, f0_hz: float, gain: float, more: int) -> Array:
        """Render the samples that one frame completes."""
        b, f0_hz, gain = self._tame(mel, f0_hz, gain)
        self.counts.frames += 1
        self._given -= more
        if self._b is not None:
            return self._render(self._settings.hop + more, b, f0_hz, gain)
        self._b, self._f0_hz, self._gain = b, f0_hz, gain
        first = self._render(self._settings.centre + more, b, f0_hz, gain)
        first[: len(self._fade)] *= self._fade
        return first

    def _tame(self, mel: Array, f0_hz: float, gain: float) -> tuple[Array, float, float]:
        """Return filter coefficients, F0 and gain that can be rendered; count what was wrong."""
        if not (_finite(mel) and math.isfinite(f0_hz) and math.isfinite(gain)):
            self.counts.replaced_frames += 1
            silent = np.zeros(self._settings.order + 1) if self._b is None else self._b
            return silent, 0.0, 0.0
        b, tamed = self._coefficients.of(mel)
        if f0_hz != 0:
            inside = min(max(f0_hz, self._settings.f0_low_hz), self._settings.f0_high_hz)
            tamed = tamed or inside != f0_hz
            f0_hz = inside
        self.counts.clamped_frames += tamed
        return b, f0_hz, min(max(gain, 0.0), 1.0)

    def _render(self, samples: int, b: Array, f0_hz: float, gain: float) -> Array:
        """Render samples that run from the last frame to this one, which becomes the last."""
        assert self._b is not None
        excitation = self._excitation.hop(samples, self._f0_hz, f0_hz)
        speech = self._filter(excitation, self._b, b, self._settings.all_pass, self._delays)
        self.counts.limited_samples += _level(speech, self._gain, gain)
        self._b, self._f0_hz, self._gain = b, f0_hz, gain
        self._given += samples
        return speech


def in_time(speech: Array, more: int, hop: int) -> Array:
    """Bring speech back to the time of its frames, where a hop has more samples than always.

    Parameters
    ----------
    speech : ndarray, shape (samples,)
        As `Vocoder.process` gives it.
    more : int
        What it was told.
    hop : int
        Samples of a hop.

    Returns
    -------
    ndarray, shape (samples - more,)
        Its last hop interpolated linearly; the very same array where `more` is 0.
    """
    if more == 0:
        return speech
    last = speech[-hop - more :]
    places = np.linspace(0.0, len(last) - 1, hop)
    return np.concatenate((speech[: -len(last)], np.interp(places, np.arange(len(last)), last)))


def _each(values: ArrayLike, n: int) -> list[Any]:
    """Return a value for each of n frames."""
    array = np.asarray(values)
    each: list[Any] = (array if array.shape == (n,) else np.broadcast_to(array, n)).tolist()
    return each


@compiled
def _finite(values: Array) -> bool:
    """Say whether there is no NaN and no infinity; faster than NumPy for one frame."""
    for value in values:
        if not math.isfinite(value):
            return False
    return True


@compiled
def _level(speech: Array, start: float, end: float) -> int:
    """Apply a gain, and bend what exceeds the knee below full scale; count what was bent."""
    room = _CEILING - _KNEE
    bent = 0
    for n in range(len(speech)):
        sample = speech[n] * (start + (end - start) * (n / len(speech)))
        over = abs(sample) - _KNEE
        if over > 0:
            bent += 1
            sample = np.copysign(_KNEE + room * math.tanh(over / room), sample)
        speech[n] = sample
    return bent
