"""A thread for a library whose calls may never return."""

import queue
import threading
from collections.abc import Callable
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class UnansweredError(Exception):
    """A call did not return in its time."""


class LibraryThread:
    """Makes all calls of a library on one thread, and waits for each only so long.

    No signal is handled while the main thread sits in a library's C code: a sound server that
    is frozen would take the whole program with it. Here the caller waits in Python. A call that
    is given up may go on for ever; nobody waits for its thread, at the program's end neither.
    The thread is the same for all calls, as some libraries want it.

    Parameters
    ----------
    name : str
        Of the thread.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._calls: queue.SimpleQueue[_Call[Any]] = queue.SimpleQueue()
        self._lock = threading.Lock()  # between the end of a call and giving it up
        self._thread: threading.Thread | None = None

    def begin(self, job: Callable[[], object]) -> None:
        """Call the library after all calls before this one; nobody waits, for errors neither.

        Parameters
        ----------
        job : callable
            Calls it.
        """
        self._put(_Call(job, lambda _: None))

    def call(
        self, job: Callable[[], T], within_s: float, undo: Callable[[T], object] = lambda _: None
    ) -> T:
        """Call the library.

        Parameters
        ----------
        job : callable
            Calls it.
        within_s : float
            How long to wait, for calls before this one, too.
        undo : callable, optional
            Takes the result of a call that was given up and came to its end after all.

        Returns
        -------
        object
            What `job` returns.

        Raises
        ------
        UnansweredError
            It has not returned in time.
        Exception
            Whatever `job` raises.
        """
        call = _Call(job, undo)
        self._put(call)
        try:
            call.ended.wait(within_s)
        finally:  # Ctrl-C, too, gives it up
            with self._lock:
                call.given_up = not call.ended.is_set()
        if call.given_up:
            raise UnansweredError
        if call.error is not None:
            raise call.error
        return call.results[0]

    def _put(self, call: "_Call[Any]") -> None:
        self._calls.put(call)
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            call = self._calls.get()
            try:
                call.results.append(call.job())
            except BaseException as error:
                call.error = error
            with self._lock:
                call.ended.set()
            if call.given_up and call.results:
                try:
                    call.undo(call.results[0])
                except Exception:  # there is nobody left to tell
                    continue


class _Call(Generic[T]):
    def __init__(self, job: Callable[[], T], undo: Callable[[T], object]) -> None:
        self.job = job
        self.undo = undo
        self.results: list[T] = []
        self.error: BaseException | None = None
        self.ended = threading.Event()
        self.given_up = False
