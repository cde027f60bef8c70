"""Which stream of a foreign file is read, in which unit, and what is said of the others."""

import numpy as np
import pytest

from drivers.errors import RecordingError, StreamerError
from drivers.recordings.format import Choices
from drivers.recordings.info import describe
from drivers.recordings.registry import read_recordings
from drivers.recordings.xdf import FORMAT, XdfWriter
from drivers.recordings.xdf.container import MAGIC, Tag
from drivers.recordings.xdf.scan import NO_STREAM, scan
from drivers.source import Channel, Marker

SIX = tuple(Channel(f"EMG{n}") for n in range(1, 7))
BARE = tuple(Channel("", "", "") for _ in range(6))


def rows(count=600, channels=6, level=50.0):
    return np.random.default_rng(3).normal(0, level, (count, channels)).astype(np.float32)


@pytest.fixture
def lab(tmp_path):
    """A file to fill, of a program that knows nothing of this one."""
    with XdfWriter(tmp_path / "lab.xdf") as writer:
        writer.path = tmp_path / "lab.xdf"
        yield writer


def add(writer, channels=SIX, *, kind="EMG", name="Amp", source_id="a-1", rate_hz=600.0, scale=1.0):
    stream = writer.add_stream(name, kind, channels, rate_hz, "float32", source_id=source_id)
    writer.write(stream, scale * rows(channels=len(channels)), 100.0)
    return stream


def read(writer, **choices):
    writer.flush()
    (recording,) = read_recordings(writer.path, Choices(**choices))
    return recording


@pytest.mark.parametrize(
    "stream", ["Amp", "lsl:Amp", "name=Amp", "id=a-1", "lsl:id=a-1", "type=EEG", "type=eeg", "id=1"]
)
def test_any_stream_can_be_the_emg(lab, stream):
    """Many amplifiers say EEG, whatever is plugged in: a finished file cannot be changed."""
    add(lab, tuple(Channel(c.label, "uV", "EEG") for c in SIX), kind="EEG")
    with pytest.raises(RecordingError, match=r"recordings\.stream"):
        read(lab)
    recording = read(lab, stream=stream)
    np.testing.assert_allclose(recording.emg_uv, rows())
    assert [c.unit for c in recording.channels] == ["uV"] * 6


def test_the_unit_can_be_said_and_overruled(lab):
    """OpenBCI's program says none, and MNE's player a power of ten."""
    add(lab, BARE, scale=1e-3)
    with pytest.raises(RecordingError, match=r"unit of channel 1 of .*recordings\.unit=uV"):
        read(lab)
    np.testing.assert_allclose(read(lab, unit="mV").emg_uv, rows(), rtol=1e-5)


@pytest.mark.parametrize(("said", "scale"), [("a.u.", 1.0), ("none", 1.0), ("mV", 1.0)])
def test_the_setting_wins_and_says_so(lab, said, scale):
    """A program that says nonsense has written it into the file for good."""
    add(lab, tuple(Channel(c.label, said) for c in SIX), scale=scale)
    recording = read(lab, unit="uV")
    np.testing.assert_allclose(recording.emg_uv, rows())
    assert f"{said} is overruled by recordings.unit=uV" in " ".join(recording.notes)


def test_powers_of_ten_are_units(lab):
    """MNE-LSL sends volts, and says so with a 0."""
    add(lab, tuple(Channel(c.label, "0") for c in SIX), scale=1e-6)
    np.testing.assert_allclose(read(lab).emg_uv, rows(), rtol=1e-5)


def test_a_counter_beside_the_emg_costs_no_muscle(lab):
    """One channel of seconds made six good ones unreadable."""
    add(lab, (*SIX, Channel("Counter", "seconds")))
    recording = read(lab)
    assert [c.type for c in recording.channels] == ["EMG"] * 6 + ["AUX"]
    assert any("Counter" in note for note in recording.notes)
    chosen = read(lab, channels=("EMG 2", "emg1"))
    np.testing.assert_array_equal(chosen.emg_uv, recording.emg_uv[:, [1, 0]])


@pytest.mark.parametrize("other", ["events", "no unit", "too slow"])
def test_a_useless_stream_is_left_out_and_named(lab, other):
    """A device that gives all its streams one type made the whole file unreadable."""
    add(lab)
    if other == "events":
        stream = lab.add_stream("Other", "EMG", (Channel("e"),), 0.0, "string")
        lab.write(stream, ["x"], [100.5])
    elif other == "no unit":
        add(lab, BARE, name="Other", rate_hz=1.0)
    else:
        add(lab, name="Other", rate_hz=0.01)
    np.testing.assert_allclose(read(lab).emg_uv, rows())
    assert "'Other'" in describe(lab.path).details["left out"]


