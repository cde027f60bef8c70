"""Bytes from a serial port, each block with the time of its arrival."""

import errno
import threading
from collections import deque
from contextlib import suppress
from typing import Any, NamedTuple, Protocol

import serial

from drivers.clock import Clock, PerfClock
from drivers.errors import SourceError
from drivers.varioport.transport.access import holders, port_names, stable_name, way_to_permission

_QUEUE_BYTES = 1 << 16  # 5.7 s at 115200 baud: who is later than that gets the newest ones
_BLOCK_BYTES = 1 << 14
_PORTION_BYTES = 1 << 9  # a terminal hands on up to 4095 at a time
_LOOK_S = 0.1  # how soon the reader thread notices that it is to stop, where it cannot be woken
_WRITE_S = 1.0

_GONE = {errno.ENOENT, errno.ENODEV, errno.ENXIO}
_DENIED = {errno.EACCES, errno.EPERM}
_BUSY = {errno.EBUSY, errno.EAGAIN, errno.EWOULDBLOCK}


class PortLost(SourceError):
    """The device is gone: unplugged, switched off, or its driver gave up."""


class Transport(Protocol):
    """Where a device's bytes come from."""

    @property
    def name(self) -> str:
        """What the port is called, the same tomorrow."""

    @property
    def ended(self) -> bool:
        """A finite transport, such as a capture, came to its end."""

    @property
    def dropped_bytes(self) -> int:
        """Bytes that nobody fetched in time, missing before what `read` returned last."""

    def open(self) -> None:
        """Connect, or connect again; raise `SourceError` when that is not possible."""

    def read(self, timeout_s: float) -> tuple[bytes, float] | None:
        """Return bytes and the time of their arrival as soon as there are some.

        None after `timeout_s` without any. Raises `PortLost` when the device is gone and
        all that came before is read.
        """

    def write(self, data: bytes) -> None:
        """Send bytes to the device; raise `PortLost` when that is not possible."""

    def close(self) -> None:
        """Let go of the device; may be called twice."""


class _Block(NamedTuple):
    data: bytes
    arrival_s: float


class SerialTransport:
    """A serial port, for this process alone.

    A thread of its own reads and stamps, so a busy session delays no time stamp. It keeps
    what nobody fetches, up to a limit; then the oldest bytes are dropped and counted.

    Parameters
    ----------
    port : str
        ``/dev/serial/by-id/...``, ``/dev/ttyUSB0``, ``COM3``. Of a device that has a
        stable name, that one is used.
    baud_rate : int
        Bits per second.
    clock : Clock, optional
        The session's clock, running in real time.
    queue_bytes : int
        The limit.

    Attributes
    ----------
    name : str
        Stable name of the port.
    ended : bool
        Never: a device that is gone may come back.
    dropped_bytes : int
        Bytes that nobody fetched in time, missing before what `read` returned last.
    """

    def __init__(
        self,
        port: str,
        baud_rate: int,
        *,
        clock: Clock | None = None,
        queue_bytes: int = _QUEUE_BYTES,
    ) -> None:
        self.name = stable_name(port)
        self.ended = False
        self.dropped_bytes = 0
        self._baud_rate = baud_rate
        self._clock = PerfClock() if clock is None else clock
        self._queue_bytes = queue_bytes
        self._reader: _Reader | None = None

    def open(self) -> None:
        """Open the port, or open it again; what it held before is thrown away.

        Raises
        ------
        SourceError
            There is no such port, it is another's, or it does not do this baud rate.
        """
        self.close()
        port = _open(self.name, self._baud_rate)
        self._reader = _Reader(port, self._clock, self._queue_bytes)

    def read(self, timeout_s: float) -> tuple[bytes, float] | None:
        """Return bytes and the time of their arrival as soon as there are some.

        Parameters
        ----------
        timeout_s : float
            How long to wait, in real time.

        Returns
        -------
        tuple of bytes and float, or None
            None when nothing came.

        Raises
        ------
        PortLost
            The device is gone, and all that came before is read.
        """
        reader = self._connected()
        block, dropped = reader.take(timeout_s)
        self.dropped_bytes += dropped
        if block is not None:
            return block
        if reader.lost is not None:
            raise PortLost(f"serial port {self.name} is lost", value=reader.lost)
        return None

    def write(self, data: bytes) -> None:
        """Send bytes to the device.

        Raises
        ------
        PortLost
            It does not take them.
        """
        try:
            self._connected().port.write(data)
        except (serial.SerialException, OSError) as error:
            raise PortLost(f"serial port {self.name} takes no data", value=error) from error

    def close(self) -> None:
        """Let go of the port; may be called twice."""
        if self._reader is not None:
            self._reader.stop()
            self._reader = None

    def _connected(self) -> "_Reader":
        if self._reader is None:
            raise PortLost(f"serial port {self.name} is not open", way_out="open it first")
        return self._reader


