"""From each format to each other: what does not arrive has been said."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from drivers.recordings.registry import read_recordings, write_recordings
from drivers.source import Marker

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
