"""From stamps and markers to chunks."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.lsl.cutting import ChunkCutter, StampedMarker
from drivers.source import UTTERANCE, Health, Marker

RATE = 600.0
SKEW = 1234.5  # of the sender's clock


def samples_of(numbers: np.ndarray) -> np.ndarray:
    return np.asarray(numbers, np.float32)[:, None]


@settings(deadline=None)  # a busy machine is no failure
@given(
    utterances=st.sets(st.integers(0, 1500), max_size=5),
    others=st.sets(st.integers(0, 1500), max_size=5),
    lost=st.sets(st.integers(400, 1500), max_size=40),
    sizes=st.lists(st.integers(1, 90), min_size=1, max_size=6),
    ahead=st.integers(0, 100),
    skew_s=st.floats(-2e-4, 2e-4),
)
def test_utterances_begin_at_their_sample(utterances, others, lost, sizes, ahead, skew_s):
    """Over LSL each utterance keeps its first sample, its number and its losses."""
    health = Health()
    cutter = ChunkCutter(RATE, 10.0, health)
    kept = np.array([n for n in range(1600) if n not in lost])
    events = {n: f"{UTTERANCE}{n}" for n in utterances} | {
        n: f"event {n}" for n in others - utterances
    }
    chunks = []
    begin = turn = 0
    while begin < len(kept):
        numbers = kept[begin : begin + sizes[turn % len(sizes)]]
        for n in sorted(events):
            if n <= numbers[-1] + ahead:
                cutter.expect(StampedMarker(n / RATE + skew_s, events.pop(n)))
        chunks += cutter.cut(samples_of(numbers), numbers / RATE - SKEW, SKEW, 99.0)
        begin += len(numbers)
        turn += 1

    delivered = np.concatenate([c.samples[:, 0] for c in chunks])
    np.testing.assert_array_equal(delivered, kept)
    epoch, following = 0, 0
    for chunk in chunks:
        if chunk.epoch != epoch:
            assert chunk.epoch == epoch + 1
            epoch, following = chunk.epoch, 0
        assert chunk.first_index == following + chunk.gap_before
        assert chunk.gap_estimated == (chunk.gap_before > 0)
        following = chunk.first_index + len(chunk.samples)
        assert abs(chunk.time_s - (10 + chunk.samples[-1, 0] / RATE)) < 1e-5
    # Single lost samples are below what stamps can tell for certain.
    gone = sum(chunk.gap_before for chunk in chunks)
    assert gone <= health.lost_samples <= len(lost)

    marked = {m.label: (c, m) for c in chunks for m in c.markers}
    assert len(marked) == len(utterances | others)
    for n in utterances | others:
        label = f"{UTTERANCE}{n}" if n in utterances else f"event {n}"
        chunk, marker = marked[label]
        own = chunk.samples[marker.index - chunk.first_index, 0]
        assert own == kept[np.searchsorted(kept, n)]
        if n in utterances:
            assert marker.index == chunk.first_index == chunk.gap_before
    assert health.extra["moved_markers"] == len((utterances | others) & lost)


def test_a_marker_that_comes_too_late_is_counted():
    """The utterance begins a little late, and the summary says so."""
    health = Health()
    cutter = ChunkCutter(RATE, 0.0, health)
    cutter.cut(samples_of(np.arange(60)), np.arange(60) / RATE, 0.0, 0.0)
    cutter.expect(StampedMarker(50 / RATE, "utterance a"))
    (chunk,) = cutter.cut(samples_of(np.arange(60, 66)), np.arange(60, 66) / RATE, 0.0, 0.0)
    assert (chunk.epoch, chunk.first_index) == (1, 0)
    assert chunk.markers == (Marker(0, "utterance a"),)
    assert health.extra["moved_markers"] == 1
    assert health.lost_samples == 0


def test_lost_samples_stay_on_their_side_of_the_boundary():
    """A gap across a boundary leaves both utterances their length."""
    health = Health()
    cutter = ChunkCutter(RATE, 0.0, health)
    before, after = np.arange(600), np.arange(620, 640)
    cutter.cut(samples_of(before), before / RATE, 0.0, 0.0)
    cutter.expect(StampedMarker(612 / RATE, "utterance a"))
    (chunk,) = cutter.cut(samples_of(after), after / RATE, 0.0, 0.0)
    assert (chunk.epoch, chunk.first_index, chunk.gap_before) == (1, 8, 8)
    assert (health.lost_samples, health.gaps) == (20, 1)


def test_a_stream_that_is_back_is_a_new_epoch():
    """Filters start anew after a break, and the silence has its true length."""
    health = Health()
    cutter = ChunkCutter(RATE, 0.0, health)
    cutter.cut(samples_of(np.arange(600)), np.arange(600) / RATE, 0.0, 0.0)
    stamps_s = 3 + np.arange(6) / RATE
    (chunk,) = cutter.cut(samples_of(np.arange(6)), stamps_s, 0.0, 0.0, interrupted=True)
    assert (chunk.epoch, chunk.first_index, chunk.gap_before) == (1, 1200, 1200)
    assert (health.reconnects, health.lost_samples, health.gaps) == (1, 1200, 1)
    (chunk,) = cutter.cut(samples_of(np.arange(6)), stamps_s + 0.01, 0.0, 0.0)
    assert (chunk.epoch, chunk.first_index, chunk.gap_before) == (1, 1206, 0)


def test_a_jump_of_the_clock_comparison_is_no_loss():
    """On a wireless network the comparison of clocks jitters by more than a sample."""
    health = Health()
    cutter = ChunkCutter(RATE, 100.0, health)
    stamps_s = np.arange(1200) / RATE
    cutter.cut(samples_of(np.arange(600)), stamps_s[:600], 5.0, 0.0)
    assert health.clock_offset_s == 105.0
    (chunk,) = cutter.cut(samples_of(np.arange(600)), stamps_s[600:], 5.02, 0.0)
    assert (chunk.gap_before, health.lost_samples) == (0, 0)
    assert chunk.time_s == stamps_s[-1] + 105.02


def test_a_sender_that_comes_back_with_another_clock():
    """After a reboot its clock begins at 0, and what was missed is still right."""
    health = Health()
    cutter = ChunkCutter(RATE, 0.0, health)
    cutter.cut(samples_of(np.arange(600)), 9000 + np.arange(600) / RATE, 0.0, 0.0)
    stamps_s = np.arange(6) / RATE
    (chunk,) = cutter.cut(samples_of(np.arange(6)), stamps_s, 9003.0, 0.0, interrupted=True)
    assert (chunk.epoch, chunk.gap_before) == (1, 1200)
