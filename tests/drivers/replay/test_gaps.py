"""Samples that were lost when a recording was made are lost again when it is played."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.clock import VirtualClock
from drivers.recordings.recording import Recording
from drivers.replay import ReplaySource
from drivers.source import Channel, Chunk, Marker, SourceState


def gappy(length: int, *gaps: tuple[int, int], name: str = "a", markers=()) -> Recording:
    """Make a ramp with samples from, to (exclusive) lost."""
    emg = np.arange(length, dtype=np.float32)[:, None]
    for begin, end in gaps:
        emg[begin:end] = np.nan
    return Recording(name, emg, 600.0, (Channel("EMG1"),), markers=markers)


def unpaced(*recordings: Recording) -> tuple[ReplaySource, list[Chunk]]:
    source = ReplaySource(recordings, speed=None)
    chunks = []
    source.open()
    while (chunk := source.read(0.0)) is not None:
        chunks.append(chunk)
    assert source.health.state is SourceState.DISCONNECTED
    return source, chunks


def spans(chunks: list[Chunk]) -> list[tuple[int, int, int, int]]:
    return [(c.epoch, c.first_index, len(c.samples), c.gap_before) for c in chunks]


def test_a_gap_is_played_as_a_gap():
    """Silence of the right length comes where samples were lost, and nothing is invented."""
    source, chunks = unpaced(gappy(20, (8, 11)))
    assert spans(chunks) == [
        (0, 0, 6, 0),
        (0, 6, 2, 0),
        (0, 11, 1, 3),
        (0, 12, 6, 0),
        (0, 18, 2, 0),
    ]
    assert not any(c.gap_estimated for c in chunks)
    assert [c.time_s for c in chunks] == pytest.approx(np.array([6, 8, 12, 18, 20]) / 600)
    assert (source.health.samples, source.health.lost_samples, source.health.gaps) == (17, 3, 1)


def test_a_gap_at_the_beginning():
    """The session knows how much is missing before the first sample, and of what."""
    lead_in = np.ones((3, 1), np.float32)
    recording = gappy(10, (0, 4))
    source, chunks = unpaced(Recording(**{**vars(recording), "lead_in_uv": lead_in}))
    assert spans(chunks) == [(0, 4, 2, 4), (0, 6, 4, 0)]
    assert chunks[0].lead_in is lead_in
    assert chunks[0].markers == (Marker(0, "utterance a"),)
    assert (source.health.lost_samples, source.health.gaps) == (4, 1)


def test_a_gap_at_the_end_is_counted_and_takes_its_time():
    """The next utterance begins when it did, though nobody hears of the samples before."""
    source, chunks = unpaced(gappy(10, (6, 10)), gappy(6, name="b"))
    assert spans(chunks) == [(0, 0, 6, 0), (1, 0, 6, 0)]
    assert chunks[1].time_s == pytest.approx(16 / 600)
    assert (source.health.lost_samples, source.health.gaps) == (4, 1)


def test_a_recording_without_a_sample_left():
    """An utterance that was lost altogether is counted, and the others stay in time."""
    source, chunks = unpaced(gappy(6, (0, 6)), gappy(6, name="b"), gappy(6, (0, 6), name="c"))
    assert spans(chunks) == [(1, 0, 6, 0)]
    assert chunks[0].time_s == pytest.approx(12 / 600)
    assert (source.health.lost_samples, source.health.gaps) == (12, 2)
    assert source.health.extra == {"lost_markers": 2}, "the names of both utterances"


def test_looping_over_nothing_comes_to_an_end():
    """A file of lost samples does not hang the application."""
    source = ReplaySource([gappy(6, (0, 6))], speed=None, loop=True)
    source.open()
    assert source.read(0.0) is None
    assert source.health.state is SourceState.DISCONNECTED


def test_looping_plays_the_gaps_again():
    """A demonstration of losses can run all day."""
    source = ReplaySource([gappy(12, (6, 9))], speed=None, loop=True)
    source.open()
    chunks = [source.read(0.0) for _ in range(6)]
    assert spans(chunks) == [
        (k, first, n, gap) for k in range(3) for first, n, gap in ((0, 6, 0), (9, 3, 3))
    ]
    assert chunks[-1].time_s == pytest.approx(36 / 600)
    assert (source.health.lost_samples, source.health.gaps) == (9, 3)


def test_markers_in_a_gap_come_behind_it_at_their_own_sample():
    """An event that was noted while samples were lost is not lost with them."""
    markers = (Marker(9, "behind"), Marker(7, "in the gap"), Marker(14, "at the end"))
    source, chunks = unpaced(gappy(16, (6, 9), (12, 16), markers=(*markers, Marker(99, "after"))))
    assert [c.markers for c in chunks] == [
        (Marker(0, "utterance a"),),
        (Marker(7, "in the gap"), Marker(9, "behind")),
    ]
    assert source.health.extra == {"lost_markers": 2}


def test_a_gap_takes_its_time():
    """A reader waits as long as the device was silent, no longer than told at a time."""
    clock = VirtualClock(5.0)
    source = ReplaySource([gappy(600, (6, 300), (590, 600))], clock=clock)
    source.open()
    assert len(source.read(1.0).samples) == 6
    assert clock.now_s() == pytest.approx(5.01)
    assert source.read(0.1) is None
    assert clock.now_s() == pytest.approx(5.11)
    assert source.health.state is SourceState.STREAMING
    after = source.read(10.0)
    assert (after.first_index, after.gap_before) == (300, 294)
    assert clock.now_s() == pytest.approx(5.51)
    clock.sleep_until(5.985)
    late = source.read(0.0)
    assert (late.first_index, len(late.samples)) == (306, 284)
    assert source.read(0.01) is None
    assert source.health.state is SourceState.STREAMING, "the end of the recording is not reached"
    assert source.read(0.01) is None
    assert source.health.state is SourceState.DISCONNECTED
    assert clock.now_s() == pytest.approx(6.0)


@given(
    data=st.data(),
    lengths=st.lists(st.integers(1, 60), min_size=1, max_size=4),
    pauses=st.lists(st.floats(0, 0.2), min_size=1, max_size=20),
    chunk_s=st.sampled_from([0.001, 0.01, 0.0137, 0.5]),
    speed=st.sampled_from([None, 0.5, 1.0, 3.3]),
)
def test_losses_played_are_losses_stored(data, lengths, pauses, chunk_s, speed):
    """Every sample that is there comes once and in time; every one that is not, is counted."""
    recordings, markers = [], 0
    for k, length in enumerate(lengths):
        recording = gappy(length, name=str(k), markers=tuple(Marker(i, "x") for i in range(length)))
        lost = data.draw(st.lists(st.booleans(), min_size=length, max_size=length))
        recording.emg_uv[np.array(lost)] = np.nan
        recordings.append(recording)
        markers += length + 1
    clock = VirtualClock(1e5)
    source = ReplaySource(recordings, speed=speed, clock=clock, chunk_s=chunk_s)
    source.open()
    chunks: list[Chunk] = []
    for turn in range(10_000):
        clock.advance(pauses[turn % len(pauses)])
        chunk = source.read(1000.0)
        if chunk is None:
            break
        chunks.append(chunk)
    health = source.health
    assert health.state is SourceState.DISCONNECTED
    missing = [np.isnan(r.emg_uv[:, 0]) for r in recordings]
    assert health.lost_samples == sum(int(m.sum()) for m in missing)
    assert health.gaps == sum(int((np.diff(m, prepend=False) & m).sum()) for m in missing)
    assert health.samples + health.lost_samples == sum(lengths)
    came = sum(len(c.markers) for c in chunks)
    assert came + health.extra.get("lost_markers", 0) == markers
    before = 0
    for epoch, recording in enumerate(recordings):
        expected = 0
        kept = np.flatnonzero(~missing[epoch])
        own = [c for c in chunks if c.epoch == epoch]
        assert [
            i for c in own for i in range(c.first_index, c.first_index + len(c.samples))
        ] == kept.tolist()
        for chunk in own:
            assert chunk.first_index == expected + chunk.gap_before
            expected = chunk.first_index + len(chunk.samples)
            assert chunk.samples[:, 0].tolist() == list(range(chunk.first_index, expected))
            due_s = (1e5 if speed else 0.0) + (before + expected) / 600 / (speed or 1)
            assert chunk.time_s == pytest.approx(due_s, abs=1e-6)
            assert chunk.received_s > due_s - 1e-5
        before += len(recording.emg_uv)
