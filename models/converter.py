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
    are inside. One that remembers also takes and returns states, which are zero at the
    beginning of an epoch.

    Parameters
    ----------
    model : OnnxModel
        The graph.
    stacking : Stacking
        The context of a frame.
    voicing_threshold : float
        Probability from which on a frame is voiced.
    ahead : int
        Frames that a network which remembers has heard beyond the one that it describes.
    """

    def __init__(
        self, model: OnnxModel, stacking: Stacking, voicing_threshold: float, ahead: int = 0
    ) -> None:
        self._stream = model.stream()
        self._stacking = stacking
        self._voicing_threshold = voicing_threshold
        self._ahead = ahead
        self._begin()

    @property
    def delay_s(self) -> float:
        """Time of the future frames that a frame waits for."""
        return self._stacking.delay_s + self._ahead * self._stacking.shift_s

    def process(self, frames: Array) -> SpeechFrames:
        """Take the next frames of EMG features and return the speech that they complete.

        Parameters
        ----------
        frames : ndarray, shape (n, columns)
            EMG features; n may be 0.

        Returns
        -------
        SpeechFrames
            As many as are complete: equal however the frames are grouped, to the last bit with
            a converter that remembers, within 1e-4 with the paper's.
        """
        return self._convert(self._stacking.process(frames))

    def flush(self) -> SpeechFrames:
        """Return what the ending epoch still owes, its last frame held; then reset."""
        rest = self._stacking.flush()
        last = rest[-1:] if len(rest) else self._last
        speech = self._convert(np.concatenate((rest, np.repeat(last, self._ahead, axis=0))))
        self.reset()
        return speech

    def reset(self) -> None:
        """Forget the past: the next frame is the first of an epoch."""
        self._stacking.reset()
        self._begin()

    def _begin(self) -> None:
        self._stream.reset()
        self._early = self._ahead  # the first outputs describe frames before the epoch
        self._last = np.empty((0, self._stacking.columns))

    def _convert(self, stacked: Array) -> SpeechFrames:
        # An empty stack runs too: it costs little and gives the right shapes.
        outputs = self._stream.process(stacked)
        if self._ahead and len(stacked):
            self._last = stacked[-1:].copy()
        if self._early:
            early = min(self._early, len(stacked))
            self._early -= early
            outputs = [output[early:] for output in outputs]
        mel_cepstrum, log_f0, voicing = outputs
        return SpeechFrames(
            mel_cepstrum, np.exp(log_f0[:, 0]), voicing[:, 0] >= self._voicing_threshold
        )
