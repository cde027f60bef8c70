"""A library that hangs, and everything else that goes on."""

import threading
from typing import Any

import pytest

from streamer.audio import library_thread
from streamer.audio.library_thread import LibraryThread, UnansweredError

PATIENT_S = 60.0
AT_ONCE_S = 0.001


def test_calls_are_made_on_one_thread_and_give_what_they_give() -> None:
    """Some sound systems refuse calls from another thread than the first."""
    library = LibraryThread("library")
    threads = {library.call(threading.current_thread, PATIENT_S) for _ in range(3)}
    (thread,) = threads
    assert thread is not threading.current_thread()
    assert thread.daemon  # the program ends though a call never does
    with pytest.raises(ZeroDivisionError):
        library.call(lambda: 1 // 0, PATIENT_S)
    assert library.call(lambda: 7, PATIENT_S) == 7


def test_a_call_that_hangs_is_given_up_and_undone_when_it_ends() -> None:
    """A card that opens a minute late would play beside the one that took its place."""
    library, thawed = LibraryThread("library"), threading.Event()
    undone: list[str] = []

    def open_late() -> str:
        thawed.wait()
        return "card"

    with pytest.raises(UnansweredError):
        library.call(open_late, AT_ONCE_S, undone.append)
    with pytest.raises(UnansweredError):
        library.call(lambda: "second card", AT_ONCE_S, undone.append)
    thawed.set()
    assert library.call(lambda: "well again", PATIENT_S) == "well again"
    assert undone == ["card", "second card"]


def test_what_fails_while_it_is_undone_ends_nothing() -> None:
    """The next card could not be opened."""
    library, thawed = LibraryThread("library"), threading.Event()
    with pytest.raises(UnansweredError):
        library.call(thawed.wait, AT_ONCE_S, lambda _: 1 // 0)
    thawed.set()
    assert library.call(lambda: 7, PATIENT_S) == 7


def test_an_interrupted_call_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """After Ctrl-C a card would be left open."""
    library, thawed, undone = LibraryThread("library"), threading.Event(), threading.Event()

    class Interrupted(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            raise KeyboardInterrupt

    class InterruptedCall(library_thread._Call[object]):
        def __init__(self, *args: Any) -> None:
            super().__init__(*args)
            self.ended = Interrupted()

    monkeypatch.setattr(library_thread, "_Call", InterruptedCall)
    with pytest.raises(KeyboardInterrupt):
        library.call(thawed.wait, PATIENT_S, lambda _: undone.set())
    thawed.set()
    assert undone.wait(PATIENT_S)
