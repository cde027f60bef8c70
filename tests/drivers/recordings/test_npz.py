"""NPZ."""

import tempfile
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.lib import format as npy

from drivers.errors import RecordingError
from drivers.recordings.npz import FORMAT
from drivers.source import Channel


def _equal(read, written):
    if written is None:
        assert read is None
    else:
        np.testing.assert_array_equal(read, written)


@given(data=st.data())
@settings(max_examples=40)
def test_nothing_is_lost(data, any_recording, assert_same_texts):
    """This is the format to keep a recording in without XDF."""
    recordings = data.draw(st.lists(any_recording, min_size=1, max_size=3))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.npz")
        assert FORMAT.write(path, recordings) == []
        assert FORMAT.recognises(path, path.read_bytes()[:4096])
        series = FORMAT.read(path)
        for again in (list(series), list(series)):  # a loop plays it twice
            for read, written in zip(again, recordings, strict=True):
                assert_same_texts(read, written)
                for key in ("emg_uv", "lead_in_uv", "audio"):
                    _equal(getattr(read, key), getattr(written, key))
                assert read.audio_rate_hz == written.audio_rate_hz


def test_numpy_reads_it(sample_recording, tmp_path):
    """The documented keys are what a user's own script takes."""
    FORMAT.write(tmp_path / "a.npz", [sample_recording])
    with np.load(tmp_path / "a.npz") as file:
        np.testing.assert_array_equal(file["emg_uv"], sample_recording.emg_uv)
        assert file["rate_hz"] == 600
        assert str(file["transcript"]) == "HELLO WORLD"
        assert file["marker_label"].tolist() == ["start", "Gr\xfc\xdf"]


def test_two_arrays_of_a_user_are_enough(tmp_path):
    """A user's own data need no more than samples and rate."""
    emg_uv = np.arange(12.0).reshape(4, 3)
    np.savez_compressed(tmp_path / "mine.npz", emg_uv=emg_uv, rate_hz=1000)
    (read,) = FORMAT.read(tmp_path / "mine.npz")
    np.testing.assert_array_equal(read.emg_uv, emg_uv)
    assert read.emg_uv.dtype == np.float32
    assert (read.name, read.rate_hz) == ("mine", 1000)
    assert read.channels == (Channel("EMG1"), Channel("EMG2"), Channel("EMG3"))


def test_arrays_that_nobody_reads_are_named(sample_recording, tmp_path):
    """Events under a key of one's own would be missed after a conversion only."""
    np.savez(tmp_path / "mine.npz", emg_uv=np.zeros((9, 2)), rate_hz=600, trigger=np.zeros(9))
    assert FORMAT.details(tmp_path / "mine.npz") == {"left out": "trigger"}
    FORMAT.write(tmp_path / "ours.npz", [sample_recording, sample_recording])
    assert FORMAT.details(tmp_path / "ours.npz") == {}


MARKED = {"emg_uv": np.zeros((9, 2)), "rate_hz": 1, "marker_label": ["a"]}


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x": 1}, "got x; allowed: emg_uv .* and rate_hz"),
        ({"emg_uv": np.zeros((9, 2))}, "rate_hz .* missing"),
        ({"rate_hz": 600}, "emg_uv .* missing"),
        ({"emg_uv": np.zeros(9), "rate_hz": 600}, "numbers in 2 dimensions"),
        ({"emg_uv": np.zeros((9, 2), complex), "rate_hz": 600}, "complex"),
        ({"emg_uv": np.zeros((9, 2)), "rate_hz": 0}, "above 0 Hz"),
        ({"emg_uv": np.zeros((9, 2)), "rate_hz": np.nan}, "above 0 Hz"),
        ({"emg_uv": np.zeros((9, 2)), "rate_hz": 1, "channel_labels": ["a"]}, "2 texts"),
        ({"emg_uv": np.zeros((9, 2)), "rate_hz": 1, "channel_units": ["mV", "mV"]}, "uV for EMG"),
        ({"emg_uv": np.zeros((9, 2)), "rate_hz": 1, "mode": "loud"}, "audible, whispered"),
        ({"emg_uv": np.zeros((9, 2)), "rate_hz": 1, "recorded_at": "noon"}, "2026"),
        ({"emg_uv": np.zeros((9, 2)), "rate_hz": 1, "audio": np.zeros(3)}, "audio_rate_hz"),
        ({"emg_uv": np.zeros((9, 2)), "rate_hz": 1, "lead_in_uv": np.zeros((1, 3))}, "3 channels"),
        ({"emg_uv": np.array([[{}]]), "rate_hz": 1}, "object"),
        ({"emg_uv": np.zeros((6, 3600)), "rate_hz": 600}, "6 x 3600; allowed: samples x channels"),
        ({"emg_uv": np.zeros((6, 7)), "rate_hz": 600}, "6 x 7; .*save it turned"),
        ({"emg_uv": np.zeros((2, 9)), "rate_hz": 1, "channel_labels": ["a", "b"]}, "2 x 9"),
        ({"emg_uv": np.zeros((9, 0)), "rate_hz": 1}, "9 x 0"),
        ({"emg_uv": np.zeros((9, 1)), "rate_hz": 1, "channel_units": [""]}, "recordings.unit=uV"),
        (MARKED | {"marker_index": [np.nan]}, "marker_index .* whole numbers"),
        (MARKED | {"marker_index": [np.inf]}, "marker_index .* whole numbers"),
        (MARKED | {"marker_index": [1.5]}, "marker_index .* whole numbers"),
        (MARKED | {"marker_index": np.array([2**64 - 1], np.uint64)}, "whole numbers"),
    ],
)
def test_what_is_no_recording_is_refused_with_the_keys(arrays, message, tmp_path):
    """A KeyError would not tell the user what to name the arrays."""
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(RecordingError, match=message) as caught:
        list(FORMAT.read(tmp_path / "a.npz"))
    assert "\n" not in str(caught.value)


