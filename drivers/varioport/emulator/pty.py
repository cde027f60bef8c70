"""A pseudo terminal that can be plugged in and out under a stable name."""

import os
import select
import tempfile
from contextlib import suppress
from pathlib import Path

from drivers.errors import SourceError

DEFAULT_LINK = Path(tempfile.gettempdir()) / "varioport"
"""Where an emulated device appears unless told otherwise."""


class PseudoPort:
    """The device's end of a serial cable.

    Each time it is plugged in, a new pseudo terminal appears under the same name, as a
    USB adapter does under ``/dev/serial/by-id``. It is raw: no echo, no line endings, no
    control characters. It has no speed: any baud rate reads the same.

    Parameters
    ----------
    link : Path
        Name of the port: a symbolic link that is there while the port is plugged in.
    """

    def __init__(self, link: Path) -> None:
        self._link = link
        self._master: int | None = None
        self._name = ""
        self._clean = True  # nothing that nobody reads any more is left in the terminal

    @property
    def link(self) -> Path:
        """Name of the port."""
        return self._link

    @property
    def is_plugged(self) -> bool:
        """The port is there."""
        return self._master is not None

    def plug(self) -> None:
        """Make the port appear; one that is there stays.

        Raises
        ------
        SourceError
            The system has no pseudo terminals, or the name cannot be used.
        """
        if self.is_plugged:
            return
        if not hasattr(os, "openpty"):
            raise SourceError(
                "emulated serial port",
                value=f"no pseudo terminals on this system ({os.name})",
                way_out="run the emulator on Linux or macOS",
            )
        import tty  # not there on Windows

        self._check_link()
        master, slave = os.openpty()
        try:
            tty.setraw(slave)
            os.set_blocking(master, False)
            self._name = os.ttyname(slave)
            self._put_link()
        except BaseException:
            os.close(master)
            raise
        finally:
            # What is left open here would hide whether somebody else has the port open.
            os.close(slave)
        self._master = master
        self._clean = True

    def unplug(self) -> None:
        """Pull the cable: the name disappears, a reader's port is dead."""
        if self._master is None:
            return
        # Only our own link: somebody may have put another one in its place.
        with suppress(OSError):
            if os.readlink(self._link) == self._name:
                self._link.unlink()
        os.close(self._master)
        self._master = None

    @property
    def is_open(self) -> bool:
        """Somebody has the port open."""
        if self._master is None:
            return False
        poll = select.poll()
        poll.register(self._master, 0)  # a hang-up is reported even if it is not asked for
        return not poll.poll(0)

    def write(self, data: bytes) -> int:
        """Send without waiting.

        Parameters
        ----------
        data : bytes
            What the device sends.

        Returns
        -------
        int
            How many of the bytes went out: fewer when the reader is so slow that the
            terminal is full (about 22 kB on Linux), 0 when nobody has the port open.
        """
        if self._master is None:
            return 0
        if not self.is_open:
            self._discard()
            return 0
        self._clean = False
        sent = 0
        with suppress(BlockingIOError):
            while sent < len(data):
                sent += os.write(self._master, data[sent:])
        return sent

    def read(self) -> bytes:
        """Return what was sent to the device since the last call."""
        if self._master is None:
            return b""
        try:
            return os.read(self._master, 4096)
        except OSError:  # nothing there, or nobody has the port open
            return b""

    def _discard(self) -> None:
        """Empty the terminal, so that the next one to open it reads no stale bytes."""
        if self._clean:
            return
        slave = os.open(self._name, os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK)
        with suppress(BlockingIOError):
            while os.read(slave, 65536):
                pass
        os.close(slave)
        self._clean = True

    def _check_link(self) -> None:
        """Refuse a name that is taken; a link that leads nowhere was left by a crash."""
        taken = None
        if self._link.exists():
            taken = "exists, and another emulator may own it"
        elif not self._link.parent.is_dir():
            taken = "its directory does not exist"
        if taken:
            raise SourceError(
                "name of the emulated serial port",
                value=f"{self._link} {taken}",
                way_out="remove it or choose another name",
            )

    def _put_link(self) -> None:
        try:
            self._link.unlink(missing_ok=True)
            self._link.symlink_to(self._name)
        except OSError as error:
            raise SourceError(
                "name of the emulated serial port",
                value=f"{self._link}: {error.strerror}",
                way_out="choose a place where you may write",
            ) from error
