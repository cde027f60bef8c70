"""CSV and TSV as other programs and people write them."""

import numpy as np
import pytest

from drivers.errors import RecordingError
from drivers.recordings.format import Choices
from drivers.recordings.registry import details, read_recordings, write_recordings
from drivers.source import Channel, Marker

EMG = (Channel("EMG1"), Channel("EMG2"))
ROWS = "0,1,2\n0.01,3,4\n0.02,5,6\n"
RATE = "# rate_hz: 100\n"
WRITTEN = {
    "brackets": "time_s,EMG1 [uV],EMG2 [uV]\n" + ROWS,
    "parentheses": "Time (s),EMG1 (uV),EMG2 (\N{MICRO SIGN}V)\n" + ROWS,
    "underscores": "time_s,EMG1_uV,EMG2_uV\n" + ROWS,
    "blanks": "t [s], EMG1 uV, EMG2 uV\n" + ROWS,
    "slashes": "Time [s],EMG1/uV,EMG2 / uV\n" + ROWS,
    "a line of units": "time,EMG1,EMG2\ns,uV,uV\n" + ROWS,
    "a line of units in brackets": "Time,EMG1,EMG2\n[sec],[uV],(uV)\n" + ROWS,
    "milliseconds": "time [ms],EMG1 [uV],EMG2 [uV]\n0,1,2\n10,3,4\n20,5,6\n",
    "decimal commas": "time_s;EMG1 [mV];EMG2 [uV]\n0;0,001;2\n0,01;,003;4,0\n0,02;5e-3;+6\n",
    "commas and units": "Zeit\tEMG1\tEMG2\ns\tuV\tmV\n0\t1\t,002\n,01\t3\t,004\n,02\t5\t,006",
    "a delimiter at the end": "time_s,EMG1 [uV],EMG2 [uV],\n0,1,2,\n0.01,3,4,\n0.02,5,6,\n",
    "more delimiters at the end": "time_s,EMG1 [uV],EMG2 [uV]\n0,1,2,\n0.01,3,4,,\n0.02,5,6\n",
    "blanks in cells": "time_s, EMG1 [uV], EMG2 [uV]\n 0 , 1, 2\n 0.01, 3, 4 \n\n 0.02, 5, 6",
    "comments": "%A device\n%Rate = 1\n#a: b\ntime_s,EMG1 [uV],EMG2 [uV]\n# c\n" + ROWS,
    "time last": "EMG1 [uV],EMG2 [uV],time_s\n1,2,0\n3,4,.01\n5,6,.02\n",
    "no time": RATE + "EMG1 [uV],EMG2 [uV]\n1,2\n3,4\n5,6\n",
    "quoted": '"time_s","EMG1 [uV]","EMG2 [uV]"\n"0","1","2"\n"0.01","3","4"\n"0.02","5","6"\n',
}


def _read(path, text, choices=None, encoding="utf-8"):
    path.write_bytes(text.encode(encoding))
    (recording,) = read_recordings(path, choices or Choices())
    return recording


@pytest.mark.parametrize("name", ["a.csv", "a.txt"])
@pytest.mark.parametrize("written", WRITTEN)
def test_units_and_numbers_of_any_program(written, name, tmp_path):
    """A unit that is overlooked is a recording that nobody can read, or a thousand times off."""
    recording = _read(tmp_path / name, WRITTEN[written])
    assert recording.channels == EMG
    assert recording.rate_hz == 100
    np.testing.assert_allclose(recording.emg_uv, [[1, 2], [3, 4], [5, 6]], rtol=1e-6)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_encodings(encoding, end, tmp_path):
    """Excel's "Unicode text" is UTF-16, with tabs."""
    text = WRITTEN["commas and units"].replace("\n", end)
    if encoding in ("utf-16-le", "utf-16-be"):
        text = "\N{ZERO WIDTH NO-BREAK SPACE}" + text  # the byte order mark
    for name in ("a.csv", "a.dat"):
        recording = _read(tmp_path / name, text, encoding=encoding)
        np.testing.assert_allclose(recording.emg_uv, [[1, 2], [3, 4], [5, 6]], rtol=1e-6)


