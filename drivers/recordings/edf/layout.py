"""The layout of an EDF or BDF file, by its header and its size.

Kemp and Olivan 2003, "European data format plus (EDF+)"; BDF is the same with 24 bits. The size
of the file decides how many data records there are: recorders that are stopped by force leave
another number in the header, or -1.
"""

from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from drivers.errors import RecordingError
from drivers.outside.texts import open_regular
from drivers.recordings.edf.fields import integer_of, number_of, started_at, text_of

Kind = Literal["EDF", "BDF"]
SAMPLE_BYTES: dict[Kind, int] = {"EDF": 2, "BDF": 3}
BLOCK_BYTES = 256  # bytes of the header itself, and of the header of each signal
_MOST_SIGNALS = 9999  # that its field can say
_LARGEST = 1e12  # of a range, in the signal's unit
_FIELDS = {  # of a signal, in their order; each stands there for all signals
    **{"label": 16, "transducer": 80, "unit": 8, "physical_min": 8, "physical_max": 8},
    **{"digital_min": 8, "digital_max": 8, "prefilter": 80, "samples": 8, "reserved": 32},
}
_ANNOTATIONS = ("EDF ANNOTATIONS", "BDF ANNOTATIONS")


@dataclass(frozen=True)
class Signal:
    """One signal, as the header describes it.

    Attributes
    ----------
    label, unit : str
        As written, cleaned.
    step, zero : float
        Physical value = count * step + zero, in `unit`; the step is 0 where the ranges in
        the header give none, and below 0 where they are reversed.
    begin, samples : int
        Where its samples lie in each data record, and how many.
    """

    label: str
    unit: str
    step: float
    zero: float
    begin: int
    samples: int

    @property
    def holds_annotations(self) -> bool:
        """Hold texts instead of samples."""
        return self.label.upper() in _ANNOTATIONS


