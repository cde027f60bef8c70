"""Converted speech against natural speech: of one utterance, and of a set of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.evaluation.metrics.correlation import concordance
from models.evaluation.metrics.distortion import dtw_path, frame_distortion
from models.evaluation.metrics.intelligibility import extended_stoi
from models.evaluation.metrics.pitch import PitchErrors, pitch_errors
from models.frame_models import SpeechFrames
from models.signal.operator import Array
from models.speech.analysis import SpeechSettings
from models.speech.vocoder import Vocoder
from models.training.examples import Speech


@dataclass(frozen=True, eq=False)
class Measured:
    """One utterance.

    Attributes
    ----------
    mcd_db : float
        Mean over its frames, or over the alignment's path.
    made, natural : ndarray, shape (n, order + 1)
        Mel-cepstra that belong together.
    pitch : PitchErrors
        Over the same pairs.
    estoi : float or None
        Of the sound that the vocoder makes of it.
    """

    mcd_db: float
    made: Array
    natural: Array
    pitch: PitchErrors
    estoi: float | None


def measure(
    made: SpeechFrames, natural: Speech, audio: Array, settings: SpeechSettings, *, aligned: bool
) -> Measured:
    """Measure an utterance against natural speech.

    Parameters
    ----------
    made : SpeechFrames
        What the converter made.
    natural : Speech
        The parallel speech, or that of the same sentence, spoken at another time.
    audio : ndarray, shape (samples,)
        Its sound.
    settings : SpeechSettings
        Of both.
    aligned : bool
        Align the two by dynamic time warping; else frame k belongs to frame k.

    Returns
    -------
    Measured
        With an alignment the distortion is the mean over its path (DTW-MCD), and the sound is
        made of the first frame that belongs to each natural one.
    """
    if aligned:
        path = dtw_path(made.mel_cepstrum, natural.mel_cepstrum)
    else:
        count = min(len(made), len(natural.mel_cepstrum))
        path = np.repeat(np.arange(count)[:, np.newaxis], 2, axis=1)
    ours, theirs = path[:, 0], path[:, 1]
    mel, reference = made.mel_cepstrum[ours], natural.mel_cepstrum[theirs]
    errors = pitch_errors(
        made.f0_hz[ours], made.voiced[ours], np.exp(natural.log_f0[theirs]), natural.voiced[theirs]
    )
    once = ours[np.unique(theirs, return_index=True)[1]]
    voice = _sound(made, once, len(audio), settings)
    return Measured(
        float(frame_distortion(mel, reference).mean()),
        mel,
        reference,
        errors,
        extended_stoi(voice, audio, settings.rate_hz),
    )


def _sound(
    made: SpeechFrames, numbers: NDArray[np.intp], length: int, settings: SpeechSettings
) -> Array:
    vocoder = Vocoder(settings)
    voice = vocoder.process(made.mel_cepstrum[numbers], made.f0_hz[numbers], made.voiced[numbers])
    return np.concatenate((voice, vocoder.finish(length)))


def summary(measured: Sequence[Measured], name: str) -> dict[str, Any] | None:
    """Put the utterances of a session together.

    Parameters
    ----------
    measured : sequence of Measured
        Its utterances.
    name : str
        Of the distortion: ``"mcd_db"`` or ``"dtw_mcd_db"``.

    Returns
    -------
    dict or None
        The distortion's mean over utterances, the CCC of each coefficient over all frames,
        errors of F0, ESTOI, and each utterance's distortion; None without utterances.
    """
    if not measured:
        return None
    ccc = concordance(
        np.concatenate([one.made for one in measured]),
        np.concatenate([one.natural for one in measured]),
    )
    weights = np.array([one.pitch.both_voiced_frames for one in measured], dtype=np.float64)
    squares = np.array([(one.pitch.rmse_cents or 0.0) ** 2 for one in measured])
    frames = np.array([one.pitch.frames for one in measured], dtype=np.float64)
    wrong = np.array([one.pitch.voicing_error for one in measured])
    estoi = [one.estoi for one in measured if one.estoi is not None]
    voiced = float(weights.sum())
    return {
        name: float(np.mean([one.mcd_db for one in measured])),
        "ccc": [None if np.isnan(value) else float(value) for value in ccc],
        "f0_rmse_cents": float(np.sqrt((weights * squares).sum() / voiced)) if voiced else None,
        "voicing_error": float((frames * wrong).sum() / frames.sum()),
        "estoi": float(np.mean(estoi)) if estoi else None,
        "estoi_utterances": len(estoi),
        "utterances": len(measured),
        f"each_{name}": [one.mcd_db for one in measured],
    }