class _Reader:
    """A thread that takes bytes off an open port the moment they arrive.

    Each connection has one of its own, so that bytes of two never meet in one queue.
    """

    def __init__(self, port: Any, clock: Clock, queue_bytes: int) -> None:
        self.port = port
        self.lost: str | None = None
        self._clock = clock
        self._queue_bytes = queue_bytes
        self._blocks: deque[_Block] = deque()
        self._waiting = 0  # bytes in the blocks
        self._dropped = 0  # bytes, right before the blocks
        self._changed = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="serial reader", daemon=True)
        self._thread.start()

    def take(self, timeout_s: float) -> tuple[_Block | None, int]:
        """Wait for a block; return it and how many bytes were dropped before it."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._blocks or self.lost is not None, max(0.0, timeout_s)
            )
            if not self._blocks:
                return None, 0
            block, dropped = self._blocks.popleft(), self._dropped
            self._waiting -= len(block.data)
            self._dropped = 0
            return block, dropped

    def stop(self) -> None:
        """End the thread, then close the port."""
        self._stopping = True
        with suppress(serial.SerialException, OSError, AttributeError):
            self.port.cancel_read()
        self._thread.join()
        with suppress(serial.SerialException, OSError):
            self.port.close()

    def _run(self) -> None:
        while not self._stopping:
            try:
                data = self._fetch()
            except (serial.SerialException, OSError) as error:
                with self._changed:
                    self.lost = str(error)
                    self._changed.notify_all()
                return
            if data:
                self._put(_Block(data, self._clock.now_s()))

    def _fetch(self) -> bytes:
        """Wait for the first byte, and take all that are there."""
        data = bytes(self.port.read(1))
        more = bool(data)
        while more and len(data) < _BLOCK_BYTES:
            waiting = self.port.in_waiting
            if waiting:
                data += self.port.read(waiting)
            # After silence there may be much, in portions; little is the last of it.
            more = waiting >= _PORTION_BYTES
        return data

    def _put(self, block: _Block) -> None:
        with self._changed:
            self._blocks.append(block)
            self._waiting += len(block.data)
            while self._waiting > self._queue_bytes and len(self._blocks) > 1:
                oldest = len(self._blocks.popleft().data)
                self._waiting -= oldest
                self._dropped += oldest
            self._changed.notify_all()


def _open(name: str, baud_rate: int) -> Any:
    """Open a port for this process alone."""
    thing = f"serial port {name}"
    try:
        port = serial.Serial(
            name, baud_rate, timeout=_LOOK_S, write_timeout=_WRITE_S, exclusive=True
        )
    except (ValueError, OverflowError) as error:
        raise SourceError(
            f"baud rate of {thing}",
            value=baud_rate,
            allowed="what the adapter offers, such as 57600, 115200 or 230400",
            way_out="look at the profile",
        ) from error
    except (serial.SerialException, OSError) as error:
        raise _explained(thing, name, error) from error
    # FTDI's adapters collect for 16 ms otherwise; most other ports know no such thing.
    with suppress(NotImplementedError, ValueError, OSError, AttributeError):
        port.set_low_latency_mode(True)
    return port


def _explained(thing: str, name: str, error: OSError) -> SourceError:
    """Say in the user's terms why a port does not open."""
    if error.errno in _GONE:
        return SourceError(
            f"{thing} does not exist",
            allowed=", ".join(port_names()) or "no serial port is there at all",
            way_out="plug the device in and switch it on",
        )
    if error.errno in _DENIED:
        return SourceError(f"{thing}: no permission", way_out=way_to_permission(name))
    if error.errno in _BUSY:
        by = " and ".join(holders(name)) or "another program"
        return SourceError(f"{thing} is in use by {by}", way_out="end it first")
    return SourceError(
        f"{thing} cannot be used",
        value=error,
        way_out="look at the name; `streamer devices` lists the ports there are",
    )
