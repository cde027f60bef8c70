"""Outlets that only programs on this machine can reach.

liblsl listens on all interfaces, asks nobody who he is, and has no setting for either: its
``ResolveScope`` is for searches alone. So the sockets that it opens for an outlet are bound to
the loopback interface right after, which Linux allows from 5.7 on.
"""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from drivers.errors import SourceError

_EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 - looked for, not bound to
_POSSIBLE = hasattr(socket, "SO_BINDTODEVICE")
_kept_here = False


def keep_outlets_here(setting: str) -> None:
    """Let the outlets that this process makes from now on be for this machine only.

    Parameters
    ----------
    setting : str
        What asks for it, for the error.

    Raises
    ------
    SourceError
        This system cannot do so.
    """
    global _kept_here  # noqa: PLW0603 - liblsl's own settings are the process's, too
    if not _POSSIBLE:
        raise SourceError(
            setting,
            value="true",
            allowed="Linux 5.7 or later",
            way_out="keep others out with a firewall",
        )
    _kept_here = True


@contextmanager
def kept_here() -> Iterator[None]:
    """Bind what is opened within to the loopback interface, where that is wanted."""
    before = _open_to_all() if _is_wanted() else {}
    yield
    if not _is_wanted():
        return
    for descriptor, inode in _open_to_all().items():
        if before.get(descriptor) != inode:
            with suppress(OSError), _socket(descriptor) as opened:
                opened.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo\0")


def _is_wanted() -> bool:
    """Say whether it is: a configuration that looks on this machine only means it, too."""
    if _kept_here or not _POSSIBLE:
        return _kept_here
    try:
        lines = Path(os.environ["LSLAPICFG"]).read_text("utf-8", "replace").splitlines()
    except (KeyError, OSError):
        return False
    return any(line.replace(" ", "").lower() == "resolvescope=machine" for line in lines)


def _open_to_all() -> dict[int, int]:
    """Return the sockets of this process that listen on all interfaces, and their inodes."""
    found = {}
    for name in os.listdir("/proc/self/fd"):
        with suppress(OSError), _socket(int(name)) as one:
            if one.family in (socket.AF_INET, socket.AF_INET6):
                if one.getsockname()[0] in _EVERYWHERE and one.getsockname()[1]:
                    found[int(name)] = os.fstat(int(name)).st_ino
    return found


def _socket(descriptor: int) -> socket.socket:
    """Return a socket of its own for somebody else's; raise OSError where it is none."""
    mine = os.dup(descriptor)
    try:
        return socket.socket(fileno=mine)
    except OSError:
        os.close(mine)
        raise
