"""The natural speech of an utterance, and whether it is any."""

import numpy as np
from numpy.typing import NDArray

from drivers.errors import RecordingError
from drivers.recordings.emg_uka.cut import Cut
from drivers.recordings.emg_uka.files import RATE_HZ, UtteranceError

Speech = NDArray[np.float32]

SILENT_AUDIO = "silent audio"
"""What an utterance lacks that was spoken aloud or whispered, and in whose audio nothing is."""

_SILENT = 4 * 2.0**-15  # peak to peak: what a converter makes of an open input
_FULL_SCALE = 1 - 2.0**-15
_UNEQUAL_S, _UNEQUAL_PART = 0.1, 0.1


def cut_speech(
    audio: Speech | None, audio_rate_hz: float | None, cut: Cut, utterance: str
) -> Speech | None:
    """Return the speech that belongs to the EMG.

    Parameters
    ----------
    audio : ndarray of float32, shape (samples, channels), optional
        Speech and the analogue marker; None where there is none.
    audio_rate_hz : float, optional
        Its sampling rate.
    cut : Cut
        What belongs together.
    utterance : str
        For the error.

    Returns
    -------
    ndarray of float32, shape (n,), or None
        Channel 1.

    Raises
    ------
    UtteranceError
        It does not last as long as the EMG: the offsets are of another rate, or another file.
    """
    if audio is None or audio_rate_hz is None:
        return None
    audio_s = (cut.audio_end - cut.audio_start) / audio_rate_hz
    emg_s = (cut.emg_end - cut.emg_start) / RATE_HZ
    if abs(audio_s - emg_s) > _UNEQUAL_S + _UNEQUAL_PART * emg_s:
        raise UtteranceError(
            "audio and EMG of unequal length",
            utterance,
            value=f"{audio_s:.2f} s of audio at {audio_rate_hz:g} Hz, {emg_s:.2f} s of EMG",
        )
    return audio[cut.audio_start : cut.audio_end, 0]


def is_silent(speech: Speech) -> bool:
    """Say whether there is nothing but an offset, and the noise of a converter."""
    return bool(np.ptp(speech) <= _SILENT)


def clipped_samples(speech: Speech) -> int:
    """Count the samples at full scale and beyond."""
    return int((np.abs(speech) >= _FULL_SCALE).sum())


def refuse_silence(files: list[str]) -> None:
    """Refuse to learn from audio in which nothing is.

    Parameters
    ----------
    files : list of str
        Of audible and whispered utterances; audio of silent ones needs no sound.

    Raises
    ------
    RecordingError
        There is one or more; it names them.
    """
    if files:
        raise RecordingError(
            f"audio of {len(files)} audible or whispered utterances",
            value=f"silent or constant: {few(files)}",
            allowed="speech",
            way_out="export their audio again, or take them out of the files in Subsets",
        )


def few(names: list[str], most: int = 3) -> str:
    """Name the first ones, and count the others."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
