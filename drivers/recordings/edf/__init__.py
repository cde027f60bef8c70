"""EDF and BDF, both ways: what clinics and EEG tools read.

They hold whole numbers of 16 or 24 bits and whole data records. What else a `Recording`
has is written as annotations, see `texts`, so that other programs see it too; audio and
lead-in are left out.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from drivers.recordings.edf.fields import integer_of
from drivers.recordings.edf.layout import BLOCK_BYTES, kind_of
from drivers.recordings.edf.read import details, read
from drivers.recordings.edf.write import write
from drivers.recordings.format import Format
from drivers.recordings.recording import Recording

__all__ = ["BDF", "EDF"]

_UNIT = frozenset({"unit"})
_DATE = re.compile(rb"[ \d]\d[.:'\-/ ][ \d]\d[.:'\-/ ][ \d]\d")


def _write_edf(path: Path, recordings: Sequence[Recording]) -> list[str]:
    return write(path, recordings, "EDF")


def _write_bdf(path: Path, recordings: Sequence[Recording]) -> list[str]:
    return write(path, recordings, "BDF")


def _is_edf(path: Path, head: bytes) -> bool:
    """Look at the first field, or, where something is damaged, at whether the sizes fit."""
    if kind_of(head) != "EDF":
        return False
    if head[:8].strip(b"\0 \t\xa0") == b"0" and (
        # many files begin with a zero; all EDF have a date, and a short one is believed
        len(head) < 176 or _DATE.match(head[168:176]) or path.suffix.lower() == ".edf"
    ):
        return True
    signals, header_bytes = integer_of(head[252:256]), integer_of(head[184:192])
    return signals is not None and signals > 0 and header_bytes == BLOCK_BYTES * (signals + 1)


def _is_bdf(path: Path, head: bytes) -> bool:
    return kind_of(head) == "BDF"


EDF = Format("EDF", (".edf",), _is_edf, read, _write_edf, details, _UNIT)
BDF = Format("BDF", (".bdf",), _is_bdf, read, _write_bdf, details, _UNIT)
