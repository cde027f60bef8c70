"""The two models that run at every frame: how it sounds, and whether somebody speaks."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.compiled import compiled
from models.inference import OnnxModel
from models.signal.operator import Array
from models.signal.stacking import Stacking, StackingSettings


@dataclass(frozen=True, eq=False)
class SpeechFrames:
    """Parameters of successive speech frames.

    Attributes
    ----------
    mel_cepstrum : ndarray, shape (n, order + 1)
        Spectral envelope and level; NaN where the converter gave nothing that can be right.
    f0_hz : ndarray, shape (n,)
        Fundamental frequency, also where unvoiced; NaN where the mel-cepstrum is.
    voiced : ndarray of bool, shape (n,)
        Voicing.
    """

    mel_cepstrum: Array
    f0_hz: Array
    voiced: NDArray[np.bool_]

    def __len__(self) -> int:
        """Count the frames."""
        return len(self.mel_cepstrum)


class FrameModels:
    """EMG features to speech parameters and to the probability of speech, frame by frame.

    The converter's graph takes ``features`` (n, columns) and returns ``mel_cepstrum``
    (n, order + 1), ``log_f0`` (n, 1) and ``voicing`` (n, 1), a probability; its scalers
    are inside. One that remembers also takes and returns states, which are zero at the
    beginning of an epoch.

    The gate takes stacked features and returns ``probabilities`` (n, 2) of rest and speech. It
    looks back, never ahead. It is a graph of its own, or part of the converter's, which then
    takes ``context`` and returns ``probabilities`` as well: at the pace of life, running a graph
    costs far more than running the gate.

    Parameters
    ----------
    converter : OnnxModel
        The converter's graph.
    stacking : Stacking
        The context of a frame for the converter.
    gate : OnnxModel or None
        The gate's graph; None where the converter's has it.
    context : Stacking
        The past of a frame for the gate.
    voicing_threshold : float
        Probability from which on a frame is voiced.
    ahead : int
        Frames that a converter which remembers has heard beyond the one that it describes.
    """

    def __init__(
        self,
        converter: OnnxModel,
        stacking: Stacking,
        gate: OnnxModel | None,
        context: Stacking,
        voicing_threshold: float,
        ahead: int = 0,
    ) -> None:
        self._converter = converter.stream(ahead)
        self._stacking = stacking
        self._alone = stacking.settings == StackingSettings(0, 0)
        self._gate = None if gate is None else gate.stream()
        self._context = context
        self._voicing_threshold = voicing_threshold
        self._ahead = ahead
        self._begin()

    @property
    def implausible_frames(self) -> int:
        """Count the frames for which a graph gave no numbers, or none that can be right."""
        gate = 0 if self._gate is None else self._gate.implausible
        return self._converter.implausible + gate

    @property
    def delay_s(self) -> float:
        """Time of the future frames that a speech frame waits for; the gate waits for none."""
        return self._stacking.delay_s + self._ahead * self._stacking.shift_s

    def process(self, frames: Array, joined: Array) -> tuple[Array, SpeechFrames]:
        """Take the next frames of EMG features and return the speech that they complete.

        Parameters
        ----------
        frames : ndarray, shape (n, columns)
            TD features, which the gate looks at; n may be 0.
        joined : ndarray, shape (n, columns + more columns)
            The same frames as the converter sees them.

        Returns
        -------
        activity : ndarray, shape (n,)
            Probability of speech; equal within 1e-12 however the frames are grouped. NaN where
            the gate gave nothing that can be right.
        speech : SpeechFrames
            As many as are complete: equal however the frames are grouped, to the last bit with
            a converter that remembers, within 1e-4 with the paper's.
        """
        context = self._context.process(frames)
        stacked = joined if self._alone else self._stacking.process(joined)
        if self._gate is None:
            *speech, probabilities = self._converter.process(stacked, context)
        else:
            speech = self._converter.process(stacked)
            probabilities = self._gate.process(context)[-1]
        return self._read(stacked, speech, probabilities)

    def flush(self) -> SpeechFrames:
        """Return what the ending epoch still owes, its last frame held; then reset."""
        rest = self._stacking.flush()
        last = rest[-1:] if len(rest) else self._last
        stacked = np.concatenate((rest, np.repeat(last, self._ahead, axis=0)))
        if self._gate is None:
            nothing = np.zeros((len(stacked), self._context.columns))
            *speech, _ = self._converter.process(stacked, nothing)
        else:
            speech = self._converter.process(stacked)
        _, frames = self._read(stacked, speech, np.empty((0, 2)))
        self.reset()
        return frames

    def reset(self) -> None:
        """Forget the past: the next frame is the first of an epoch."""
        self._stacking.reset()
        self._context.reset()
        self._begin()

    def _begin(self) -> None:
        self._converter.reset()
        self._early = self._ahead  # the first outputs describe frames before the epoch
        self._last = np.empty((0, self._stacking.columns))

    def _read(
        self, stacked: Array, outputs: list[NDArray[Any]], probabilities: Array
    ) -> tuple[Array, SpeechFrames]:
        """Return what the graphs said of some rows."""
        if self._ahead and len(stacked):
            self._last = stacked[-1:].copy()
        if self._early:
            early = min(self._early, len(stacked))
            self._early -= early
            outputs = [output[early:] for output in outputs]
        mel_cepstrum, log_f0, voicing = outputs
        threshold = self._voicing_threshold
        activity, mel, f0_hz, voiced = _copied(
            mel_cepstrum, log_f0, voicing, probabilities, threshold
        )
        return activity, SpeechFrames(mel, f0_hz, voiced)


@compiled
def _copied(
    mel_cepstrum: NDArray[Any],
    log_f0: NDArray[Any],
    voicing: NDArray[Any],
    probabilities: NDArray[Any],
    threshold: float,
) -> tuple[Array, Array, Array, NDArray[np.bool_]]:
    """Return copies of outputs: activity, mel-cepstrum, F0 and voicing."""
    f0_hz, voiced = np.empty(len(log_f0)), np.empty(len(log_f0), dtype=np.bool_)
    for k in range(len(log_f0)):
        f0_hz[k] = np.exp(np.float64(log_f0[k, 0]))
        voiced[k] = voicing[k, 0] >= threshold
    activity = probabilities[:, 1].astype(np.float64)
    return activity, mel_cepstrum.astype(np.float64), f0_hz, voiced
