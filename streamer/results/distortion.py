"""How far a converted utterance is from natural speech."""

import numpy as np
import scipy

from drivers.recordings.recording import Recording
from models.evaluation.metrics.distortion import mel_cepstral_distortion
from models.signal.operator import Array
from models.speech.analysis import SpeechSettings, mel_cepstrum


def incomparable(recording: Recording) -> str | None:
    """Say why a recording has no natural speech to compare with, None where it has some.

    Parameters
    ----------
    recording : Recording
        Of an utterance.

    Returns
    -------
    str or None
        For people.
    """
    if recording.mode in ("silent", "whispered"):
        return f"{recording.mode} speech has no natural speech to compare with"
    if recording.audio is None or recording.audio_rate_hz is None:
        return "the recording has no sound to compare with"
    if recording.mode != "audible":
        return "the recording does not say that its speech is audible"
    return None


def utterance_mcd(
    converted: Array, recording: Recording, lead_frames: int, settings: SpeechSettings
) -> float | None:
    """Compare what the converter predicted with the natural speech that it stands for.

    Parameters
    ----------
    converted : ndarray, shape (frames, order + 1)
        The converter's mel-cepstra for all EMG frames of the recording.
    recording : Recording
        The same utterance.
    lead_frames : int
        Speech frame k + lead belongs to EMG frame k.
    settings : SpeechSettings
        How the converter's targets were analysed.

    Returns
    -------
    float or None
        MCD in dB over all frames, silence included; None where there are no frames, or the
        recording is `incomparable`.

    Raises
    ------
    SignalMismatchError
        The recording has another length, as where a run ended in the middle of it.
    """
    if incomparable(recording) is not None or not len(converted):
        return None
    assert recording.audio is not None
    assert recording.audio_rate_hz is not None
    audio = recording.audio
    if recording.audio_rate_hz != settings.rate_hz:
        audio = scipy.signal.resample_poly(audio, settings.rate_hz, round(recording.audio_rate_hz))
    natural = mel_cepstrum(np.asarray(audio, dtype=np.float64), settings)[lead_frames:]
    # Frames that are predicted beyond the end of the speech have nothing to compare with.
    spare = min(lead_frames, max(0, len(converted) - len(natural)))
    return mel_cepstral_distortion(converted[: len(converted) - spare], natural)
