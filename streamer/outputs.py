"""The run directory and what is written into it."""

from pathlib import Path
from typing import Self

from drivers.errors import StreamerError


class OutputError(StreamerError):
    """A file or directory cannot be written."""


class RunDirectory:
    """A directory of its own for each run.

    Attributes
    ----------
    path : Path
        The directory.
    """

    AUDIO = "audio.wav"
    UTTERANCES = "utterances"
    ESTIMATES = "estimates.jsonl"
    LATENCY = "latency.json"
    SUMMARY = "summary.json"

    path: Path

    @classmethod
    def create(cls, path: Path | None = None) -> Self:
        """Make the directory; without a path ``runs/<date-time>``.

        Raises
        ------
        OutputError
            It exists already, or cannot be made or written.
        """
        raise NotImplementedError
