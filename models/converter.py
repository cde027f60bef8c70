"""EMG features to speech parameters, frame by frame."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.inference import OnnxModel
from models.signal.operator import Array
from models.signal.stacking import Stacking


@dataclass(frozen=True, eq=False)
class SpeechFrames:
    """Parameters of successive speech frames.

    Attributes
    ----------
    mel_cepstrum : ndarray, shape (n, order + 1)
        Spectral envelope and level.
    f0_hz : ndarray, shape (n,)
        Fundamental frequency, also where unvoiced.
    voiced : ndarray of bool, shape (n,)
        Voicing.
    """

    mel_cepstrum: Array
    f0_hz: Array
    voiced: NDArray[np.bool_]

    def __len__(self) -> int:
        """Count the frames."""
        return len(self.mel_cepstrum)


class Converter:
    """Stack the frames of EMG features and run the network on each stack.

    The graph takes ``features`` (n, columns) and returns ``mel_cepstrum``
    (n, order + 1), ``log_f0`` (n, 1) and ``voicing`` (n, 1), a probability; its scalers
    are inside.

    Parameters
    ----------
    model : OnnxModel
        The graph.
    stacking : Stacking
        The context of a frame.
    voicing_threshold : float
        Probability from which on a frame is voiced.
    """

    def __init__(self, model: OnnxModel, stacking: Stacking, voicing_threshold: float) -> None:
        self._model = model
        self._stacking = stacking
        self._voicing_threshold = voicing_threshold

    @property
    def delay_s(self) -> float:
        """Time of the future frames that a frame waits for."""
        return self._stacking.delay_s

    def process(self, frames: Array) -> SpeechFrames:
        """Take the next frames of EMG features and return the speech that they complete.

        Parameters
        ----------
        frames : ndarray, shape (n, columns)
            EMG features; n may be 0.

        Returns
        -------
        SpeechFrames
            As many as are complete, equal within 1e-4 however the frames are grouped.
        """
        return self._convert(self._stacking.process(frames))

    def flush(self) -> SpeechFrames:
        """Return what the ending epoch still owes, its last frame held; then reset."""
        return self._convert(self._stacking.flush())

    def reset(self) -> None:
        """Forget the past: the next frame is the first of an epoch."""
        self._stacking.reset()

    def _convert(self, stacked: Array) -> SpeechFrames:
        # An empty stack runs too: it costs little and gives the right shapes.
        mel_cepstrum, log_f0, voicing = self._model(stacked)
        return SpeechFrames(
            mel_cepstrum, np.exp(log_f0[:, 0]), voicing[:, 0] >= self._voicing_threshold
        )
