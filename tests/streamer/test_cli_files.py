"""`streamer info` and `convert`, and replays of files."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from drivers.recordings.registry import read_recordings, write_recordings
from drivers.recordings.xdf import XdfWriter
from drivers.source import Channel
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
    assert result.exit_code == 1, result.output
    summary = json.loads(result.stdout)
    assert summary["ended"] == "source"
    kept = json.loads((small_disk / "run" / "summary.json").read_text())
    assert kept["utterances"] == summary["utterances"]
    for line in (small_disk / "run" / "estimates.jsonl").read_text().splitlines():
        json.loads(line)
    for name in ("recording.xdf ends after", "audio.wav is incomplete", "overview.png"):
        assert name in " ".join(summary["failures"])
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


@pytest.fixture
def bare(talk: Path) -> Path:
    """The same EMG as a program writes it that names neither type nor unit, with a counter."""
    (first, *_) = read_recordings(talk)
    six = [Channel(f"EMG {n}", "", "") for n in range(1, 7)]
    counter = np.arange(len(first.emg_uv), dtype=np.float32)[:, np.newaxis]
    with XdfWriter(talk.with_name("bare.xdf")) as writer:
        channels = [*six, Channel("Counter", "", "")]
        stream = writer.add_stream("Amp", "EXG", channels, 600.0, "float32")
        samples = np.hstack([first.emg_uv, counter])
        for at in range(0, len(samples), 60):
            writer.write(stream, samples[at : at + 60], 100 + at / 600)
    return talk.with_name("bare.xdf")


def test_stream_unit_and_channels_of_a_file_can_be_chosen(bare: Path) -> None:
    """A finished recording could be changed by nobody, and its errors gave advice for live."""
    first = call("info", bare)
    assert first.exit_code == 1
    assert "--set recordings.stream=" in first.stderr
    settings = ["--set", "recordings.stream=Amp"]
    second = call("info", bare, *settings)
    assert second.exit_code == 1
    assert "--set recordings.unit=uV" in second.stderr
    settings += ["--set", "recordings.unit=uV"]
    found = json.loads(call("info", bare, *settings, "--json").stdout)
    assert [c["unit"] for c in found["channels"]] == ["uV"] * 6 + [""]
    config = bare.with_name("lab.yaml")
    config.write_text("recordings: {stream: Amp, unit: uV, channels: [EMG2, EMG1]}")
    to = bare.with_name("two.npz")
    result = call("convert", bare, to, "--config", config)
    assert result.exit_code == 0, result.output
    (two,) = read_recordings(to)
    assert [c.label for c in two.channels] == ["EMG 2", "EMG 1"]


def test_the_bundles_channels_are_found_in_a_file(bare: Path, tmp_path: Path) -> None:
    """There was no way to replay a file with a trigger or a counter in it."""
    settings = ["--set", "recordings.stream=Amp", "--set", "recordings.unit=uV"]
    quiet = ["--speed", "max", "--no-sound", "--no-screen"]
    result = call("replay", bare, *settings, *quiet, "--out", tmp_path / "run")
    assert result.exit_code == 0, result.output
    notes = json.loads((tmp_path / "run" / "summary.json").read_text())["notes"]
    assert any("the models get EMG 1, EMG 2" in note for note in notes)
    chosen = "recordings.channels=[EMG1, EMG2, EMG3, EMG4, EMG5, Counter]"
    refused = call("replay", bare, *settings, "--set", chosen, *quiet, "--out", tmp_path / "other")
    assert refused.exit_code == 1
    assert "unit of channel Counter" in refused.stderr


def test_recordings_of_alike_names_become_a_file_each(talk: Path) -> None:
    """A conversion stopped half-way, as `a/b` and `a_b` had one name."""
    (first, *_) = read_recordings(talk)
    names = ["a/b", "a_b", "A_B", "\xe4\xf6", "\xfc\xdf"]
    file = talk.with_name("alike.npz")
    write_recordings(file, [replace(first, name=name) for name in names])
    result = call("convert", file, talk.with_name("c.csv"), "--each")
    assert result.exit_code == 0, result.output
    written = sorted(talk.parent.glob("c_*.csv"))
    assert len({path.name.casefold() for path in written}) == len(names)
    assert {one.name for path in written for one in read_recordings(path)} == set(names)


def test_a_wrong_unit_is_cautioned_of(talk: Path) -> None:
    """Three of five silent faults would have shown: the voice is learned from silence."""
    (first, *_) = read_recordings(talk)
    file = talk.with_name("weak.npz")
    write_recordings(file, [replace(first, emg_uv=first.emg_uv * np.float32(1e-3))])
    assert "too small" in call("info", file).stdout
    assert "too small" in call("convert", file, talk.with_name("weak.xdf")).stderr


def test_a_recording_that_was_killed_at_once_is_looked_at(talk: Path) -> None:
    """What is left of it is refused by all that could say so."""
    with XdfWriter(talk.with_name("none.xdf")) as writer:
        writer.add_stream("Amp", "EMG", [Channel("EMG1")], 600.0, "float32")
    result = call("info", talk.with_name("none.xdf"))
    assert result.exit_code == 0, result.output
    assert "0, 0 of them lost" in result.stdout
    assert "before the first one came" in result.stdout
