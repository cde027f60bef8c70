"""The registry and `describe`."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from drivers.errors import RecordingError
from drivers.recordings.format import Choices
from drivers.recordings.info import describe, left_out
from drivers.recordings.registry import formats, read_recordings, recognise, write_recordings
from drivers.source import Provenance

SUFFIXES = {
    ".xdf": "XDF",
    ".edf": "EDF",
    ".bdf": "BDF",
    ".npz": "NPZ",
    ".csv": "CSV",
    ".tsv": "CSV",
}


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_file_is_what_it_holds_whatever_its_name(suffix, sample_recording, tmp_path):
    """Files get renamed on their way; a wrong reader would find garbage or nothing."""
    write_recordings(tmp_path / f"a{suffix}", [sample_recording])
    for name in ("b.txt", "b", "b.edf", "b.xdf", "b.vpd"):
        shutil.copy(tmp_path / f"a{suffix}", tmp_path / name)
        assert recognise(tmp_path / name).name == SUFFIXES[suffix]
        (read,) = read_recordings(tmp_path / name)
        assert read.emg_uv.shape == sample_recording.emg_uv.shape


def test_a_corpus_is_recognised(corpus):
    """The corpus is replayed and trained on by its directory's name."""
    assert recognise(corpus.root).name == "EMG-UKA corpus"
    assert [r.name for r in read_recordings(str(corpus.root))][0] == "002-001-0100"


@pytest.mark.parametrize(
    ("content", "looks"),
    [
        (b"", "an empty file"),
        (b"RIFF\0\0\0\0WAVEfmt ", "a WAV"),
        (b"PK\x03\x04 and so on", "a zip archive without numpy arrays"),
        (b"Dear diary", "a text"),
        (bytes(range(256)), "unknown bytes"),
        (b'{"format": "streamer-capture"}', "--source capture:"),
    ],
)
@pytest.mark.parametrize("name", ["a.edf", "a.dat"])
def test_what_is_no_recording_is_named(content, looks, name, tmp_path):
    """The user sees at once that a wrong file was picked."""
    (tmp_path / name).write_bytes(content)
    with pytest.raises(RecordingError) as caught:
        read_recordings(tmp_path / name)
    assert looks in str(caught.value)
    assert "XDF, EDF, BDF" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_is_not_there(tmp_path):
    """A typing error is the likeliest mistake of all."""
    with pytest.raises(RecordingError, match="No such file"):
        recognise(tmp_path / "a.edf")
    with pytest.raises(RecordingError, match="EMG-UKA layout"):
        recognise(tmp_path)
    (tmp_path / "e07_002_001_0100.adc").write_bytes(bytes(1400))
    with pytest.raises(RecordingError, match="corpus directory"):
        recognise(tmp_path / "e07_002_001_0100.adc")


def test_writing_goes_by_the_suffix(sample_recording, tmp_path):
    """A suffix that says nothing must not lead to a file that nobody can name."""
    with pytest.raises(RecordingError, match=r"\.bdf, \.csv, \.edf, \.npz, \.tsv, \.xdf"):
        write_recordings(tmp_path / "a.wav", [sample_recording])
    with pytest.raises(RecordingError, match="got none"):
        write_recordings(tmp_path / "a", [sample_recording])
    with pytest.raises(RecordingError, match="cannot be made"):
        write_recordings(tmp_path / "no" / "a.npz", [sample_recording])
    write_recordings(tmp_path / "A.NPZ", iter([sample_recording]))
    assert describe(tmp_path / "A.NPZ").recordings == 1


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_existing_file_is_kept(suffix, sample_recording, tmp_path):
    """A recording must never be overwritten."""
    path = tmp_path / f"a{suffix}"
    path.write_text("mine")
    with pytest.raises(RecordingError, match="exists"):
        write_recordings(path, [sample_recording])
    for form in formats():
        if form.write and suffix in form.suffixes:
            with pytest.raises(RecordingError, match="exists"):
                form.write(path, [sample_recording])
    assert path.read_text() == "mine"


def test_describe_adds_up(sample_recording, tmp_path):
    """`streamer info` is where a user sees whether a recording is whole."""
    other = replace(sample_recording, name="b", mode=None, rate_hz=1000.0, audio=None)
    write_recordings(tmp_path / "a.npz", [sample_recording, other])
    info = describe(tmp_path / "a.npz")
    assert (info.format, info.recordings, info.signals) == ("NPZ", 2, 2)
    assert (info.channels, info.rate_hz) == (sample_recording.channels, 600)
    assert (info.samples, info.lost_samples, info.markers) == (2402, 20, 4)
    assert info.duration_s == pytest.approx(1201 / 600 + 1.201)
    assert (info.audio, info.audio_rate_hz, info.transcripts) == (1, 16000, 2)
    assert (info.modes, info.speakers) == ({"silent": 1}, {"002": 2})
    assert (info.sessions, info.splits) == ({"002-001": 2}, {"test": 2})
    assert info.recorded_at == sample_recording.recorded_at
    read = json.loads(json.dumps(info.as_dict()))
    assert read["channels"][0] == {"label": "EMG1", "unit": "uV", "type": "EMG"}
    assert read["recorded_at"] == "2026-11-22T15:30:00"


def test_describe_a_corpus(corpus):
    """Damaged utterances show as a difference between named and read."""
    corpus.emg("002-001-0100").write_bytes(b"123")
    info = describe(corpus.root)
    assert info.recordings == 15
    assert info.details["utterances named"] == "16"
    assert "2 train.audible" in info.details["session 002-001"]
    assert np.isclose(info.duration_s, 15 * 0.2)


def test_the_scale_of_counts_is_a_setting(corpus, tmp_path):
    """Devices differ in it: EMG of one laboratory would be forty times too large in another."""
    plain = next(iter(read_recordings(corpus.root)))
    double = next(iter(read_recordings(corpus.root, Choices(emg_scale_uv=0.066))))
    np.testing.assert_allclose(double.emg_uv, 2 * plain.emg_uv, rtol=1e-6)
    file = tmp_path / "one.npz"
    write_recordings(file, [plain])
    with pytest.raises(RecordingError, match="NPZ says its own"):
        read_recordings(file, Choices(emg_scale_uv=0.066))


def test_what_a_reader_leaves_out_is_said(sample_recording, tmp_path):
    """A conversion would lose it without a word."""
    file = tmp_path / "one.csv"
    write_recordings(file, [sample_recording])
    assert left_out(file) == []
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join(lines[:-3]))
    (line,) = left_out(file)
    assert line.startswith("truncated: ")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_simulated_stays_simulated(suffix, sample_recording, tmp_path):
    """What nobody spoke, or what a driver guessed, would pass for recorded."""
    for provenance in (Provenance.SIMULATED, Provenance.GUESSED):
        file = tmp_path / f"{provenance}{suffix}"
        write_recordings(file, [replace(sample_recording, provenance=provenance)])
        assert [r.provenance for r in read_recordings(file)] == [provenance]
        assert describe(file).provenances == {provenance: 1}


def test_a_file_that_exists_is_said_before_anything_is_read(tmp_path):
    """A corpus takes minutes to read, and all of it would be in vain."""

    def corpus():
        raise AssertionError("it is read")
        yield

    (tmp_path / "a.npz").touch()
    with pytest.raises(RecordingError, match="exists already"):
        write_recordings(tmp_path / "a.npz", corpus())
