"""`streamer replay` on the simulated recording in the package."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
import soundfile
from click.testing import CliRunner, Result

from models.bundle import packaged_bundle
from streamer.cli import cli
from streamer.recordings import packaged_recording

ROOT = Path(__file__).resolve().parents[2]
StartStreamer = Callable[..., AbstractContextManager[subprocess.Popen[str]]]
QUICK = ["--subset", "test.audible", "--session", "101-001", "--speed", "max"]


def replay(*words: str) -> Result:
    return CliRunner().invoke(cli, ["replay", *words])


def wait_until_running(process: subprocess.Popen[str], out: Path) -> None:
    """Wait until estimates are written."""
    while not ((out / "estimates.jsonl").is_file() and (out / "estimates.jsonl").stat().st_size):
        assert process.poll() is None
        time.sleep(0.05)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """Replay two utterances; return their directory and what was printed."""
    out = tmp_path_factory.mktemp("runs") / "run"
    result = replay(*QUICK, "--json", "--out", str(out))
    assert result.exit_code == 0, result.output
    return out, json.loads(result.stdout)


def test_json_has_what_scripts_rely_on(run: tuple[Path, dict[str, Any]]) -> None:
    """Scripts would break."""
    _, printed = run
    assert {
        "utterances",
        "mcd_db",
        "frames",
        "lost_samples",
        "underruns",
        "realtime_factor",
        "latency_ms",
    } <= set(printed)
    assert {"algorithmic", "compute_p50", "compute_p99", "total"} <= set(printed["latency_ms"])
    assert len(printed["utterances"]) == 2
    for utterance in printed["utterances"]:
        assert {"utterance", "audio", "seconds", "mcd_db", "mode", "speaker"} <= set(utterance)
        assert sum(utterance["mode"]["probabilities"].values()) == pytest.approx(1, abs=1e-4)
        assert sum(utterance["speaker"]["probabilities"].values()) == pytest.approx(1, abs=1e-4)
        assert (utterance["recorded_mode"], utterance["recorded_session"]) == ("audible", "101-001")
    distortions = [utterance["mcd_db"] for utterance in printed["utterances"]]
    assert printed["mcd_db"] == pytest.approx(sum(distortions) / 2)
    assert printed["lost_samples"] == 0


def test_what_a_bundle_never_learned_is_said(tmp_path: Path) -> None:
    """Who reads that an audible sentence was silent, for sure, would believe it."""
    bundle = tmp_path / "another"
    shutil.copytree(packaged_bundle(), bundle)
    manifest = json.loads((bundle / "manifest.json").read_text())
    provenance = manifest["provenance"]
    provenance["converter_data"]["session"] = "104-001"
    provenance["classifier_data"]["mode"] = {"102-001": 120, "103-001": 120}
    (bundle / "manifest.json").write_text(json.dumps(manifest))
    result = replay(*QUICK, "--bundle", str(bundle), "--out", str(tmp_path / "run"))
    assert result.exit_code == 0, result.output
    mode, voice = (line for line in result.stderr.splitlines() if "learned from" in line)
    assert "learned from 102-001, 103-001, not from 104-001" in mode
    assert "learned from session 104-001, and this is 101-001" in voice
    head, _, row, *_ = result.stdout.splitlines()
    assert head.split() == ["utterance", "length", "distortion", "recorded", "mode", "speaker"]
    assert row.split()[5] == "audible"


def test_each_utterance_leaves_its_wav(run: tuple[Path, dict[str, Any]]) -> None:
    """An utterance could not be listened to on its own."""
    _, printed = run
    for utterance in printed["utterances"]:
        path = Path(utterance["audio"])
        assert path.name == f"{utterance['utterance']}.wav"
        sound = soundfile.info(path)
        assert (sound.samplerate, sound.channels) == (16000, 1)
        assert sound.duration == pytest.approx(utterance["seconds"], abs=1e-3)


def test_run_leaves_all_outputs(run: tuple[Path, dict[str, Any]]) -> None:
    """What happened could not be looked up afterwards."""
    out, printed = run
    assert {path.name for path in out.iterdir()} == {
        "audio.wav",
        "config.yaml",
        "estimates.jsonl",
        "latency.json",
        "overview.png",
        "summary.json",
        "utterances",
    }
    assert json.loads((out / "summary.json").read_text()) == printed


def test_run_can_be_repeated_from_its_configuration(
    run: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    """Nobody could tell which settings a result came from."""
    out, _ = run
    again = replay("--config", str(out / "config.yaml"), "--out", str(tmp_path / "again"))
    assert again.exit_code == 0, again.output
    assert "outputs" in again.stdout
    first, second = (path / "audio.wav" for path in (out, tmp_path / "again"))
    assert first.read_bytes() == second.read_bytes()


def test_start_leaves_out_the_beginning(tmp_path: Path) -> None:
    """A long recording could only be heard from its beginning, or its distortion be wrong."""
    out = tmp_path / "run"
    result = replay(*QUICK, "--start", "1", "--json", "--out", str(out))
    assert result.exit_code == 0, result.output
    first, second = json.loads(result.stdout)["utterances"]
    assert first["seconds"] < second["seconds"]
    assert first["mcd_db"] is not None
    assert json.loads(result.stdout)["notes"] == []


def test_damaged_utterance_is_left_out_and_named(tmp_path: Path) -> None:
    """Figures would be means over fewer utterances than a reader thinks."""
    import shutil

    corpus = tmp_path / "corpus"
    shutil.copytree(packaged_recording(), corpus)
    (corpus / "SIMULATED").unlink()  # as if somebody had spoken
    one, other = (corpus / "Subsets" / "test.audible").read_text().split()[1:3]
    broken = one.removeprefix("emg_").replace("-", "_")
    next(corpus.rglob(f"e07_{broken}.adc")).write_bytes(b"odd")
    result = replay(str(corpus), *QUICK, "--json", "--out", str(tmp_path / "run"))
    assert result.exit_code == 0, result.output
    printed = json.loads(result.stdout)
    assert [utterance["utterance"] for utterance in printed["utterances"]] == [other[4:]]
    line, warning = printed["notes"]
    assert "simulated speakers only" in warning
    assert "left out 1" in line
    assert one[4:] in line
    assert line in result.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--session", "999-001"], "got 999-001; allowed: 101-001"),
        (["--subset", "test.sung"], "got test.sung; allowed: train.audible"),
        (["--utterance", "101-001-9999"], "101-001-9999"),
        (["--bundle", "tests"], "bundle tests: got no manifest.json"),
        (["--set", "models.speaker=svm"], "got svm; allowed: evidence, lda;"),
        (["--out", "tests"], "output directory tests: got it exists"),
        (["--out", "pyproject.toml/run"], "pyproject.toml/run cannot be written"),
    ],
)
def test_bad_input_is_one_line(
    words: list[str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A user's mistake would end in a traceback."""
    monkeypatch.chdir(ROOT)
    result = replay("--speed", "max", *words)
    assert result.exit_code == 1
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("streamer: error: ")
    assert said in line


