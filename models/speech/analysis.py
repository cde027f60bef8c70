"""Natural speech to mel-cepstra, fundamental frequency and voicing.

Frame k covers the samples k * hop ... k * hop + frame - 1, nothing is padded: its
centre lies at k * 10 ms + 13.5 ms, where the centre of EMG frame k lies too.
"""

from dataclasses import dataclass
from functools import cache
from typing import Annotated

import numpy as np
import pysptk
import scipy
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, NDArray
from pydantic import Field

from drivers.errors import StreamerError
from models.bounds import check_bounds, check_size

Array = NDArray[np.float64]

_BATCH_FRAMES = 24  # small products stay on one core: more of them only spin, and this is faster
_POWER_FLOOR = 1e-12  # 20 dB below the noise of 16-bit rounding, full scale 1
_NEWTON_STEPS = 30
_LARGEST_STEP = 3.0  # nepers of the log spectrum; plain Newton overshoots on clicks and tones
_CONVERGED = 1e-3  # quadratic: the error left is its square
# RAPT's voicing has absolute thresholds in 16-bit units, and the corpus' levels differ by
# 28 dB: loud frames are brought to this level first.
_PITCH_LEVEL = 3000.0
_SILENT_RMS = 1e-5  # a third of a 16-bit step
_PITCH_HIGH_PASS_HZ = 70.0  # breath and hum below the voice unsettle RAPT
_RAPT_LEAD = 106  # samples: frame j of RAPT describes sample j * hop + 106 (chirp, 16 kHz)
_MOST_SPECTRA = 2**19  # a second; those of the default settings have 2**16
_RAPT_SHORTEST = 2400  # samples that RAPT wants at the least, with a margin


