"""Time-domain features of EMG, as the EMG-UKA corpus defines them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from drivers.errors import StreamerError
from models.compiled import compiled
from models.signal.framing import FrameGrid, Framer
from models.signal.operator import Array, as_rows

Side = Literal["centred", "past"]
"""Where a moving average's samples lie: around its own, or up to it."""

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
    smoothing: Side = "centred"
    log: bool = True
    floor_uv: float = 5.0
    scale_uv: float = 10.0

    def __post_init__(self) -> None:
        """Refuse averages without a centre, and constants that are no amplitude."""
        if self.taps < 1 or self.taps % 2 == 0:
            raise StreamerError(
                "taps of the moving average", value=self.taps, allowed="1, 3, 5, ..."
            )
        for name in ("floor_uv", "scale_uv"):
            if not getattr(self, name) > 0:
                raise StreamerError(
                    f"{name} of the features", value=getattr(self, name), allowed="> 0"
                )


class TDFeatures:
    """Five features of each channel and frame: TD0.

    With the DC-free signal x, its moving average v, that of this, w, ``p = x - w`` and
    ``r = |p|``, a frame gives ``[mean(w), P(w), P(r), z(p), mean(r)]`` (Jou et al., Interspeech
    2006; Wand et al., the EMG-UKA corpus, Interspeech 2014). The papers leave open what follows:
    P is the mean square, z the part of the frame's successive samples between which p changes
    sign (zero counts as positive). The signal is taken as zero before the epoch and, at `flush`,
    after it, which is its mean. With `TDSettings.log`, the amplitudes are compressed:

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
        around = settings.taps - 1
        self._after = around if settings.smoothing == "centred" else 0
        self._before = 2 * around - self._after
        self._framer = Framer(self.grid, channels, self._before, self._after)

    @property
    def columns(self) -> int:
        """Features in a frame."""
        return self.channels * len(FEATURES)

    @property
    def delay_s(self) -> float:
        """Half a frame and the smoothing: from a frame's centre to its last input."""
        return (self.grid.length / 2 + self._after) / self.rate_hz

    @property
    def reach_s(self) -> float:
        """From a frame's first sample to behind its last input."""
        return (self.grid.length + self._after) / self.rate_hz

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
        _, windows = self._framer.process(as_rows(chunk, self.channels))
        if not len(windows):
            return np.empty((0, self.columns))
        features = _measure(windows, self.settings.taps, self._before)
        if self.settings.log:
            _compress(features, self.settings.floor_uv, self.settings.scale_uv)
        return features.reshape(len(features), self.columns)

    def flush(self) -> Array:
        """Return the frames that lie wholly inside the ended signal; then reset.

        Returns
        -------
        ndarray, shape (frames, columns)
            Features whose smoothing has reached into the zeros after the signal.
        """
        rest = self.process(np.zeros((self._after, self.channels)))
        self.reset()
        return rest

    def reset(self) -> None:
        """Forget the past: the next sample is the first of an epoch."""
        self._framer.reset()


@compiled
def _measure(windows: Array, taps: int, before: int) -> Array:
    """Return the features (frames, channels, 5), not compressed.

    Windows (frames, samples, channels) hold the samples that the frames' smoothing sees, as many
    as `before` of them before the frame. Sums run in a fixed order, so the result does not depend
    on how the signal is cut, and no rounding error builds up as in a running sum.
    """
    count, length, channels = windows.shape
    samples = length - 2 * (taps - 1)
    features = np.zeros((count, channels, 5))
    v = np.empty(samples + taps - 1)
    for k in range(count):
        for channel in range(channels):
            x, row = windows[k, :, channel], features[k, channel]
            for n in range(len(v)):
                v[n] = _mean(x, n, taps)
            last = 0.0
            for n in range(samples):
                w = _mean(v, n, taps)
                p = x[before + n] - w
                row[0] += w
                row[1] += w * w
                row[2] += p * p
                if n > 0 and (p < 0) != (last < 0):
                    row[3] += 1
                row[4] += abs(p)
                last = p
            row[:3] /= samples
            row[3] /= max(1, samples - 1)
            row[4] /= samples
    return features


@compiled
def _mean(values: Array, first: int, count: int) -> float:
    total = 0.0
    for n in range(first, first + count):
        total += values[n]
    return total / count


@compiled
def _compress(features: Array, floor_uv: float, scale_uv: float) -> None:
    """Compress amplitudes (frames, channels, 5) in place.

    As `models.signal.compression` does, in one step for what are eight there.
    """
    for k in range(features.shape[0]):
        for channel in range(features.shape[1]):
            row = features[k, channel]
            row[0] = np.arcsinh(row[0] / scale_uv)
            row[1] = 0.5 * np.log1p(row[1] / floor_uv**2)
            row[2] = 0.5 * np.log1p(row[2] / floor_uv**2)
            row[4] = np.log1p(row[4] / floor_uv)
