"""From each format to each other: what does not arrive has been said."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from drivers.recordings.info import describe
from drivers.recordings.registry import read_recordings, write_recordings
from drivers.source import Channel, Marker

SUFFIXES = (".xdf", ".edf", ".bdf", ".npz", ".csv", ".tsv")
EXACT = "markers phones transcript mode speaker session split recorded_at name rate_hz channels"
SAID = {"audio": "audio", "lead_in_uv": "samples before the recording"}


@pytest.mark.parametrize(("first", "second"), list(product(SUFFIXES, repeat=2)))
def test_nothing_is_lost_without_a_word(first, second, sample_recording, tmp_path):
    """Lost samples above all: closed gaps would shift all EMG against sound and phones."""
    emg_uv = sample_recording.emg_uv.copy()
    emg_uv[:5] = emg_uv[-7:] = np.nan
    recording = replace(
        sample_recording,
        emg_uv=emg_uv,
        lead_in_uv=emg_uv[400:450],
        markers=(*sample_recording.markers, Marker(305, "in a gap")),
    )
    notes = write_recordings(tmp_path / f"first{first}", [recording])
    (between,) = read_recordings(tmp_path / f"first{first}")
    notes += write_recordings(tmp_path / f"second{second}", [between])
    (read,) = read_recordings(tmp_path / f"second{second}")
    np.testing.assert_array_equal(np.isnan(read.emg_uv), np.isnan(emg_uv))
    np.testing.assert_allclose(read.emg_uv, emg_uv, atol=0.033)
    for key in EXACT.split():
        expected = getattr(recording, key)
        if key == "markers":
            assert sorted(m.index for m in read.markers) == [0, 305, 700]
            assert {m.label for m in read.markers} == {m.label for m in expected}
        else:
            assert getattr(read, key) == expected, key
    for key, words in SAID.items():
        if getattr(read, key) is None:
            assert any(words in note for note in notes), key
        else:
            np.testing.assert_allclose(getattr(read, key), getattr(recording, key), atol=0.033)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize(
    "channels",
    [
        (Channel("EMG 1"), Channel("EMG1"), Channel("emg1")),
        (Channel("EMG1"), Channel("EMG2", "", "AUX"), Channel("EMG3", "a.u.", "AUX")),
        (Channel("EEG Cz", "uV", "EEG"), Channel("AUX", "", "AUX"), Channel("T", "degC", "TEMP")),
        (Channel("ekg", "uV", "ECG"), Channel("resp", "%", "RESP"), Channel("p", "mmHg", "AUX")),
        (Channel("time_s"), Channel("marker"), Channel("EMG (left) [x]")),
        (Channel("x" * 256), Channel("\N{MICRO SIGN}"), Channel("EDF Annotations")),
    ],
)
def test_what_was_written_can_be_read(suffix, channels, sample_recording, tmp_path):
    """A file that `convert` has made of a recording must not be refused by `info`."""
    path = tmp_path / f"a{suffix}"
    write_recordings(path, [replace(sample_recording, channels=channels)])
    info = describe(path)
    assert info.channels == channels
    assert info.notes == ()
