"""A Varioport that is emulated in one process, and read, captured and guessed in another."""

import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from drivers.varioport.profile import load_profile
from streamer.cli import cli
from streamer.engine import reader

pytestmark = [pytest.mark.realtime, pytest.mark.system]

StartStreamer = Callable[..., AbstractContextManager[subprocess.Popen[str]]]


@pytest.fixture
def port(
    tmp_path: Path, start_streamer: StartStreamer, request: pytest.FixtureRequest
) -> Iterator[Path]:
    """Plug an emulated device in that loses so many of its bytes."""
    link = tmp_path / "varioport"
    with start_streamer(
        *("simulate", "--as", "varioport", "--port", str(link), "--json"),
        *("--fault", f"lost-bytes={request.param}"),
    ) as process:
        while not link.exists():
            assert process.poll() is None, process.communicate()
            time.sleep(0.05)
        yield link
        process.send_signal(signal.SIGINT)
        printed, said = process.communicate()
        assert process.returncode == 0, said
        assert json.loads(printed)["injected"]["lost_bytes"] > 0


def call(*words: str | Path) -> Result:
    return CliRunner().invoke(cli, [str(word) for word in words])


@pytest.mark.parametrize("port", [0.01], indirect=True)
def test_a_live_session_on_a_port(
    port: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The device that this is made for could not be used, or would claim to be proven."""
    monkeypatch.setattr(reader, "_SILENT_S", 60.0)  # the device may get no core for a while
    out = tmp_path / "run"
    result = call(
        *("live", "--source", f"varioport:{port}", "--duration", "2", "--no-sound", "--json"),
        *("--record", "--out", out),
    )
    assert result.exit_code == 0, result.output
    summary = json.loads(result.stdout)
    assert summary["source"]["provenance"] == "emulator-only"
    assert "emulator-only" in result.stderr
    assert summary["ended"] == "duration"
    assert summary["seconds"] == pytest.approx(2.0, abs=0.01)
    assert summary["frames"] > 0
    assert summary["counters"]["source"]["lost_samples"] > 0
    assert (out / "recording.xdf").stat().st_size > 1000


@pytest.mark.parametrize("port", [0.001], indirect=True)
def test_a_capture_plays_through_the_driver(
    port: Path, tmp_path: Path, start_streamer: StartStreamer
) -> None:
    """The owner of a device could not show anybody what it sends."""
    file = tmp_path / "device.capture"
    frame_bytes, frames = load_profile("framed").frame_bytes, 1800
    with start_streamer("capture", str(port), str(file), "--json") as capturing:
        # In hexadecimal; a capture of so many bytes is longer than that.
        while not file.exists() or file.stat().st_size < 2 * frame_bytes * frames:
            assert capturing.poll() is None, capturing.communicate()
            time.sleep(0.05)
        capturing.send_signal(signal.SIGINT)
        printed, said = capturing.communicate()
    assert capturing.returncode == 0, said
    came = json.loads(printed)["byte_count"] / frame_bytes
    result = call("record", tmp_path / "talk.xdf", "--source", f"capture:{file}", "--json")
    assert result.exit_code == 0, result.output
    samples = json.loads(result.stdout)["samples"]
    assert 0.9 * came < samples <= came
    assert json.loads(result.stdout)["provenance"] == "emulator-only"
    assert "profile 'framed' is emulator-only" in result.stderr
    guessed = tmp_path / "guess.yaml"
    result = call("profile", "guess", file, "--out", guessed, "--json")
    assert result.exit_code == 0, result.output
    profile = json.loads(result.stdout)["profile"]
    assert (profile["status"], profile["framing"]) == ("guessed", "framed")
    again = call(
        *("record", tmp_path / "again.xdf", "--source", f"capture:{file}", "--json"),
        *("--set", f"live.profile={guessed}"),
    )
    assert again.exit_code == 0, again.output
    assert json.loads(again.stdout)["samples"] > 0.9 * samples