@dataclass(frozen=True)
class SpeechSettings:
    """How speech is described.

    Attributes
    ----------
    rate_hz : int
        Sampling rate of the speech.
    order : int
        Order of the mel-cepstrum; it has `order` + 1 coefficients.
    all_pass : float
        All-pass constant of the frequency warping.
    frame : int
        Length of the Blackman window in samples.
    hop : int
        Distance of two frames in samples.
    fft : int
        Length of the Fourier transform, zero-padded.
    f0_low_hz, f0_high_hz : float
        Range of the fundamental frequency.
    """

    rate_hz: Annotated[int, Field(ge=8000, le=48_000)] = 16000
    order: Annotated[int, Field(ge=1, le=50)] = 24
    all_pass: Annotated[float, Field(ge=-0.7, le=0.7)] = 0.42
    frame: Annotated[int, Field(ge=16, le=4096)] = 432
    hop: Annotated[int, Field(ge=4, le=4096)] = 160
    fft: Annotated[int, Field(ge=16, le=4096)] = 512
    f0_low_hz: Annotated[float, Field(ge=10, le=4000)] = 60.0
    f0_high_hz: Annotated[float, Field(ge=10, le=4000)] = 400.0

    def __post_init__(self) -> None:
        """Refuse numbers of which speech can be neither analysed nor made."""
        check_bounds(self, "speech")
        if self.fft & (self.fft - 1):
            raise StreamerError("fft of the speech", value=self.fft, allowed="256, 512, 1024, ...")
        values = self.rate_hz / self.hop * self.fft
        check_size("values in a second's spectra", values, _MOST_SPECTRA)
        for thing, low, high in (
            ("hop of the speech, and its frame", self.hop, self.frame),
            ("frame of the speech, and its fft", self.frame, self.fft),
            ("order of the speech four times, and its fft", 4 * self.order, self.fft),
            ("f0_low_hz and f0_high_hz of the speech", self.f0_low_hz, self.f0_high_hz),
        ):
            if not low <= high:
                raise StreamerError(
                    thing, value=f"{low:g} and {high:g}", allowed="the first not above the second"
                )

    @property
    def centre(self) -> int:
        """Sample of frame 0's centre."""
        return self.frame // 2

    def frames(self, samples: int) -> int:
        """Count the whole frames in `samples` samples."""
        return max(0, (samples - self.frame) // self.hop + 1)


DEFAULT = SpeechSettings()


def mel_cepstrum(audio: ArrayLike, settings: SpeechSettings = DEFAULT) -> Array:
    """Describe the short-time spectra of speech by mel-cepstra.

    The unbiased estimate of the log spectrum of Fukada et al. (1992), "An adaptive
    algorithm for mel-cepstral analysis of speech", eq. 6-11, found by Newton's method:
    what SPTK's ``mcep`` finds frame by frame, here for many frames at once. The window has unit
    energy, so exp(log spectrum) is the amplitude of a filter that makes this speech from
    white noise of variance 1.

    Parameters
    ----------
    audio : array_like, shape (samples,)
        Speech, full scale is 1.
    settings : SpeechSettings
        Frames and order.

    Returns
    -------
    ndarray, shape (frames, order + 1)
        Mel-cepstra; no frame if `audio` is shorter than one. Digital silence gives the
        spectrum of a white floor 20 dB below 16-bit rounding.
    """
    x = np.asarray(audio, dtype=np.float64)
    frames = settings.frames(len(x))
    result = np.empty((frames, settings.order + 1))
    if frames == 0:
        return result
    view = sliding_window_view(x, settings.frame)[:: settings.hop]
    window = _window(settings.frame)
    for start in range(0, frames, _BATCH_FRAMES):
        batch = view[start : start + _BATCH_FRAMES] * window
        power = np.abs(np.fft.rfft(batch, settings.fft)) ** 2 + _POWER_FLOOR
        result[start : start + len(batch)] = _fit(power, settings)
    return result


def pitch(audio: ArrayLike, settings: SpeechSettings = DEFAULT) -> Array:
    """Find the fundamental frequency of speech with RAPT.

    Parameters
    ----------
    audio : array_like, shape (samples,)
        Speech of a whole utterance, full scale is 1; its level is normalised.
    settings : SpeechSettings
        Frames and range.

    Returns
    -------
    ndarray, shape (frames,)
        F0 in Hz at the frames' centres, 0 where unvoiced; as many frames as
        `mel_cepstrum` gives.
    """
    x = np.asarray(audio, dtype=np.float64)
    frames = settings.frames(len(x))
    if frames == 0:
        return np.empty(0)
    low_cut = scipy.signal.butter(
        2, _PITCH_HIGH_PASS_HZ, "highpass", fs=settings.rate_hz, output="sos"
    )
    x = scipy.signal.sosfiltfilt(low_cut, x - x.mean())
    blocks = x[: len(x) // settings.hop * settings.hop].reshape(-1, settings.hop)
    loud = float(np.percentile(np.sqrt((blocks**2).mean(axis=1)), 90))
    if loud < _SILENT_RMS:
        return np.zeros(frames)
    x = x[settings.centre - _RAPT_LEAD :] * (_PITCH_LEVEL / loud)
    x = np.pad(x, (0, max(0, _RAPT_SHORTEST - len(x))))
    f0_hz = pysptk.rapt(
        x.astype(np.float32),
        settings.rate_hz,
        settings.hop,
        min=settings.f0_low_hz,
        max=settings.f0_high_hz,
        otype="f0",
    )
    return np.asarray(f0_hz[:frames], dtype=np.float64)


@cache
def _window(frame: int) -> Array:
    window = np.blackman(frame)
    result: Array = window / np.sqrt((window**2).sum())
    return result


@cache
def _tables(settings: SpeechSettings) -> tuple[Array, Array, Array, Array]:
    """Tabulate cosines of the warped frequencies, and the weights of the bins for integrals.

    Returns
    -------
    cosines : ndarray, shape (2 * order + 1, bins)
        cos(m * warped frequency).
    weights : ndarray, shape (bins,)
        For the mean over the linear frequency axis.
    first : ndarray, shape (bins, order + 1)
        From half the log power spectrum to the mel-cepstrum by a plain transform.
    flat : ndarray, shape (order + 1,)
        Mean of the cosines over the linear frequency axis.
    """
    omega = np.linspace(0.0, np.pi, settings.fft // 2 + 1)
    a = settings.all_pass
    warped = omega + 2 * np.arctan2(a * np.sin(omega), 1 - a * np.cos(omega))
    slope = (1 - a**2) / (1 + a**2 - 2 * a * np.cos(omega))
    cosines = np.cos(np.outer(np.arange(2 * settings.order + 1), warped))
    weights = np.full(len(omega), 2.0 / settings.fft)
    weights[[0, -1]] /= 2
    basis = cosines[: settings.order + 1]
    first = (basis * weights * slope * np.where(np.arange(len(basis)) > 0, 2.0, 1.0)[:, None]).T
    flat = np.power(-a, np.arange(settings.order + 1))
    return cosines, weights, first, flat


def _fit(power: Array, settings: SpeechSettings) -> Array:
    """Minimise mean(power / |D|^2 + log |D|^2) over the mel-cepstrum of D, per row."""
    cosines, weights, first, flat = _tables(settings)
    basis = cosines[: settings.order + 1]
    size = settings.order + 1
    mel_cepstra: Array = 0.5 * np.log(power) @ first
    active = np.arange(len(power))
    for _ in range(_NEWTON_STEPS):
        current = mel_cepstra[active]
        ratio = power[active] * np.exp(-2 * (current @ basis))
        r = (ratio * weights) @ cosines.T
        hankel = sliding_window_view(r, size, axis=1)
        mirrored = np.concatenate([r[:, size - 1 : 0 : -1], r[:, :size]], axis=1)
        toeplitz = sliding_window_view(mirrored, size, axis=1)[:, ::-1]
        step = np.linalg.solve(hankel + toeplitz, (r[:, :size] - flat)[..., None])[..., 0]
        largest = np.abs(step @ basis).max(axis=1, keepdims=True)
        mel_cepstra[active] = current + step * np.minimum(1.0, _LARGEST_STEP / largest)
        active = active[largest[:, 0] > _CONVERGED]
        if len(active) == 0:
            break
    return mel_cepstra
