"""Recordings to XDF and back: nothing may be missing."""

from dataclasses import fields, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from drivers.errors import RecordingError
from drivers.recordings.emg_uka import EmgUkaCorpus
from drivers.recordings.recording import Recording, Segment
from drivers.recordings.xdf import FORMAT
from drivers.source import Channel, Marker

CORPUS = Path("data/emg-uka")
floats = st.floats(width=32, allow_nan=False)
words = st.text(max_size=8)


def assert_equal(first: Recording, second: Recording) -> None:
    """Bit for bit."""
    for field in fields(Recording):
        left, right = getattr(first, field.name), getattr(second, field.name)
        if isinstance(left, np.ndarray):
            assert left.dtype == right.dtype
            np.testing.assert_array_equal(left, right, err_msg=field.name)
        else:
            assert left == right, field.name


@st.composite
def recordings(draw: st.DrawFn) -> Recording:
    channels = draw(st.integers(1, 3))
    rate_hz = draw(st.sampled_from([600.0, 1000.0, 2048.5]))
    rows = draw(st.integers(0, 40))
    emg = draw(arrays(np.float32, (rows, channels), elements=floats))
    lost = draw(st.sets(st.integers(0, 39)))
    emg[[row for row in lost if row < rows]] = np.nan
    lead_in = draw(st.none() | arrays(np.float32, (5, channels), elements=floats))
    audio_rate_hz = draw(st.none() | st.sampled_from([8000.0, 16000.0]))
    audio = None
    if audio_rate_hz:
        audio = draw(arrays(np.float32, st.integers(0, 50), elements=floats))
    at_s = st.floats(0, 100)
    return Recording(
        name=draw(st.text(min_size=1, max_size=8).filter(lambda text: text.strip() == text)),
        emg_uv=emg,
        rate_hz=rate_hz,
        channels=tuple(Channel(f"E{k}", "uV", "EMG") for k in range(channels)),
        lead_in_uv=lead_in,
        markers=tuple(
            draw(st.lists(st.builds(Marker, st.integers(0, 60), words.map(_sendable)), max_size=4))
        ),
        audio=audio,
        audio_rate_hz=audio_rate_hz,
        transcript=draw(st.none() | words),
        mode=draw(st.sampled_from([None, "audible", "whispered", "silent"])),
        speaker=draw(st.none() | words),
        session=draw(st.none() | words),
        split=draw(st.sampled_from([None, "train", "test"])),
        phones=tuple(
            draw(st.lists(st.builds(Segment, at_s, at_s, words.map(_sendable)), max_size=3))
        ),
        recorded_at=draw(st.none() | st.datetimes(timezones=st.none() | st.just(UTC))),
    )


def _sendable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


@settings(max_examples=60)
@given(st.lists(recordings(), min_size=1, max_size=3, unique_by=lambda r: r.name))
def test_everything_comes_back(tmp_path_factory, series):
    """Whoever keeps recordings as XDF keeps all of them."""
    path = tmp_path_factory.mktemp("xdf") / "a.xdf"
    assert FORMAT.write(path, series) == []
    assert FORMAT.recognises(path, path.read_bytes()[:4096])
    back = list(FORMAT.read(path))
    assert len(back) == len(series)
    for first, second in zip(series, back, strict=True):
        assert_equal(first, second)


def test_what_cannot_be_kept_is_said(tmp_path, make_recording):
    """Audio of unknown rate, and a loss of minutes."""
    recording = replace(make_recording(20), audio=np.zeros(5, np.float32))
    assert FORMAT.write(tmp_path / "a.xdf", [recording]) == ["a: audio of unknown rate is left out"]
    assert_equal(replace(recording, audio=None), FORMAT.read(tmp_path / "a.xdf")[0])
    gap = make_recording(37000)
    gap.emg_uv[100:36500] = np.nan
    (line,) = FORMAT.write(tmp_path / "b.xdf", [gap])
    assert "lost for more than 60 s" in line
    first, second = FORMAT.read(tmp_path / "b.xdf")
    np.testing.assert_array_equal(first.emg_uv, gap.emg_uv[:100])
    np.testing.assert_array_equal(second.emg_uv, gap.emg_uv[36500:])


def test_what_belongs_to_a_part_follows_it(tmp_path, make_recording):
    """Behind a long loss, sound, phones and markers are still at their samples."""
    emg = make_recording(37000).emg_uv
    emg[600:36600] = np.nan
    emg[36600:36601] = np.nan
    speech = np.arange(62 * 100, dtype=np.float32)
    recording = replace(
        make_recording(37000),
        emg_uv=emg,
        audio=speech,
        audio_rate_hz=100.0,
        phones=(Segment(0.5, 0.7, "A"), Segment(61.5, 61.6, "B")),
        markers=(Marker(36700, "late"), Marker(3, "early")),
        recorded_at=datetime(2026, 11, 22, tzinfo=UTC),
    )
    FORMAT.write(tmp_path / "b.xdf", [recording])
    first, second = FORMAT.read(tmp_path / "b.xdf")
    assert (first.name, second.name) == ("a", "a-2")
    assert first.markers == (Marker(3, "early"),)
    assert second.markers == (Marker(99, "late"),)
    assert second.audio[0] == round(36601 / 600 * 100)
    assert first.audio[-1] == second.audio[0] - 1
    assert [p.label for p in second.phones] == ["B"]
    assert second.phones[0].start_s == pytest.approx(61.5 - 36601 / 600)


def test_a_disk_that_is_full(tmp_path, make_recording, monkeypatch):
    """Half a file is not mistaken for the whole."""

    def full(file, data):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.write", full)
        with pytest.raises(RecordingError, match="No space left on device; make room"):
            FORMAT.write(tmp_path / "a.xdf", [make_recording(20)])
    assert not (tmp_path / "a.xdf").exists()


def test_a_conversion_that_is_broken_off(tmp_path, make_recording):
    """Ctrl-C leaves no half file behind that looks like a whole one."""

    def series():
        yield make_recording(20)
        raise KeyboardInterrupt

    class Interrupted(list):
        def __iter__(self):
            return series()

    with pytest.raises(KeyboardInterrupt):
        FORMAT.write(tmp_path / "a.xdf", Interrupted([make_recording(20)]))
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(RecordingError, match="none; allowed: one or more"):
        FORMAT.write(tmp_path / "a.xdf", [])
    assert list(tmp_path.iterdir()) == []


def test_a_marker_before_the_first_sample(tmp_path, make_recording):
    """A marker in a lead-in, as a table can have it, is not moved without a word."""
    recording = replace(make_recording(20), markers=(Marker(-3, "m"),))
    (line,) = FORMAT.write(tmp_path / "a.xdf", [recording])
    assert "1 markers before the first sample" in line
    assert FORMAT.read(tmp_path / "a.xdf")[0].markers == (Marker(0, "m"),)


@pytest.mark.corpus
def test_real_recordings_come_back(tmp_path):
    """EMG-UKA as XDF trains the same models."""
    if not (CORPUS / "Subsets").is_dir():
        pytest.skip("no real recordings in data/emg-uka")
    corpus = EmgUkaCorpus(CORPUS)
    series = list(corpus.recordings())[:12]
    assert FORMAT.write(tmp_path / "a.xdf", series) == []
    for first, second in zip(series, FORMAT.read(tmp_path / "a.xdf"), strict=True):
        assert_equal(first, second)
