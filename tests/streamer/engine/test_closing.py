"""What foreign libraries hold is closed, or left to itself after a time."""

import threading
from collections.abc import Callable, Iterator

import pytest

from streamer.engine.closing import Closing


@pytest.fixture
def frozen() -> Iterator[Callable[[], None]]:
    """A call that does not return before the test's end."""
    thawed = threading.Event()
    yield lambda: (thawed.wait(60), None)[1]
    thawed.set()


def test_what_hangs_is_left_to_itself(frozen: Callable[[], None]) -> None:
    """A session would never end."""
    closed = threading.Event()
    closing = Closing(wait_s=0.0)
    closing.begin("card", frozen)
    closing.begin("source", closed.set)
    assert closed.wait(60)
    closing.wait()
    assert "card" in closing.hanging


def test_what_closes_is_waited_for() -> None:
    """A port would still be held when the same command begins again."""
    closing = Closing(wait_s=60.0)
    closing.begin("source", lambda: None)
    closing.wait()
    assert (closing.hanging, closing.error) == ([], None)


def test_an_error_is_kept() -> None:
    """Why a device did not close would be known to nobody."""
    closing = Closing(wait_s=60.0)

    def fail() -> None:
        raise OSError("gone")

    closing.begin("source", fail)
    closing.wait()
    assert str(closing.error) == "gone"