def test_of_several_namesakes_none_is_taken_by_chance(lab):
    """The other person's muscles would pass for this one's."""
    add(lab)
    add(lab, source_id="a-2", scale=2.0)
    with pytest.raises(RecordingError, match="2 times.*id a-1.*id a-2"):
        read(lab, stream="Amp")
    np.testing.assert_allclose(read(lab, stream="id=a-2").emg_uv, 2 * rows())


@pytest.mark.parametrize(
    "choices",
    [{"stream": "nobody"}, {"stream": "id=9"}, {"unit": "seconds"}, {"channels": ("EMG9",)}],
)
def test_what_is_not_there_is_refused(lab, choices):
    """Another stream or channel than the one that was named would be taken otherwise."""
    add(lab)
    with pytest.raises(StreamerError, match="got"):
        read(lab, **choices)


def test_our_own_files_take_a_unit_and_know_their_stream(tmp_path, make_recording):
    """A session that was recorded with a wrong `live.unit` is not lost."""
    recording = make_recording(60)
    FORMAT.write(tmp_path / "own.xdf", [recording])
    (again,) = read_recordings(tmp_path / "own.xdf", Choices(unit="mV", stream="EMG"))
    np.testing.assert_allclose(again.emg_uv, 1e3 * recording.emg_uv)
    with pytest.raises(RecordingError, match="nobody"):
        read_recordings(tmp_path / "own.xdf", Choices(stream="nobody"))


@pytest.mark.parametrize("letters", [b"\x1b[31", b"\0\1\2\3", b"&#7;", b"&#0;", b"\xef\xbf\xbf."])
@pytest.mark.parametrize("before", [b">Ampl", b">EMG1"])
def test_letters_that_xml_forbids_cost_no_stream(lab, letters, before):
    """Liblsl writes whatever a sender has in a name, and nobody could open the file again."""
    add(lab, name="Amplifier")
    lab.flush()
    # of the same length, as chunks say how long they are
    lab.path.write_bytes(lab.path.read_bytes().replace(before, b">" + letters))
    (recording,) = read_recordings(lab.path)
    np.testing.assert_allclose(recording.emg_uv, rows())
    assert all(channel.label.isprintable() for channel in recording.channels)
    assert [channel.unit for channel in recording.channels] == ["uV"] * 6


@pytest.mark.parametrize("rate", [b"  nan", b"-60.0", b"1e300", b"600,0"])
def test_a_stream_whose_header_is_refused_is_named(lab, rate):
    """A file with one bad number in it passed for one without a stream."""
    add(lab)
    lab.flush()
    lab.path.write_bytes(lab.path.read_bytes().replace(b">600.0<", b">%b<" % rate))
    for choices in (Choices(), Choices(stream="Amp")):
        with pytest.raises(RecordingError, match=r"stream 1 \("):
            read_recordings(lab.path, choices)


@pytest.mark.parametrize("zero", [1, 2])
def test_stream_number_0_is_a_stream(lab, zero):
    """pyxdf's own example has one, and all its samples were dropped."""
    add(lab)
    keys = lab.add_stream("keys", "Markers", (Channel("k"),), 0.0, "string")
    lab.write(keys, ["go"], [100.5])
    lab.close()
    found, data = scan(lab.path), bytearray(lab.path.read_bytes())
    for span in found.spans:
        if span.stream == zero:
            data[span.content - 4 : span.content] = bytes(4)
    lab.path.write_bytes(data)
    (recording,) = read_recordings(lab.path)
    np.testing.assert_allclose(recording.emg_uv, rows())
    assert recording.markers == (Marker(300, "go"),)
    assert {span.stream for span in scan(lab.path).spans} == {0, 3 - zero}
    assert NO_STREAM < 0
    assert data.startswith(MAGIC)
    assert Tag.SAMPLES in {span.tag for span in found.spans}


def test_an_empty_text_is_no_marker(lab):
    """Some senders push one to keep the stream alive."""
    add(lab)
    keys = lab.add_stream("keys", "Markers", (Channel("k"),), 0.0, "string")
    lab.write(keys, ["", "go", " "], [100.1, 100.5, 100.6])
    assert read(lab).markers == (Marker(300, "go"),)


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf, 1e300])
def test_stamps_that_are_none_are_counted(lab, wrong):
    """One sample that was stamped with nothing made an hour unreadable."""
    stream = lab.add_stream("Amp", "EMG", SIX, 600.0, "float32")
    stamps = 100 + np.arange(600) / 600
    stamps[[0, 300, 301, 599]] = wrong
    lab.write(stream, rows(), stamps)
    keys = lab.add_stream("keys", "Markers", (Channel("k"),), 0.0, "string")
    lab.write(keys, ["never", "go"], np.array([wrong, 100.5]))
    recording = read(lab)
    np.testing.assert_allclose(recording.emg_uv, rows())
    assert recording.markers == (Marker(300, "go"),)
    assert "4 time stamps" in " ".join(recording.notes)
    assert describe(lab.path).details["markers outside the EMG"] == "1, left out"
