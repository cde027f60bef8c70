"""The directory that a run leaves."""

import os
import tempfile
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Self

from drivers.errors import StreamerError
from drivers.outside import strict_json
from drivers.outside.names import file_name

_RESERVED_BYTES = 32 * 1024  # a summary of a hundred utterances


class OutputError(StreamerError):
    """A file or directory cannot be written."""


class RunDirectory:
    """A directory of its own for each run: nothing is ever overwritten.

    Parameters
    ----------
    path : Path
        An empty directory; `create` makes one.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._utterances: set[str] = set()

    @classmethod
    def create(cls, path: Path | None = None) -> Self:
        """Make the directory.

        Parameters
        ----------
        path : Path, optional
            By default ``runs/<date and time>``.

        Returns
        -------
        RunDirectory
            Empty.

        Raises
        ------
        OutputError
            It exists already, or it cannot be made or written.
        """
        if path is None:
            path = _unused(Path("runs") / datetime.now().strftime("%Y-%m-%d_%H-%M-%S"))
        try:
            path.mkdir(parents=True)
        except FileExistsError:
            raise OutputError(
                f"output directory {path}",
                value="it exists",
                allowed="a new one: nothing is overwritten",
                way_out="choose another with --out",
            ) from None
        except OSError as error:
            raise _unwritable(path, error) from None
        if not os.access(path, os.W_OK):
            raise _unwritable(path, PermissionError(None, "it cannot be written"))
        return cls(path)

    @property
    def audio(self) -> Path:
        """The voice of the whole session."""
        return self.path / "audio.wav"

    @property
    def estimates(self) -> Path:
        """One JSON object a line."""
        return self.path / "estimates.jsonl"

    @property
    def recording(self) -> Path:
        """EMG and all that came of it, where that is wanted."""
        return self.path / "recording.xdf"

    @property
    def latency(self) -> Path:
        """Where the time went."""
        return self.path / "latency.json"

    @property
    def summary(self) -> Path:
        """What the session did."""
        return self.path / "summary.json"

    def utterance(self, name: str) -> Path:
        """Return a new path for the voice of one utterance.

        Parameters
        ----------
        name : str
            Of the utterance, made a file's name by `file_name`; what comes again, as in a
            loop, gets a number.

        Returns
        -------
        Path
            ``utterances/<name>.wav``; its directory exists.
        """
        folder = self.path / "utterances"
        folder.mkdir(exist_ok=True)
        stem = file_name(name)
        unique, number = stem, 1
        while unique.casefold() in self._utterances:  # one file on some systems
            number += 1
            unique = f"{stem}-{number}"
        self._utterances.add(unique.casefold())
        return folder / f"{unique}.wav"


class Reserve:
    """Space on the disk, for what is written in the end: others may have filled it by then.

    Parameters
    ----------
    folder : Path
        Where it is kept, in a file without a name; none where there is no room.
    """

    def __init__(self, folder: Path) -> None:
        self._file: IO[bytes] | None = None
        with suppress(OSError):
            self._file = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115 - kept
            self._file.write(bytes(_RESERVED_BYTES))

    def free(self) -> None:
        """Give it back; may be called twice."""
        if self._file is not None:
            self._file.close()


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write a file that is there as a whole or not at all.

    Parameters
    ----------
    path : Path
        The file; one that exists is replaced.
    content : dict
        As for `strict_json.to_json`.

    Raises
    ------
    OutputError
        It cannot be written.
    """
    try:
        strict_json.write_json(content, path)
    except OSError as error:
        raise _unwritable(path, error) from None


def _unused(path: Path) -> Path:
    """Return the path, with a number where two runs start in the same second."""
    candidate, number = path, 1
    while candidate.exists():
        number += 1
        candidate = path.with_name(f"{path.name}-{number}")
    return candidate


def _unwritable(path: Path, error: OSError) -> OutputError:
    return OutputError(
        f"output {path} cannot be written: {error.strerror}",
        way_out="choose another place with --out",
    )
