"""What drives the filter: pulses where speech is voiced, noise where it is not.

Above 4 kHz voiced speech is noise too: natural voices lose their periodicity there, and
pulses up to 8 kHz buzz. The pulses are band-limited and placed between samples.
"""

from dataclasses import replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from models.compiled import compiled
from models.speech import mlsa
from models.speech.analysis import SpeechSettings, mel_cepstrum

Array = NDArray[np.float64]

_NOISE_S = 8.0  # long enough that nobody hears it come back
_FLATTENING_PASSES = 4
_SPLIT_HZ = 4000.0
_PULSE_HALF = 16  # samples; the pulses come this much late
_PULSE_PHASES = 64  # positions between two samples
_DUE = 1.0 - 1e-9  # phase in unvoiced speech: voicing begins with a pulse


class Excitation:
    """Make the excitation of a voice, hop by hop, with unit power.

    Parameters
    ----------
    settings : SpeechSettings
        Sampling rate and frames.
    seed : int
        Chooses the place in the noise where `reset` starts.
    """

    def __init__(self, settings: SpeechSettings, seed: int) -> None:
        self._rate_hz = settings.rate_hz
        self._noise, self._high_noise = _noises(settings)
        self._pulses = _pulse_table(settings.rate_hz)
        self._start = int(np.random.default_rng(seed).integers(len(self._noise)))
        self.reset()

    def reset(self) -> None:
        """Forget the past; what follows is what followed the last reset."""
        self._position = self._start
        self._phase = _DUE
        self._tail = np.zeros(2 * _PULSE_HALF)

    def hop(self, samples: int, start_hz: float, end_hz: float) -> Array:
        """Make the next samples.

        Parameters
        ----------
        samples : int
            How many.
        start_hz, end_hz : float
            F0 at the two ends, 0 where unvoiced: linear between two voiced ends; with one
            voiced end, its half of the hop is voiced.

        Returns
        -------
        ndarray, shape (samples,)
            The excitation.
        """
        excitation, self._phase = _hop(
            samples,
            start_hz,
            end_hz,
            self._rate_hz,
            self._phase,
            self._position,
            self._noise,
            self._high_noise,
            self._pulses,
            self._tail,
        )
        self._position = (self._position + samples) % len(self._noise)
        return excitation


@compiled
def _hop(
    samples: int,
    start_hz: float,
    end_hz: float,
    rate_hz: int,
    phase: float,
    position: int,
    noise: Array,
    high_noise: Array,
    pulses: Array,
    tail: Array,
) -> tuple[Array, float]:
    """Make a hop: its excitation, and the phase after it; `tail` is changed in place.

    A pulse comes wherever the phase, which grows by F0 / rate a sample, passes 1.
    """
    steps = np.empty(samples)
    steps[: samples // 2] = start_hz / rate_hz
    steps[samples // 2 :] = end_hz / rate_hz
    if start_hz > 0 and end_hz > 0:
        for n in range(samples):
            steps[n] = (start_hz + (end_hz - start_hz) * (n / samples)) / rate_hz
    length = len(tail)
    result = np.zeros(samples + length)
    result[:length] = tail
    if steps[0] == 0:
        phase = _DUE
    grown, whole = 0.0, 0
    for n in range(samples):
        step = steps[n]
        if step > 0:
            grown += step
            if int(phase + grown) != whole:
                whole = int(phase + grown)
                since = (phase + grown - whole) / step  # samples since the phase passed
                row = min(int(since * _PULSE_PHASES), _PULSE_PHASES - 1)
                result[n : n + length] += pulses[row] / np.sqrt(step)
    phase = _DUE if steps[-1] == 0 else phase + grown - whole
    tail[:] = result[samples:]
    for n in range(samples):
        place = (position + n) % len(noise)
        result[n] += high_noise[place] if steps[n] > 0 else noise[place]
    return result[:samples], phase


@cache
def _pulse_table(rate_hz: int) -> Array:
    """Tabulate low-passed pulses, a row for each position between two samples."""
    time = np.arange(-_PULSE_HALF, _PULSE_HALF) + np.arange(_PULSE_PHASES)[:, None] / _PULSE_PHASES
    turn = np.pi * time / _PULSE_HALF
    window = 0.42 + 0.5 * np.cos(turn) + 0.08 * np.cos(2 * turn)  # Blackman
    share = 2 * _SPLIT_HZ / rate_hz
    result: Array = share * np.sinc(share * time) * window
    return result


@cache
def _noises(settings: SpeechSettings) -> tuple[Array, Array]:
    """Make noise of variance 1 whose short-time spectrum is steady, and its part above the split.

    The spectrum of plain white noise, seen through one analysis window, is off its mean by
    2.7 dB of mel-cepstral distortion, and so would be all that is whispered, hissed or silent.
    Filtered by the inverse of its own mel-cepstra a few times, it stays Gaussian and
    without any period, at 0.6 dB.
    """
    hop = settings.hop // 2
    dense = replace(settings, hop=hop)
    length = int(_NOISE_S * settings.rate_hz)
    margin = (_FLATTENING_PASSES + 1) * settings.frame  # each pass loses the end
    noise = np.random.default_rng(0).standard_normal(length + margin)
    for _ in range(_FLATTENING_PASSES):
        noise = _inverse_filter(noise, dense)
    noise = noise[settings.frame :][:length]
    # Amplitude of the noise is what is missing to 1 beside the pulses' own.
    pulse = np.abs(np.fft.rfft(_pulse_table(settings.rate_hz)[0], length))
    high = np.sqrt(np.clip(1.0 - pulse**2, 0.0, 1.0))
    return noise, np.fft.irfft(np.fft.rfft(noise) * high, length)


def _inverse_filter(noise: Array, settings: SpeechSettings) -> Array:
    coefficients = mlsa.Coefficients(settings.order, settings.all_pass)
    delays = mlsa.delay_line(settings.order)
    result = []
    start, _ = coefficients.of(-mel_cepstrum(noise[: settings.frame], settings)[0])
    position = 0
    for frame, mel in enumerate(mel_cepstrum(noise, settings)):
        end, _ = coefficients.of(-mel)
        stop = frame * settings.hop + settings.centre
        part = noise[position:stop]
        result.append(mlsa.filter_hop(part, start, end, settings.all_pass, delays))
        start, position = end, stop
    return np.concatenate(result)
