"""What foreign libraries hold is closed on threads: such a call may never return."""

import threading
import time
from collections.abc import Callable

CLOSE_S = 3.0
"""Longest wait for all of it together."""


class Closing:
    """Closes what a session holds, each on a thread of its own, and waits only so long.

    While the main thread is in a library's C code, no signal is handled: a sound server or a
    driver that hangs would take the session with it.

    Parameters
    ----------
    wait_s : float
        How long to wait.

    Attributes
    ----------
    error : BaseException or None
        The first one that was raised.
    """

    def __init__(self, wait_s: float = CLOSE_S) -> None:
        self.error: BaseException | None = None
        self._wait_s = wait_s
        self._threads: list[threading.Thread] = []

    def begin(self, what: str, close: Callable[[], None]) -> None:
        """Begin to close something.

        Parameters
        ----------
        what : str
            For people.
        close : callable
            Does it; a thread that it never returns to is left alone.
        """

        def run() -> None:
            try:
                close()
            except BaseException as error:
                self.error = self.error or error

        thread = threading.Thread(target=run, name=what, daemon=True)
        self._threads.append(thread)
        thread.start()

    def wait(self) -> None:
        """Wait until everything is closed, or the time is over."""
        until_s = time.monotonic() + self._wait_s
        for thread in self._threads:
            thread.join(max(0.0, until_s - time.monotonic()))

    @property
    def hanging(self) -> list[str]:
        """What has not been closed yet."""
        return [thread.name for thread in self._threads if thread.is_alive()]

    def problems(self) -> list[str]:
        """Say in a line each what did not end properly."""
        lines = [f"{what} does not close: it is left to itself" for what in self.hanging]
        if self.error is not None:
            lines.append(f"not everything could be closed: {self.error}")
        return lines
