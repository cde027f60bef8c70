"""liblsl through pylsl, its errors as ours, and the configuration that keeps it on this machine."""

import atexit
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from zlib import crc32

from drivers.clock import Clock
from drivers.errors import SourceError, StreamerError

try:
    import pylsl
except (ImportError, OSError, RuntimeError) as error:
    raise SourceError(
        "Lab Streaming Layer",
        value=f"pylsl finds no liblsl ({error})",
        way_out="install liblsl and name its file in the environment variable PYLSL_LIB",
    ) from error

# Where liblsl looks for a user's own configuration; see "Configuration files" in its
# documentation.
_USERS = (
    Path("lsl_api.cfg"),
    Path.home() / "lsl_api/lsl_api.cfg",
    Path("/etc/lsl_api/lsl_api.cfg"),
)

if "LSLAPICFG" not in os.environ and not any(file.is_file() for file in _USERS):
    # Its lines would run through the live screen. What they tell, losses and returns of a
    # stream, the sources count and show themselves.
    pylsl.set_config_content("[log]\nlevel = -3\n")

NO_ANSWER = (pylsl.util.LostError, pylsl.util.TimeoutError, pylsl.util.InternalError)
"""What is raised where a stream is gone: it may be back."""

__all__ = ["NO_ANSWER", "lsl_ahead_s", "one_line", "pylsl", "use_loopback"]

# Each query keeps a port of the 32 while it waits for answers: as long as usual, those that are
# sent this often would leave none for the streams that are looked for.
_LOOPBACK = """\
[ports]
IPv6 = disable
BasePort = {base_port}
[multicast]
ResolveScope = machine
[lab]
KnownPeers = {{127.0.0.1}}
SessionID = {session_id}
[tuning]
MulticastMinRTT = 0.1
MulticastMaxRTT = 0.5
UnicastMinRTT = 0.1
UnicastMaxRTT = 0.5
TimeProbeInterval = 0.008
TimeProbeMaxRTT = 0.064
[log]
level = -3
"""

_FIRST_PORT, _PORTS, _SESSIONS = 16604, 32, 500  # behind LSL's own, before the system's


def lsl_ahead_s(clock: Clock) -> float:
    """Compare LSL's clock with the session's.

    Parameters
    ----------
    clock : Clock
        The session's, running in real time.

    Returns
    -------
    float
        Added to a time on the session's clock, gives the time on LSL's.
    """
    readings = []
    for _ in range(5):  # the best of them was not interrupted
        before_s, lsl_s, after_s = clock.now_s(), pylsl.local_clock(), clock.now_s()
        readings.append((after_s - before_s, lsl_s - (before_s + after_s) / 2))
    return float(min(readings)[1])


@contextmanager
def one_line(thing: str) -> Iterator[None]:
    """Put what liblsl and pylsl raise into an error of ours.

    Parameters
    ----------
    thing : str
        The stream, for the error: ``"LSL stream 'Amp'"``.

    Raises
    ------
    SourceError
        liblsl refuses: it has no file or port left, or what it is to do makes no sense. That
        a stream does not answer, `NO_ANSWER`, is left to whoever asked it.
    """
    try:
        yield
    except (StreamerError, *NO_ANSWER):
        raise
    except (RuntimeError, ValueError, OSError, OverflowError, MemoryError) as error:
        raise SourceError(
            thing,
            value=f"liblsl fails: {str(error).rstrip('.') or type(error).__name__}",
            way_out="close other programs, which may hold all files and ports, or start the "
            "sender again",
        ) from error


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
    # A stream finds no other than within its 32 ports. Those of another session, or of a program
    # that was left behind, shall not take all of them.
    base_port = _FIRST_PORT + _PORTS * (crc32(session_id.encode()) % _SESSIONS)
    content = _LOOPBACK.format(session_id=session_id, base_port=base_port)
    pylsl.set_config_content(content)
    handle, name = tempfile.mkstemp(prefix="lsl_api_", suffix=".cfg")
    with os.fdopen(handle, "w") as file:
        file.write(content)
    atexit.register(Path(name).unlink, missing_ok=True)
    os.environ["LSLAPICFG"] = name
    return session_id
