"""A sound server that is frozen, and sessions that begin and end all the same."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from streamer.bench.virtual_card import VirtualCard, missing_packages

pytestmark = [
    pytest.mark.timeout(300),  # a sound server and a session start, on a busy machine
    pytest.mark.system,
    pytest.mark.skipif(bool(missing_packages()), reason="there is no virtual sound card"),
]


@pytest.fixture
def card() -> Iterator[VirtualCard]:
    with VirtualCard() as there:
        yield there
        freeze(there, signal.SIGCONT)


def freeze(card: VirtualCard, number: signal.Signals = signal.SIGSTOP) -> None:
    assert card._daemon is not None
    card._daemon.send_signal(number)


def live(card: VirtualCard, out: Path, *more: str) -> "subprocess.Popen[str]":
    words = ["live", "--source", "simulator", "--no-screen", "--out", str(out), *more]
    return subprocess.Popen(
        [sys.executable, "-m", "streamer", *words],
        env=card.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


# Before: ten seconds until the card is given up, which other tests try with a stand-in.
@pytest.mark.parametrize("frozen", [pytest.param("before", marks=pytest.mark.slow), "meanwhile"])
def test_a_session_on_a_frozen_server_ends_with_its_files(
    card: VirtualCard, tmp_path: Path, frozen: str
) -> None:
    """Ctrl-C did nothing any more, and neither summary nor picture was ever written."""
    out = tmp_path / "out"
    if frozen == "before":
        freeze(card)
    with live(card, out) as process:
        try:
            while not (out / "audio.wav").exists() or (out / "audio.wav").stat().st_size < 32_000:
                assert process.poll() is None
                time.sleep(0.05)
            if frozen == "meanwhile":
                freeze(card)
            os.kill(process.pid, signal.SIGINT)
            said, _ = process.communicate()
        finally:
            process.kill()
    assert process.returncode >= 0  # by itself
    assert "Traceback" not in said
    assert "does not answer" in said or "does not close" in said
    for name in ("summary.json", "latency.json", "overview.png"):
        assert (out / name).exists()
