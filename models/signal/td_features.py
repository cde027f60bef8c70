"""Time-domain features of EMG, as the EMG-UKA corpus defines them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from drivers.errors import StreamerError
from models.compiled import compiled
from models.signal.compression import log_amplitude, log_power, signed_log
from models.signal.framing import FrameGrid, Framer
from models.signal.operator import Array, as_rows
from models.signal.smoothing import CENTRED, DoubleMovingAverage, Side

FEATURES: Final = ("mean_w", "power_w", "power_r", "zero_crossings_p", "mean_r")
"""Features of one channel, in the order of their columns."""


@dataclass(frozen=True)
class TDSettings:
    """How the features are made.

    Attributes
    ----------
    kind : str
        Tells these settings from those of other frame features.
    frame_s, shift_s : float
        Length and shift of the frames: 16 and 6 samples at 600 Hz.
    taps : int
        Samples in each of the two moving averages, odd.
    smoothing : str
        ``"centred"`` averages, as the corpus defines them, or averages of the ``"past"``, which
        nothing has to wait for.
    log : bool
        Compress the amplitudes.
    floor_uv : float
        Amplitude that counts as one in the logarithms, and is added to it: about the EMG
        of a quiet channel at rest, so that differences between kinds of rest do not fill
        the scale (in a linear regression on EMG-UKA, 3 to 20 uV were equally good and
        0.04 dB of MCD better than 1 uV).
    scale_uv : float
        Where the compression of ``mean(w)`` turns from linear to logarithmic; its median
        magnitude is 1 to 9 uV there.
    """

    kind: Literal["td"] = "td"
    frame_s: float = 0.027
    shift_s: float = 0.010
    taps: int = 9
    smoothing: Side = CENTRED
    log: bool = True
    floor_uv: float = 5.0
    scale_uv: float = 10.0

    def __post_init__(self) -> None:
        """Refuse constants that are no amplitude."""
        for name in ("floor_uv", "scale_uv"):
            if not getattr(self, name) > 0:
                raise StreamerError(
                    f"{name} of the features", value=getattr(self, name), allowed="> 0"
                )


class TDFeatures:
    """Five features of each channel and frame: TD0.

    With the DC-free signal x, its double moving average w, ``p = x - w`` and ``r = |p|``,
    a frame gives ``[mean(w), P(w), P(r), z(p), mean(r)]`` (Jou et al., Interspeech 2006; Wand
    et al., the EMG-UKA corpus, Interspeech 2014). The papers leave open what follows: P is the mean
    square, z the part of the frame's successive samples between which p changes sign (zero
    counts as positive). With `TDSettings.log`, the amplitudes are compressed:

    ========================  ===========================================
    ``mean(w)``               ``arsinh(mean(w) / scale)``
    ``P(w)``, ``P(r)``        ``ln(sqrt(1 + P / floor^2))``
    ``mean(r)``               ``ln(1 + mean(r) / floor)``
    ``z(p)``                  as it is
    ========================  ===========================================

    Columns are ordered channel by channel, within a channel as `FEATURES`. Frame k starts at sample
    ``round(k * shift_s * rate_hz)`` and is returned once the smoothing has reached its end.

    Parameters
    ----------
    settings : TDSettings
        Frames, smoothing and compression.
    rate_hz : float
        Sampling rate.
    channels : int
        Columns of the signal.
    """

    def __init__(self, settings: TDSettings, rate_hz: float, channels: int) -> None:
        self.settings = settings
        self.rate_hz = rate_hz
        self.channels = channels
        self.grid = FrameGrid(rate_hz, settings.frame_s, settings.shift_s)
        self._smoothing = DoubleMovingAverage(settings.taps, rate_hz, channels, settings.smoothing)
        self._framer = Framer(self.grid, 2 * channels)
        self._unsmoothed = np.empty((0, channels))

    @property
    def columns(self) -> int:
        """Features in a frame."""
        return self.channels * len(FEATURES)

    @property
    def delay_s(self) -> float:
        """Half a frame and the smoothing: from a frame's centre to its last input."""
        return self.grid.length / 2 / self.rate_hz + self._smoothing.delay_s

    @property
    def reach_s(self) -> float:
        """From a frame's first sample to behind its last input."""
        return self.grid.length / self.rate_hz + self._smoothing.delay_s

    def labels(self, channels: Sequence[str]) -> list[str]:
        """Name the columns.

        Parameters
        ----------
        channels : sequence of str
            Labels of the channels.

        Returns
        -------
        list of str
            ``"<channel> <feature>"`` for each column.
        """
        return [f"{channel} {feature}" for channel in channels for feature in FEATURES]

    def process(self, chunk: Array) -> Array:
        """Take the next samples and return the frames that they complete.

        Parameters
        ----------
        chunk : ndarray, shape (n, channels)
            DC-free EMG in microvolts; not modified.

        Returns
        -------
        ndarray, shape (frames, columns)
            Features; in microvolts and square microvolts where they are not compressed.
        """
        samples = as_rows(chunk, self.channels)
        return self._features(samples, self._smoothing.process(samples))

    def flush(self) -> Array:
        """Return the frames that lie wholly inside the ended signal; then reset.

        Returns
        -------
        ndarray, shape (frames, columns)
            Features whose smoothing has reached into the zeros after the signal.
        """
        rest = self._features(np.empty((0, self.channels)), self._smoothing.flush())
        self.reset()
        return rest

    def reset(self) -> None:
        """Forget the past: the next sample is the first of an epoch."""
        self._smoothing.reset()
        self._framer.reset()
        self._unsmoothed = np.empty((0, self.channels))

    def _features(self, samples: Array, smoothed: Array) -> Array:
        unsmoothed = np.concatenate((self._unsmoothed, samples))
        high = unsmoothed[: len(smoothed)] - smoothed
        self._unsmoothed = unsmoothed[len(smoothed) :].copy()
        _, frames = self._framer.process(np.concatenate((smoothed, high), axis=1))
        if not len(frames):
            return np.empty((0, self.columns))
        return self._measure(frames).reshape(len(frames), self.columns)

    def _measure(self, frames: Array) -> Array:
        """Measure frames of w and p, shape (frames, samples, 2 * channels)."""
        features = _amplitudes(frames, self.channels)
        if self.settings.log:
            floor_uv = self.settings.floor_uv
            features[:, :, 0] = signed_log(features[:, :, 0], self.settings.scale_uv)
            features[:, :, 1:3] = log_power(features[:, :, 1:3], floor_uv)
            features[:, :, 4] = log_amplitude(features[:, :, 4], floor_uv)
        return features


@compiled
def _amplitudes(frames: Array, channels: int) -> Array:
    """Return the features (frames, channels, 5) of w and p, not compressed."""
    count, length, _ = frames.shape
    features = np.zeros((count, channels, 5))
    for k in range(count):
        for n in range(length):
            for channel in range(channels):
                w, p = frames[k, n, channel], frames[k, n, channels + channel]
                features[k, channel, 0] += w
                features[k, channel, 1] += w * w
                features[k, channel, 2] += p * p
                if n > 0 and (p < 0) != (frames[k, n - 1, channels + channel] < 0):
                    features[k, channel, 3] += 1
                features[k, channel, 4] += abs(p)
    features[:, :, :3] /= length
    features[:, :, 3] /= max(1, length - 1)
    features[:, :, 4] /= length
    return features
