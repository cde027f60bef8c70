"""Which sessions are there, and whether their EMG files have the columns that they should have.

The files have no header. Those of another number of columns are found by their sizes alone, and
only most of them: the others happen to be whole numbers of samples, and would be read scrambled.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from drivers.errors import RecordingError
from drivers.recordings.emg_uka.files import (
    COLUMNS,
    MARKER_COLUMN,
    RATE_HZ,
    SAMPLE_BYTES,
    UtterancePaths,
)
from drivers.recordings.emg_uka.subsets import is_session

ALLOWED = f"little-endian int16, {COLUMNS} columns interleaved: six of EMG, and the marker"

OTHER_COLUMNS = "other columns in the EMG"
"""Why an utterance is left out."""

_FEW = 3  # files of a session that are whole by chance, once in 7^3
_MOST_COLUMNS = 256
_LONGER = 1.5  # than the audio of the same utterance; in the EMG-UKA corpus within 0.2 s
_LOOKED_AT_BYTES = 1000 * SAMPLE_BYTES
_ROUGHER = 2.0  # than in the other byte order; in the 1220 files of the corpus 0.2 at most


@dataclass(frozen=True)
class OtherLayout:
    """Sessions whose EMG files have another layout; none of their files can be trusted.

    Attributes
    ----------
    sessions : frozenset of str
        Which.
    evidence : str
        For people: ``"30 of 36 files hold no whole number of 7-column samples (8 columns?)"``.
    """

    sessions: frozenset[str]
    evidence: str

    def error(self, root: Path) -> RecordingError:
        """Return what to raise where nothing else is left."""
        return RecordingError(
            f"EMG of {root}",
            value=self.evidence,
            allowed=ALLOWED,
            way_out="write its files again, with these columns alone",
        )


def sessions_on_disk(root: Path) -> tuple[str, ...]:
    """Find the sessions that have EMG.

    Parameters
    ----------
    root : Path
        The corpus.

    Returns
    -------
    tuple of str
        ``"002-001"``; folders that no utterance can be named after are none.

    Raises
    ------
    RecordingError
        It is no corpus, or has none.
    """
    if not (root / "emg").is_dir():
        found = "no directory emg in it" if root.is_dir() else "no such directory"
        raise RecordingError(
            f"corpus directory {root}",
            value="a file" if root.is_file() else found,
            allowed="the EMG-UKA layout: emg, audio, offset, Alignments, Transcripts, Subsets",
        )
    folders = sorted({path.parent for path in root.glob("emg/*/*/e07_*.adc")})
    sessions = [f"{path.parent.name}-{path.name}" for path in folders]
    sessions = [session for session in sessions if is_session(session)]
    if not sessions:
        raise RecordingError(
            f"corpus directory {root}",
            value="no EMG in it",
            allowed="files emg/<speaker>/<session>/e07_<speaker>_<session>_<number>.adc",
        )
    return tuple(sessions)


def other_layout(root: Path, sessions: Sequence[str]) -> OtherLayout | None:
    """Find the sessions of a corpus whose EMG files have another number of columns.

    A session has where half of its files, and two at least, hold no whole number of samples, or
    where all are far longer than their audio, or have their bytes in the other order. Beside
    sessions of odd sizes, one of a few files is not trusted either: they may fit by chance.

    Parameters
    ----------
    root : Path
        The corpus.
    sessions : sequence of str
        Those on this disk.

    Returns
    -------
    OtherLayout or None
        None where all is as it should be, damaged files aside.
    """
    files = {session: _files(root, session) for session in sessions}
    sizes = {session: _sizes(files[session]) for session in sessions}
    odd = {session: sum(one % SAMPLE_BYTES > 0 for one in sizes[session]) for session in sessions}
    others = [one for one in sessions if odd[one] >= max(2, len(sizes[one]) / 2)]
    if others:
        others += [one for one in sessions if one not in others and len(sizes[one]) < _FEW]
        found = [size for one in others for size in sizes[one]]
        number = f"{sum(odd[one] for one in others)} of {len(found)} files"
        evidence = f"{number} hold no whole number of {COLUMNS}-column samples{_guess(found)}"
        return OtherLayout(frozenset(others), evidence)
    longer = [one for one in sessions if _is_longer(root, one, files[one])]
    if longer:
        found = [size for one in longer for size in sizes[one]]
        evidence = f"{len(found)} files last far longer than their audio{_guess(found)}"
        return OtherLayout(frozenset(longer), evidence)
    if swapped := [one for one in sessions if _is_swapped(files[one][:_FEW])]:
        found = [size for one in swapped for size in sizes[one]]
        evidence = f"{len(found)} files of the other byte order (big-endian?)"
        return OtherLayout(frozenset(swapped), evidence)
    return None


def _files(root: Path, session: str) -> list[Path]:
    speaker, _, number = session.partition("-")
    return sorted(root.glob(f"emg/{speaker}/{number}/e07_*.adc"))


def _sizes(files: Sequence[Path]) -> list[int]:
    """Return the sizes in bytes; a file of less than a sample tells nothing."""
    sizes = [path.stat().st_size for path in files]
    return [size for size in sizes if size >= SAMPLE_BYTES]


def _guess(sizes: Iterable[int]) -> str:
    """Say how many columns all files would have a whole number of samples of."""
    common = math.gcd(*(size // 2 for size in sizes))
    return f" ({common} columns?)" if 2 <= common <= _MOST_COLUMNS else ""


def _is_longer(root: Path, session: str, files: Sequence[Path]) -> bool:
    """Say whether a multiple of the columns is there, which the sizes alone do not show."""
    if math.gcd(*_sizes(files)) % (2 * SAMPLE_BYTES):
        return False
    ratios = []
    for path in files:
        size = path.stat().st_size
        name = path.stem.removeprefix("e07_").replace("_", "-")
        if name.startswith(f"{session}-"):
            audio_s = _audio_s(UtterancePaths(root, name).audio)
            if audio_s > 0:
                ratios.append(size / SAMPLE_BYTES / RATE_HZ / audio_s)
    return len(ratios) > 1 and bool(np.min(ratios) > _LONGER)


def _is_swapped(files: Sequence[Path]) -> bool:
    """Say whether EMG runs smoothly only in the other byte order: noise fills all 16 bits."""
    ratios = []
    for path in files:
        if not path.is_file():
            continue
        counts = np.fromfile(path, "<i2", count=_LOOKED_AT_BYTES // 2)
        rows = counts[: len(counts) // COLUMNS * COLUMNS].reshape(-1, COLUMNS)[:, :MARKER_COLUMN]
        if len(rows) > 1:
            rough, other = (
                np.diff(one.astype(np.float64), axis=0).std(axis=0)
                for one in (rows, rows.byteswap())
            )
            ratios.append(float(np.median(rough / np.maximum(other, 1.0))))
    return bool(ratios) and float(np.median(ratios)) > _ROUGHER


def _audio_s(path: Path) -> float:
    if not path.is_file():
        return 0.0
    try:
        about = soundfile.info(path)
    except (soundfile.SoundFileError, OSError):
        return 0.0
    return float(about.frames / about.samplerate)
