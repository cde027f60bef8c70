"""EDF and BDF, both ways: what clinics and EEG tools read.

They hold whole numbers of 16 or 24 bits and whole data records. What else a `Recording`
has is written as annotations, see `texts`, so that other programs see it too; audio and
lead-in are left out.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from drivers.recordings.edf.layout import MAGIC
from drivers.recordings.edf.read import details, read
from drivers.recordings.edf.write import write
from drivers.recordings.format import Format
from drivers.recordings.recording import Recording

__all__ = ["BDF", "EDF"]

# The date, which is where every EDF has one; a short file is called EDF by its beginning.
_DATE = re.compile(rb"[ \d]\d[.:'\-/ ][ \d]\d[.:'\-/ ][ \d]\d")


def _write_edf(path: Path, recordings: Sequence[Recording]) -> list[str]:
    return write(path, recordings, "EDF")


def _write_bdf(path: Path, recordings: Sequence[Recording]) -> list[str]:
    return write(path, recordings, "BDF")


def _is_edf(path: Path, head: bytes) -> bool:
    has_date = len(head) < 176 or _DATE.match(head[168:176]) is not None
    return head.startswith(MAGIC["EDF"]) and (has_date or path.suffix.lower() == ".edf")


def _is_bdf(path: Path, head: bytes) -> bool:
    return head.startswith(MAGIC["BDF"])


EDF = Format("EDF", (".edf",), _is_edf, read, _write_edf, details=details)
BDF = Format("BDF", (".bdf",), _is_bdf, read, _write_bdf, details=details)
