"""What `live`, `replay` and `demo` share: how a run ends."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from streamer.cli.run import Run, exit_code, run
from streamer.config import Config

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("run", "endless", "code"),
    [
        ({}, False, 0),
        ({"frames": 0}, False, 1),
        ({"ended": "stopped"}, False, 130),
        ({"ended": "stopped", "frames": 0}, True, 0),
        ({"failures": ["a file"]}, False, 1),
        ({"failures": ["a file"], "ended": "stopped"}, True, 1),
    ],
)
def test_the_exit_code_says_whether_every_output_is_whole(
    run: dict[str, Any], endless: bool, code: int
) -> None:
    """A script would go on with half a recording, as with a full disk."""
    summary = SimpleNamespace(**{"failures": [], "ended": "source", "frames": 9, **run})
    assert exit_code(summary, endless=endless) == code  # type: ignore[arg-type]


FROZEN = """
import ctypes, runpy, sys
from streamer.audio.output import PacedOutput
PacedOutput.name = "frozen card"
PacedOutput.stop = lambda output: ctypes.CDLL(None).sleep(600)
sys.argv[0] = "streamer"
runpy.run_module("streamer", run_name="__main__")
"""


@pytest.mark.realtime
@pytest.mark.system
@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="not on Windows")
def test_a_terminal_that_closes_ends_a_session_whose_sound_hangs(tmp_path: Path) -> None:
    """The summary would be lost, and the process would stay for ever."""
    out = tmp_path / "run"
    words = ["live", "--source", "simulator", "--no-sound", "--json", "--out", str(out)]
    with subprocess.Popen(
        [sys.executable, "-c", FROZEN, *words], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            lines = out / "estimates.jsonl"
            while not (lines.exists() and lines.stat().st_size):
                assert process.poll() is None
                time.sleep(0.05)
            process.send_signal(signal.SIGHUP)
            printed, _ = process.communicate(timeout=120)
        finally:
            process.kill()
    assert process.returncode == 1
    summary = json.loads(printed)
    assert summary["failures"] == ["frozen card does not close: it is left to itself"]
    assert json.loads((out / "summary.json").read_text()) == summary
    assert (out / "latency.json").exists()
    assert Path(summary["overview"]).exists()


def test_what_has_not_begun_is_interrupted_at_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A bundle that is opened, and compiled anew, would keep Ctrl-C waiting for a minute."""

    def opening(*args: object) -> None:
        signal.raise_signal(signal.SIGTERM)
        pytest.fail("the signal was left for later")

    monkeypatch.setattr("streamer.cli.run.Bundle.open", opening)
    job = Run("replay", SimpleNamespace(health=SimpleNamespace(state=None)))  # type: ignore[arg-type]
    with pytest.raises(KeyboardInterrupt):
        run(job, Config(), tmp_path / "run", json_=False)
    assert not (tmp_path / "run").exists()
