"""The files of the EMG-UKA corpus, each read on its own.

Layout and formats are those of the EMG-UKA Trial Corpus (Wand, Janke, Schultz 2014:
"The EMG-UKA corpus for electromyographic speech processing").
"""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from drivers.errors import RecordingError
from drivers.outside.names import clean, shown
from drivers.outside.texts import read_text
from drivers.recordings.checked import MOST_PEAK
from drivers.recordings.recording import Segment

MARKER_COLUMN = 6
COLUMNS = 7
SAMPLE_BYTES = 2 * COLUMNS
RATE_HZ = 600.0
_FRAMES_PER_S = 100  # of the alignments
_MOST_EMG_BYTES = 2**30  # 35 hours
_PHONE = re.compile(r"\s*(\d{1,9})\s+(\d{1,9})\s+(\S+)\s*", re.ASCII)


class UtteranceError(RecordingError):
    """One utterance of a corpus is damaged.

    Parameters
    ----------
    reason : str
        What is wrong, the same words for every utterance: skips are counted by it.
    utterance : str
        Its name.
    value : object, optional
        What was found.
    allowed : object, optional
        What would be right.
    way_out : str
        What to do.
    """

    def __init__(
        self,
        reason: str,
        utterance: str,
        *,
        value: object = None,
        allowed: object = None,
        way_out: str = "copy its files again, or leave it out",
    ) -> None:
        self.reason = reason
        super().__init__(
            f"{reason} of utterance {utterance}", value=value, allowed=allowed, way_out=way_out
        )


@dataclass(frozen=True)
class UtterancePaths:
    """Where the files of one utterance lie.

    Attributes
    ----------
    root : Path
        Corpus directory.
    name : str
        Utterance as `speaker-session-number`: ``"002-001-0100"``.
    """

    root: Path
    name: str

    def _path(self, folder: str, prefix: str, suffix: str) -> Path:
        speaker, session, _ = self.name.split("-")
        return self.root / folder / speaker / session / f"{prefix}_{self._stem}.{suffix}"

    @property
    def _stem(self) -> str:
        return self.name.replace("-", "_")

    @property
    def emg(self) -> Path:
        """Six channels of EMG and the marker."""
        return self._path("emg", "e07", "adc")

    @property
    def audio(self) -> Path:
        """Speech and the analogue marker."""
        return self._path("audio", "a", "wav")

    @property
    def offset(self) -> Path:
        """The part of both that belongs together."""
        return self._path("offset", "offset", "txt")

    @property
    def phones(self) -> Path:
        """Phone alignment."""
        return self._path("Alignments", "phones", "txt")

    @property
    def transcript(self) -> Path:
        """What was said."""
        return self._path("Transcripts", "transcript", "txt")


def read_counts(path: Path, utterance: str) -> NDArray[np.int16]:
    """Read an `.adc` file: little-endian int16, channels interleaved, no header.

    Parameters
    ----------
    path : Path
        The file.
    utterance : str
        For the error.

    Returns
    -------
    ndarray of int16, shape (n, 7)
        Six channels of EMG and the marker, in counts.

    Raises
    ------
    UtteranceError
        No file, or its size is no whole number of samples.
    """
    try:
        size = path.stat().st_size
        if size == 0 or size % SAMPLE_BYTES or size > _MOST_EMG_BYTES:
            raise UtteranceError(
                "EMG file truncated" if size <= _MOST_EMG_BYTES else "EMG file too large",
                utterance,
                value=f"{size} bytes",
                allowed=f"a multiple of {SAMPLE_BYTES} bytes, one sample of {COLUMNS} channels",
            )
        return np.fromfile(path, "<i2").reshape(-1, COLUMNS)
    except OSError as error:
        raise UtteranceError("no EMG file", utterance, value=path) from error


def read_audio(path: Path, utterance: str) -> tuple[NDArray[np.float32], int]:
    """Read a file of sound, in whatever format of samples.

    Parameters
    ----------
    path : Path
        The file: WAV of integers or floats, or what else libsndfile knows.
    utterance : str
        For the error.

    Returns
    -------
    audio : ndarray of float32, shape (samples, channels)
        Channel 1 is speech, channel 2 the analogue marker; full scale is 1.
    rate_hz : int
        Sampling rate.

    Raises
    ------
    UtteranceError
        No file, no audio file, or one whose values are not finite or on no scale.
    """
    if not path.is_file():
        raise UtteranceError("no audio", utterance, value=f"nothing at {path}")
    try:
        audio, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
    except (soundfile.SoundFileError, OSError) as error:
        raise UtteranceError("audio unreadable", utterance, value=error) from error
    if not np.isfinite(audio).all():
        raise UtteranceError("audio not finite", utterance, value="NaN or infinite samples")
    peak = np.abs(audio).max(initial=0.0)
    if peak > MOST_PEAK:
        raise UtteranceError(
            "audio on no scale", utterance, value=f"peak {peak:g}", allowed="a full scale of 1"
        )
    return audio, int(rate_hz)


def read_utterance_text(path: Path, reason: str, utterance: str) -> str:
    """Read an offset file, an alignment or a transcript.

    Parameters
    ----------
    path : Path
        The file.
    reason, utterance : str
        For the error.

    Returns
    -------
    str
        With what is no UTF-8 replaced.

    Raises
    ------
    UtteranceError
        It cannot be read, or is too large to be one.
    """
    try:
        return read_text(path, path.name, RecordingError, errors="replace")
    except (RecordingError, OSError) as error:
        raise UtteranceError(reason, utterance, value=error) from error


def parse_alignment(text: str) -> tuple[Segment, ...]:
    r"""Read an alignment: first and last 10 ms frame, both inclusive, and a label a line.

    Parameters
    ----------
    text : str
        Such as ``"0 49 SIL\n50 64 DH"``; may be empty.

    Returns
    -------
    tuple of Segment
        In seconds.

    Raises
    ------
    ValueError
        A line is no such line.
    """
    segments = []
    for line in text.splitlines():
        if line.strip():
            match = _PHONE.fullmatch(line)
            if match is None or int(match[1]) > int(match[2]):
                raise ValueError(f"no stretch of frames: {shown(line, 40)!r}")
            start_s, end_s = int(match[1]) / _FRAMES_PER_S, (int(match[2]) + 1) / _FRAMES_PER_S
            segments.append(Segment(start_s, end_s, clean(match[3])))
    return tuple(segments)
