"""Threads that end together."""

import threading

from streamer.session.workers import Workers


def test_the_error_of_one_ends_the_others() -> None:
    """A session must not hang on a thread that waits for a dead one."""
    released = threading.Event()
    workers = Workers(released.set)
    workers.run({"reader": lambda: released.wait(60) and None, "compute": _fail}, lambda: None)
    assert isinstance(workers.error, ZeroDivisionError)
    assert workers.failed.is_set()
    assert released.is_set()


def test_without_an_error_all_come_to_their_ends() -> None:
    """The last words are computed after the source has ended."""
    done: list[str] = []
    workers = Workers(lambda: done.append("released"))
    jobs = {name: lambda name=name: done.append(name) for name in ("a", "b")}
    workers.run(jobs, lambda: None)
    assert sorted(done) == ["a", "b"]
    assert workers.error is None


def _fail() -> None:
    raise ZeroDivisionError
