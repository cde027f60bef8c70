"""CSV and TSV."""

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.errors import RecordingError
from drivers.recordings.tables import FORMAT
from drivers.source import Channel, Marker


def _read(path, text, **more):
    path.write_text(text, **({"encoding": "utf-8"} | more))
    return FORMAT.read(path)[0]


@pytest.mark.parametrize("suffix", [".csv", ".tsv"])
@given(data=st.data())
@settings(max_examples=30)
def test_numbers_and_texts_come_back_exactly(suffix, data, any_recording, assert_same_texts):
    """A spreadsheet is where people look at numbers; they must be the recording's."""
    recording = data.draw(any_recording)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a" + suffix)
        assert FORMAT.write(path, [recording]) == ["the audio is left out; .npz and .xdf have it"]
        assert FORMAT.recognises(path, path.read_bytes()[:4096])
        (read,) = FORMAT.read(path)
    np.testing.assert_array_equal(read.emg_uv, recording.emg_uv)
    if recording.lead_in_uv is None:
        assert read.lead_in_uv is None
    else:
        np.testing.assert_array_equal(read.lead_in_uv, recording.lead_in_uv)
    assert_same_texts(read, recording)


@given(st.lists(st.floats(width=32), min_size=1))
@settings(max_examples=100)
def test_any_float_comes_back(values):
    """Rounded digits would make a converted recording differ from its origin."""
    from drivers.recordings.recording import Recording

    emg_uv = np.array(values, np.float32)[:, None]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.csv")
        FORMAT.write(path, [Recording("a", emg_uv, 600.0, (Channel("EMG1"),))])
        np.testing.assert_array_equal(FORMAT.read(path)[0].emg_uv, emg_uv)


@pytest.mark.parametrize("decimals", [3, 4, 6, 9])
@pytest.mark.parametrize("rate_hz", [256.5, 600.0, 1000.0])
def test_the_rate_is_found_in_rounded_times(rate_hz, decimals, tmp_path):
    """Most programs write three to six decimals: 600 Hz must not become 500 or 599.88."""
    lines = [f"{k / rate_hz + 12.5:.{decimals}f},{k}" for k in range(3000)]
    read = _read(tmp_path / "a.csv", "time_s,EMG [uV]\n" + "\n".join(lines))
    assert read.rate_hz == pytest.approx(rate_hz, rel=1e-6 if rate_hz == 256.5 else 0)
    assert read.emg_uv[:, 0].tolist() == list(range(3000))


@pytest.mark.parametrize(
    ("true_hz", "says"), [(300, "300"), (594, "594"), (606, "606"), (2000, "2000"), (600, "")]
)
@pytest.mark.parametrize("lost", [0, 5])
def test_a_rate_that_the_times_deny_is_said(true_hz, says, lost, tmp_path):
    """Half of the samples counted as lost where the rate was wrong, or the line said nothing."""
    kept = [k for k in range(1200) if not 600 <= k < 600 + lost]
    lines = "".join(f"{k / true_hz:.6f},{k}\n" for k in kept)
    read = _read(tmp_path / "a.csv", "# rate_hz: 600\ntime_s,EMG [uV]\n" + lines)
    assert read.rate_hz == 600
    assert len(read.emg_uv) == 1200
    assert int(np.isnan(read.emg_uv).sum()) == lost
    assert [f"come at {says} Hz" in note for note in read.notes] == [True] * bool(says)


def test_left_out_lines_are_lost_samples(tmp_path):
    """Without the rows of NaN all that follows would be early."""
    kept = [k for k in range(1200) if not 100 <= k < 150 and k != 700]
    lines = [f"{k / 600:.6f}\t{k}" for k in kept]
    read = _read(tmp_path / "a.tsv", "time_s\tEMG [uV]\n" + "\n".join(lines) + "\n")
    assert read.rate_hz == 600
    expected = np.arange(1200.0)
    expected[[*range(100, 150), 700]] = np.nan
    np.testing.assert_array_equal(read.emg_uv[:, 0], expected)


def test_a_table_of_a_spreadsheet_with_decimal_commas(tmp_path):
    """A German spreadsheet writes semicolons, commas and a byte order mark."""
    text = "# rate_hz: 600\r\nEMG 1 [mV];EMG 2 [\xb5V];acc [g]\r\n0,5;-1,25;1\r\n;;\r\n1;2;3"
    read = _read(tmp_path / "a.csv", text, encoding="utf-8-sig", newline="")
    assert read.channels == (Channel("EMG 1"), Channel("EMG 2"), Channel("acc", "g", "ACC"))
    np.testing.assert_array_equal(read.emg_uv, [[500, -1.25, 1], [np.nan] * 3, [1000, 2, 3]])


