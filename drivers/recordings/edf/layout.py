"""The layout of an EDF or BDF file, checked against its size before anything is read.

Kemp and Olivan 2003, "European data format plus (EDF+)"; BDF is the same with 24 bits.
"""

import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from drivers.errors import RecordingError

Kind = Literal["EDF", "BDF"]
MAGIC: dict[Kind, bytes] = {"EDF": b"0       ", "BDF": b"\xffBIOSEMI"}
SAMPLE_BYTES: dict[Kind, int] = {"EDF": 2, "BDF": 3}
_HEADER_BYTES = 256
_SAMPLES_FIELD = 216  # of the 256 bytes of a signal's header, the fields before this one
_ONSET = re.compile(rb"[+-]\d{1,12}(?:\.\d{1,12})?")


@dataclass(frozen=True)
class Layout:
    """How the samples lie in the file.

    Attributes
    ----------
    kind : str
        ``"EDF"`` or ``"BDF"``.
    reserved : str
        ``"EDF+C"``, ``"EDF+D"``, or empty in plain EDF.
    header_bytes, record_bytes : int
        Size of the header and of a data record.
    labels : tuple of str
        Of all signals, annotations included.
    samples_per_record : tuple of int
        Of all signals.
    record_s : Fraction
        Length of a data record in seconds.
    records : int
        Complete data records that are there, not more than claimed.
    claimed_records : int
        Data records that the header claims; -1 where the recorder never ended the file.
    """

    kind: Kind
    reserved: str
    header_bytes: int
    record_bytes: int
    labels: tuple[str, ...]
    samples_per_record: tuple[int, ...]
    record_s: Fraction
    records: int
    claimed_records: int

    @property
    def is_discontinuous(self) -> bool:
        """There are gaps between data records."""
        return self.reserved[:5] == f"{self.kind}+D"

    def record_onsets_s(self, path: Path) -> NDArray[np.float64]:
        """Read when each data record begins, in seconds from the first one.

        Parameters
        ----------
        path : Path
            The file.

        Returns
        -------
        ndarray of float64, shape (records,)
            Onsets.

        Raises
        ------
        RecordingError
            They are not there.
        """
        name = f"{self.kind} Annotations"
        if name not in self.labels:
            raise RecordingError(f"times of the data records of {path}", value="none in it")
        column = self.labels.index(name)
        width = SAMPLE_BYTES[self.kind]
        begin = width * sum(self.samples_per_record[:column])
        end = begin + width * self.samples_per_record[column]
        records = np.memmap(
            path, np.uint8, "r", self.header_bytes, shape=(self.records, self.record_bytes)
        )
        onsets = [_ONSET.match(record[begin:end].tobytes()) for record in records]
        if not all(onsets):
            raise RecordingError(
                f"times of the data records of {path}",
                value="unreadable",
                way_out="copy the file again",
            )
        seconds = np.array([float(onset[0]) for onset in onsets if onset])
        return np.asarray(seconds - seconds[0])


def read_layout(path: Path) -> Layout:
    """Read the layout.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    Layout
        Whose records are all there.

    Raises
    ------
    RecordingError
        It is no EDF or BDF, or nothing of the data is there.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(_HEADER_BYTES)
        kind = next((kind for kind, magic in MAGIC.items() if head.startswith(magic)), None)
        if kind is None or len(head) < _HEADER_BYTES:
            raise _damaged(path, "header", f"{size} bytes", f"{_HEADER_BYTES} bytes or more")
        signals = _integer(head[252:256], path, "number of signals")
        header_bytes = _integer(head[184:192], path, "size of the header")
        if signals < 1 or header_bytes != _HEADER_BYTES * (signals + 1) or header_bytes > size:
            raise _damaged(
                path,
                "header",
                f"{signals} signals in {header_bytes} bytes of a file of {size}",
                "256 bytes, and 256 for each signal",
            )
        fields = file.read(header_bytes - _HEADER_BYTES)
    samples = tuple(
        _integer(fields[_SAMPLES_FIELD * signals + 8 * n :][:8], path, "samples per data record")
        for n in range(signals)
    )
    record_bytes = SAMPLE_BYTES[kind] * sum(samples)
    if min(samples) < 0 or record_bytes < 1:
        raise _damaged(path, "samples per data record", samples, "0 or more")
    claimed = _integer(head[236:244], path, "number of data records")
    there = (size - header_bytes) // record_bytes
    if there < 1 or claimed == 0:
        raise _damaged(
            path,
            "data",
            f"{size - header_bytes} bytes",
            f"one data record of {record_bytes} bytes or more",
        )
    return Layout(
        kind=kind,
        reserved=head[192:236].decode("latin-1").strip(),
        header_bytes=header_bytes,
        record_bytes=record_bytes,
        labels=tuple(
            fields[16 * n : 16 * (n + 1)].decode("latin-1").strip() for n in range(signals)
        ),
        samples_per_record=samples,
        record_s=_duration_s(head[244:252], path),
        records=min(there, claimed) if claimed > 0 else there,
        claimed_records=claimed,
    )


def _integer(field: bytes, path: Path, what: str) -> int:
    try:
        return int(field.decode("ascii"))
    except ValueError as error:
        raise _damaged(path, what, repr(field.decode("latin-1")), "a whole number") from error


def _duration_s(field: bytes, path: Path) -> Fraction:
    try:
        seconds = float(field.decode("ascii"))
    except ValueError as error:
        raise _damaged(path, "length of a data record", repr(field), "seconds") from error
    if not 1e-6 <= seconds <= 1e6:
        raise _damaged(path, "length of a data record", f"{seconds} s", "1e-6 to 1e6 s")
    return Fraction(str(seconds))


def _damaged(path: Path, what: str, value: object, allowed: str) -> RecordingError:
    return RecordingError(
        f"{what} of {path}", value=value, allowed=allowed, way_out="copy the file again"
    )
