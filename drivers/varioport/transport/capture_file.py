"""Raw bytes of a device in a file: as they came, and when.

A capture is text, a JSON value a line, so that it can be looked at and mended by hand. The
first line is the header; each other one holds a block: seconds since the start, and the
bytes in hexadecimal, or null where the port was lost and opened again::

    {"format": "streamer-capture", "version": 1, "port": "/dev/ttyUSB0", ...}
    [0.016214, "aa5500017fff..."]
    [7.310022, null]

Lines are written one by one: after a kill -9 at most the last one is cut.
"""

import logging
import math
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import NamedTuple, Self, TextIO

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError

from drivers.errors import RecordingError
from drivers.outside.settings import Checked, Name
from drivers.outside.strict_json import to_json
from drivers.outside.texts import open_regular, parse_json

_FORMAT = "streamer-capture"
_VERSION = 1
_LINE = 1 << 20  # characters: no block is as long

_log = logging.getLogger(__name__)


class CaptureHeader(Checked):
    """The first line of a capture.

    Attributes
    ----------
    format, version : str, int
        What the file is.
    port : str
        Where the bytes came from.
    baud_rate : int
        Bits per second.
    started : datetime
        Wall time of second 0.
    profile : str or None
        Name of the profile in use, if any.
    """

    format: str = _FORMAT
    version: int = Field(default=_VERSION, ge=0, le=10**6)
    port: Name
    baud_rate: int = Field(ge=0, le=100_000_000)
    started: datetime
    profile: Name | None = None


class Block(NamedTuple):
    """Bytes that came together.

    Attributes
    ----------
    arrival_s : float
        Seconds since the start of the capture.
    data : bytes or None
        None where the port was lost.
    """

    arrival_s: float
    data: bytes | None


@dataclass(frozen=True, eq=False)
class Capture:
    """A whole capture, in memory.

    Attributes
    ----------
    header : CaptureHeader
        Where it comes from.
    data : bytes
        All that came, one behind the other.
    ends : ndarray of int64, shape (n,)
        Bytes up to the end of each block.
    arrival_s : ndarray of float64, shape (n,)
        Arrival of each block, in seconds since the start.
    losses : tuple of int
        Before these blocks the port was lost and opened again.
    cut : bool
        The last line was not complete and is left out.
    """

    header: CaptureHeader
    data: bytes
    ends: NDArray[np.int64]
    arrival_s: NDArray[np.float64]
    losses: tuple[int, ...]
    cut: bool


class CaptureWriter:
    """Writes a capture, line by line; a context manager.

    Parameters
    ----------
    path : Path
        A file that does not exist.
    header : CaptureHeader
        Its first line.
    start_s : float
        Second 0 on the clock of the arrivals.

    Raises
    ------
    RecordingError
        The file cannot be made, or, later, be written.
    """

    def __init__(self, path: Path, header: CaptureHeader, start_s: float) -> None:
        self._path, self._start_s = path, start_s
        try:
            # Buffered by the line: what is written is the system's, whatever becomes of us.
            self._file: TextIO = path.open("x", encoding="utf-8", buffering=1)
        except OSError as error:
            raise RecordingError(
                f"capture {path} cannot be made",
                value=error.strerror,
                way_out="choose another name",
            ) from error
        try:
            self._write(header.model_dump_json())
        except RecordingError:
            self.close()
            raise

    def write(self, data: bytes, arrival_s: float) -> None:
        """Append a block."""
        self._write(to_json([round(arrival_s - self._start_s, 6), data.hex()]))

    def lost(self, now_s: float) -> None:
        """Take note that the port was lost."""
        self._write(to_json([round(now_s - self._start_s, 6), None]))

    def close(self) -> None:
        """End the file; may be called twice."""
        with suppress(OSError):  # of a full disk, which has been said already
            self._file.close()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    def _write(self, line: str) -> None:
        try:
            self._file.write(line + "\n")
        except OSError as error:
            raise RecordingError(
                f"capture {self._path} cannot be written",
                value=error.strerror,
                way_out="make room; what is there already can be read",
            ) from error


