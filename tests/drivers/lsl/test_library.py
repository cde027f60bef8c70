"""liblsl and its configuration."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pylsl
import pytest

from drivers.clock import VirtualClock
from drivers.lsl import use_loopback
from drivers.lsl.library import lsl_ahead_s

ROOT = Path(__file__).parents[3]


@pytest.mark.system
def test_without_liblsl_it_is_said_in_one_line():
    """A machine without liblsl runs everything else, and its user learns what to install."""
    program = (
        "import sys; sys.modules['pylsl'] = None\n"
        "from drivers.errors import SourceError\n"
        "try:\n    import drivers.lsl\nexcept SourceError as error:\n    print(error)"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "pylsl finds no liblsl" in result.stdout
    assert "install liblsl" in result.stdout


def test_loopback_stays_on_this_machine(monkeypatch: pytest.MonkeyPatch):
    """Nobody else in the laboratory sees, or disturbs, a demonstration."""
    monkeypatch.setenv("LSLAPICFG", os.environ["LSLAPICFG"])  # put back afterwards
    assert use_loopback("room 1") == "room 1"
    text = Path(os.environ["LSLAPICFG"]).read_text()
    for line in (
        "IPv6 = disable",
        "ResolveScope = machine",
        "KnownPeers = {127.0.0.1}",
        "SessionID = room 1",
    ):
        assert line in text
    assert use_loopback() == f"streamer-{os.getpid()}"


class Interrupted(VirtualClock):
    """On which each reading takes the next of some durations."""

    def __init__(self, *taken_s: float) -> None:
        super().__init__(100.0)
        self._taken_s = iter(taken_s)

    def now_s(self) -> float:
        self.advance(next(self._taken_s))
        return super().now_s()


def test_a_busy_machine_does_not_put_the_clocks_apart(monkeypatch: pytest.MonkeyPatch):
    """All times of a session would be off by as long as the one comparison was interrupted."""
    clock = Interrupted(*([0.0, 0.25] * 2), 0.0, 0.0, *([0.0, 0.5] * 2))
    monkeypatch.setattr(pylsl, "local_clock", lambda: VirtualClock.now_s(clock) + 7.0)
    assert lsl_ahead_s(clock) == 7.0


@pytest.mark.system
@pytest.mark.realtime
def test_streams_are_found_by_those_who_looked_for_them_long_before():
    """Whoever starts a session last would wait for ever."""
    found: dict[str, int] = {}

    def look(name: str) -> None:
        found[name] = len(pylsl.resolve_byprop("source_id", name, timeout=100))

    names = ["late-1", "late-2"]
    searches = [threading.Thread(target=look, args=(name,)) for name in names]
    for search in searches:
        search.start()
    time.sleep(6.0)
    outlets = [pylsl.StreamOutlet(pylsl.StreamInfo(name, source_id=name)) for name in names]
    for search in searches:
        search.join()
    assert found == dict.fromkeys(names, 1)
    assert len(outlets) == 2


@pytest.mark.system
def test_streams_are_found_where_all_of_the_usual_ports_are_taken():
    """Programs that were left behind would hide every stream of a demonstration."""
    program = (
        "import os, socket\n"
        "from contextlib import suppress\n"
        "taken = []\n"
        "for port in range(16572, 16604):\n"
        "    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):\n"
        "        taken.append(socket.socket(socket.AF_INET, kind))\n"
        "        with suppress(OSError):  # it is taken already\n"
        "            taken[-1].bind(('', port))\n"
        "from drivers.lsl import use_loopback\n"
        "use_loopback(f'crowded-{os.getpid()}')\n"
        "import pylsl\n"
        "outlets = [pylsl.StreamOutlet(pylsl.StreamInfo(n, source_id=n)) for n in ('a', 'b')]\n"
        "print([len(pylsl.resolve_byprop('source_id', n, timeout=60)) for n in ('a', 'b')])"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[1, 1]"
