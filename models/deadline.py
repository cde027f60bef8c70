"""Work of ONNX Runtime that may never end, waited for only so long."""

import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def within(seconds: float, job: Callable[[], T], stack_bytes: int = 0) -> T:
    """Do something on a thread, and give it up where it takes too long.

    A single operator of a graph can take hours, and nothing ends it: what ends a run is looked
    at between two of them. Nobody waits for a thread that was given up, at the program's end
    neither; and as the caller waits in Python, Ctrl-C is answered.

    Parameters
    ----------
    seconds : float
        How long to wait.
    job : callable
        What to do.
    stack_bytes : int
        Stack of the thread; 0 is the system's own size.

    Returns
    -------
    object
        What `job` returns.

    Raises
    ------
    TimeoutError
        It has not returned in time.
    BaseException
        Whatever `job` raises.
    """
    results: list[T] = []
    errors: list[BaseException] = []
    ended = threading.Event()

    def run() -> None:
        try:
            results.append(job())
        except BaseException as error:
            errors.append(error)
        ended.set()

    before = threading.stack_size(stack_bytes)
    try:
        threading.Thread(target=run, name="graphs", daemon=True).start()
    finally:
        threading.stack_size(before)
    if not ended.wait(seconds):
        raise TimeoutError(f"it takes longer than {seconds:g} s")
    if errors:
        raise errors[0]
    return results[0]
