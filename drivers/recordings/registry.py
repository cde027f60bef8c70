"""All formats: recognised by content, read, written by suffix."""

from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from pathlib import Path

from drivers.errors import RecordingError
from drivers.outside.names import clean
from drivers.outside.texts import open_regular
from drivers.recordings.checked import CheckedRecordings, one_line
from drivers.recordings.files import exists_already
from drivers.recordings.format import AS_WRITTEN, HEAD_BYTES, Choices, Format
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

# Why a person cannot choose it.
_FIXED = {
    "stream": ("stream", "has no streams to choose from"),
    "unit": ("unit", "has a scale instead (recordings.emg_scale_uv)"),
    "emg_scale_uv": ("EMG scale", "says its own"),
}
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
TABLE_NEEDS = (
    "save it as UTF-8, with a line of column names with units such as 'EMG1 [uV]' before the "
    "numbers, and a first column time_s or a line '# rate_hz: 600' before that"
)
"""What makes a recording of a text, for people."""
_MOST_LETTERS = 4000  # of a detail


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


def read_recordings(
    path: str | Path, choices: Choices = AS_WRITTEN, *, may_be_empty: bool = False
) -> Iterable[Recording]:
    """Read whatever it is.

    Parameters
    ----------
    path : str or Path
        A file, or a corpus directory.
    choices : Choices
        What a person says of it.
    may_be_empty : bool
        Also take a file without a sample, to say what else is in it.

    Returns
    -------
    iterable of Recording
        In their order; it can be iterated more than once, and reads as it is iterated
        where the format holds many.

    Raises
    ------
    RecordingError
        It is damaged, nothing that is known, without a sample, or something is chosen that
        its format does not leave open.
    """
    path = Path(path)
    form = recognise(path)
    keywords = _keywords(form, path, choices)
    if may_be_empty and "may_be_empty" in form.takes:
        keywords["may_be_empty"] = True
    return CheckedRecordings(
        lambda: form.read(path, **keywords),
        f"{form.name} {path}",
        choices.channels,
    )


def details(path: str | Path, choices: Choices = AS_WRITTEN) -> dict[str, str]:
    """Say what a format tells beside the recordings.

    Parameters
    ----------
    path, choices
        As for `read_recordings`.

    Returns
    -------
    dict of str to str
        By what it is about.

    Raises
    ------
    RecordingError
        As `read_recordings`.
    """
    path = Path(path)
    form = recognise(path)
    if form.details is None:
        return {}
    keywords = _keywords(form, path, replace(choices, emg_scale_uv=None))
    with one_line(f"{form.name} {path}"):
        return {
            name: clean(text, _MOST_LETTERS)
            for name, text in form.details(path, **keywords).items()
        }


def refuse_choices(path: Path, choices: Choices) -> None:
    """Refuse what the format of a file or corpus does not leave open.

    Parameters
    ----------
    path : Path
        The file, or a corpus directory.
    choices : Choices
        What a person says of it.

    Raises
    ------
    RecordingError
        It is nothing that is known, or has something of its own.
    """
    _keywords(recognise(path), path, choices)


def _keywords(form: Format, path: Path, choices: Choices) -> dict[str, object]:
    """Return what is chosen for the reader, and refuse what it does not leave open."""
    chosen = {
        key: value
        for key in ("stream", "unit", "emg_scale_uv")
        if (value := getattr(choices, key)) is not None
    }
    for key, value in chosen.items():
        if key not in form.takes:
            what, why = _FIXED[key]
            raise RecordingError(
                f"{what} of {path} (recordings.{key})",
                value=value,
                allowed=f"none: {form.name} {why}",
            )
    return chosen


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
        raise exists_already(path)
    return write(path, list(recordings))


def _head(path: Path) -> bytes:
    with open_regular(path, f"recording {path}", RecordingError) as file:
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
        if not looks and (_is_utf_16(head) or _is_text(head)):
            looks = "a text in UTF-16" if _is_utf_16(head) else "a text"
            way_out = f"for a table, {TABLE_NEEDS}"
        looks = looks or "unknown bytes"
    return RecordingError(f"format of {path}", value=looks, allowed=known, way_out=way_out)


def _is_text(head: bytes) -> bool:
    return b"\0" not in head and "\N{REPLACEMENT CHARACTER}" not in head[:-4].decode(
        "utf-8", errors="replace"
    )


def _is_utf_16(head: bytes) -> bool:
    """Say whether there is its mark, or every other byte is zero, as in western scripts."""
    zeros = [5 * head[at::2].count(0) > 4 * len(head[at::2]) for at in (0, 1)]
    return head.startswith(_UTF_16) or zeros[0] != zeros[1]
