"""Ctrl-C, and the request of the system to end, bring a command to a proper end."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from streamer.cli.options import note

Handler = Callable[[int, FrameType | None], object]

ENDS = (signal.SIGINT, signal.SIGTERM)
"""Signals that ask a command to end."""


@contextmanager
def ending_properly(
    stop: threading.Event, waiting: Callable[[], bool] = lambda: False
) -> Iterator[None]:
    """Let the first Ctrl-C set `stop`, and the second one kill.

    Parameters
    ----------
    stop : Event
        Set by the first one, and by the system's request to end.
    waiting : callable
        Says whether there is nothing yet to end properly; the first one is a
        `KeyboardInterrupt` then.
    """

    def handle(number: int, frame: FrameType | None) -> None:
        if stop.is_set():
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        stop.set()
        if waiting():
            raise KeyboardInterrupt
        if not sys.stderr.isatty():  # a line in between would tear the screen
            note("ending; once more to kill")

    with handled_by(handle):
        yield


@contextmanager
def handled_by(handle: Handler) -> Iterator[None]:
    """Handle Ctrl-C and the system's request to end; put back what handled them before.

    Parameters
    ----------
    handle : callable
        Takes the signal's number and the frame that runs.
    """
    before = {number: signal.signal(number, handle) for number in ENDS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def clean_up_on_interrupt() -> None:
    """Let Ctrl-C be a `KeyboardInterrupt` from now on, while a library loads, too.

    For work that leaves processes or files behind when it is killed.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
