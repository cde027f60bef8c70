"""What holds for the files of every format: choices, bounds, clean names."""

import os
from dataclasses import replace

import numpy as np
import pytest

from drivers.errors import RecordingError, SignalMismatchError
from drivers.outside.names import clean
from drivers.recordings.checked import MOST_CHANNELS, CheckedRecordings, checked
from drivers.recordings.files import each_file
from drivers.recordings.format import Choices
from drivers.recordings.info import amplitude_cautions, describe
from drivers.recordings.recording import Recording, Segment
from drivers.recordings.registry import read_recordings, recognise, write_recordings
from drivers.source import Channel, Marker

SUFFIXES = [".xdf", ".edf", ".bdf", ".npz", ".csv", ".tsv"]


@pytest.fixture
def plain():
    """Six channels of EMG and one that is none."""
    emg_uv = np.random.default_rng(1).normal(0, 50, (600, 7)).astype(np.float32)
    channels = (*(Channel(f"EMG{n}") for n in range(1, 7)), Channel("Counter", "", "AUX"))
    return Recording("talk", emg_uv, 600.0, channels)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_channels_of_any_format_can_be_chosen(plain, suffix, tmp_path):
    """A file with a trigger beside the EMG cannot be replayed otherwise."""
    write_recordings(tmp_path / f"a{suffix}", [plain])
    choices = Choices(channels=("EMG 2", "emg_01"))
    (recording,) = read_recordings(tmp_path / f"a{suffix}", choices)
    assert [channel.label for channel in recording.channels] == ["EMG2", "EMG1"]
    np.testing.assert_allclose(recording.emg_uv, plain.emg_uv[:, [1, 0]], atol=0.01)
    with pytest.raises(SignalMismatchError, match="EMG9"):
        list(read_recordings(tmp_path / f"a{suffix}", Choices(channels=("EMG9",))))


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_unit_of_any_format_can_be_said(plain, suffix, tmp_path):
    """A person who knows better than the file has no way on otherwise."""
    write_recordings(tmp_path / f"a{suffix}", [plain])
    (recording,) = read_recordings(tmp_path / f"a{suffix}", Choices(unit="mV"))
    np.testing.assert_allclose(recording.emg_uv[:, :6], 1e3 * plain.emg_uv[:, :6], atol=10)
    assert "overruled" in " ".join(recording.notes)


@pytest.mark.parametrize(
    ("choices", "line"),
    [
        (Choices(stream="Amp"), "stream of .*NPZ has no streams"),
        (Choices(emg_scale_uv=0.1), "EMG scale of .*NPZ says its own"),
    ],
)
def test_what_a_format_does_not_leave_open_is_refused(plain, choices, line, tmp_path):
    """A setting without an effect would pass for one that has one."""
    write_recordings(tmp_path / "a.npz", [plain])
    with pytest.raises(RecordingError, match=line):
        read_recordings(tmp_path / "a.npz", choices)


@pytest.mark.parametrize("suffix", [*SUFFIXES, ".vpd", ""])
@pytest.mark.parametrize("kind", ["pipe", "device", "directory", "NUL"])
def test_what_is_no_file_is_refused_at_once(kind, suffix, tmp_path):
    """A pipe that nobody writes to is waited for until somebody kills it."""
    path = tmp_path / f"a{suffix}"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "directory":
        path.mkdir()
    else:
        path = tmp_path / f"a\0{suffix}"
    for act in (recognise, read_recordings, describe):
        with pytest.raises(RecordingError):
            act(path)


@pytest.mark.parametrize("rate_hz", [np.nan, np.inf, -600.0, 0.0, 0.5, 1e7, 1e300])
def test_rates_are_bounded(plain, rate_hz):
    """Filters and windows of such a rate take all memory, or never end."""
    with pytest.raises(RecordingError, match="sampling rate of talk.*1 to 1e"):
        checked(replace(plain, rate_hz=rate_hz), "talk")
    sound = replace(plain, audio=np.zeros(10, np.float32), audio_rate_hz=rate_hz)
    with pytest.raises(RecordingError, match="sampling rate of the speech"):
        checked(sound, "talk")


@pytest.mark.parametrize("count", [0, MOST_CHANNELS + 1])
def test_channels_are_bounded(plain, count):
    """A table of 60 000 columns is no EMG."""
    many = tuple(Channel(f"{n}") for n in range(count))
    wide = replace(plain, channels=many, emg_uv=np.zeros((2, count), np.float32))
    with pytest.raises(RecordingError, match="channels of talk"):
        checked(wide, "talk")


