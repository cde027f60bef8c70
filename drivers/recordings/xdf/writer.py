"""An XDF file that grows at its end only."""

import os
import socket
import struct
import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from drivers.errors import RecordingError
from drivers.recordings.xdf.container import (
    BOUNDARY,
    DTYPES,
    MAGIC,
    STRING,
    Tag,
    chunk,
    length,
)
from drivers.recordings.xdf.encoding import Description, rows, stamped, string, xml
from drivers.source import Channel

_BOUNDARY_S = 10.0
_BOUNDARY_BYTES = 1 << 16


@dataclass
class _Stream:
    """What the footer will say."""

    name: str
    channels: int
    rate_hz: float
    format: str
    samples: int = 0
    first_s: float = 0.0
    last_s: float = 0.0
    offsets: list[tuple[float, float]] = field(default_factory=list)


class XdfWriter:
    """Writes XDF 1.0, chunk after chunk.

    Every chunk goes to the operating system in one call as soon as it is complete, and
    nothing that is written is ever changed. So a process that is killed loses no more
    than the chunk it was writing, and the file can be read at any time. A power cut loses
    what the system has not put on the disk yet; `flush` waits until it has.
    One thread at a time.

    Parameters
    ----------
    path : Path
        A new file.
    created : datetime, optional
        Beginning of the recording; default is now.
    about : mapping, optional
        More elements of the file header.
    clock : callable
        Seconds, for the distance of the boundary chunks.

    Raises
    ------
    RecordingError
        The file exists, or cannot be made; a full disk is one reason.
    """

    def __init__(
        self,
        path: Path,
        *,
        created: datetime | None = None,
        about: Description | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        try:
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        except FileExistsError:
            raise RecordingError(
                f"XDF file {path}",
                value="it exists",
                allowed="a new file",
                way_out="choose another name",
            ) from None
        except OSError as error:
            raise RecordingError(f"XDF file {path}", value=error.strerror) from error
        self._clock = clock
        self._streams: list[_Stream] = []
        self._open = True
        self._size = 0
        created = datetime.now().astimezone() if created is None else created
        header = {"version": "1.0", "datetime": created.isoformat(), **(about or {})}
        self._boundary_size, self._boundary_s = 0, clock()
        try:
            self._append(MAGIC + chunk(Tag.FILE_HEADER, xml(header)))
        except OSError as error:
            path.unlink()
            raise RecordingError(
                f"XDF file {path}", value=error.strerror, way_out="make room, or write elsewhere"
            ) from error

    @property
    def closed(self) -> bool:
        """Whether `close` was called or the disk is full."""
        return not self._open

    @property
    def size_bytes(self) -> int:
        """Size of the file."""
        return self._size

    def add_stream(
        self,
        name: str,
        kind: str,
        channels: Sequence[Channel],
        rate_hz: float,
        format: str,  # noqa: A002 - XDF's own term
        *,
        source_id: str = "",
        desc: Description | None = None,
    ) -> int:
        """Begin a stream.

        Parameters
        ----------
        name, kind : str
            Name and type, as ``"EMG"``, ``"Audio"``, ``"Markers"``.
        channels : sequence of Channel
            One or more; for strings one, since not every reader knows more.
        rate_hz : float
            Nominal rate, 0 for events.
        format : str
            ``float32``, ``double64``, ``int8``, ``int16``, ``int32``, ``int64``, ``string``.
        source_id : str
            Identity of the sender.
        desc : mapping, optional
            More elements of the description.

        Returns
        -------
        int
            Number of the stream, for `write` and `clock_offset`.
        """
        if format not in (*DTYPES, STRING) or not channels:
            raise ValueError(f"a stream of {len(channels)} channels in {format}")
        self._streams.append(_Stream(name, len(channels), rate_hz, format))
        number = len(self._streams)
        described = [
            {
                "label": channel.label,
                "unit": "microvolts" if channel.unit == "uV" else channel.unit,
                "type": channel.type,
            }
            for channel in channels
        ]
        info = {
            "name": name,
            "type": kind,
            "channel_count": len(channels),
            "nominal_srate": float(rate_hz),
            "channel_format": format,
            "source_id": source_id,
            "version": "1.0",
            "created_at": 0.0,
            "uid": str(uuid.uuid4()),
            "hostname": socket.gethostname(),
            "desc": {"channels": {"channel": described}, **(desc or {})},
        }
        self._append(chunk(Tag.STREAM_HEADER, xml(info), number))
        return number

    def write(
        self, stream: int, samples: NDArray[Any] | Sequence[Any], times_s: float | ArrayLike
    ) -> None:
        """Append samples.

        Parameters
        ----------
        stream : int
            Number of the stream.
        samples : ndarray, shape (n, channels), or sequence of str
            Of the stream's format.
        times_s : float or array_like of float, shape (n,)
            Time stamp of the first sample, those after it following at the nominal rate,
            or one for each.

        Raises
        ------
        OSError
            The disk is full. The file ends with its last whole chunk and is closed.
        """
        about = self._streams[stream - 1]
        stamps = np.asarray(times_s, np.float64)
        if about.format == STRING:
            encoded: NDArray[np.uint8] | list[bytes] = [string(text) for text in samples]
        else:
            encoded = rows(samples, about.name, about.channels, about.format)
        count = len(encoded)
        if not count:
            return
        if stamps.ndim == 0:
            if count > 1 and not about.rate_hz:
                raise ValueError(f"the events of {about.name} need a time stamp each")
            last_s = float(stamps) + (count - 1) / (about.rate_hz or 1.0)
        elif stamps.shape == (count,):
            last_s = float(stamps[-1])
        else:
            raise ValueError(f"{count} samples of {about.name}, stamps {stamps.shape}")
        content = length(count) + stamped(encoded, stamps)
        self._append(chunk(Tag.SAMPLES, content, stream))
        if not about.samples:
            about.first_s = float(stamps.flat[0])
        about.last_s = last_s
        about.samples += count

    def clock_offset(self, stream: int, time_s: float, offset_s: float) -> None:
        """Append a measurement of a stream's clock.

        Parameters
        ----------
        stream : int
            Number of the stream.
        time_s : float
            When it was measured, on the stream's clock.
        offset_s : float
            What has to be added to the stream's stamps to give the recording's time.
        """
        self._append(chunk(Tag.CLOCK_OFFSET, struct.pack("<dd", time_s, offset_s), stream))
        self._streams[stream - 1].offsets.append((time_s, offset_s))

    def boundary(self) -> None:
        """Append a boundary; there is one at least every 10 s and every 64 KiB anyway."""
        self._append(chunk(Tag.BOUNDARY, BOUNDARY))
        self._boundary_size, self._boundary_s = self._size, self._clock()

    def flush(self) -> None:
        """Wait until all is on the disk; may take long."""
        if self._open:
            os.fsync(self._file)

    def close(self) -> None:
        """Append the footers and close; may be called twice.

        Raises
        ------
        OSError
            The disk is full. What was written before can be read.
        """
        if not self._open:
            return
        for number, stream in enumerate(self._streams, 1):
            self._append(chunk(Tag.STREAM_FOOTER, xml(_footer(stream)), number))
        self._open = False
        try:
            os.fsync(self._file)
        finally:
            os.close(self._file)

    def abandon(self) -> None:
        """Close without footers; may be called twice."""
        if self._open:
            self._open = False
            with suppress(OSError):
                os.close(self._file)

    def __enter__(self) -> Self:
        """Nothing to do: the file is open."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close."""
        self.close()

    def _append(self, data: bytes) -> None:
        """Write whole chunks, or none."""
        if not self._open:
            raise ValueError("the XDF file is closed")
        now_s = self._clock()
        if self._size and (
            now_s - self._boundary_s >= _BOUNDARY_S
            or self._size - self._boundary_size >= _BOUNDARY_BYTES
        ):
            # Before the chunk: damage to it then costs nothing that comes before.
            data = chunk(Tag.BOUNDARY, BOUNDARY) + data
            self._boundary_size, self._boundary_s = self._size, now_s
        left = memoryview(data)
        try:
            while left:  # a call that writes less is followed by one that says why
                left = left[os.write(self._file, left) :]
        except OSError:
            with suppress(OSError):
                os.ftruncate(self._file, self._size)
            self.abandon()
            raise
        self._size += len(data)


def _footer(stream: _Stream) -> Description:
    duration_s = stream.last_s - stream.first_s
    offsets = [{"time": time_s, "value": value_s} for time_s, value_s in stream.offsets]
    return {
        "first_timestamp": stream.first_s,
        "last_timestamp": stream.last_s,
        "sample_count": stream.samples,
        "measured_srate": (stream.samples - 1) / duration_s if duration_s > 0 else 0.0,
        "clock_offsets": {"offset": offsets},
    }
