"""EDF and BDF."""

import tempfile
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import edfio
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.errors import RecordingError
from drivers.recordings.edf import BDF, EDF
from drivers.recordings.files import new_file
from drivers.source import Channel, Marker


def _round_trip(form, recording, path):
    form.write(path, [recording])
    assert form.recognises(path, path.read_bytes()[:4096])
    (read,) = form.read(path)
    return read


@pytest.mark.parametrize(("form", "bits"), [(EDF, 16), (BDF, 24)])
@given(data=st.data())
@settings(max_examples=40)
def test_a_recording_comes_back_within_the_resolution(
    form, bits, data, any_recording, assert_same_texts
):
    """Otherwise converting a recording changes the signal, its length or its labels."""
    recording = data.draw(any_recording)
    with tempfile.TemporaryDirectory() as folder:
        read = _round_trip(form, recording, Path(folder, f"a{form.suffixes[0]}"))
    emg_uv = recording.emg_uv
    assert read.emg_uv.shape == emg_uv.shape
    np.testing.assert_array_equal(np.isnan(read.emg_uv), np.isnan(emg_uv))
    if not np.isnan(emg_uv).all():
        # the header rounds the range outwards, to a tenth at worst
        steps = (np.nanmax(emg_uv, axis=0) - np.nanmin(emg_uv, axis=0) + 0.2) / (2**bits - 1)
        off = np.nan_to_num(np.abs(read.emg_uv.astype(float) - emg_uv)).max(axis=0)
        assert np.all(off <= 0.501 * steps + np.spacing(np.float32(1200)))
    assert_same_texts(read, recording)


def test_counts_of_a_16_bit_device_come_back_within_half_a_count(sample_recording, tmp_path):
    """EMG-UKA's 0.033 uV per count must not be coarsened."""
    read = _round_trip(EDF, sample_recording, tmp_path / "a.edf")
    assert np.nanmax(np.abs(read.emg_uv - sample_recording.emg_uv)) < 0.033 / 2
    read = _round_trip(BDF, sample_recording, tmp_path / "a.bdf")
    assert np.nanmax(np.abs(read.emg_uv - sample_recording.emg_uv)) < 0.033 / 100


def test_what_is_left_out_is_said(sample_recording, tmp_path):
    """Audio that vanished in a conversion would be missed too late."""
    lead_in = np.zeros((5, 3), np.float32)
    notes = EDF.write(tmp_path / "a.edf", [replace(sample_recording, lead_in_uv=lead_in)])
    assert ["uV" in notes[0], "audio" in notes[1], "5 samples" in notes[2]] == [True] * 3
    assert float(EDF.details(tmp_path / "a.edf")["resolution"].split()[0]) < 0.033


def test_another_program_sees_what_is_no_signal(sample_recording, tmp_path):
    """Padding and filled gaps would be analysed as EMG in MNE or EDFbrowser."""
    EDF.write(tmp_path / "a.edf", [sample_recording])
    edf = edfio.read_edf(tmp_path / "a.edf")
    bad = {a.text: (a.onset, a.duration) for a in edf.annotations if a.text.startswith("BAD")}
    assert bad["BAD_ACQ_SKIP"] == pytest.approx((0.5, 10 / 600))
    assert bad["BAD_padding"] == pytest.approx((1201 / 600, 3 - 1201 / 600))
    assert edf.labels == ("EMG 1", "EMG 2", "EMG 3")
    assert {s.sampling_frequency for s in edf.signals} == {600}
    assert edf.patient.code == "002"
    assert edf.startdatetime == datetime(2026, 11, 22, 15, 30)
    assert edf.is_continuous


def test_labels_are_those_of_bids(sample_recording, tmp_path):
    """MNE takes the type from what is before a space; BIDS wants each label once."""
    channels = (
        *(Channel("EMG1"), Channel("emg-lip"), Channel("EMG"), Channel("chin"), Channel("1")),
        *(Channel("levator anguli oris left"), Channel("levator anguli oris right")),
        Channel("rectal", "degC", "TEMP"),
    )
    emg_uv = np.zeros((600, len(channels)), np.float32)
    recording = replace(sample_recording, emg_uv=emg_uv, channels=channels)
    read = _round_trip(EDF, recording, tmp_path / "a.edf")
    assert read.channels == channels
    assert edfio.read_edf(tmp_path / "a.edf").labels == (
        *("EMG 1", "EMG lip", "EMG EMG", "EMG chin", "EMG 1 2"),
        *("EMG levator angu", "EMG levator an 2", "TEMP rectal"),
    )


def _foreign(path, *signals, edf=None, **more):
    edfio.Edf([edfio.EdfSignal(*args, **kwargs) for args, kwargs in signals], **more).write(path)
    return path


def _wave(rate_hz, **more):
    wave = np.sin(np.arange(4 * rate_hz) / 9)
    return ((wave, rate_hz), more)