def test_columns_that_are_no_channels_are_named(tmp_path):
    """A sample's number among the muscles is a muscle of its own; texts are no numbers at all."""
    text = "index,time_s,phase,EMG1 [uV],EMG3,room (C),marker,EMG2 [uV],,note\n"
    text += "1,0,rest,1,9,20,go,2,,\n2,0.01,rest,3,9,20,,4,,x\n3,0.02,n/a,5,9,20,,6,,\n"
    path = tmp_path / "a.csv"
    recording = _read(path, text)
    assert recording.channels == (EMG[0], Channel("room", "C", "AUX"), EMG[1])
    assert recording.emg_uv[:, ::2].tolist() == [[1, 2], [3, 4], [5, 6]]
    assert recording.markers == (Marker(0, "go"),)
    assert details(path)["left out"] == "columns without a unit: index, phase, EMG3, note"
    assert recording.notes == (f"channel EMG3 of {path} has no unit and is left out of the EMG",)


@pytest.mark.parametrize("lost", ["", " ", "n/a", "N/A", "NaN", "nan", "NA", "#N/A", "null", "-"])
def test_lost_samples_have_many_names(lost, tmp_path):
    """BIDS writes n/a, R writes NA, a spreadsheet #N/A: none of them is a zero."""
    text = f"time_s,EMG1 [uV],EMG2 [uV]\n0,{lost},{lost}\n0.01,{lost},4\n0.02,5,6\n"
    recording = _read(tmp_path / "a.csv", text)
    assert recording.channels == EMG
    np.testing.assert_array_equal(recording.emg_uv, [[np.nan] * 2, [np.nan, 4], [5, 6]])