def test_markers_stand_in_the_line_of_their_sample(sample_recording, tmp_path):
    """Also several at one sample, and labels that look like ours."""
    markers = tuple(Marker(5, label) for label in ('a,"b', "[c]", "")) + (Marker(9, '["x'),)
    FORMAT.write(tmp_path / "a.csv", [replace(sample_recording, markers=markers)])
    assert FORMAT.read(tmp_path / "a.csv")[0].markers == markers
    outside = (Marker(-1, "before"), Marker(99999, "after"), Marker(0, "in"))
    notes = FORMAT.write(tmp_path / "b.csv", [replace(sample_recording, markers=outside)])
    assert notes[-1] == "2 markers outside of the samples are left out"
    assert FORMAT.read(tmp_path / "b.csv")[0].markers == (Marker(0, "in"),)
    lead_in = np.zeros((2, 3), np.float32)
    recording = replace(sample_recording, markers=outside, lead_in_uv=lead_in)
    notes = FORMAT.write(tmp_path / "c.csv", [recording])
    assert notes[-1] == "1 markers outside of the samples are left out"
    assert set(FORMAT.read(tmp_path / "c.csv")[0].markers) == {
        Marker(0, "in"),
        Marker(-1, "before"),
    }


def test_a_cut_file_gives_its_whole_lines(sample_recording, tmp_path):
    """Half a number, 12 of 123, is no sample."""
    path = tmp_path / "a.csv"
    FORMAT.write(path, [sample_recording])
    path.write_bytes(path.read_bytes()[:-3])
    np.testing.assert_array_equal(FORMAT.read(path)[0].emg_uv, sample_recording.emg_uv[:1200])
    assert FORMAT.details(path)["truncated"] == "1200 of 1201 lines are there"


HEAD = "time_s,EMG1 [uV]\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "columns"),
        ("# a: b\n", "columns"),
        ("1,2\n3,4\n", "column .* got '1'.*EMG1 \\[uV\\]"),
        ("time_s,EMG1\n0,1\n", "units .* got none, of EMG1; .*EMG1 \\[uV\\].*recordings.unit=uV"),
        ("EMG1 [uV],EMG2 [uV]\n0,1\n", "rate_hz: 600"),
        (HEAD, "samples .* none"),
        (HEAD + "0,1\n", "single sample"),
        (HEAD + "0,1\n\n# x\n0.1,x\n0.2,1", "line 5, column 2 of .* got 'x'; allowed: a number"),
        (HEAD + "0,1\n0.1,1,2\n", "line 3 .* 3 columns"),
        (HEAD + "0,1\n0.1,1\n0.1,1\n", "time of sample 2"),
        (HEAD + "0,1\nnan,1\n0.1,1\n", "time of sample 1"),
        (HEAD + "0,1\n1,1\n2.45,1\n2.55,1\n4,1\n5,1\n", "off a rate"),
        (HEAD + "0,1\n0.001,1\n0.002,1\n1e9,1\n", "lost samples"),
        (HEAD + "0,1\n0.001,1\n0.002,1\n1e300,1\n", "lost samples"),
        ("# rate_hz: fast\n" + HEAD, "a number"),
        ("# rate_hz: -1\n" + HEAD, "a number"),
        ("# rate_hz: 0\n" + HEAD, "above 0"),
        ("# rate_hz: nan\n" + HEAD, "a number"),
        ("# channel_types: [1, 2]\n" + HEAD, "1 texts"),
        ("# phones: [[0, 1]]\n" + HEAD, "phones"),
        ("# phones: " + "[" * 100_000 + "\n" + HEAD, "phones"),
        ("# mode: loud\n# rate_hz: 1\n" + HEAD + "0,1\n1,1\n", "audible"),
        (HEAD + "0," + "1" * 200_000 + "\n", "field"),
        ("x" * 2_000_000, "no table"),
    ],
)
def test_what_is_no_table_of_ours_is_refused_in_one_line(text, message, tmp_path):
    """The line says what to change in the file."""
    with pytest.raises(RecordingError, match=message) as caught:
        _read(tmp_path / "a.csv", text)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500


def test_another_encoding_is_named(tmp_path):
    """A micro sign in latin-1 is the likeliest reason."""
    with pytest.raises(RecordingError, match="save it as UTF-8"):
        _read(tmp_path / "a.csv", "# rate_hz: 600\nEMG [\xb5V]\n1\n", encoding="latin-1")
