"""Ctrl-C, and the request of the system to end, bring a command to a proper end."""

import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn

from streamer import importing
from streamer.cli.options import note

Handler = Callable[[int, FrameType | None], object]

ENDS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)
"""Signals that ask a command to end: Ctrl-C, the system, a terminal that was closed."""


@contextmanager
def ending_properly(
    stop: threading.Event, waiting: Callable[[], bool] = lambda: False
) -> Iterator[None]:
    """Let the first Ctrl-C set `stop`, and the second one kill.

    Whatever hangs then, a foreign library among it: after the first one the system itself
    answers the next, and where the main thread cannot answer the first one, a thread does.

    Parameters
    ----------
    stop : Event
        Set by the first one, and by the system's request to end.
    waiting : callable
        Says whether there is nothing yet to end properly; the first one is a
        `KeyboardInterrupt` then.
    """

    def handle(number: int, frame: FrameType | None) -> None:
        for one in _handled():
            signal.signal(one, signal.SIG_DFL)
        stop.set()
        if waiting() and not importing(frame):  # else it is asked of `stop` soon
            raise KeyboardInterrupt
        if not sys.stderr.isatty():  # a line in between would tear the screen
            note("ending; once more to kill")

    with handled_by(handle), _watched(stop):
        yield


@contextmanager
def handled_by(handle: Handler) -> Iterator[None]:
    """Handle Ctrl-C and the system's request to end; put back what handled them before.

    Parameters
    ----------
    handle : callable
        Takes the signal's number and the frame that runs.
    """
    before = {number: signal.signal(number, handle) for number in _handled()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def clean_up_on_interrupt() -> None:
    """Let Ctrl-C be a `KeyboardInterrupt` from now on, while a library loads, too.

    So is the system's request to end. For work that leaves processes or files behind when it
    is killed.
    """
    for number in _handled():
        signal.signal(number, signal.default_int_handler)


def leave(code: int) -> NoReturn:
    """End the process at once, where a library hangs that Python would wait for.

    Parameters
    ----------
    code : int
        Exit code.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _handled() -> list[signal.Signals]:
    """Return the signals to handle: all but a SIGHUP that `nohup` has the process ignore."""
    return [one for one in ENDS if one == signal.SIGINT or signal.getsignal(one) != signal.SIG_IGN]


@contextmanager
def _watched(stop: threading.Event) -> Iterator[None]:
    """Watch signals on a thread: the main one answers none while a library holds it.

    The first one sets `stop`. A second one that comes here was answered by nobody, since
    `ending_properly` leaves it to the system: the process ends at once.
    """
    ours, pythons = socket.socketpair()
    pythons.setblocking(False)
    before = signal.set_wakeup_fd(pythons.fileno(), warn_on_full_buffer=False)

    def watch() -> None:
        asked = False
        while number := _next(ours):
            if number in ENDS:
                if asked:
                    os._exit(128 + number)
                asked = True
                stop.set()

    thread = threading.Thread(target=watch, name="signals", daemon=True)
    thread.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        with suppress(OSError):
            ours.shutdown(socket.SHUT_RDWR)
        thread.join()
        ours.close()
        pythons.close()


def _next(signals: socket.socket) -> int:
    """Wait for a signal and return its number; 0 at the end."""
    content = signals.recv(1)
    return content[0] if content else 0
