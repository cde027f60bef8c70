"""XDF as a format of recordings."""

from pathlib import Path

from drivers.errors import RecordingError
from drivers.recordings.format import Format
from drivers.recordings.recording import Recording
from drivers.recordings.xdf.container import MAGIC
from drivers.recordings.xdf.convert import write
from drivers.recordings.xdf.foreign import left_out, read_foreign
from drivers.recordings.xdf.own import is_used, read_own, role
from drivers.recordings.xdf.scan import Scan, scan


def read(path: Path) -> list[Recording]:
    """Read a file of our own or of others.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    list of Recording
        In a file of our own each epoch, else each stream of type EMG; more where
        samples are lost for more than a minute.

    Raises
    ------
    RecordingError
        It holds no EMG, EMG without a unit, or is damaged.
    """
    return _read(path, _scan(path))[0]


def details(path: Path) -> dict[str, str]:
    """Say what else is in a file.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    dict of str to str
        By what it is.

    Raises
    ------
    RecordingError
        As `read`.
    """
    found = _scan(path)
    _, outside = _read(path, found)
    lines = {"streams": "; ".join(str(head) for head in found.heads.values())}
    if found.created is not None:
        lines["created"] = found.created.isoformat()
    if unused := _left_out(found):
        lines["left out"] = "; ".join(unused)
    if found.refused:
        lines["unreadable streams"] = "; ".join(found.refused)
    if outside:
        lines["markers outside the EMG"] = f"{outside}, left out"
    if found.skipped_bytes:
        lines["damage"] = f"{found.skipped_bytes} bytes cannot be read"
    if found.cut_off:
        lines["end"] = "the file breaks off within a chunk"
    return lines


def _is_own(found: Scan) -> bool:
    return any(role(head) == "emg" for head in found.heads.values())


def _left_out(found: Scan) -> list[str]:
    """Name what no recording has a place for, such as estimates or a second sound."""
    if _is_own(found):
        return [str(head) for head in found.heads.values() if not is_used(head)]
    return left_out(found)


def _scan(path: Path) -> Scan:
    try:
        return scan(path)
    except MemoryError:
        raise _too_large(path) from None


def _read(path: Path, found: Scan) -> tuple[list[Recording], int]:
    try:
        if _is_own(found):
            return read_own(found, path.stem), 0
        return read_foreign(found, path.stem)
    except MemoryError:
        raise _too_large(path) from None


def _too_large(path: Path) -> RecordingError:
    return RecordingError(f"XDF file {path}", value="it needs more memory than there is")


def _recognises(path: Path, head: bytes) -> bool:
    return head.startswith(MAGIC)


FORMAT = Format("XDF", (".xdf",), _recognises, read, write, details)
