"""Offsets and markers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.recordings.emg_uka import UtteranceError
from drivers.recordings.emg_uka.cut import Cut, check_cut, marker_cut, parse_offset

samples = st.integers(0, 10**6)


@given(samples, samples, samples, samples, st.sampled_from(["\n", "\r\n", " \n ", ""]))
def test_inclusive_ends_become_exclusive(audio_start, audio_length, emg_start, emg_length, end):
    """One sample off in every utterance is a bias nobody finds again."""
    text = f"{audio_start} {audio_start + audio_length}\n{emg_start} {emg_start + emg_length}{end}"
    cut = parse_offset(text, "u")
    assert cut == Cut(
        audio_start, audio_start + audio_length + 1, emg_start, emg_start + emg_length + 1
    )


@given(st.text("0123456789 -\n.x", max_size=20))
def test_other_text_is_refused(text):
    """Whatever stands in the file, no other error comes out of it."""
    try:
        cut = parse_offset(text, "002-001-0100")
    except UtteranceError:
        return
    assert cut.audio_start < cut.audio_end
    assert cut.emg_start < cut.emg_end


@given(st.integers(1, 400), st.integers(0, 600), st.integers(0, 5000), st.integers(0, 16000))
def test_marker_cut_is_a_common_stretch(edge, emg_tail, pulse, audio_tail):
    """Whichever stream is longer, both are cut to the same stretch of time."""
    counts = np.full((edge + 120 + emg_tail, 7), -32640, np.int16)
    counts[edge:, 6] = -32632
    audio = np.zeros((pulse + 3200 + audio_tail, 2), np.int16)
    audio[pulse, 1] = 20000
    cut = marker_cut(counts, audio, 16000.0, "u")
    assert cut.emg_start == edge + 120
    assert cut.audio_start == pulse + 3200
    assert cut.emg_end <= len(counts)
    assert cut.audio_end <= len(audio)
    emg_s = (cut.emg_end - cut.emg_start) / 600
    audio_s = (cut.audio_end - cut.audio_start) / 16000
    assert 0 <= audio_s - emg_s + 1 / 16000 < 1 / 600 + 2 / 16000
    assert emg_s > min(emg_tail / 600, audio_tail / 16000) - 1 / 600 - 1e-6


def test_a_marker_right_before_the_end_leaves_nothing():
    """An utterance without samples is damaged, not empty."""
    counts = np.full((50, 7), -32640, np.int16)
    counts[40:, 6] = -32632
    cut = marker_cut(counts, None, None, "u")
    with pytest.raises(UtteranceError, match="offset outside of the EMG"):
        check_cut(cut, len(counts), None, "u")
