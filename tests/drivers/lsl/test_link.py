"""Whatever liblsl does, whoever reads keeps his time."""

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from drivers.clock import VirtualClock
from drivers.errors import SourceError
from drivers.lsl import link as module
from drivers.lsl.inlet import LslSource
from drivers.lsl.library import pylsl
from drivers.lsl.link import Link
from drivers.source import SourceState


class StuckInlet:
    """An inlet that hangs in one of its calls until the test is over."""

    def __init__(self, stream, hangs_in: str, over: threading.Event) -> None:
        self._stream, self._hangs_in, self._over = stream, hangs_in, over

    def _call(self, name: str) -> None:
        if name == self._hangs_in:
            self._over.wait()

    def info(self, timeout):
        self._call("info")
        return self._stream

    def time_correction(self, timeout):
        self._call("time_correction")
        return 0.0

    def open_stream(self, timeout):
        self._call("open_stream")

    def pull_chunk(self, timeout=0.0, *, max_samples, as_numpy):
        self._call("pull_chunk")
        time.sleep(timeout)
        return np.empty((0, 1), np.float32), np.empty(0)


@pytest.fixture
def stuck(monkeypatch):
    """Make inlets that hang in a call."""
    over = threading.Event()
    stream = pylsl.StreamInfo("stuck", "EMG", 1, 600.0, "float32", "stuck")

    def make(hangs_in: str) -> None:
        monkeypatch.setattr(module, "resolve", lambda *_, **__: stream)
        monkeypatch.setattr(
            pylsl, "StreamInlet", lambda stream, **_: StuckInlet(stream, hangs_in, over)
        )

    yield make
    over.set()


def test_a_pull_that_hangs_is_a_stall(stuck, monkeypatch):
    """The session goes on, says that nothing comes, and can be ended."""
    monkeypatch.setattr(module, "_CLOSE_S", 0.1)
    stuck("pull_chunk")
    clock = VirtualClock()
    with LslSource("stuck", unit="uV", timeout_s=60.0, clock=clock) as source:
        assert source.read(0.1) is None
        assert source.health.state is SourceState.STREAMING
        clock.advance(0.5)
        assert source.read(0.1) is None
        assert source.health.state is SourceState.STALLED
    assert source.health.state is SourceState.DISCONNECTED


@pytest.mark.parametrize("call", ["info", "time_correction", "open_stream"])
def test_opening_ends_although_liblsl_hangs(stuck, monkeypatch, call):
    """The user reads what is wrong instead of nothing."""
    monkeypatch.setattr(module, "_CLOSE_S", 0.1)
    monkeypatch.setattr(module, "_GRACE_S", 0.1)
    stuck(call)
    with pytest.raises(SourceError, match="found, but it does not answer; look for a firewall"):
        LslSource("stuck", unit="uV", timeout_s=0.1).open()


def test_what_nobody_reads_is_dropped_and_counted():
    """A session that was suspended goes on with what is new, and knows what it missed."""
    link = Link("name", "x", timeout_s=1.0, buffer_s=2.0)
    for k in range(50):
        link._put(module.Piece(None, [], np.zeros(6), 0.0, k / 8))
    assert link.dropped == 33 * 6
    piece = link.read(0.0)
    assert piece is not None
    assert piece.received_s == 33 / 8


@pytest.mark.system
def test_ctrl_c_is_heard_while_a_stream_is_looked_for():
    """Who typed a wrong name need not wait for the search to end."""
    program = (
        "import signal\n"
        # Ignored by what a shell runs in the background.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from drivers.lsl import LslSource, link\n"
        "resolve = link.resolve\n"
        "def look(*wanted, **how):\n"
        "    print('looking', flush=True)\n"
        "    return resolve(*wanted, **how)\n"
        "link.resolve = look\n"
        "LslSource('nobody', timeout_s=3600.0).open()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=Path(__file__).parents[3],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "looking\n"
            process.send_signal(signal.SIGINT)
            _, said = process.communicate()
        finally:
            process.kill()
    assert "KeyboardInterrupt" in said
