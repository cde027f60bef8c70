"""A connection that comes back by itself."""

from contextlib import suppress
from types import TracebackType
from typing import Self

from drivers.clock import Clock
from drivers.errors import SourceError
from drivers.reconnect import Backoff
from drivers.varioport.transport.port import PortLost, Transport


class Link:
    """Keeps a transport open, and opens it again when the device was gone.

    Parameters
    ----------
    transport : Transport
        The device.
    clock : Clock
        The transport's clock.
    start, stop : bytes
        Sent whenever the port is open, and before it is closed.

    Attributes
    ----------
    connected : bool
        The port is open.
    losses : int
        Times it was lost: what `read` returns is of a new connection each time.
    """

    def __init__(
        self, transport: Transport, clock: Clock, *, start: bytes = b"", stop: bytes = b""
    ) -> None:
        self.connected = False
        self.losses = 0
        self._transport = transport
        self._clock = clock
        self._start, self._stop = start, stop
        self._backoff = Backoff()
        self._heard = False  # anything since the port was opened

    def open(self) -> None:
        """Connect; raise `SourceError` when that is not possible."""
        self._transport.open()
        self._heard = False
        try:
            if self._start:
                self._transport.write(self._start)
        except PortLost:
            self._transport.close()  # a device that cannot be started has nothing to stop
            raise
        self.connected = True

    def read(self, timeout_s: float) -> tuple[bytes, float] | None:
        """Return bytes and their arrival as soon as there are some.

        None after `timeout_s` without any, or earlier when the port is lost or does not
        open: the next call tries again when it is time.
        """
        deadline_s = self._clock.now_s() + timeout_s
        try:
            if not self.connected and not self._connect(deadline_s):
                return None
            block = self._transport.read(max(0.0, deadline_s - self._clock.now_s()))
        except PortLost:
            self._lose()
            return None
        if block is not None and not self._heard:
            self._heard = True
            self._backoff.reset()
        return block

    def close(self) -> None:
        """Let go of the device; may be called twice."""
        if self.connected and self._stop:
            with suppress(SourceError):  # it is gone: nobody is left to be stopped
                self._transport.write(self._stop)
        self.connected = False
        self._transport.close()

    def __enter__(self) -> Self:
        """Open."""
        self.open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close."""
        self.close()

    def _connect(self, deadline_s: float) -> bool:
        """Try to open the port when it is time, or let the time pass."""
        now_s = self._clock.now_s()
        if not self._backoff.due(now_s):
            self._clock.sleep_until(min(now_s + self._backoff.left_s(now_s), deadline_s))
            now_s = self._clock.now_s()
            if not self._backoff.due(now_s):
                return False
        try:
            self.open()
        except PortLost:
            raise
        except SourceError:
            # No such port, or, while the system makes it, no permission or busy.
            self._backoff.failed(now_s)
            return False
        return True

    def _lose(self) -> None:
        """Close at once: the system keeps the port's name from the device as long as it is open."""
        if not self._heard:
            self._backoff.failed(self._clock.now_s())
        self.connected = False
        self.losses += 1
        self._transport.close()
