"""Speech against rest, frame by frame."""

from models.inference import OnnxModel
from models.signal.operator import Array
from models.signal.stacking import Stacking


class ActivityDetector:
    """Give each frame of EMG features its probability of speech.

    The graph takes ``features`` (n, columns) and returns ``probabilities`` (n, 2): rest and
    speech. It looks back, never ahead.

    Parameters
    ----------
    model : OnnxModel
        The graph.
    stacking : Stacking
        The past of a frame.
    """

    def __init__(self, model: OnnxModel, stacking: Stacking) -> None:
        self._stream = model.stream()
        self._stacking = stacking

    @property
    def delay_s(self) -> float:
        """A frame's own end is all that it waits for."""
        return self._stacking.delay_s

    def process(self, frames: Array) -> Array:
        """Take the next frames of EMG features.

        Parameters
        ----------
        frames : ndarray, shape (n, columns)
            EMG features; n may be 0.

        Returns
        -------
        ndarray, shape (n,)
            Probability of speech.
        """
        return self._detect(self._stacking.process(frames))

    def flush(self) -> Array:
        """Return what the ending epoch still owes, which is nothing; then reset."""
        return self._detect(self._stacking.flush())

    def reset(self) -> None:
        """Forget the past: the next frame is the first of an epoch."""
        self._stacking.reset()

    def _detect(self, stacked: Array) -> Array:
        probabilities: Array = self._stream.process(stacked)[-1][:, 1]
        return probabilities
