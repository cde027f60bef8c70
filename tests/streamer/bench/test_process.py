"""How a session performed, read from what it left."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from drivers.errors import StreamerError
from drivers.source import Chunk
from streamer.bench import virtual_card
from streamer.bench.acoustic import natural, validity, voice
from streamer.bench.clicks import CardPath
from streamer.bench.heard import Heard
from streamer.bench.lag import Lag, Spoken
from streamer.bench.process import Performance, last_core, only_on, perform, replaying
from streamer.bench.virtual_card import CardError, VirtualCard
from streamer.bench.worker import Stamped
from streamer.cli import cli
from streamer.config import load_config
from streamer.recordings import RecordingsSettings, Selection
from streamer.results.outputs import RunDirectory


def performance(**course: list[float]) -> Performance:
    """A session that began at second 100."""
    columns = {"time_s": [100.5, 101.0, 101.5, 102.0, 102.5], "underruns": [1, 1, 1, 2, 2]}
    summary = {"underruns": 3, "utterances": []}
    epochs = [
        {"epoch": 0, "utterance": "a", "started_s": 100.0, "last_s": 101.0},
        {"epoch": 1, "utterance": "b", "started_s": 101.0, "last_s": 102.5},
    ]
    values = {name: np.array(value, float) for name, value in (columns | course).items()}
    return Performance(RunDirectory(Path()), summary, {}, epochs, values, 300.0)


def test_the_first_second_does_not_count() -> None:
    """A start that costs an underrun would hide those that matter."""
    assert performance().underruns() == 2
    assert performance(time_s=[101.5] * 5).underruns() == 3


def test_share_of_a_core() -> None:
    """Imports and warm-up are no cost of a frame."""
    assert performance(cpu_s=[9.0, 10.0, 10.1, 10.2, 10.3]).cpu_share() == pytest.approx(0.2)
    assert performance(time_s=[100.0] * 5, cpu_s=[1.0] * 5).cpu_share() == float("inf")


def test_growth_after_the_warm_up() -> None:
    """A leak would show after hours, in the middle of a talk."""
    rss_mb = [100.0, 200.0, 210.0, 215.0, 230.0]
    assert performance(rss_mb=rss_mb).growth_mb(1.0) == 30.0
    assert performance(rss_mb=rss_mb).growth_mb(60.0) == float("inf")


def test_epochs_are_stamped(
    chunks_of: Callable[..., list[Chunk]],
    emg: Callable[..., Any],
    script_source: Callable[..., Any],
) -> None:
    """The lag would be counted from a wrong instant."""
    first = chunks_of(emg(0.1), (7,), name="a", start_s=10.0)
    second = chunks_of(emg(0.1), (6,), epoch=1, name="b", start_s=20.0)
    with Stamped(script_source([*first, None, *second[1:]])) as source:
        while source.read(0.0) is not None or len(source.epochs) < 2:
            pass
    one, two = source.epochs
    assert (one.epoch, one.utterance, one.samples, one.lost_samples) == (0, "a", 60, 0)
    assert one.started_s == pytest.approx(10.0 + 1 / 600)
    assert one.last_s == pytest.approx(10.1)
    assert (two.epoch, two.utterance) == (1, "")
    assert two.started_s == pytest.approx(20.0 + 1 / 600)  # lost samples counted in


@pytest.mark.system
def test_a_session_that_fails_says_why(tmp_path: Path) -> None:
    """A bench that stands still tells nobody that there is no such bundle."""
    config = load_config(None, ["bundle=/nowhere"])
    with pytest.raises(StreamerError, match="nowhere"):
        perform(config, tmp_path / "run", "engine", 5.0, lambda *_: None)


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="no affinity on this system")
def test_one_core() -> None:
    """Throughput on one core would be that of two."""
    before = os.sched_getaffinity(0)
    with only_on(last_core()):
        assert os.sched_getaffinity(0) == {max(before)}
    with only_on(None):
        assert os.sched_getaffinity(0) == before
    assert os.sched_getaffinity(0) == before


def test_missing_packages_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody knows by heart what a virtual sound card needs."""
    monkeypatch.setattr(virtual_card.shutil, "which", lambda name: None)
    monkeypatch.setattr(virtual_card.ctypes.util, "find_library", lambda name: None)
    with pytest.raises(CardError, match="apt-get install pulseaudio pulseaudio-utils") as caught:
        VirtualCard()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("bench", ["acoustic", "soak"])