@pytest.mark.parametrize(
    ("head", "unit", "labels", "factor"),
    [
        ("time_s,EMG1,EMG2", "uV", ["EMG1", "EMG2"], 1),
        ("time_s,chin,EMG2", "mV", ["EMG2"], 1e3),
        ("time_s,chin,lip", "uV", ["chin", "lip"], 1),
        ("time_s,counter,lip", "V", ["lip"], 1e6),
        ("time_s,EMG1 [a.u.],EMG2 (xy)", "uV", ["EMG1", "EMG2 (xy)"], 1),
        ("time_s,EMG1 [uV],EMG2 [uV]", "mV", ["EMG1", "EMG2"], 1e3),
        ("time_s,EMG1,EMG2\ns,au,au", "nV", ["EMG1", "EMG2"], 1e-3),
    ],
)
def test_a_unit_that_is_unknown_can_be_set(head, unit, labels, factor, tmp_path):
    """The same rule as for any file: a guess could be wrong by a factor of a thousand."""
    path = tmp_path / "a.csv"
    if "[uV]" not in head:
        with pytest.raises(RecordingError, match=r"unit.*none|unit.*a\.?u.*recordings\.unit=uV"):
            _read(path, f"{head}\n{ROWS}")
    recording = _read(path, f"{head}\n{ROWS}", Choices(unit=unit))
    emg = [n for n, one in enumerate(recording.channels) if one.type == "EMG"]
    assert [recording.channels[n].label for n in emg] == labels
    assert recording.emg_uv[2, emg[-1]] == pytest.approx(6 * factor)
    assert write_recordings(tmp_path / "b.csv", [recording]) == []
    assert next(iter(read_recordings(tmp_path / "b.csv"))).channels == recording.channels


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("%OpenBCI\n%Sample Rate = 250 Hz\nSample Index, EXG 0\n0, 1.0\n1, 2.0\n", "'EMG1 .uV.'"),
        ("EMG1,EMG2\n1,2\n3,4\n", r"got none, of EMG1, EMG2; allowed: time_s first"),
        ("EMG1 [uV],EMG2 [uV]\n1,2\n3,4\n", "sampling rate .* unknown; .*'# rate_hz: 600'"),
        ("time,EMG1 [uV]\n0,2\n1,4\n", "sampling rate .* unknown"),
        ("time_s,note\n0,x\n1,y\n", "channels .* none"),
        ("time_s,EMG1 [uV]\n0,1\n0.01,oops\n", "line 3, column 2 .* 'oops'"),
        ("time_s;EMG1 [uV]\n0;1\n0,01;1.234,5\n", "line 3, column 2 .* '1.234,5'"),
        ("time_s,EMG1 [uV]\n0,1,5\n0.01,3,7\n", "line 2 .* 3 columns; allowed: 2"),
        ("time_s,EMG1 [uV]\n0\n", "line 2 .* 1 columns"),
        ("time_s," + ",".join(f"E{k} [uV]" for k in range(60_000)) + "\n0,1\n", "got 60001"),
        ("time_s," + "EMG [uV]," * 60_000 + "\n0,1\n", "got 60002; allowed: up to 1024"),
        ("time_s,EMG1 [uV]\n0,1\n0.01," + "1" * 2**21, "field larger|without an end"),
        ("time_s,EMG1 [uV]\n0,1\n0.01," + "," * 2**21, "without an end|columns"),
        ("time_s,EMG1 [uV]\n0,1\n" + '0.01,"1\n' * 2**17, "line 4, column 2"),
        ("# rate_hz: 1e300\nEMG1 [uV]\n1\n2\n", "sampling rate .* 1 to 1e.06 Hz"),
        ("# rate_hz: 1e-9\nEMG1 [uV]\n1\n2\n", "sampling rate"),
        ("time_s,EMG1 [uV]\n0,1\n1e-300,1\n2e-300,1\n", "sampling rate|rate"),
        ("time_s,EMG1 [uV]\n0,1\ninf,1\n", "time of sample 1 .* got inf"),
        ("time_s,EMG1 [uV]\nn/a,1\n0.1,1\n", "time of sample 0 .* got nan"),
        (
            "# channel_types: " + "[" * 5000 + "\n# rate_hz: 1\nEMG1 [uV]\n1\n",
            "nesting|channel_types",
        ),
    ],
)
def test_what_is_not_readable_is_told_what_a_table_needs(text, message, tmp_path):
    """One line, with the place in the file, at once: not a traceback, nor a minute's work."""
    with pytest.raises(RecordingError, match=message) as caught:
        _read(tmp_path / "a.csv", text)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500


def test_texts_from_outside_are_cleaned(tmp_path):
    """Escape sequences in a column's name would reach the terminal."""
    text = "time_s,EMG\x1b[2J [uV],x\x1b[1m,marker\n0,1,2,\x1b]0;\x07\n0.01,3,2,\n"
    recording = _read(tmp_path / "a.csv", text)
    whole = [recording.channels[0].label, recording.markers[0].label]
    whole += details(tmp_path / "a.csv").values()
    assert all(one.isprintable() for one in whole)


@pytest.mark.parametrize("name", ["a.csv", "a.txt"])
@pytest.mark.parametrize(
    ("content", "looks"),
    [
        (b"Dear diary,\nnothing today\n", "column"),
        ("time_s,EMG1 [uV]\n0,1\n".encode("utf-16-le"), "UTF-16"),
        ("time_s,EMG1 [uV]\n0,1\n".encode("utf-16-be"), "UTF-16"),
    ],
)
def test_a_text_that_is_no_table(name, content, looks, tmp_path):
    """ "Unknown bytes" helped nobody whose editor had saved UTF-16."""
    (tmp_path / name).write_bytes(content)
    with pytest.raises(RecordingError, match=looks) as caught:
        read_recordings(tmp_path / name)
    assert "\n" not in str(caught.value)
