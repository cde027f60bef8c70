"""The files of the EMG-UKA corpus, each read on its own.

Layout and formats are those of the EMG-UKA Trial Corpus (Wand, Janke, Schultz 2014:
"The EMG-UKA corpus for electromyographic speech processing").
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from drivers.errors import RecordingError
from drivers.recordings.recording import Segment

MARKER_COLUMN = 6
COLUMNS = 7
RATE_HZ = 600.0
_FRAMES_PER_S = 100  # of the alignments


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
    """

    def __init__(
        self, reason: str, utterance: str, *, value: object = None, allowed: object = None
    ) -> None:
        self.reason = reason
        super().__init__(
            f"{reason} of utterance {utterance}",
            value=value,
            allowed=allowed,
            way_out="copy its files again, or leave it out",
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
        if size == 0 or size % (2 * COLUMNS):
            raise UtteranceError(
                "EMG file truncated",
                utterance,
                value=f"{size} bytes",
                allowed=f"a multiple of {2 * COLUMNS} bytes, one sample of {COLUMNS} channels",
            )
        return np.fromfile(path, "<i2").reshape(-1, COLUMNS)
    except OSError as error:
        raise UtteranceError("no EMG file", utterance, value=path) from error


def read_audio(path: Path, utterance: str) -> tuple[NDArray[np.int16], int]:
    """Read a WAV file.

    Parameters
    ----------
    path : Path
        The file.
    utterance : str
        For the error.

    Returns
    -------
    counts : ndarray of int16, shape (samples, channels)
        Channel 1 is speech, channel 2 the analogue marker.
    rate_hz : int
        Sampling rate.

    Raises
    ------
    UtteranceError
        No file, or no audio file.
    """
    if not path.is_file():
        raise UtteranceError("no audio", utterance, value=f"nothing at {path}")
    try:
        counts, rate_hz = soundfile.read(path, dtype="int16", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise UtteranceError("audio unreadable", utterance, value=error) from error
    return counts, int(rate_hz)


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
            first, last, label = line.split()
            if not 0 <= int(first) <= int(last):
                raise ValueError(f"no stretch of frames: {line!r}")
            start_s, end_s = int(first) / _FRAMES_PER_S, (int(last) + 1) / _FRAMES_PER_S
            segments.append(Segment(start_s, end_s, label))
    return tuple(segments)
