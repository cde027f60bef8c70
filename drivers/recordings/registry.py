"""All formats: recognised by content, read, written by suffix."""

from collections.abc import Iterable
from functools import cache
from pathlib import Path

from drivers.errors import RecordingError
from drivers.recordings.format import HEAD_BYTES, Format
from drivers.recordings.recording import Recording

# What people open by mistake, by how it begins.
_OTHERS = {
    b"RIFF": "a WAV or AVI file",
    b"fLaC": "a FLAC file",
    b"OggS": "an Ogg file",
    b"MATLAB": "a MATLAB file",
    b"\x89HDF": "an HDF5 or new MATLAB file",
    b"Brain": "a BrainVision header",
    b"\x93NUMPY": "a single numpy array",
    b"PK\x03\x04": "a zip archive without numpy arrays",
    b"\x1f\x8b": "a gzip archive",
    b"%PDF": "a PDF",
    b"\x89PNG": "a PNG picture",
}


@cache
def formats() -> tuple[Format, ...]:
    """List all formats, the one to ask first at the beginning.

    Returns
    -------
    tuple of Format
        Those with a signature first, then those that are recognised by how they are built.
    """
    # each brings its own library; a program that records needs none of the others
    from drivers.recordings.edf import BDF, EDF
    from drivers.recordings.emg_uka.format import FORMAT as EMG_UKA
    from drivers.recordings.npz import FORMAT as NPZ
    from drivers.recordings.tables import FORMAT as CSV
    from drivers.recordings.vitaport import FORMAT as VITAPORT
    from drivers.recordings.xdf import FORMAT as XDF

    return (XDF, EDF, BDF, NPZ, EMG_UKA, VITAPORT, CSV)


def recognise(path: str | Path) -> Format:
    """Tell what a file or directory is from what is in it.

    Parameters
    ----------
    path : str or Path
        The file or directory.

    Returns
    -------
    Format
        Whose reader will take it, if it is not damaged further on.

    Raises
    ------
    RecordingError
        There is nothing, or nothing that is known.
    """
    path = Path(path)
    try:
        head = b"" if path.is_dir() else _head(path)
        found = next((one for one in formats() if one.recognises(path, head)), None)
    except OSError as error:
        raise RecordingError(
            f"recording {path}", value=error.strerror, allowed="a file or a corpus directory"
        ) from error
    if found is None:
        raise _unknown(path, head)
    return found


def read_recordings(path: str | Path, emg_scale_uv: float | None = None) -> Iterable[Recording]:
    """Read whatever it is.

    Parameters
    ----------
    path : str or Path
        A file, or a corpus directory.
    emg_scale_uv : float, optional
        Microvolts per count, for formats whose devices differ in it; by default what the
        file says, or the format.

    Returns
    -------
    iterable of Recording
        In their order; it can be iterated more than once, and reads as it is iterated
        where the format holds many.

    Raises
    ------
    RecordingError
        It is damaged, nothing that is known, or of a format that has one scale only.
    """
    path = Path(path)
    form = recognise(path)
    if emg_scale_uv is not None and form.read_scaled is None:
        raise RecordingError(
            f"EMG scale of {path}",
            value=f"{emg_scale_uv:g} uV per count",
            allowed=f"none: {form.name} says its own",
        )
    try:
        if emg_scale_uv is not None and form.read_scaled is not None:
            return form.read_scaled(path, emg_scale_uv)
        return form.read(path)
    except OSError as error:
        raise RecordingError(f"{form.name} {path}", value=error.strerror or error) from error


def write_recordings(path: str | Path, recordings: Iterable[Recording]) -> list[str]:
    """Write recordings into a new file, in the format that its suffix names.

    Parameters
    ----------
    path : str or Path
        The new file.
    recordings : iterable of Recording
        What to write; EDF, BDF, CSV and TSV hold one.

    Returns
    -------
    list of str
        A line for each thing that the format could not hold.

    Raises
    ------
    RecordingError
        The file exists, the suffix names no format, or the format cannot hold them.
    """
    path = Path(path)
    writers = {suffix: form.write for form in formats() if form.write for suffix in form.suffixes}
    write = writers.get(path.suffix.lower())
    if write is None:
        raise RecordingError(
            f"suffix of {path}",
            value=path.suffix or "none",
            allowed=", ".join(sorted(writers)),
            way_out="name the file after the format that it shall have",
        )
    if path.exists():  # before a corpus is read in vain
        raise RecordingError(
            f"file {path}", value="exists already", way_out="choose another name, or remove it"
        )
    return write(path, list(recordings))


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(HEAD_BYTES)


def _unknown(path: Path, head: bytes) -> RecordingError:
    """Say what it looks like instead, and what to do with it."""
    known = ", ".join(form.name for form in formats())
    if path.is_dir():
        return RecordingError(
            f"directory {path}", value="no directory emg in it", allowed="the EMG-UKA layout"
        )
    way_out = None
    if not head:
        looks = "an empty file"
    elif head.lstrip().startswith(b"{"):
        looks = "lines of JSON, as a capture of a device's bytes"
        way_out = f"replay a capture with: streamer live --source capture:{path}"
    elif path.suffix.lower() == ".adc":
        looks = "one utterance of the EMG-UKA corpus"
        way_out = "give the corpus directory, and choose the utterance with --utterance"
    else:
        looks = next((what for magic, what in _OTHERS.items() if head.startswith(magic)), "")
        looks = looks or ("a text" if _is_text(head) else "unknown bytes")
    return RecordingError(f"format of {path}", value=looks, allowed=known, way_out=way_out)


def _is_text(head: bytes) -> bool:
    return b"\0" not in head and "\N{REPLACEMENT CHARACTER}" not in head[:-4].decode(
        "utf-8", errors="replace"
    )
