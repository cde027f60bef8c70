"""XDF as a format of recordings."""

from dataclasses import dataclass
from pathlib import Path

from drivers.errors import RecordingError
from drivers.recordings.format import Format
from drivers.recordings.recording import Recording
from drivers.recordings.xdf.container import MAGIC
from drivers.recordings.xdf.convert import write
from drivers.recordings.xdf.foreign import read_foreign
from drivers.recordings.xdf.own import NO_SAMPLES, is_used, read_own, role
from drivers.recordings.xdf.scan import Scan, scan


def read(
    path: Path,
    *,
    stream: str | None = None,
    unit: str | None = None,
    may_be_empty: bool = False,
) -> list[Recording]:
    """Read a file of our own or of others.

    Parameters
    ----------
    path : Path
        The file.
    stream : str, optional
        Which stream is the EMG: a name, ``id=ID`` or ``type=TYPE``.
    unit : str, optional
        Of the EMG; overrules what the file says.
    may_be_empty : bool
        Also take a file that ended before its first sample, to say what else is in it.

    Returns
    -------
    list of Recording
        In a file of our own each epoch, else each stream that is EMG; more where samples
        are lost for more than a minute.

    Raises
    ------
    RecordingError
        It holds no EMG, EMG without a unit, no sample, or is damaged.
    """
    recordings = _read(path, stream, unit).recordings
    if not may_be_empty and all(NO_SAMPLES in recording.notes for recording in recordings):
        raise RecordingError(f"EMG in {path}", value="no samples")
    return recordings


def details(path: Path, *, stream: str | None = None, unit: str | None = None) -> dict[str, str]:
    """Say what else is in a file.

    Parameters
    ----------
    path, stream, unit
        As for `read`.

    Returns
    -------
    dict of str to str
        By what it is.

    Raises
    ------
    RecordingError
        As `read`.
    """
    content = _read(path, stream, unit)
    found = content.found
    lines = {"streams": "; ".join(str(head) for head in found.heads.values())}
    if found.created is not None:
        lines["created"] = found.created.isoformat()
    if content.left_out:
        lines["left out"] = "; ".join(content.left_out)
    if found.refused:
        lines["unreadable streams"] = "; ".join(found.refused)
    if content.outside:
        lines["markers outside the EMG"] = f"{content.outside}, left out"
    if found.skipped_bytes:
        lines["damage"] = f"{found.skipped_bytes} bytes cannot be read"
    if found.cut_off:
        lines["end"] = "the file breaks off within a chunk"
    return lines


@dataclass(frozen=True)
class _Content:
    """What a file holds; what no recording has a place for is left out: estimates, an EEG."""

    found: Scan
    recordings: list[Recording]
    outside: int
    left_out: list[str]


def _read(path: Path, stream: str | None, unit: str | None) -> _Content:
    found = scan(path)
    heads = found.heads.values()
    if any(role(head) == "emg" for head in heads):
        recordings = read_own(found, path.stem, stream, unit)
        return _Content(found, recordings, 0, [str(head) for head in heads if not is_used(head)])
    foreign = read_foreign(found, path.stem, stream, unit)
    return _Content(found, foreign.recordings, foreign.outside, foreign.left_out)


def _recognises(path: Path, head: bytes) -> bool:
    return head.startswith(MAGIC)


FORMAT = Format(
    "XDF",
    (".xdf",),
    _recognises,
    read,
    write,
    details,
    takes=frozenset({"stream", "unit", "may_be_empty"}),
)
