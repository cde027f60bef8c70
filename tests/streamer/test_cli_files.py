"""`streamer info` and `convert`, and replays of files."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from drivers.recordings.registry import read_recordings, write_recordings
from streamer.cli import cli
from streamer.recordings import RecordingsSettings, Selection

UTTERANCES = 2


@pytest.fixture
def talk(tmp_path: Path) -> Path:
    """Some utterances of the recording in the package as an XDF file."""
    recordings = list(Selection(RecordingsSettings()).recordings)[:UTTERANCES]
    file = tmp_path / "talk.xdf"
    write_recordings(file, recordings)
    return file


def call(*words: str | Path) -> Result:
    return CliRunner().invoke(cli, [str(word) for word in words])


def test_info_says_what_is_inside(talk: Path) -> None:
    """Nobody could tell one file of an old study from the other."""
    result = call("info", talk, "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert (found["format"], found["recordings"], found["rate_hz"]) == ("XDF", UTTERANCES, 600)
    assert len(found["channels"]) == 6
    plain = call("info", talk)
    assert "6 channels at 600 Hz" in plain.stdout


@pytest.mark.parametrize("suffix", ["edf", "bdf", "npz", "csv", "tsv", "xdf"])
def test_convert_keeps_the_emg(talk: Path, suffix: str) -> None:
    """A conversion that changes values would spoil a study without a word."""
    (first, *_) = read_recordings(talk)
    to = talk.with_name(f"one.{suffix}")
    result = call("convert", talk, to, "--utterance", first.name, "--json")
    assert result.exit_code == 0, result.output
    (converted,) = read_recordings(to)
    resolution_uv = {"edf": 0.033, "bdf": 0.001}.get(suffix, 0.0)
    np.testing.assert_allclose(converted.emg_uv, first.emg_uv, rtol=0, atol=resolution_uv)
    assert converted.mode == first.mode
    assert json.loads(result.stdout)["recordings"] == 1


def test_convert_says_what_a_format_cannot_hold(talk: Path) -> None:
    """Audio would be gone, and found missing years later."""
    (first, *_) = read_recordings(talk)
    result = call("convert", talk, talk.with_name("one.csv"), "--utterance", first.name)
    assert result.exit_code == 0, result.output
    assert "audio" in result.stderr


def test_convert_overwrites_nothing(talk: Path) -> None:
    """The wrong order of two names would cost a recording."""
    result = call("convert", talk, talk)
    assert result.exit_code == 1
    assert "exists" in result.stderr


def test_a_file_is_replayed_as_its_corpus_is(talk: Path, tmp_path: Path) -> None:
    """A recording in another format would sound different."""
    words = ["--speed", "max", "--no-sound", "--json"]
    chosen = [word for r in read_recordings(talk) for word in ("--utterance", r.name)]
    one = call("replay", talk, *words, "--out", tmp_path / "file")
    other = call("replay", *chosen, *words, "--out", tmp_path / "corpus")
    assert one.exit_code == other.exit_code == 0, one.output + other.output
    audio = [(tmp_path / name / "audio.wav").read_bytes() for name in ("file", "corpus")]
    assert audio[0] == audio[1]
    mcds = [json.loads(result.stdout)["mcd_db"] for result in (one, other)]
    assert mcds[0] == pytest.approx(mcds[1])


def test_an_injected_gap_is_lost_and_counted(talk: Path, tmp_path: Path) -> None:
    """Nobody could see what a loss does to the speech."""
    result = call(
        *("replay", talk, "--speed", "max", "--no-sound", "--json", "--gap", "0.5:0.25"),
        *("--gap", "999:1", "--out", tmp_path / "run"),
    )
    assert result.exit_code == 0, result.output
    summary = json.loads(result.stdout)
    assert summary["lost_samples"] == 150
    assert any("999" in note for note in summary["notes"])


def test_a_session_records_what_it_heard_and_said(talk: Path, tmp_path: Path) -> None:
    """A session that went wrong could not be looked into, nor replayed."""
    result = call(
        *("replay", talk, "--speed", "max", "--no-sound", "--json", "--record"),
        *("--gap", "0.5:0.25", "--out", tmp_path / "run"),
    )
    assert result.exit_code == 0, result.output
    recorded = list(read_recordings(tmp_path / "run" / "recording.xdf"))
    for sent, got in zip(read_recordings(talk), recorded, strict=True):
        assert got.name == sent.name
        heard = ~np.isnan(got.emg_uv).any(axis=1)
        np.testing.assert_array_equal(got.emg_uv[heard], sent.emg_uv[: len(heard)][heard])
    assert sum(int(np.isnan(r.emg_uv).any(axis=1).sum()) for r in recorded) == 150
    assert all(r.audio is None for r in recorded)  # the voice is no natural speech


@pytest.mark.realtime
def test_record_needs_no_models(tmp_path: Path) -> None:
    """A laboratory could not collect data before it has a bundle."""
    file = tmp_path / "talk.xdf"
    result = call("record", file, "--source", "simulator", "--duration", "0.5", "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["samples"] == 300
    (recorded,) = read_recordings(file)
    assert recorded.emg_uv.shape == (300, 6)


@pytest.mark.system
def test_a_full_disk_does_not_hide_what_came_of_the_run(talk: Path, small_disk: Path) -> None:
    """An hour's session would end in a traceback, and say nothing of what it did."""
    words = ["replay", "--speed", "max", "--json", "--record", "--out", small_disk / "run"]
    result = call(*words, "--session", "101-001", "--subset", "test.audible")
    assert result.exit_code == 0, result.output
    summary = json.loads(result.stdout)
    assert summary["ended"] == "source"
    for name in ("recording.xdf ends after", "audio.wav is incomplete", "summary.json cannot"):
        assert sum(name in problem for problem in summary["problems"]) == 1
    assert len(summary["problems"]) < 10
    assert [file.name for file in (small_disk / "run").glob(".*")] == []
    (recorded, *_) = read_recordings(small_disk / "run" / "recording.xdf")
    assert len(recorded.emg_uv) > 100


@pytest.mark.realtime
@pytest.mark.system
def test_a_full_disk_ends_a_recording_in_one_line(small_disk: Path) -> None:
    """Nobody reads the second line, or knows which of the two to believe."""
    result = call("record", small_disk / "a.xdf", "--source", "simulator", "--json")
    assert result.exit_code == 1
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("streamer: error: a.xdf ends after ")
    assert line.endswith("make room, and record to a new file")


def test_several_recordings_become_a_file_each(talk: Path) -> None:
    """A session with utterances could not leave XDF for any format of one recording."""
    to = talk.with_name("one.bdf")
    refused = call("convert", talk, to)
    assert refused.exit_code == 1
    assert "--each" in refused.stderr
    result = call("convert", talk, to, "--each", "--json")
    assert result.exit_code == 0, result.output
    for recording in read_recordings(talk):
        (written,) = read_recordings(talk.with_name(f"one_{recording.name}.bdf"))
        assert written.name == recording.name
        assert written.provenance == "simulated"
