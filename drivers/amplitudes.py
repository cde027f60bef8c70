"""Are these amplitudes those of EMG? A wrong unit shows in nothing else.

Measured on the 1256 utterances of the nine sessions of EMG-UKA and of the simulator, over blocks
of a quarter of a second without their mean and slope: in the middle channel, the typical block
has 25 to 165 uV RMS, the loud ones (95 %) have 40 to 243 uV. Amplifiers alone make about 1 uV of
noise. So a thousandth of EMG lies below what any amplifier gives, and EMG in counts of 0.033 uV
above what any face gives. Between the two nothing is said.
"""

from collections import deque
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from drivers.source import Samples

SMALLEST_UV = 1.0
"""RMS in the loud moments of EMG is above it."""
LARGEST_UV = 1000.0
"""RMS in the typical moments of EMG is below it."""

_BLOCK_S = 0.25
_LEAST_BLOCKS = 4  # a second; fewer say nothing
_MOST_BLOCKS = 2400  # ten minutes
_LOUD = 95.0  # percentile


class Amplitudes:
    """How strong EMG is, channel by channel, in the last ten minutes.

    Parameters
    ----------
    labels : sequence of str
        Of the channels.
    rate_hz : float
        Sampling rate.
    """

    def __init__(self, labels: Sequence[str], rate_hz: float) -> None:
        self._labels = tuple(labels)
        size = max(round(_BLOCK_S * rate_hz), 2)
        self._rest = np.empty((size, len(labels)), np.float64)
        self._filled = 0
        self._slope = np.linspace(-1.0, 1.0, size)
        self._slope /= np.sqrt(np.sum(self._slope**2))
        self._rms_uv: deque[NDArray[np.float64]] = deque(maxlen=_MOST_BLOCKS)

    def add(self, emg_uv: Samples) -> None:
        """Take the next samples.

        Parameters
        ----------
        emg_uv : ndarray of float32, shape (n, channels)
            EMG in microvolts; blocks with a lost sample are not judged.
        """
        position = 0
        while position < len(emg_uv):
            step = min(len(self._rest) - self._filled, len(emg_uv) - position)
            self._rest[self._filled : self._filled + step] = emg_uv[position : position + step]
            self._filled += step
            position += step
            if self._filled == len(self._rest):
                self._filled = 0
                self._take(self._rest)

    def _take(self, block: NDArray[np.float64]) -> None:
        """Note the RMS of a block, without offset and drift of the electrodes."""
        if not np.all(np.isfinite(block)):
            return
        constant = np.all(block == block[0], axis=0)
        block = block - block.mean(axis=0)
        block = block - np.outer(self._slope, self._slope @ block)
        self._rms_uv.append(np.where(constant, 0.0, np.sqrt(np.mean(block**2, axis=0))))

    def cautions(self, thing: str) -> list[str]:
        """Say what is implausible for EMG.

        Parameters
        ----------
        thing : str
            Whose EMG it is: ``"talk.xdf"``.

        Returns
        -------
        list of str
            A line for a person each; empty where all is plausible, or too short to tell.
        """
        if len(self._rms_uv) < _LEAST_BLOCKS or not self._labels:
            return []
        rms_uv = np.array(self._rms_uv)
        constant = ~np.any(rms_uv, axis=0)
        if np.all(constant):
            return [f"EMG of {thing} is constant in all channels: nothing was recorded"]
        lines = []
        if np.any(constant):
            names = [label for label, one in zip(self._labels, constant, strict=True) if one]
            lines.append(f"EMG of {thing} is constant in {', '.join(names)}")
        # A unit is wrong in all channels, an electrode is bad in some: the middle one counts.
        rms_uv = rms_uv[:, ~constant]
        typical_uv = float(np.median(np.median(rms_uv, axis=0)))
        loud_uv = float(np.median(np.percentile(rms_uv, _LOUD, axis=0)))
        if loud_uv < SMALLEST_UV:
            lines.append(
                f"EMG of {thing} is too small to be EMG in microvolts: {loud_uv:.2g} uV RMS in its "
                f"loud moments, above {SMALLEST_UV:g} uV is usual. Its unit may be wrong"
            )
        if typical_uv > LARGEST_UV:
            lines.append(
                f"EMG of {thing} is too large to be EMG in microvolts: {typical_uv:.2g} uV RMS in "
                f"most moments, below {LARGEST_UV:g} uV is usual. Its unit may be wrong, or it is "
                "counts"
            )
        return lines
