"""What all writers and readers of files share: new files only, and bounded losses."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BufferedWriter
from pathlib import Path

from drivers.errors import RecordingError
from drivers.outside.names import file_name
from drivers.recordings.recording import Recording

# Lost samples take memory that no byte of a file stands for: 80 MB of them, which is an
# hour and a half of six channels at 600 Hz.
MAX_LOST_VALUES = 20_000_000


@contextmanager
def new_file(path: Path) -> Iterator[BufferedWriter]:
    """Open a file that does not exist yet, and take it away again if writing fails.

    Parameters
    ----------
    path : Path
        The file.

    Yields
    ------
    BufferedWriter
        To write to.

    Raises
    ------
    RecordingError
        It exists, its directory does not, or the disk is full.
    """
    try:
        file = path.open("xb")
    except FileExistsError as error:
        raise exists_already(path) from error
    except OSError as error:
        raise RecordingError(f"file {path} cannot be made", value=error.strerror) from error
    try:
        with file:
            yield file
    except OSError as error:
        path.unlink(missing_ok=True)
        reason = error.strerror or str(error)  # NumPy's say in words how much was written
        raise RecordingError(
            f"file {path} cannot be written",
            value=reason,
            way_out="make room, or choose another place",
        ) from error
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def the_one(recordings: Sequence[Recording], kind: str) -> Recording:
    """Refuse several recordings where a file holds one.

    Parameters
    ----------
    recordings : sequence of Recording
        To be written.
    kind : str
        Of the file, for the error.

    Returns
    -------
    Recording
        The only one.

    Raises
    ------
    RecordingError
        There are none, or several.
    """
    if len(recordings) != 1:
        raise RecordingError(
            f"recordings for one {kind} file",
            value=len(recordings),
            allowed="one",
            way_out="choose one of them, write each to a file of its own (`convert --each`), or "
            "take a format that holds many: .npz, .xdf",
        )
    return recordings[0]


def each_file(to: Path, names: Sequence[str]) -> list[Path]:
    """Name a file for each recording, different ones on any system.

    Parameters
    ----------
    to : Path
        Its name comes before that of each recording.
    names : sequence of str
        Of the recordings.

    Returns
    -------
    list of Path
        A name that comes again, in another case or spelling, gets a number: ``a_b``,
        ``a_b-2``.

    Raises
    ------
    RecordingError
        One of them exists: before anything is written.
    """
    plain = [file_name(name) for name in names]
    used: set[str] = set()
    files = []
    for name in plain:
        unique, times = name, 1
        # a number must not take the name of another one
        while unique.casefold() in used or (times > 1 and unique in plain):
            times += 1
            unique = f"{name}-{times}"
        used.add(unique.casefold())
        files.append(to.with_name(f"{to.stem}_{unique}{to.suffix}"))
    for file in files:
        if os.path.lexists(file):
            raise exists_already(file)
    return files


def exists_already(path: Path) -> RecordingError:
    """Refuse to write over a file.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    RecordingError
        To be raised.
    """
    return RecordingError(
        f"file {path}", value="exists already", way_out="choose another name, or remove it"
    )


def check_lost(rows: int, channels: int, path: Path) -> None:
    """Refuse gaps so long that they must be a damaged time, or two recordings.

    Parameters
    ----------
    rows : int
        Lost samples of a file, which its times tell of.
    channels : int
        Values in each.
    path : Path
        The file, for the error.

    Raises
    ------
    RecordingError
        They are longer than any that a recording should have.
    """
    if rows * channels > MAX_LOST_VALUES:
        raise RecordingError(
            f"lost samples in {path}",
            value=rows,
            allowed=f"up to {MAX_LOST_VALUES // channels} of {channels} channels",
            way_out="check the times in it, or split it into two recordings",
        )