def test_without_a_card_nothing_is_left(
    bench: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """After the packages are there, the same command would be refused."""
    monkeypatch.setattr(virtual_card, "missing_packages", lambda: ["pulseaudio"])
    result = CliRunner().invoke(cli, ["bench", bench, "--out", str(tmp_path / "out")])
    assert result.exit_code == 1
    assert "apt-get install pulseaudio" in result.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.system
@pytest.mark.skipif(sys.platform == "win32", reason="shell scripts stand for PulseAudio")
def test_a_server_that_does_not_start_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Whoever waits for a sound card that will not come waits for ever."""
    for name in ("pulseaudio", "pactl"):
        dead = tmp_path / name
        dead.write_text("#!/bin/sh\nexit 1\n")
        dead.chmod(0o755)
    monkeypatch.setattr(virtual_card, "missing_packages", list)
    monkeypatch.setenv("PATH", str(tmp_path))  # whatever is installed is not found
    with pytest.raises(CardError, match="PulseAudio does not start"), VirtualCard():
        pass


def test_an_unsteady_card_proves_nothing() -> None:
    """A figure of a busy machine would be taken for the delay."""
    steady = Heard(np.zeros(1, np.float32), 16000, 0.0, 1 / 16000, unsteady_ms=0.1)
    unsteady = Heard(np.zeros(1, np.float32), 16000, 0.0, 1 / 16000, unsteady_ms=3.0)
    good, bad, none = CardPath((19.0, 20.0, 21.0), 0), CardPath((20.0, 30.0), 0), CardPath((), 2)
    lags_ms = np.arange(5.0)
    lag = Lag(2.0, 0.5, {}, lags_ms, np.array([0, 0.2, 0.5, 0.2, 0]))
    beyond = Lag(0.0, 0.5, {}, lags_ms, np.array([0.5, 0.2, 0, 0, 0]))
    assert validity([good, good], steady, lag, 0.2, 3, 6) is None
    assert validity([good], steady, lag, 0.2, 0, 0) is None
    for said, *case in (
        ("SD of 5.0 ms", [bad], steady, lag, 0.2, 3, 6),
        ("no click of one", [good, none], steady, lag, 0.2, 3, 6),
        ("recorder", [good], unsteady, lag, 0.2, 3, 6),
        ("no more than like the same reversed", [good], steady, lag, 0.5, 3, 6),
        ("at 0 ms", [good], steady, beyond, 0.2, 3, 6),
        ("2 of 6 bursts", [good], steady, lag, 0.2, 2, 6),
    ):
        assert said in (validity(*case) or "")


def test_either_end_of_a_long_recording_is_found() -> None:
    """A soak over one long recording would have nothing to compare after ten minutes."""
    spoken = Spoken("a", np.arange(32_000.0), 100.0)
    part = spoken.between(101.0, 101.5)
    assert (part.start_s, len(part.audio), part.audio[0]) == (101.0, 8000, 16_000.0)
    assert len(spoken.between(90.0, 99.0).audio) == len(spoken.between(103.0, 104.0).audio) == 0
    assert len(spoken.between(99.0, 110.0).audio) == 32_000


def test_natural_speech_lies_at_the_time_of_its_emg() -> None:
    """All of the lag hangs on when speech would have sounded."""
    recordings = list(Selection(RecordingsSettings(subset="test.audible")).recordings)[:2]
    there = performance()
    there.epochs[0]["utterance"] = recordings[1].name
    (spoken,) = natural(there, recordings)
    assert (spoken.name, spoken.start_s, len(spoken.audio)) == (recordings[1].name, 100.0, 16000)
    with pytest.raises(StreamerError, match="natural speech"):
        natural(performance(), recordings)


def test_the_voice_lies_at_the_time_of_its_emg(tmp_path: Path) -> None:
    """Start and end of a long run are compared by it."""
    import soundfile

    there = performance()
    directory = RunDirectory(tmp_path)
    soundfile.write(directory.audio, np.linspace(0, 0.5, 40_000), 16000)
    there.summary["utterances"] = [
        {"utterance": "a", "epoch": 0, "start_s": 0.0, "seconds": 1.0},
        {"utterance": "b", "epoch": 1, "start_s": 1.0, "seconds": 1.5},
    ]
    of_files = Performance(directory, there.summary, {}, there.epochs, there.course, 1.0)
    one, two = voice(of_files)
    assert (one.start_s, len(one.audio)) == (100.0, 16000)
    assert (two.name, two.start_s, len(two.audio)) == ("b", 101.0, 24000)


def test_a_file_for_live_sessions_serves_a_bench(request: pytest.FixtureRequest) -> None:
    """The bench would wait for a device that is not there."""
    config = load_config(request.config.rootpath / "configs/live.yaml")
    assert config.live.source is not None
    replay = replaying(config, 12.0, loop=True)
    assert replay.live.source is None
    assert replay.replay.loop
    assert replay.session.duration_s == 12.0
    assert replay.audio == config.audio