def test_a_unit_can_be_set_and_its_scale_is_that_of_the_lead_in_too(tmp_path):
    """The same rule as for any file; a lead-in of another size would ring in all filters."""
    emg_uv, path = np.arange(12.0).reshape(4, 3), tmp_path / "a.npz"
    units = ["mV", "mV", "degC"]
    types = ["EMG", "EMG", "TEMP"]
    arrays = {"emg_uv": emg_uv, "lead_in_uv": emg_uv[:1], "rate_hz": 600}
    np.savez(path, **arrays, channel_units=units, channel_types=types)
    (read,) = FORMAT.read(path, unit="mV")
    np.testing.assert_array_equal(read.emg_uv, emg_uv * [1000, 1000, 1])
    np.testing.assert_array_equal(read.lead_in_uv, read.emg_uv[:1])
    assert [one.unit for one in read.channels] == ["uV", "uV", "degC"]
    np.savez(path, **arrays, channel_units=units[2:] * 3)
    with pytest.raises(RecordingError, match=r"unit of channel EMG1 .*recordings\.unit=uV"):
        list(FORMAT.read(path))


@pytest.mark.parametrize("dtype", [np.int16, np.int32, np.float32])
def test_speech_of_any_type_of_number_is_on_one_scale(dtype, tmp_path):
    """Integers were taken for values of a thousand full scales."""
    full = 1.0 if dtype == np.float32 else float(np.iinfo(dtype).max) + 1
    audio = (np.array([0.5, -0.25, 0.0]) * full).astype(dtype)
    emg_uv = np.ones((9, 2), np.float32)
    np.savez(tmp_path / "a.npz", emg_uv=emg_uv, rate_hz=600, audio=audio, audio_rate_hz=8000)
    (recording,) = FORMAT.read(tmp_path / "a.npz")
    np.testing.assert_allclose(recording.audio, [0.5, -0.25, 0.0])


def test_few_samples_of_many_channels_are_right_where_the_labels_say_so(tmp_path):
    """A moment of a grid of electrodes is no recording that is turned."""
    labels = [f"EMG{n}" for n in range(8)]
    np.savez(tmp_path / "a.npz", emg_uv=np.zeros((3, 8)), rate_hz=1, channel_labels=labels)
    assert next(iter(FORMAT.read(tmp_path / "a.npz"))).emg_uv.shape == (3, 8)


def test_the_table_of_contents_is_read_once_for_all_recordings(tmp_path, monkeypatch):
    """Once for each, a file of ten thousand utterances takes an hour."""
    arrays = {f"{n:06d}/{key}": value for n in range(50) for key, value in MARKED.items()}
    np.savez(tmp_path / "a.npz", **{key: one for key, one in arrays.items() if "label" not in key})
    series = FORMAT.read(tmp_path / "a.npz")
    times, opens = [], zipfile.ZipFile.__init__
    monkeypatch.setattr(
        zipfile.ZipFile, "__init__", lambda *args, **more: times.append(opens(*args, **more))
    )
    assert len(list(series)) == len(series) == 50
    assert len(times) == 1


def _member(shape):
    """A header that claims this shape, without the data."""
    with tempfile.TemporaryFile() as file:
        npy.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": shape})
        file.seek(0)
        return file.read()


def test_a_header_that_claims_more_than_there_is_is_refused(sample_recording, tmp_path):
    """Sixteen exabytes asked for by a damaged file would end the session."""
    for shape in ((10**9, 10**9), (-1, -1), (10**9, 6)):
        path = tmp_path / f"{shape}.npz"
        with zipfile.ZipFile(path, "w") as file:
            file.writestr("emg_uv.npy", _member(shape))
        with pytest.raises(RecordingError, match="emg_uv"):
            list(FORMAT.read(path))


def test_a_zip_bomb_is_refused(tmp_path):
    """A file of 200 kB must not fill the memory."""
    path = tmp_path / "a.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        with file.open("emg_uv.npy", "w") as member:
            member.write(_member((50 * 2**20, 1)))
            for _ in range(200):
                member.write(bytes(2**20))
    assert path.stat().st_size < 300_000
    with pytest.raises(RecordingError, match="100 times"):
        list(FORMAT.read(path))


def test_an_existing_file_is_kept(sample_recording, tmp_path):
    """A recording must not be overwritten."""
    (tmp_path / "a.npz").write_text("mine")
    with pytest.raises(RecordingError, match="exists"):
        FORMAT.write(tmp_path / "a.npz", [sample_recording])
    assert (tmp_path / "a.npz").read_text() == "mine"


def test_nothing_is_left_of_a_file_that_failed(sample_recording, tmp_path):
    """Half a file would be taken for a recording later."""
    with pytest.raises(AttributeError):
        FORMAT.write(tmp_path / "a.npz", [replace(sample_recording, emg_uv=None)])
    assert list(tmp_path.iterdir()) == []