def read_capture(path: Path) -> Capture:
    """Read a whole capture.

    Raises
    ------
    RecordingError
        The file is no capture, or damaged elsewhere than at its end.
    """
    with CaptureReader(path) as reader:
        parts: list[bytes] = []
        arrivals_s: list[float] = []
        losses: list[int] = []
        for block in reader:
            if block.data is None:
                losses.append(len(parts))
            else:
                parts.append(block.data)
                arrivals_s.append(block.arrival_s)
        return Capture(
            header=reader.header,
            data=b"".join(parts),
            ends=np.cumsum([len(part) for part in parts], dtype=np.int64),
            arrival_s=np.array(arrivals_s, np.float64),
            losses=tuple(losses),
            cut=reader.cut,
        )


class CaptureReader:
    """Reads a capture block by block: an iterator of `Block`, and a context manager.

    Parameters
    ----------
    path : Path
        The capture.
    position : tuple of int, optional
        Where to go on, a `position` of an earlier reader; None is the beginning.

    Attributes
    ----------
    header : CaptureHeader
        Its first line.
    cut : bool
        The last line turned out to be incomplete and was left out.

    Raises
    ------
    RecordingError
        The file is no capture, or, while iterating, damaged elsewhere than at its end.
    """

    def __init__(self, path: Path, position: tuple[int, int] | None = None) -> None:
        self._path = path
        self._number = 0  # of the line
        self._last_s = -math.inf
        self.cut = False
        try:
            self._file = open_regular(path, f"capture {path}", RecordingError)
        except OSError as error:
            raise RecordingError(
                f"capture {path} cannot be opened", value=error.strerror
            ) from error
        try:
            self.header = self._read_header()
            if position is not None:
                self._number = position[0]
                self._file.seek(position[1])
        except BaseException:
            self.close()
            raise

    @property
    def position(self) -> tuple[int, int]:
        """Number of the line, and where the next one begins."""
        return self._number, self._file.tell()

    def close(self) -> None:
        """Close the file; may be called twice."""
        self._file.close()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    def __iter__(self) -> Iterator[Block]:
        """Return itself."""
        return self

    def __next__(self) -> Block:
        """Return the next block."""
        line = self._line()
        if not line:
            raise StopIteration
        try:
            block = _parse(line)
            if not self._last_s <= block.arrival_s < math.inf:
                raise ValueError(f"time {block.arrival_s} after {self._last_s}")
        except (ValueError, TypeError, OverflowError, RecordingError) as error:
            if not line.endswith(b"\n") and len(line) < _LINE:
                self.cut = True
                _log.warning("the last line of capture %s is cut and left out", self._path.name)
                raise StopIteration from None
            raise RecordingError(
                f"line {self._number} of capture {self._path.name}",
                value=repr(line[:40].decode("ascii", "replace")),
                allowed='[seconds, "hex"], with seconds that rise',
                way_out="mend that line or delete it",
            ) from error
        self._last_s = block.arrival_s
        return block

    def _line(self) -> bytes:
        self._number += 1
        return self._file.readline(_LINE)

    def _read_header(self) -> CaptureHeader:
        try:
            header = CaptureHeader.model_validate_json(self._line())
        except ValidationError as error:
            raise RecordingError(
                f"capture {self._path.name}",
                value="no header in its first line",
                allowed="a file that `streamer capture` wrote",
            ) from error
        if (header.format, header.version) != (_FORMAT, _VERSION):
            raise RecordingError(
                f"capture {self._path.name}",
                value=f"{header.format} version {header.version}",
                allowed=f"{_FORMAT} version {_VERSION}",
            )
        return header


def _parse(line: bytes) -> Block:
    arrival_s, data = parse_json(line.decode("utf-8"), "line", RecordingError)
    return Block(float(arrival_s), None if data is None else bytes.fromhex(data))
