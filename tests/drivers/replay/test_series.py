"""A later start, and gaps that were not recorded."""

from datetime import datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import SourceError
from drivers.recordings.recording import Recording, Segment
from drivers.replay import ReplaySource, inject_gaps, parse_gap, skip
from drivers.source import Channel, Marker


def lost(recordings):
    """Numbers of the series' samples that are lost."""
    emg = np.concatenate([recording.emg_uv for recording in recordings])
    return np.flatnonzero(np.isnan(emg).all(axis=1)).tolist()


@given(st.floats(0, 3), st.lists(st.integers(0, 900), min_size=1, max_size=4))
def test_skipping_keeps_emg_audio_and_phones_together(start_s, lengths):
    """A replay from the middle still compares like with like."""
    series = [
        Recording(
            str(k),
            np.arange(n, dtype=np.float32)[:, None],
            600.0,
            (Channel("EMG1"),),
            audio=np.arange(n * 10, dtype=np.float32),
            audio_rate_hz=6000.0,
            recorded_at=datetime(2026, 11, 22),
            markers=(Marker(n - 1, "last"),),
            phones=(Segment(0.0, n / 600, "AA"),),
        )
        for k, n in enumerate(lengths)
    ]
    left = list(skip(series, start_s))
    samples = sum(len(r.emg_uv) for r in left)
    assert abs(samples - max(0, sum(lengths) - round(start_s * 600))) <= 1
    for recording in left:
        if len(recording.emg_uv):
            assert recording.audio[0] == pytest.approx(10 * recording.emg_uv[0, 0])
            assert len(recording.audio) == 10 * len(recording.emg_uv)
            assert recording.markers == (Marker(len(recording.emg_uv) - 1, "last"),)
            assert recording.phones[0].end_s == pytest.approx(recording.duration_s)
            before = recording.emg_uv[0, 0]
            later_s = (recording.recorded_at - datetime(2026, 11, 22)).total_seconds()
            assert later_s == pytest.approx(before / 600, abs=1e-6)
            assert before == (0 if recording.lead_in_uv is None else len(recording.lead_in_uv))


def test_the_lead_in_of_a_later_start_has_no_gap(make_recording):
    """A filter that settles across a gap would ring at the first word."""
    recording = make_recording(20, lead_in_uv=np.ones((3, 2), np.float32))
    recording.emg_uv[4:6] = np.nan
    (left,) = skip([recording], 10 / 600)
    np.testing.assert_array_equal(left.lead_in_uv, recording.emg_uv[6:10])
    (left,) = skip([recording], 5 / 600)
    assert left.lead_in_uv is None
    assert lost([left]) == [0]


def test_injected_gaps_lie_on_the_series_time(make_recording):
    """Losses can be tried out at a word of one's choice, and across two utterances."""
    series = [make_recording(600, name="a"), make_recording(600, name="b")]
    gaps = [(0.5, 0.01), (0.505, 0.01), (0.99, 0.02)]
    gapped = inject_gaps(series, gaps)
    assert lost(gapped) == [*range(300, 309), *range(594, 606)]
    assert lost(gapped) == lost(gapped), "a loop plays them in each round"
    assert not lost(series), "what others read of the recording is whole"
    assert gapped.notes == []


def test_without_gaps_nothing_is_copied(make_recording):
    """A corpus is not copied for a gap in its first sentence."""
    series = [make_recording(600, name="a"), make_recording(600, name="b")]
    first, second = inject_gaps(series, [(0.1, 0.1)])
    assert first.emg_uv is not series[0].emg_uv
    assert second is series[1]


def test_a_gap_behind_the_end_is_said(make_recording):
    """Nobody takes a run for one with a gap that never came."""
    gapped = inject_gaps([make_recording(600)], [(0.9, 5.0), (1.0, 0.5), (0.3, 0.0001)])
    assert lost(gapped) == list(range(540, 600))
    assert gapped.notes == [
        "gap 1:0.5 was not played: the replay came to no sample in it",
        "gap 0.3:0.0001 was not played: the replay came to no sample in it",
    ]


def test_a_later_start_keeps_the_gaps_where_they_are(make_recording):
    """--start and --gap mean the same time."""
    gapped = inject_gaps([make_recording(600), make_recording(600)], [(0.5, 0.1), (1.5, 0.1)])
    source = ReplaySource(gapped, speed=None, start_s=0.45)
    chunks = []
    with source:
        while (chunk := source.read(0.0)) is not None:
            chunks.append(chunk)
    assert [(c.epoch, c.first_index, c.gap_before) for c in chunks if c.gap_before] == [
        (0, 90, 60),
        (1, 360, 60),
    ]
    assert (source.health.lost_samples, source.health.gaps) == (120, 2)


def test_gaps_of_the_command_line():
    """A gap is said as it is meant, or refused in one line."""
    assert parse_gap("12.5:0.3") == (12.5, 0.3)
    for text in ("12.5", "1:2:3", "a:b", "", "nan:1", "-1:1", "1:0", "1:inf"):
        with pytest.raises(SourceError, match="^gap: got .*; allowed: START:LENGTH in seconds"):
            parse_gap(text)
    with pytest.raises(SourceError, match="gap: got 1:-2"):
        inject_gaps([], [(1.0, -2.0)])
