"""What a serial port is called, what keeps a user from it, and who has it."""

import os
from contextlib import suppress
from pathlib import Path

from serial.tools import list_ports

try:
    import grp
except ImportError:  # Windows knows no groups
    grp = None  # type: ignore[assignment]

_BY_ID = Path("/dev/serial/by-id")
_PROCESSES = Path("/proc")
_GROUP_MAY = 0o060  # read and write


def stable_name(port: str) -> str:
    """Return the name of a port that stays the same when it is plugged in again.

    Parameters
    ----------
    port : str
        Any name of it.

    Returns
    -------
    str
        Its link in ``/dev/serial/by-id`` where `port` is the device itself and has one,
        else `port`: whoever gives a link has chosen a name.
    """
    device = Path(port)
    if device.is_symlink() or not _BY_ID.is_dir():
        return port
    links = (link for link in sorted(_BY_ID.iterdir()) if link.resolve() == device.resolve())
    return str(next(links, port))


def port_names() -> list[str]:
    """List the ports there are, by their stable names."""
    return [stable_name(port.device) for port in sorted(list_ports.comports())]


def way_to_permission(port: str) -> str:
    """Say how to get the permission to use a port.

    Parameters
    ----------
    port : str
        A port that this user may not open.
    """
    try:
        status = os.stat(port)
        group = grp.getgrgid(status.st_gid).gr_name if grp is not None else None
    except (OSError, KeyError):
        group = None
    if group is None or status.st_mode & _GROUP_MAY != _GROUP_MAY:
        return "let an administrator allow you to read and write it"
    return f"`sudo usermod -aG {group} $USER`, then log in again"


def holders(port: str) -> list[str]:
    """Name the processes that have a port open, as far as this user may see them.

    Parameters
    ----------
    port : str
        Any name of it.

    Returns
    -------
    list of str
        ``"minicom (process 4711)"``; empty where nobody can tell, as without ``/proc``.
    """
    device = os.path.realpath(port)
    found = []
    for process in _PROCESSES.glob("[0-9]*"):
        # Another user's process keeps its files to itself, and any may end while we look.
        with suppress(OSError):
            if any(_leads_to(device, file) for file in (process / "fd").iterdir()):
                name = (process / "comm").read_text().strip()
                found.append(f"{name} (process {process.name})")
    return found


def _leads_to(device: str, file: Path) -> bool:
    try:
        return os.readlink(file) == device
    except OSError:
        return False
