"""liblsl through pylsl, and the configuration that keeps it on this machine."""

import atexit
import os
import tempfile
from pathlib import Path

from drivers.errors import SourceError

try:
    import pylsl
except (ImportError, OSError, RuntimeError) as error:
    raise SourceError(
        "Lab Streaming Layer",
        value=f"pylsl finds no liblsl ({error})",
        way_out="install liblsl and name its file in the environment variable PYLSL_LIB",
    ) from error

__all__ = ["pylsl", "use_loopback"]

_LOOPBACK = """\
[ports]
IPv6 = disable
[multicast]
ResolveScope = machine
[lab]
KnownPeers = {{127.0.0.1}}
SessionID = {session_id}
[tuning]
TimeProbeInterval = 0.008
TimeProbeMaxRTT = 0.032
[log]
level = -3
"""


def use_loopback(session_id: str | None = None) -> str:
    """Keep all LSL traffic of this process and its children on this machine.

    liblsl reads its configuration at its first call and never again, so this comes
    before anything else that is done with streams.

    Parameters
    ----------
    session_id : str, optional
        Streams are seen within one session only; default is one for this process, which
        child processes inherit.

    Returns
    -------
    str
        The session's id.
    """
    session_id = session_id or f"streamer-{os.getpid()}"
    handle, name = tempfile.mkstemp(prefix="lsl_api_", suffix=".cfg")
    with os.fdopen(handle, "w") as file:
        file.write(_LOOPBACK.format(session_id=session_id))
    atexit.register(Path(name).unlink, missing_ok=True)
    os.environ["LSLAPICFG"] = name
    return session_id
