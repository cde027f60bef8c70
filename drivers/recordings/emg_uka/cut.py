"""The part of an utterance's EMG and audio that belongs together.

The corpus gives it in an offset file; without one it follows from the markers, which
were put into both signals at one instant.
"""

import math
import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drivers.recordings.emg_uka.files import MARKER_COLUMN, RATE_HZ, UtteranceError

# Both signals begin this long after the marker (0.2 s): so in all offset files.
_EMG_AFTER_MARKER = 120
_AUDIO_AFTER_MARKER_S = 0.2
_OFFSET = re.compile(r"\s*(\d{1,9})\s+(\d{1,9})\s+(\d{1,9})\s+(\d{1,9})\s*", re.ASCII)


@dataclass(frozen=True)
class Cut:
    """The part of EMG and audio that belongs together, ends exclusive.

    Attributes
    ----------
    audio_start, audio_end : int
        Samples of the audio.
    emg_start, emg_end : int
        Samples of the EMG.
    """

    audio_start: int
    audio_end: int
    emg_start: int
    emg_end: int


def parse_offset(text: str, utterance: str) -> Cut:
    r"""Read an offset file: first and last sample of the audio, then of the EMG.

    Parameters
    ----------
    text : str
        Two lines of two numbers, 0-based and inclusive: ``"3669 96014\n165 3627"``.
    utterance : str
        For the error.

    Returns
    -------
    Cut
        With exclusive ends.

    Raises
    ------
    UtteranceError
        It is none, or a stretch is empty.
    """
    match = _OFFSET.fullmatch(text)
    if match is not None:
        audio_start, audio_last, emg_start, emg_last = (int(number) for number in match.groups())
        if audio_start <= audio_last and emg_start <= emg_last:
            return Cut(audio_start, audio_last + 1, emg_start, emg_last + 1)
    raise UtteranceError(
        "offset unreadable",
        utterance,
        value=repr(text[:40]),
        allowed="two lines, the first and the last sample of the audio and of the EMG",
    )


def marker_cut(
    counts: NDArray[np.int16],
    audio: NDArray[np.float32] | None,
    audio_rate_hz: float | None,
    utterance: str,
) -> Cut:
    """Cut EMG and audio from their markers on, to the length of the shorter.

    Parameters
    ----------
    counts : ndarray of int16, shape (n, 7)
        EMG file, its marker in the last column.
    audio : ndarray of float32, shape (samples, 2), optional
        Speech and the analogue marker.
    audio_rate_hz : float, optional
        Sampling rate of `audio`.
    utterance : str
        For the error.

    Returns
    -------
    Cut
        May lie outside of the files where the marker comes too late.

    Raises
    ------
    UtteranceError
        There is no marker.
    """
    edge = rising_edge(counts)
    pulse = None if audio is None else _pulse(audio)
    if edge is None or (audio is not None and pulse is None):
        raise UtteranceError(
            "no offset file and no marker",
            utterance,
            allowed="a rising edge in the last EMG channel and a pulse in audio channel 2",
        )
    emg_start = edge + _EMG_AFTER_MARKER
    if audio is None or pulse is None or audio_rate_hz is None:
        return Cut(0, 0, emg_start, len(counts))
    audio_start = pulse + round(_AUDIO_AFTER_MARKER_S * audio_rate_hz)
    emg_s = (len(counts) - emg_start) / RATE_HZ
    audio_s = (len(audio) - audio_start) / audio_rate_hz
    common_s = min(emg_s, audio_s)
    return Cut(
        audio_start,
        audio_start + round(common_s * audio_rate_hz),
        emg_start,
        emg_start + math.floor(common_s * RATE_HZ + 1e-6),
    )


def check_cut(cut: Cut, emg_length: int, audio_length: int | None, utterance: str) -> None:
    """Refuse a cut that lies outside of the files.

    Parameters
    ----------
    cut : Cut
        What is to be cut out.
    emg_length, audio_length : int
        Samples in the files; None where there is no audio.
    utterance : str
        For the error.

    Raises
    ------
    UtteranceError
        It does.
    """
    if not 0 <= cut.emg_start < cut.emg_end <= emg_length:
        raise UtteranceError(
            "offset outside of the EMG",
            utterance,
            value=f"samples {cut.emg_start} to {cut.emg_end - 1}",
            allowed=f"0 to {emg_length - 1}",
        )
    if audio_length is not None and not 0 <= cut.audio_start < cut.audio_end <= audio_length:
        raise UtteranceError(
            "offset outside of the audio",
            utterance,
            value=f"samples {cut.audio_start} to {cut.audio_end - 1}",
            allowed=f"0 to {audio_length - 1}",
        )


def rising_edge(counts: NDArray[np.int16]) -> int | None:
    """Find the marker in the EMG.

    Parameters
    ----------
    counts : ndarray of int16, shape (n, 7)
        EMG file, its marker in the last column.

    Returns
    -------
    int or None
        First sample after the rise, None if there is no rise.
    """
    steps = np.flatnonzero(np.diff(counts[:, MARKER_COLUMN].astype(np.int32)) > 0)
    return int(steps[0]) + 1 if len(steps) else None


def _pulse(audio: NDArray[np.float32]) -> int | None:
    """Sample of the marker in the audio, None if there is none."""
    if audio.shape[1] < 2 or np.ptp(audio[:, 1]) == 0:
        return None
    return int(np.argmax(audio[:, 1]))