def test_units_and_types_of_a_foreign_file(tmp_path):
    """A millivolt taken for a microvolt is a muscle a thousand times too weak."""
    path = _foreign(
        tmp_path / "a.edf",
        _wave(100, label="EEG Cz", physical_dimension="uV"),
        _wave(600, label="EMG chin", physical_dimension="mV"),
        _wave(600, label="EMG 2", physical_dimension="xV"),
        _wave(600, label="Temp rectal", physical_dimension="degC"),
        _wave(600, label="broken", physical_range=(-77, 77)),
    )
    raw = path.read_bytes().replace(b"xV      ", b"\xb5V      ")
    path.write_bytes(raw.replace(b"-77     ", b"77      "))
    (read,) = EDF.read(path)
    assert read.channels == (
        Channel("EMG chin"),
        Channel("EMG 2"),
        Channel("Temp rectal", "degC", "TEMP"),
    )
    assert read.rate_hz == 600
    assert np.abs(read.emg_uv).max(axis=0) == pytest.approx([1000, 1, 1], rel=1e-3)
    assert EDF.details(path)["left out"] == "EEG Cz at 100 Hz, broken, whose scale is missing"
    assert (read.name, read.recorded_at, read.speaker) == ("a", None, None)


def test_gaps_of_a_discontinuous_file_are_lost_samples(tmp_path):
    """Closing a gap shifts all EMG behind it against the clock."""
    path = _foreign(
        tmp_path / "a.edf", _wave(100, label="EMG", physical_dimension="uV"), annotations=[]
    )
    whole = EDF.read(path)[0].emg_uv
    raw = path.read_bytes().replace(b"EDF+C", b"EDF+D")
    path.write_bytes(raw.replace(b"+2\x14", b"+4\x14").replace(b"+3\x14", b"+5\x14"))
    (read,) = EDF.read(path)
    np.testing.assert_array_equal(read.emg_uv[:200], whole[:200])
    assert np.isnan(read.emg_uv[200:400]).all()
    np.testing.assert_array_equal(read.emg_uv[400:], whole[200:])
    path.write_bytes(raw.replace(b"+3\x14", b"+1\x14"))
    with pytest.raises(RecordingError, match="overlap"):
        EDF.read(path)


def test_marks_of_other_programs_are_markers(tmp_path):
    """Triggers of an EEG amplifier are what an analysis is cut by."""
    path = _foreign(
        tmp_path / "a.edf",
        _wave(100, label="EMG", physical_dimension="uV"),
        annotations=[edfio.EdfAnnotation(1.5, None, "go"), edfio.EdfAnnotation(2, 1, "phone rang")],
    )
    (read,) = EDF.read(path)
    assert read.markers[0] == Marker(150, "go")


def test_a_truncated_file_gives_what_is_there(sample_recording, tmp_path):
    """A full disk must not cost the recording."""
    path = tmp_path / "a.edf"
    EDF.write(path, [sample_recording])
    path.write_bytes(path.read_bytes()[:-10])
    (read,) = EDF.read(path)
    assert len(read.emg_uv) == 1200
    assert EDF.details(path)["truncated"] == "2 of 3 data records are there"


def test_half_a_transcript_is_none(sample_recording, tmp_path):
    """A converter trained on words that were not said there learns something wrong."""
    path = tmp_path / "a.edf"
    EDF.write(path, [replace(sample_recording, transcript="LONG " * 200)])
    assert EDF.read(path)[0].transcript == "LONG " * 200
    path.write_bytes(path.read_bytes()[:-10])
    assert EDF.read(path)[0].transcript is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda r: [r, r], "got 2; allowed: one"),
        (lambda r: [replace(r, emg_uv=r.emg_uv * np.float32(1e6))], "sample 0"),
        (lambda r: [replace(r, emg_uv=r.emg_uv[:0])], "none"),
        (lambda r: [replace(r, emg_uv=np.where([0, 1, 0], np.nan, r.emg_uv))], "NaN in all"),
    ],
)
def test_what_edf_cannot_hold_is_refused(change, message, sample_recording, tmp_path):
    """Silently clipped or dropped samples are worse than none."""
    with pytest.raises(RecordingError, match=message):
        EDF.write(tmp_path / "a.edf", change(sample_recording))
    assert not (tmp_path / "a.edf").exists()


def test_long_recordings_at_odd_rates(tmp_path, make_recording):
    """The library wants the length to be divisible to the last digit."""
    for rate_hz in (256.5, 2000 / 3, 599.987123, 44100 / 73):
        recording = make_recording(400_001, channels=1, rate_hz=rate_hz)
        read = _round_trip(EDF, recording, tmp_path / f"{rate_hz}.edf")
        assert (len(read.emg_uv), read.rate_hz) == (400_001, rate_hz)


@pytest.mark.parametrize(
    "error", [OSError(28, "No space left on device"), OSError("9 requested and 0 written")]
)
def test_a_disk_that_is_full_is_the_reason(error, tmp_path):
    """NumPy's errors have no code of the system: the line would say that it failed, and no more."""
    with pytest.raises(RecordingError, match=r"cannot be written: got .+; make room"):
        with new_file(tmp_path / "a.edf"):
            raise error
    assert not (tmp_path / "a.edf").exists()
