"""What a live session changes in its process, it puts back."""

import gc
import os
import sys
import threading

import pytest

from streamer.engine.undisturbed import undisturbed


def state() -> tuple[float, int, int]:
    return sys.getswitchinterval(), os.getpriority(os.PRIO_PROCESS, 0), gc.get_freeze_count()


@pytest.fixture
def _thawed() -> None:
    gc.unfreeze()


@pytest.mark.usefixtures("_thawed")
def test_all_is_put_back_after_an_error_too() -> None:
    """A program that runs a session must not stay changed."""
    before = state()
    inside: list[int] = []

    def fail() -> None:
        with undisturbed():
            assert sys.getswitchinterval() == pytest.approx(0.0005)
            assert gc.get_freeze_count() > 0
            thread = threading.Thread(
                target=lambda: inside.append(os.getpriority(os.PRIO_PROCESS, 0))
            )
            thread.start()
            thread.join()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert inside[0] <= before[1]
    assert state() == before


def test_it_works_for_those_who_may_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """Live use needs no root."""
    setpriority = os.setpriority

    def refuse(which: int, who: int, priority: int) -> None:
        if priority < os.getpriority(which, who):
            raise PermissionError(13, "Permission denied")
        setpriority(which, who, priority)

    monkeypatch.setattr(os, "setpriority", refuse)
    with undisturbed():
        pass
