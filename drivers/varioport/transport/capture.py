"""Raw bytes of a device to a file, and from the file in the place of the device."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from drivers.clock import Clock, PerfClock
from drivers.errors import SourceError
from drivers.varioport.profile import Profile
from drivers.varioport.transport.capture_file import (
    Block,
    Capture,
    CaptureHeader,
    CaptureReader,
    CaptureWriter,
    read_capture,
)
from drivers.varioport.transport.link import Link
from drivers.varioport.transport.port import PortLost, Transport

__all__ = [
    "Block",
    "Capture",
    "CaptureHeader",
    "CaptureTransport",
    "CaptureWriter",
    "Captured",
    "capture",
    "read_capture",
]

_READ_S = 0.1  # how soon a stop is noticed


@dataclass(frozen=True)
class Captured:
    """What `capture` stored.

    Attributes
    ----------
    byte_count : int
        Bytes.
    seconds : float
        How long it ran.
    losses : int
        Times the port was lost.
    dropped_bytes : int
        Bytes that this machine was too late to fetch.
    """

    byte_count: int
    seconds: float
    losses: int
    dropped_bytes: int


def capture(
    transport: Transport,
    path: Path,
    *,
    baud_rate: int,
    stopped: Callable[[], bool],
    duration_s: float | None = None,
    profile: Profile | None = None,
    clock: Clock | None = None,
) -> Captured:
    """Store a device's raw bytes until a stop is wanted or the time is over.

    A port that is lost is opened again as soon as it is back.

    Parameters
    ----------
    transport : Transport
        The device, not open.
    path : Path
        A file that does not exist.
    baud_rate : int
        For the header.
    stopped : callable
        Says whether a stop is wanted.
    duration_s : float, optional
        How long.
    profile : Profile, optional
        Whose start and stop bytes are sent. Without one nothing is.
    clock : Clock, optional
        The transport's clock.

    Returns
    -------
    Captured
        What is in the file.

    Raises
    ------
    SourceError
        The port cannot be opened in the first place.
    RecordingError
        The file cannot be written.
    """
    clock = PerfClock() if clock is None else clock
    start, stop = (b"", b"") if profile is None else (profile.start, profile.stop)
    header = CaptureHeader(
        port=transport.name,
        baud_rate=baud_rate,
        started=datetime.now(UTC),
        profile=None if profile is None else profile.name,
    )
    byte_count = losses = 0
    start_s = now_s = clock.now_s()
    until_s = math.inf if duration_s is None else start_s + duration_s
    with (
        Link(transport, clock, start=start, stop=stop) as link,
        CaptureWriter(path, header, start_s) as writer,
    ):
        while now_s < until_s and not stopped() and not transport.ended:
            block = link.read(min(_READ_S, until_s - now_s))
            now_s = clock.now_s()
            if link.losses != losses:
                losses = link.losses
                writer.lost(now_s)
            if block is not None:
                writer.write(*block)
                byte_count += len(block[0])
        return Captured(byte_count, now_s - start_s, losses, transport.dropped_bytes)


class CaptureTransport:
    """A capture in the place of the device it was taken from.

    Parameters
    ----------
    path : Path
        The capture.
    speed : float, optional
        1 plays it at its own pace. None plays as fast as it is read: `read` never waits
        and time is the capture's own.
    clock : Clock, optional
        The session's clock.

    Attributes
    ----------
    name : str
        Name of the file.
    ended : bool
        All of it is read.
    dropped_bytes : int
        None ever.
    """

    def __init__(
        self, path: Path, speed: float | None = 1.0, *, clock: Clock | None = None
    ) -> None:
        if speed not in (None, 1):
            # Arrivals in another time than the samples' would make a clock of another rate.
            raise SourceError("speed of a capture", value=speed, allowed="1 or max")
        self.name = path.name
        self.ended = False
        self.dropped_bytes = 0
        self._path, self._paced = path, speed is not None
        self._clock = PerfClock() if clock is None else clock
        self._reader: CaptureReader | None = None
        self._next: Block | None = None
        self._lost_at: tuple[int, int] | None = None  # where to go on after a loss
        self._opened_s = 0.0

    def open(self) -> None:
        """Go to the beginning, or, after the port was lost, on to what came when it was back.

        Raises
        ------
        RecordingError
            The file is no capture.
        """
        if self._reader is not None:
            self._reader.close()
        self._reader = CaptureReader(self._path, self._lost_at)
        if self._lost_at is None:
            self._opened_s = self._clock.now_s() if self._paced else 0.0
        self._lost_at, self._next, self.ended = None, None, False

    def read(self, timeout_s: float) -> tuple[bytes, float] | None:
        """Return the next block and its arrival, None after `timeout_s` or at the end.

        Raises
        ------
        PortLost
            Here the port was lost.
        RecordingError
            The file is damaged.
        """
        if self._reader is None:
            raise PortLost(f"capture {self.name} is not open", way_out="open it first")
        if self._next is None:
            self._next = next(self._reader, None)
            if self._next is None:
                self.ended = True
                return None
        due_s = self._opened_s + self._next.arrival_s
        if self._paced:
            deadline_s = self._clock.now_s() + timeout_s
            self._clock.sleep_until(min(due_s, deadline_s))
            if due_s > deadline_s:
                return None
        data, self._next = self._next.data, None
        if data is None:
            self._lost_at = self._reader.position
            raise PortLost(f"the port of capture {self.name} was lost here")
        return data, due_s

    def write(self, data: bytes) -> None:
        """Do nothing: what the device got, it got back then."""

    def close(self) -> None:
        """Close the file; may be called twice."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None
