"""Time-domain features of EMG, as the EMG-UKA corpus defines them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final, Literal

import numpy as np
from pydantic import Field

from drivers.errors import StreamerError
from models.bounds import check_bounds
from models.signal import kernels
from models.signal.compression import Microvolts
from models.signal.framing import FrameGrid, Framer, FrameSeconds, ShiftSeconds
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
    frame_s: FrameSeconds = 0.027
    shift_s: ShiftSeconds = 0.010
    taps: Annotated[int, Field(ge=1, le=1023)] = 9
    smoothing: Side = "centred"
    log: bool = True
    floor_uv: Microvolts = 5.0
    scale_uv: Microvolts = 10.0

    def __post_init__(self) -> None:
        """Refuse averages without a centre, and constants that are no amplitude."""
        check_bounds(self, "TD features")
        if self.taps % 2 == 0:
            raise StreamerError(
                "taps of the moving average", value=self.taps, allowed="1, 3, 5, ..."
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

    Attributes
    ----------
    before, after : int
        Samples around a frame that its smoothing sees.
    """

    def __init__(self, settings: TDSettings, rate_hz: float, channels: int) -> None:
        self.settings = settings
        self.rate_hz = rate_hz
        self.channels = channels
        self.grid = FrameGrid(rate_hz, settings.frame_s, settings.shift_s)
        around = settings.taps - 1
        self.after = around if settings.smoothing == "centred" else 0
        self.before = 2 * around - self.after
        self._framer = Framer(self.grid, channels, self.before, self.after)

    @property
    def columns(self) -> int:
        """Features in a frame."""
        return self.channels * len(FEATURES)

    @property
    def delay_s(self) -> float:
        """Half a frame and the smoothing: from a frame's centre to its last input."""
        return (self.grid.length / 2 + self.after) / self.rate_hz

    @property
    def reach_s(self) -> float:
        """From a frame's first sample to behind its last input."""
        return (self.grid.length + self.after) / self.rate_hz

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
        how = self.settings
        return kernels.td_features(
            windows, how.taps, self.before, how.log, how.scale_uv, how.floor_uv
        )

    def flush(self) -> Array:
        """Return the frames that lie wholly inside the ended signal; then reset.

        Returns
        -------
        ndarray, shape (frames, columns)
            Features whose smoothing has reached into the zeros after the signal.
        """
        rest = self.process(np.zeros((self.after, self.channels)))
        self.reset()
        return rest

    def reset(self) -> None:
        """Forget the past: the next sample is the first of an epoch."""
        self._framer.reset()
