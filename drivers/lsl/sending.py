"""What all our outlets share: one stream, stamped with the session's times."""

import time
from typing import Any

from drivers.clock import Clock, PerfClock
from drivers.lsl.library import lsl_ahead_s, one_line, pylsl
from drivers.lsl.loopback import kept_here

# liblsl sends in the background: a stream is not taken away while its last samples go out.
_LINGER_S = 0.3
_BUFFER_S = 30


class Feed:
    """A stream that is there from the moment it is made.

    Parameters
    ----------
    stream : pylsl.StreamInfo
        Its description.
    clock : Clock, optional
        The clock of the times that are given, which has to run in real time.
    """

    def __init__(self, stream: Any, clock: Clock | None = None) -> None:
        with one_line(f"LSL stream '{stream.name()}'"), kept_here():
            self._outlet: Any = pylsl.StreamOutlet(stream, 0, _BUFFER_S)
        self._pushed_s = float("-inf")
        self._to_lsl_s = lsl_ahead_s(PerfClock() if clock is None else clock)

    @property
    def heard(self) -> bool:
        """Somebody listens."""
        return self._outlet is not None and bool(self._outlet.have_consumers())

    def push(self, values: Any, time_s: float) -> None:
        """Send samples, without waiting for whoever listens.

        Parameters
        ----------
        values : ndarray of shape (n, channels) or list of list of str
            The samples, none of them allowed too.
        time_s : float
            Time of the last one on the session's clock.
        """
        self._outlet.push_chunk(values, time_s + self._to_lsl_s)
        self._pushed_s = time.monotonic()

    def close(self) -> None:
        """Let the last samples go out and take the stream away; may be called twice."""
        if self.heard:
            time.sleep(max(0.0, self._pushed_s + _LINGER_S - time.monotonic()))
        self._outlet = None
