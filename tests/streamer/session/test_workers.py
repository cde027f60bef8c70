"""Threads that end together."""

import threading

import pytest

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


def test_a_step_without_an_end_is_left_to_itself() -> None:
    """A graph can take hours for a frame: the session would never end, and keep no summary."""
    released, forever = threading.Event(), threading.Event()
    workers = Workers(released.set, lambda: 7, stuck_s=0.0)
    jobs = {
        "reader": lambda: released.wait(60) and None,
        "compute": lambda: forever.wait() and None,
    }
    workers.run(jobs, lambda: None)
    assert "the models: got no answer" in str(workers.error)
    assert workers.failed.is_set()
    forever.set()


@pytest.mark.parametrize("idle", [True, False])
def test_who_waits_or_gets_further_is_not_stuck(idle: bool) -> None:
    """A device may be silent for an hour, and an hour of EMG take its time."""
    steps = iter(range(10**9))
    looks: list[int] = []
    done = threading.Event()

    def step() -> int | None:
        looks.append(1)
        if len(looks) > 3:
            done.set()
        return None if idle else next(steps)

    workers = Workers(lambda: None, step, stuck_s=0.0)
    workers.run({"reader": lambda: None, "compute": lambda: done.wait(60) and None}, lambda: None)
    assert workers.error is None


def _fail() -> None:
    raise ZeroDivisionError
