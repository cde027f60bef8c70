"""Patience with a busy machine, and a clock that only the test moves."""

import math
import time
from collections.abc import Callable

import pytest

from drivers.clock import VirtualClock
from drivers.lsl import LslSource
from drivers.lsl.library import pylsl


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give reader and sender all the time they take."""
    monkeypatch.setattr("drivers.lsl.inlet._BUFFER_S", math.inf)
    monkeypatch.setattr("drivers.lsl.link._ANSWER_S", 60.0)


@pytest.fixture
def same_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take sender's and receiver's clock for what they are on one machine.

    How they seem to differ says how busy it is.
    """
    compare = pylsl.StreamInlet.time_correction

    def time_correction(inlet: pylsl.StreamInlet, timeout: float) -> float:
        compare(inlet, timeout)
        return 0.0

    monkeypatch.setattr(pylsl.StreamInlet, "time_correction", time_correction)


@pytest.fixture
def clock(same_clock: None, monkeypatch: pytest.MonkeyPatch) -> VirtualClock:
    """Return LSL's clock, which stands still until the test moves it."""
    clock = VirtualClock(pylsl.local_clock())
    monkeypatch.setattr(pylsl, "local_clock", clock.now_s)
    return clock


@pytest.fixture
def await_markers() -> Callable[[LslSource, int], None]:
    """Wait until so many markers lie ready at a source, and their samples may come."""

    def wait(source: LslSource, count: int) -> None:
        (markers,) = source._markers
        while sum(len(piece.stamps_s) for piece in list(markers.link._pieces)) < count:
            time.sleep(0.001)

    return wait