IMPOSSIBLE = {
    "speech of NaN": ({"audio": np.full(10, np.nan, np.float32)}, "speech"),
    "speech in counts": ({"audio": np.full(10, 9000, np.float32)}, "speech"),
    "a phone at NaN": ({"phones": (Segment(np.nan, 1.0, "A"),)}, "phones"),
    "a phone without an end": ({"phones": (Segment(0.0, np.inf, "A"),)}, "phones"),
    "a phone that ends first": ({"phones": (Segment(1.0, 0.5, "A"),)}, "phones"),
    "a marker at no time": ({"markers": (Marker(10**15, "go"),)}, "markers"),
}


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("kind", IMPOSSIBLE)
def test_what_no_recording_can_have_is_left_out_and_said(plain, kind, suffix, tmp_path):
    """`convert` made files of it that `info` refused."""
    fields, what = IMPOSSIBLE[kind]
    rate_hz = 16000.0 if "audio" in fields else None
    recording = checked(replace(plain, audio_rate_hz=rate_hz, **fields), "talk")
    assert what in recording.notes[-1]
    assert recording.audio is None
    assert recording.markers == recording.phones == ()
    write_recordings(tmp_path / f"a{suffix}", [recording])
    assert describe(tmp_path / f"a{suffix}").samples == 600


@pytest.mark.parametrize("suffix", [".xdf", ".npz", ".csv"])
def test_samples_that_are_no_numbers_are_counted(plain, suffix, tmp_path):
    """Infinite samples counted as received ones, and gaps of one channel as nothing."""
    emg_uv = plain.emg_uv.copy()
    emg_uv[100:110] = np.inf
    emg_uv[200:230, 2] = np.nan
    emg_uv[230:240, 2] = -np.inf
    write_recordings(tmp_path / f"a{suffix}", [replace(plain, emg_uv=emg_uv)])
    about = describe(tmp_path / f"a{suffix}")
    assert about.lost_samples == 10
    assert "channel EMG3 lacks 40 samples that other channels have" in about.notes


@pytest.mark.parametrize("text", ["\x1b[31mred", "a\0b", "\ud800", "x" * 10_000, "two\nlines"])
def test_texts_of_others_are_clean(plain, text):
    """They reach the terminal, file names and JSON."""
    channels = (Channel(text, text, text), *plain.channels[1:])
    dirty = replace(
        plain,
        name=text,
        channels=channels,
        markers=(Marker(1, text),),
        speaker=text,
        session=text,
    )
    recording = checked(dirty, "talk")
    first = recording.channels[0]
    for one in (recording.name, first.label, first.unit, first.type, recording.speaker):
        assert one == clean(text)
    assert recording.session == clean(text)
    assert recording.markers[0].label == clean(text, 4096)


def test_names_stay_unique(plain):
    """Two recordings of a name would overwrite each other."""
    twice = [replace(plain, name=name) for name in ("a\x1b", "a\x07", "b")]
    names = [one.name for one in CheckedRecordings(lambda: twice, "talk")]
    assert len(set(names)) == 3
    assert names[2] == "b"


def _no_memory():
    raise MemoryError


def _no_disk():
    raise OSError(5, "Input/output error")


@pytest.mark.parametrize(
    ("fail", "line"), [(_no_memory, "more memory"), (_no_disk, "Input/output")]
)
@pytest.mark.parametrize("late", [False, True])
def test_what_the_system_refuses_is_one_line(fail, line, late):
    """A disk that fails while it is read ends in a traceback otherwise."""

    def later():
        yield fail()

    with pytest.raises(RecordingError, match=line):
        list(CheckedRecordings(later if late else fail, "talk"))


@pytest.mark.parametrize(
    ("names", "files"),
    [
        (["a/b", "a_b"], ["c_a_b.csv", "c_a_b-2.csv"]),
        (["äö", "üß"], ["c_äö.csv", "c_üß.csv"]),
        (["A", "a", "a-2"], ["c_A.csv", "c_a-3.csv", "c_a-2.csv"]),
        (["", ".", ".."], ["c__.csv", "c__-2.csv", "c__-3.csv"]),
        (["../../etc"], ["c__.._etc.csv"]),
    ],
)
def test_each_recording_gets_a_file_of_its_own(names, files, tmp_path):
    """A conversion stopped half-way, as two recordings had one name for a file system."""
    found = each_file(tmp_path / "c.csv", names)
    assert len({file.name.casefold() for file in found}) == len(names)
    assert all(file.parent == tmp_path for file in found)
    assert [file.name for file in found] == files
    found[-1].touch()
    with pytest.raises(RecordingError, match="exists already"):
        each_file(tmp_path / "c.csv", names)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_implausible_amplitudes_are_seen_in_any_format(plain, suffix, tmp_path):
    """A wrong unit shows in nothing else."""
    emg_uv = np.tile(plain.emg_uv, (3, 1)) * np.float32(1e-3)
    emg_uv += np.float32(0.2)
    path = tmp_path / f"a{suffix}"
    write_recordings(path, [replace(plain, emg_uv=emg_uv)])
    assert any("too small" in note for note in describe(path).notes)
    assert amplitude_cautions([plain], "talk") == []
