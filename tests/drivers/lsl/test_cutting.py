"""From stamps and markers to chunks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.lsl.cutting import ChunkCutter, StampedMarker
from drivers.source import UTTERANCE, Health, Marker

RATE = 600.0
SKEW = 1234.5  # of the sender's clock


def samples_of(numbers: np.ndarray) -> np.ndarray:
    return np.asarray(numbers, np.float32)[:, None]


@given(
    utterances=st.sets(st.integers(0, 1500), max_size=5),
    others=st.sets(st.integers(0, 1500), max_size=5),
    lost=st.sets(st.integers(400, 1500), max_size=40),
    sizes=st.lists(st.integers(1, 40), min_size=1, max_size=6),
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
        arrival_s = 10 + numbers[-1] / RATE
        chunks += cutter.cut(samples_of(numbers), numbers / RATE - SKEW, SKEW, arrival_s)
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
    gone = sum(chunk.gap_before for chunk in chunks)
    assert gone <= health.lost_samples == len(lost)

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
    cutter.cut(samples_of(np.arange(60)), np.arange(60) / RATE, 0.0, 0.1)
    cutter.expect(StampedMarker(50 / RATE, "utterance a"))
    (chunk,) = cutter.cut(samples_of(np.arange(60, 66)), np.arange(60, 66) / RATE, 0.0, 0.11)
    assert (chunk.epoch, chunk.first_index) == (1, 0)
    assert chunk.markers == (Marker(0, "utterance a"),)
    assert health.extra["moved_markers"] == 1
    assert health.lost_samples == 0


def test_lost_samples_stay_on_their_side_of_the_boundary():
    """A gap across a boundary leaves both utterances their length."""
    health = Health()
    cutter = ChunkCutter(RATE, 0.0, health)
    before, after = np.arange(600), np.arange(620, 640)
    cutter.cut(samples_of(before), before / RATE, 0.0, 1.0)
    cutter.expect(StampedMarker(612 / RATE, "utterance a"))
    (chunk,) = cutter.cut(samples_of(after), after / RATE, 0.0, 1.1)
    assert (chunk.epoch, chunk.first_index, chunk.gap_before) == (1, 8, 8)
    assert (health.lost_samples, health.gaps) == (20, 1)


def test_a_stream_that_is_back_is_a_new_epoch():
    """Filters start anew after a break, and the silence has its true length."""
    health = Health()
    cutter = ChunkCutter(RATE, 0.0, health)
    cutter.cut(samples_of(np.arange(600)), np.arange(600) / RATE, 0.0, 1.0)
    stamps_s = 3 + np.arange(6) / RATE
    (chunk,) = cutter.cut(samples_of(np.arange(6)), stamps_s, 0.0, 3.01, interrupted=True)
    assert (chunk.epoch, chunk.first_index, chunk.gap_before) == (1, 1200, 1200)
    assert (health.reconnects, health.lost_samples, health.gaps) == (1, 1200, 1)
    (chunk,) = cutter.cut(samples_of(np.arange(6)), stamps_s + 0.01, 0.0, 3.02)
    assert (chunk.epoch, chunk.first_index, chunk.gap_before) == (1, 1206, 0)


def test_a_jump_of_the_clock_comparison_is_no_loss():
    """On a wireless network the comparison of clocks jitters by more than a sample."""
    health = Health()
    cutter = ChunkCutter(RATE, 100.0, health)
    stamps_s = np.arange(1200) / RATE
    cutter.cut(samples_of(np.arange(600)), stamps_s[:600], 5.0, 106.0)
    assert health.clock_offset_s == 105.0
    (chunk,) = cutter.cut(samples_of(np.arange(600)), stamps_s[600:], 5.02, 107.0)
    assert (chunk.gap_before, health.lost_samples) == (0, 0)
    assert chunk.time_s == stamps_s[-1] + 105.02


def test_a_sender_that_comes_back_with_another_clock():
    """After a reboot its clock begins at 0, and what was missed is still right."""
    health = Health()
    cutter = ChunkCutter(RATE, 0.0, health)
    cutter.cut(samples_of(np.arange(600)), 9000 + np.arange(600) / RATE, 0.0, 9001.0)
    stamps_s = np.arange(6) / RATE
    (chunk,) = cutter.cut(samples_of(np.arange(6)), stamps_s, 9003.0, 9003.01, interrupted=True)
    assert (chunk.epoch, chunk.gap_before) == (1, 1200)


def pieces(cutter, stamps_s, arrivals_s, **more):
    """Cut pieces of 6 samples, each arriving when its last one was acquired."""
    chunks = []
    for k in range(0, len(stamps_s), 6):
        numbers = np.arange(k, k + 6)
        arrival_s = float(arrivals_s[k + 5])
        chunks += cutter.cut(samples_of(numbers), stamps_s[k : k + 6], 0.0, arrival_s, **more)
    return chunks


@pytest.mark.parametrize("jump_s", [-86400.0, -40.0, -10.0, 0.3, 3600.0, 90 * 86400.0])
@pytest.mark.parametrize("row", [1200, 1203])  # between two pieces, within one
@pytest.mark.parametrize("pause_s", [0.0, 3.0])
def test_a_sender_whose_clock_is_set_loses_no_more_than_passed(jump_s, row, pause_s):
    """Three months of silence, invented, would fill the disk and hold up the voice."""
    health = Health()
    cutter = ChunkCutter(RATE, 50.0, health)
    true_s = 1000 + np.arange(2400) / RATE
    true_s[row:] += pause_s
    stamps_s = true_s.copy()
    stamps_s[row:] += jump_s
    chunks = pieces(cutter, stamps_s, true_s + 50.001)
    # within a piece nobody can tell when the first part arrived
    pause = round(pause_s * RATE)
    assert health.lost_samples == pytest.approx(pause, abs=4 if pause else 0)
    assert health.samples == 2400
    assert health.extra["clock_resets"] == 1
    times_s = np.array([chunk.time_s for chunk in chunks])
    acquired_s = np.array([true_s[int(chunk.samples[-1, 0])] for chunk in chunks]) + 50
    np.testing.assert_allclose(times_s, acquired_s, atol=0.02)
    # what a recorder writes as the sender's own stamp
    assert chunks[-1].time_s - health.clock_offset_s == pytest.approx(stamps_s[-1], abs=1e-6)
    assert health.extra["stamps_backward"] == 0


def test_a_clock_that_is_set_back_and_forth():
    """Each correction of a sender's clock would be a loss as long as the one before was wrong."""
    health = Health()
    cutter = ChunkCutter(RATE, 0.0, health)
    true_s = 1000 + np.arange(2400) / RATE
    wrong_s = 10.0 * ((np.arange(2400) // 600) % 2)
    chunks = pieces(cutter, true_s - wrong_s, true_s)
    assert (health.lost_samples, health.extra["clock_resets"]) == (0, 3)
    assert [chunk.time_s for chunk in chunks] == pytest.approx(true_s[5::6].tolist())


@given(
    st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=30),
    st.integers(1, 40),
    st.floats(-1e9, 1e9),
)
def test_stamps_without_any_sense(jumps_s, size, received_s):
    """Whatever a sender says, receiving goes on, and nothing lasts longer than it lasted."""
    health = Health()
    cutter = ChunkCutter(RATE, 0.0, health)
    for k in range(10):
        stamps_s = np.resize(jumps_s, size) * (k % 3 - 1) + np.arange(size) / RATE
        arrival_s = received_s + k * size / RATE
        chunks = cutter.cut(samples_of(np.arange(size)), stamps_s, 0.0, arrival_s)
        assert sum(len(chunk.samples) for chunk in chunks) == size
    assert health.lost_samples < 60 * RATE


def test_a_sender_with_a_clock_of_its_own():
    """Stamps since 1970, which liblsl compares with nothing, still give times of this machine."""
    health = Health()
    cutter = ChunkCutter(RATE, 0.0, health)
    true_s = 1000 + np.arange(2400) / RATE
    lost = np.arange(2400) >= 1200
    chunks = pieces(cutter, 1.7e9 + true_s + lost * 0.1, true_s + lost * 0.1)
    assert (health.lost_samples, health.gaps) == (60, 1)
    assert health.extra["clock_resets"] == 1
    assert chunks[-1].time_s == pytest.approx(true_s[-1] + 0.1, abs=1e-6)
    # comes back after a minute
    (chunk, *_) = pieces(cutter, 1.7e9 + true_s[:6] + 64, true_s[:6] + 64, interrupted=True)
    assert chunk.gap_before == pytest.approx(60 * RATE, abs=61)
    assert health.extra["clock_resets"] == 2


def test_a_clock_set_while_the_sender_was_away():
    """A device that comes back with the date of its firmware was away for seconds only."""
    health = Health()
    cutter = ChunkCutter(RATE, 0.0, health)
    true_s = 1000 + np.arange(600) / RATE
    pieces(cutter, true_s, true_s)
    (chunk,) = pieces(cutter, true_s[:6] + 9e6, true_s[:6] + 3, interrupted=True)
    assert chunk.gap_before == pytest.approx(2 * RATE, abs=1)
    assert chunk.time_s == pytest.approx(true_s[5] + 3)


def test_markers_of_a_sender_whose_clock_is_set():
    """An utterance begins where it begins, whatever date the sender believes in."""
    health = Health()
    cutter = ChunkCutter(RATE, 0.0, health)
    true_s = 1000 + np.arange(1200) / RATE
    stamps_s = true_s + 10.0 * (np.arange(1200) >= 600)
    cutter.expect(StampedMarker(float(stamps_s[900]), "own"))
    cutter.expect(StampedMarker(float(true_s[900]), "another's", own=False))
    chunks = pieces(cutter, stamps_s, true_s)
    markers = [marker for chunk in chunks for marker in chunk.markers]
    assert markers == [Marker(900, "own"), Marker(900, "another's")]
    assert health.extra["moved_markers"] == 0


def test_a_marker_from_the_future_is_not_kept_for_ever():
    """A marker program with a wrong clock must not swallow its markers without a word."""
    health = Health()
    cutter = ChunkCutter(RATE, 0.0, health)
    true_s = 1000 + np.arange(12) / RATE
    cutter.expect(StampedMarker(1.7e9, "far", own=False))
    cutter.expect(StampedMarker(1001.0, "near", own=False))
    chunks = pieces(cutter, true_s, true_s)
    assert [marker for chunk in chunks for marker in chunk.markers] == [Marker(0, "far")]
    assert health.extra["moved_markers"] == 1
    cutter.finish()
    assert health.extra["lost_markers"] == 1


def by_push(rate_hz, seconds, push=12):
    """Stamps as liblsl makes them of a sender that pushes at another rate than it says."""
    for end in range(push, round(seconds * rate_hz) + 1, push):
        yield end / rate_hz - np.arange(push)[::-1] / RATE


@pytest.mark.parametrize("rate_hz", [300.0, 570.0, 600.0, 606.0])
@pytest.mark.parametrize("lost_pushes", [0, 20])
def test_another_rate_is_no_loss(rate_hz, lost_pushes):
    """Of 300 Hz where 600 are declared, half would count as lost; what is lost still counts."""
    health = Health()
    cutter = ChunkCutter(RATE, 0.0, health)
    pushes = list(by_push(rate_hz, 12.0))
    middle = len(pushes) * 2 // 3
    for stamps_s in pushes[:middle] + pushes[middle + lost_pushes :]:
        cutter.cut(samples_of(np.arange(12)), 100 + stamps_s, 0.0, 100 + float(stamps_s[-1]))
    assert health.lost_samples == 12 * lost_pushes
    if rate_hz == RATE:
        assert health.effective_rate_hz is None
    else:
        assert health.effective_rate_hz == pytest.approx(rate_hz, rel=2e-3)


def test_a_sender_that_counts_instead_of_looking_at_a_clock():
    """Stamps that follow the declared rate hide that samples come half as fast."""
    health = Health()
    cutter = ChunkCutter(RATE, 0.0, health)
    for k in range(400):
        numbers = np.arange(12 * k, 12 * (k + 1))
        cutter.cut(samples_of(numbers), 100 + numbers / RATE, 0.0, 100 + numbers[-1] / 300)
    assert health.effective_rate_hz == pytest.approx(300, rel=2e-3)
    assert health.lost_samples == 0


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf, 1e300])
@pytest.mark.parametrize("rows", [slice(5, 6), slice(0, 12), slice(0, 1), slice(11, 12)])
def test_stamps_that_are_no_times(wrong, rows):
    """A single NaN would end the session, and its summary would never be written."""
    health = Health()
    cutter = ChunkCutter(RATE, 0.0, health)
    chunks = []
    for k in range(100):
        stamps_s = 100 + np.arange(12 * k, 12 * (k + 1)) / RATE
        arrival_s = float(stamps_s[-1])
        if k % 10 == 5:
            stamps_s[rows] = wrong
        chunks += cutter.cut(samples_of(np.arange(12)), stamps_s, 0.0, arrival_s)
    assert sum(len(chunk.samples) for chunk in chunks) == health.samples == 1200
    assert health.lost_samples == 0
    assert health.extra["invalid_stamps"] == 10 * len(range(12)[rows])
    np.testing.assert_allclose(
        [c.time_s for c in chunks], 100 + (np.arange(12, 1201, 12) - 1) / RATE
    )


@given(
    lost=st.sets(st.integers(600, 3000), max_size=60),
    sizes=st.lists(st.integers(5, 60), min_size=1, max_size=6),
    drift_ppm=st.floats(-300, 300),
    jitter_s=st.floats(0, 3e-5),
)
def test_each_lost_sample_is_counted(lost, sizes, drift_ppm, jitter_s):
    """Four of 4800 were dropped, and none was counted, though each stamp told of them."""
    health = Health()
    cutter = ChunkCutter(RATE, 0.0, health)
    kept = np.array([n for n in range(3200) if n not in lost])
    rng = np.random.default_rng(len(lost))
    stamps_s = 100 + kept / RATE * (1 + drift_ppm * 1e-6) + rng.uniform(0, jitter_s, len(kept))
    begin = turn = 0
    while begin < len(kept):
        piece_s = stamps_s[begin : begin + sizes[turn % len(sizes)]]
        cutter.cut(samples_of(np.arange(len(piece_s))), piece_s, 0.0, float(piece_s[-1]))
        begin, turn = begin + len(piece_s), turn + 1
    assert health.lost_samples == len(lost)
