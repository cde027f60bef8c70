"""`streamer live`, `simulate` and `demo`, at the pace of life and on this machine only."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
import soundfile
from click.testing import CliRunner

from streamer.cli import cli
from streamer.engine import reader
from streamer.recordings import packaged_recording

pytestmark = [pytest.mark.realtime, pytest.mark.system]

StartStreamer = Callable[..., AbstractContextManager[subprocess.Popen[str]]]

ROOT = Path(__file__).resolve().parents[2]
PATIENT = """
import runpy, sys
from streamer.engine import reader
reader._SILENT_S = 60.0
sys.argv[0] = "streamer"
runpy.run_module("streamer", run_name="__main__")
"""


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a duration wait for its EMG, however late the sender gets a core."""
    monkeypatch.setattr(reader, "_SILENT_S", 60.0)


def test_live_ends_by_its_duration(tmp_path: Path) -> None:
    """A script could not record ten seconds."""
    words = ["live", "--source", "simulator", "--duration", "1.5", "--json", "--no-sound"]
    result = CliRunner().invoke(cli, [*words, "--out", str(tmp_path / "run")])
    assert result.exit_code == 0, result.output
    printed = json.loads(result.stdout)
    assert printed["ended"] == "duration"
    assert printed["seconds"] == pytest.approx(1.5)
    assert printed["source"]["provenance"] == "simulated"


def test_a_bundle_that_the_settings_are_not_for_is_said(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """The voice would come 60 ms later than `configs/live.yaml` promises, without a word."""
    words = ["live", "--source", "simulator", "--duration", "1", "--json", "--no-sound"]
    words += ["--config", str(request.config.rootpath / "configs" / "live.yaml")]
    result = CliRunner().invoke(cli, [*words, "--out", str(tmp_path / "run")])
    assert result.exit_code == 0, result.output
    (line,) = (one for one in json.loads(result.stdout)["notes"] if "settings are for" in one)
    assert "a lead of 40 ms (not 0) and low-delay features" in line
    assert result.stderr.count(line) == 1


def test_interrupt_is_how_a_live_session_ends(
    tmp_path: Path, start_streamer: StartStreamer
) -> None:
    """The normal end of a session would look like a failure."""
    out = tmp_path / "run"
    with start_streamer(
        *("live", "--source", "simulator", "--no-sound", "--out", str(out))
    ) as process:
        while not (out / "estimates.jsonl").is_file():
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        printed, said = process.communicate()
    assert process.returncode == 0, said
    assert "outputs" in printed
    assert json.loads((out / "summary.json").read_text())["ended"] == "stopped"


def test_published_recording_is_received(tmp_path: Path, start_streamer: StartStreamer) -> None:
    """A session could not run on a stream of another program."""
    name = f"streamer-test-{os.getpid()}"
    with start_streamer("simulate", "--name", name, "--json") as publisher:
        assert publisher.stderr is not None
        assert name in publisher.stderr.readline()
        words = ["live", "--source", f"lsl:{name}", "--duration", "1.5", "--json", "--no-sound"]
        words += ["--set", "live.find_s=60", "--set", "session.ring_s=60"]
        result = CliRunner().invoke(cli, [*words, "--out", str(tmp_path / "run")])
        assert result.exit_code == 0, result.output
        publisher.send_signal(signal.SIGINT)
        printed, said = publisher.communicate()
    assert publisher.returncode == 0, said
    received = json.loads(result.stdout)
    assert received["seconds"] == pytest.approx(1.5)
    assert received["lost_samples"] == 0
    assert json.loads(printed)["samples"] >= 1.5 * 600


def test_stream_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    """A wrong name would end in a traceback."""
    words = ["live", "--source", "lsl:nobody", "--set", "live.find_s=0.5", "--no-sound"]
    result = CliRunner().invoke(cli, [*words, "--out", str(tmp_path / "run")])
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith("streamer: error: LSL stream with name 'nobody'")
    assert not (tmp_path / "run").exists()  # the same command works once the stream is there


@pytest.mark.parametrize(
    "imported", ["click.core", "numpy", "scipy.stats", "numba", "onnxruntime", "rich.console"]
)
def test_interrupt_during_start_up_ends_at_once(
    tmp_path: Path,
    start_streamer: StartStreamer,
    imported: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Somebody who mistyped would be shown a traceback, or wait for the end of a replay."""
    monkeypatch.setenv("PYTHONPROFILEIMPORTTIME", "1")  # tells how far the start has come
    words = ["replay", "--no-sound", "--out", str(tmp_path / "run")]
    with start_streamer(*words) as process:
        assert process.stderr is not None
        while process.stderr.readline().rpartition("|")[2].strip() != imported:
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        _, said = process.communicate()
    assert process.returncode in (-signal.SIGINT, 130)
    assert "Traceback" not in said


def test_publishing_ends_by_its_duration() -> None:
    """A publisher that a script starts would run for ever."""
    words = ["simulate", "--name", f"streamer-brief-{os.getpid()}", "--duration", "0.5", "--json"]
    result = CliRunner().invoke(cli, words)
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout).keys() == {"name", "samples"}


def test_demo_runs_the_whole_chain_over_lsl(tmp_path: Path) -> None:
    """The first thing that anybody tries would fail."""
    out = tmp_path / "run"
    words = ["demo", "--json", "--no-sound", "--out", str(out)]
    words += ["--set", "session.duration_s=4", "--set", "session.ring_s=60"]
    done = subprocess.run(
        [sys.executable, "-c", PATIENT, *words], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert summary["seconds"] == pytest.approx(4)
    assert summary["lost_samples"] == 0
    assert summary["utterances"][0]["mcd_db"] is not None
    assert summary["source"]["name"] == "streamer-demo"
    assert soundfile.info(out / "audio.wav").duration == pytest.approx(4, abs=1e-3)
    assert (out / "overview.png").is_file()


def test_demo_plays_every_speaker_in_every_mode() -> None:
    """The demo would show no change of speaker or mode."""
    from drivers.recordings.emg_uka import EmgUkaCorpus
    from streamer.cli.demo import programme

    corpus = EmgUkaCorpus(packaged_recording())
    recordings = [corpus.recording(name) for name in programme(packaged_recording())]
    assert {(one.speaker, one.mode) for one in recordings} == {
        (session.split("-")[0], mode)
        for session in corpus.sessions
        for mode in ("audible", "whispered", "silent")
    }
    assert 15 < sum(one.duration_s for one in recordings) < 35