@dataclass(frozen=True)
class Layout:
    """How the samples lie in the file.

    Attributes
    ----------
    path : Path
        The file.
    kind : str
        ``"EDF"`` or ``"BDF"``.
    reserved : str
        ``"EDF+C"``, ``"EDF+D"``, or empty in plain EDF.
    patient, recording : str
        The fields of these names.
    started_at : datetime or None
        To the second.
    signals : tuple of Signal
        All of them, annotations included.
    record_s : Fraction
        Length of a data record in seconds; 0 in a file of annotations alone.
    records : int
        Complete data records that are there.
    claimed_records : int or None
        Data records that the header claims; None where it is no number.
    header_bytes, record_bytes : int
        Size of the header and of a data record.
    bytes_behind : int
        Behind the last complete data record.
    """

    path: Path
    kind: Kind
    reserved: str
    patient: str
    recording: str
    started_at: datetime | None
    signals: tuple[Signal, ...]
    record_s: Fraction
    records: int
    claimed_records: int | None
    header_bytes: int
    record_bytes: int
    bytes_behind: int

    @property
    def is_discontinuous(self) -> bool:
        """There are gaps between data records."""
        return self.reserved[3:5].upper() == "+D"

    def bytes_of(self, signal: Signal) -> NDArray[np.uint8]:
        """Give what a signal holds.

        Parameters
        ----------
        signal : Signal
            One of `signals`.

        Returns
        -------
        ndarray of uint8, shape (records, bytes)
            A row for each data record.
        """
        width = SAMPLE_BYTES[self.kind]
        shape = (self.records, self.record_bytes)
        whole = np.memmap(self.path, np.uint8, "r", self.header_bytes, shape)
        return np.ascontiguousarray(
            whole[:, width * signal.begin : width * (signal.begin + signal.samples)]
        )

    def counts_of(self, signal: Signal) -> NDArray[np.int32]:
        """Read the samples of a signal as they are stored.

        Parameters
        ----------
        signal : Signal
            One of `signals`.

        Returns
        -------
        ndarray of int32, shape (records * samples,)
            Counts.
        """
        stored = self.bytes_of(signal)
        if self.kind == "EDF":
            return stored.view("<i2").ravel().astype(np.int32)
        padded = np.zeros((stored.size // 3, 4), np.uint8)
        padded[:, 1:] = stored.reshape(-1, 3)
        return padded.view("<i4").ravel() >> 8  # which keeps the sign


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
    with open_regular(path, f"file {path}", RecordingError) as file:
        size = path.stat().st_size
        head = file.read(BLOCK_BYTES)
        if len(head) < BLOCK_BYTES:
            raise _damaged(path, "header", f"{size} bytes", f"{BLOCK_BYTES} bytes or more")
        count = _needed(integer_of(head[252:256]), head[252:256], path, "number of signals")
        if not 1 <= count <= _MOST_SIGNALS:
            raise _damaged(path, "number of signals", count, f"1 to {_MOST_SIGNALS}")
        header_bytes = BLOCK_BYTES * (count + 1)
        fields = file.read(header_bytes - BLOCK_BYTES)
    if len(fields) < header_bytes - BLOCK_BYTES:
        raise _damaged(
            path, "header", f"{size} bytes", f"{header_bytes} bytes or more for {count} signals"
        )
    kind = kind_of(head)
    signals = _signals(fields, count, path)
    record_bytes = SAMPLE_BYTES[kind] * sum(signal.samples for signal in signals)
    if not record_bytes:
        raise _damaged(path, "samples per data record", "0 in all signals", "1 or more")
    records, behind = divmod(size - header_bytes, record_bytes)
    claimed_bytes = integer_of(head[184:192])
    if claimed_bytes != header_bytes and (behind or not records):
        raise _damaged(
            path,
            "size of the header",
            text_of(head[184:192]) or "none",
            f"{header_bytes} bytes for {count} signals",
        )
    if not records:
        raise _damaged(
            path,
            "data",
            f"{size - header_bytes} bytes",
            f"one data record of {record_bytes} bytes or more",
        )
    recording = text_of(head[88:168])
    return Layout(
        path=path,
        kind=kind,
        reserved=text_of(head[192:236]),
        patient=text_of(head[8:88]),
        recording=recording,
        started_at=started_at(recording, head[168:176], head[176:184]),
        signals=signals,
        record_s=_record_s(head[244:252], signals, path),
        records=records,
        claimed_records=integer_of(head[236:244]),
        header_bytes=header_bytes,
        record_bytes=record_bytes,
        bytes_behind=behind,
    )


def kind_of(head: bytes) -> Kind:
    """Tell the kind from the first bytes of a file that is one of them."""
    return "BDF" if head[1:8] == b"BIOSEMI" else "EDF"


def _signals(fields: bytes, count: int, path: Path) -> tuple[Signal, ...]:
    """Read the headers of the signals."""
    columns: dict[str, list[bytes]] = {}
    at = 0
    for name, width in _FIELDS.items():
        columns[name] = [fields[at + width * n :][:width] for n in range(count)]
        at += width * count
    signals = []
    begin = 0
    for n in range(count):
        one = {name: column[n] for name, column in columns.items()}
        samples = _needed(
            integer_of(one["samples"]), one["samples"], path, "samples per data record"
        )
        if samples < 0:
            raise _damaged(path, "samples per data record", samples, "0 or more")
        step, zero = _scale(one)
        signals.append(
            Signal(text_of(one["label"]), text_of(one["unit"]), step, zero, begin, samples)
        )
        begin += samples
    return tuple(signals)


def _scale(field: dict[str, bytes]) -> tuple[float, float]:
    """Give the physical size of one count and of count 0; the size is 0 where it is unknown."""
    low, high = number_of(field["physical_min"]), number_of(field["physical_max"])
    least, most = number_of(field["digital_min"]), number_of(field["digital_max"])
    if low is None or high is None or least is None or most is None or most <= least:
        return 0.0, 0.0
    if max(map(abs, (low, high, least, most))) > _LARGEST:
        return 0.0, 0.0
    step = (high - low) / (most - least)
    return step, low - least * step


def _record_s(field: bytes, signals: tuple[Signal, ...], path: Path) -> Fraction:
    seconds = number_of(field)
    # a file of annotations alone has no data records in time
    if all(one.holds_annotations or not one.samples for one in signals):
        return Fraction(0)
    if seconds is None or not 1e-6 <= seconds <= 1e6:
        raise _damaged(
            path,
            "length of a data record",
            f"{text_of(field) or 'none'} s",
            "1e-6 to 1e6 s, as the sampling rates follow from it",
        )
    return Fraction(str(seconds))


def _needed(number: int | None, field: bytes, path: Path, what: str) -> int:
    if number is None:
        raise _damaged(path, what, repr(text_of(field)), "a whole number")
    return number


def _damaged(path: Path, what: str, value: object, allowed: str) -> RecordingError:
    return RecordingError(
        f"{what} of {path}", value=value, allowed=allowed, way_out="copy the file again"
    )