def test_the_speaker_classifier_that_is_asked_for_runs(
    run: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    """Two classifiers could not be compared in a session, or one be taken for the other."""
    import shutil

    bundle = tmp_path / "bundle"
    shutil.copytree(packaged_bundle(), bundle)
    manifest = bundle / "manifest.json"
    content = json.loads(manifest.read_text())
    labels = content["speaker"]["labels"]
    other = content["speaker"] | {"name": "forest", "labels": labels[::-1]}
    content["other_speakers"] = [other]
    manifest.write_text(json.dumps(content))
    words = [*QUICK, "--bundle", str(bundle), "--set", "models.speaker=forest"]
    result = replay(*words, "--out", str(tmp_path / "run"))
    assert result.exit_code == 0, result.output
    assert "speaker by forest" in result.stdout
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    _, printed = run
    assert printed["models"]["speaker"] == "evidence"
    assert summary["models"] == printed["models"] | {"speaker": "forest"}
    for before, after in zip(printed["utterances"], summary["utterances"], strict=True):
        assert before["mode"] == after["mode"]
        said = before["speaker"]["probabilities"]
        expected = dict(zip(labels[::-1], (said[label] for label in labels), strict=True))
        assert after["speaker"]["probabilities"] == expected


def test_signal_that_does_not_fit_the_bundle_is_one_line(tmp_path: Path) -> None:
    """Models would be fed with channels or rates they never saw."""
    import shutil

    bundle = tmp_path / "bundle"
    shutil.copytree(packaged_bundle(), bundle)
    manifest = bundle / "manifest.json"
    content = json.loads(manifest.read_text())
    content["signal"]["rate_hz"] = 1000.0
    manifest.write_text(json.dumps(content))
    result = replay(*QUICK, "--bundle", str(bundle), "--out", str(tmp_path / "run"))
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert "600 Hz" in line
    assert "1000 Hz" in line


@pytest.mark.system
def test_replay_needs_no_training_package(tmp_path: Path) -> None:
    """Torch would have to be installed on the machine that listens."""
    words = ["replay", *QUICK, "--json", "--out", str(tmp_path / "run")]
    code = (
        "import sys\n"
        "from streamer.cli import cli\n"
        "try:\n"
        f"    cli.main({words!r})\n"
        "finally:\n"
        "    heavy = {'torch', 'sklearn', 'onnx', 'skl2onnx', 'onnxscript'} & set(sys.modules)\n"
        "    print(sorted(heavy), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[-1] == "[]"


@pytest.mark.realtime
@pytest.mark.system
def test_interrupted_replay_leaves_files_that_can_be_read(
    tmp_path: Path, start_streamer: StartStreamer
) -> None:
    """Ctrl-C would cost what was recorded until then."""
    out = tmp_path / "run"
    words = ["replay", "--json", "--no-sound", "--out", str(out)]  # for half a minute
    with start_streamer(*words) as process:
        wait_until_running(process, out)
        process.send_signal(signal.SIGINT)
        printed, said = process.communicate()
    assert process.returncode == 130, said
    assert "Traceback" not in said
    summary = json.loads(printed)
    assert summary["ended"] == "stopped"
    assert json.loads((out / "summary.json").read_text()) == summary
    assert soundfile.info(out / "audio.wav").duration == pytest.approx(summary["seconds"], abs=1e-3)
    for line in (out / "estimates.jsonl").read_text().splitlines():
        json.loads(line)


HANGING = """
import runpy, sys, threading
from streamer.results import overview
overview.draw_overview = lambda *_: threading.Event().wait()
sys.argv[0] = "streamer"
runpy.run_module("streamer", run_name="__main__")
"""


@pytest.mark.realtime
@pytest.mark.system
def test_second_interrupt_kills(tmp_path: Path) -> None:
    """A session that hangs at its end could only be killed from another terminal."""
    out = tmp_path / "run"
    words = ["replay", "--no-sound", "--set", "replay.loop=true", "--out", str(out)]
    with subprocess.Popen(
        [sys.executable, "-c", HANGING, *words],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            wait_until_running(process, out)
            process.send_signal(signal.SIGINT)
            assert process.stderr is not None
            while "once more to kill" not in process.stderr.readline():
                assert process.poll() is None
            process.send_signal(signal.SIGINT)
            process.wait()
        finally:
            process.kill()
    assert process.returncode == -signal.SIGINT


def test_run_gets_a_directory_by_date(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs without --out would overwrite each other."""
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        assert replay(*QUICK).exit_code == 0
    assert len(os.listdir(tmp_path / "runs")) == 2
