"""Embeddings of windows: what a network says of slices of frames, brought together."""

from collections.abc import Callable

import numpy as np

from models.manifest import EncoderPart
from models.signal.operator import Array


def slices_of(frames: Array, length: int, shift: int) -> Array:
    """Cut frames into slices.

    Parameters
    ----------
    frames : ndarray, shape (n, columns)
        One or more; fewer than a slice are lengthened by the last one.
    length, shift : int
        Frames of a slice, and from one slice to the next.

    Returns
    -------
    ndarray, shape (slices, length, columns)
        At least one; the first begins where the frames do.
    """
    lacking = length - len(frames)
    if lacking > 0:
        frames = np.pad(frames, ((0, lacking), (0, 0)), mode="edge")
    starts = np.arange(0, len(frames) - length + 1, shift)
    slices: Array = frames[starts[:, np.newaxis] + np.arange(length)]
    return slices


class Encoder:
    """A window's embedding: the mean of its slices' embeddings, brought to length 1.

    So Wan et al. (2018) make the d-vector of an utterance from the windows that slide over it.
    Slices that the window before had too are not run again: of a window that moves on by a
    slice's shift, that is all but the newest. What a slice is run along with changes its
    embedding by rounding only, some 1e-7.

    Parameters
    ----------
    model : callable
        Takes slices (n, length, columns), returns their embeddings (n, size) first.
    part : EncoderPart
        How frames are cut into slices.
    """

    def __init__(self, model: Callable[[Array], list[Array]], part: EncoderPart) -> None:
        self._model = model
        self._part = part
        self._known: dict[bytes, Array] = {}

    def __call__(self, frames: Array) -> Array:
        """Embed a window.

        Parameters
        ----------
        frames : ndarray, shape (n, columns)
            Its TD features, one frame or more.

        Returns
        -------
        ndarray, shape (size,)
            Of length 1.
        """
        slices = slices_of(frames, self._part.slice_frames, self._part.slice_shift)
        keys = [one.tobytes() for one in slices]
        known = self._known
        new = [number for number, key in enumerate(keys) if key not in known]
        if new:
            made = self._model(slices[new])[0]
            known = known | {keys[number]: one for number, one in zip(new, made, strict=True)}
        embeddings = [known[key] for key in keys]
        self._known = dict(zip(keys, embeddings, strict=True))
        mean: Array = np.mean(embeddings, axis=0)
        return mean / max(float(np.linalg.norm(mean)), 1e-12)
