"""Signals: the first one ends a command properly, the second one at once."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from streamer.cli.ending import ENDS, clean_up_on_interrupt, ending_properly

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    before = {one: signal.getsignal(one) for one in ENDS}
    yield
    for one, handler in before.items():
        signal.signal(one, handler)


@pytest.mark.parametrize("number", ENDS, ids=lambda one: one.name)
def test_the_first_signal_ends_properly_and_the_second_is_the_system_s(
    number: signal.Signals,
) -> None:
    """A closed terminal would cost the summary; what hangs in the end could not be killed."""
    stop = threading.Event()
    before = {one: signal.getsignal(one) for one in ENDS}
    with ending_properly(stop):
        signal.raise_signal(number)
        assert stop.wait(10)
        assert {signal.getsignal(one) for one in ENDS} == {signal.SIG_DFL}
    assert {one: signal.getsignal(one) for one in ENDS} == before


def test_a_terminal_that_closes_is_among_them() -> None:
    """A session over ssh would lose its summary with the connection."""
    assert hasattr(signal, "SIGHUP") == any(one.name == "SIGHUP" for one in ENDS)


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="not on Windows")
def test_nohup_is_respected() -> None:
    """A recording over night would end with the terminal, though `nohup` was asked for it."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with ending_properly(threading.Event()):
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN


@pytest.mark.parametrize("number", ENDS, ids=lambda one: one.name)
def test_work_with_something_to_clean_up_is_interrupted(number: signal.Signals) -> None:
    """Files half made would be left behind by a `kill`."""
    clean_up_on_interrupt()
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(number)


HANGING = """
import ctypes, sys, threading
from streamer.cli.ending import ending_properly

stop = threading.Event()
threading.Thread(
    target=lambda: (stop.wait(), print("stopped", flush=True)), daemon=True
).start()
with ending_properly(stop):
    print("ready", flush=True)
    library, lock = ctypes.CDLL(None), ctypes.create_string_buffer(64)
    while True:  # for ever, in C, where no signal interrupts it
        library.pthread_mutex_lock(lock)
"""


@pytest.mark.system
@pytest.mark.skipif(sys.platform != "linux", reason="a mutex of zeros is Linux's")
def test_signals_are_answered_while_a_library_holds_the_main_thread() -> None:
    """A frozen sound server would make a session that only `kill -9` ends."""
    with subprocess.Popen(
        [sys.executable, "-c", HANGING], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            process.send_signal(signal.SIGTERM)
            assert process.stdout.readline() == "stopped\n"
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 128 + signal.SIGTERM
        finally:
            process.kill()


def test_nothing_of_it_is_left() -> None:
    """A process that runs many sessions would run out of files and threads."""
    threads = threading.active_count()
    with ending_properly(threading.Event()):
        assert threading.active_count() == threads + 1
        descriptor = signal.set_wakeup_fd(-1)
        signal.set_wakeup_fd(descriptor)
        os.fstat(descriptor)
    assert threading.active_count() == threads
    assert signal.set_wakeup_fd(-1) == -1
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)
