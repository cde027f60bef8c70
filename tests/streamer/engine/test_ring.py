"""The ring: nothing waits for ever, nothing is lost without being counted."""

import threading
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.source import Chunk, Marker
from streamer.engine.ring import Ring


def chunk(first: int, n: int, epoch: int = 0, **more: object) -> Chunk:
    samples = np.arange(first, first + n, dtype=np.float32)[:, np.newaxis]
    return Chunk(samples, epoch, first, float(first + n), float(first + n), **more)  # type: ignore[arg-type]


def at(first: int, n: int, received_s: float, epoch: int = 0) -> Chunk:
    return replace(chunk(first, n, epoch), received_s=received_s)


def drain(ring: Ring) -> list[Chunk]:
    ring.close()
    chunks = []
    while (part := ring.get()) is not None:
        chunks.append(part)
    return chunks


def test_chunks_that_follow_each_other_are_joined_with_all_they_carry() -> None:
    """A thread that fell behind must catch up in one go, and miss no marker."""
    ring = Ring(100, blocking=False)
    ring.put(chunk(0, 6, markers=(Marker(0, "a"),), lead_in=np.zeros((2, 1), np.float32)))
    ring.put(chunk(6, 6, markers=(Marker(7, "b"),)))
    (joined,) = drain(ring)
    np.testing.assert_array_equal(joined.samples[:, 0], np.arange(12))
    assert joined.markers == (Marker(0, "a"), Marker(7, "b"))
    assert joined.lead_in is not None
    assert joined.time_s == joined.received_s == 12.0


def test_gaps_and_epochs_are_not_joined_over() -> None:
    """A gap that disappears in a join would shift all speech after it."""
    ring = Ring(100, blocking=False)
    ring.put(chunk(0, 6))
    ring.put(chunk(10, 6, gap_before=4))
    ring.put(chunk(0, 6, epoch=1))
    assert [(c.epoch, c.first_index) for c in drain(ring)] == [(0, 0), (0, 10), (1, 0)]


def test_a_full_live_ring_drops_the_oldest_and_counts_it() -> None:
    """A user must hear what is said now, and learn what was lost."""
    ring = Ring(12, blocking=False)
    lead_in = np.ones((3, 1), np.float32)
    ring.put(chunk(0, 6, markers=(Marker(0, "start"),), lead_in=lead_in))
    ring.put(chunk(6, 6, markers=(Marker(6, "more"),)))
    ring.put(chunk(12, 6))
    ring.put(chunk(18, 6))
    (kept,) = drain(ring)
    assert kept.first_index == kept.gap_before == 12
    assert kept.lead_in is lead_in
    assert kept.markers == (Marker(0, "start"), Marker(6, "more"))
    np.testing.assert_array_equal(kept.samples[:, 0], np.arange(12, 24))
    assert ring.counts.dropped_samples == 12
    assert ring.counts.samples == 24


def test_the_end_of_a_dropped_epoch_is_still_known() -> None:
    """An utterance whose end was dropped must keep its length."""
    ring = Ring(6, blocking=False)
    ring.put(at(0, 6, 1.0))
    ring.put(at(0, 6, 2.0, epoch=1))
    emptied, kept = drain(ring)
    assert (emptied.epoch, emptied.first_index, len(emptied.samples)) == (0, 6, 0)
    assert kept.epoch == 1


def test_what_comes_at_once_is_never_too_late() -> None:
    """A sender that pauses, or sends chunks of seconds, must be heard: computing catches up."""
    ring = Ring(12, blocking=False, late_s=2.0)
    ring.put(at(0, 40, 3.0))
    for k in range(5):
        ring.put(at(40 + 6 * k, 6, 3.0 + 0.5 * k))
    assert [len(part.samples) for part in drain(ring)] == [40, 12, 12, 6]
    assert ring.counts.dropped_samples == 0


def test_what_waited_too_long_goes_first_and_no_more_than_has_to() -> None:
    """Models that are too slow for life must not talk ever later, nor lose what they could do."""
    ring = Ring(12, blocking=False, late_s=2.0)
    ring.put(at(0, 10, 0.0))
    ring.put(at(10, 10, 1.0))
    assert ring.counts.dropped_samples == 0
    ring.put(at(20, 1, 2.5))
    (kept,) = drain(ring)
    assert ring.counts.dropped_samples == kept.first_index == kept.gap_before == 9
    np.testing.assert_array_equal(kept.samples[:, 0], np.arange(9, 21))


def test_a_live_ring_is_bounded_whatever_comes() -> None:
    """A source that hands out hours at once must not take the machine down."""
    ring = Ring(4, blocking=False, late_s=2.0, most=20)
    ring.put(chunk(0, 50))
    assert ring.waiting == 20
    (kept,) = drain(ring)
    assert ring.counts.dropped_samples == kept.first_index == kept.gap_before == 30


@given(
    sizes=st.lists(st.integers(0, 9), min_size=1, max_size=30),
    capacity=st.integers(1, 20),
    takes=st.lists(st.booleans(), min_size=30, max_size=30),
)
def test_every_sample_is_handed_on_or_counted(
    sizes: list[int], capacity: int, takes: list[bool]
) -> None:
    """Whatever the pace, samples are either computed or reported as lost."""
    ring = Ring(capacity, blocking=False, most=capacity)
    first, got = 0, []
    for size, take in zip(sizes, takes, strict=False):
        ring.put(chunk(first, size))
        first += size
        assert ring.waiting <= capacity
        if take and (part := ring.get(0)) is not None:
            got.append(part)
    got += drain(ring)
    values = np.concatenate([part.samples[:, 0] for part in got])
    assert len(values) + ring.counts.dropped_samples == first
    assert (np.diff(values) > 0).all()
    end = got[-1].first_index + len(got[-1].samples)
    assert end == first


def test_a_blocking_ring_loses_nothing_and_hands_on_batches() -> None:
    """At speed max every sample counts, and batches make it fast."""
    ring = Ring(40, blocking=True, batch=20)

    def write() -> None:
        for k in range(100):
            ring.put(chunk(3 * k, 3))
        ring.close()

    writer = threading.Thread(target=write)
    writer.start()
    parts = []
    while (part := ring.get(60)) is not None:
        parts.append(part)
    writer.join()
    values = np.concatenate([part.samples[:, 0] for part in parts])
    np.testing.assert_array_equal(values, np.arange(300))
    assert all(len(part.samples) >= 20 for part in parts[:-1])
    assert ring.counts.dropped_samples == 0
    assert ring.counts.most_samples <= 40


def test_a_reader_is_not_woken_for_half_a_batch() -> None:
    """At speed max, a thread that wakes for nothing takes the time of the one that works."""
    ring = Ring(40, blocking=True, batch=20)
    woken: list[int] = []
    ring._changed.notify_all = lambda: woken.append(ring.waiting)  # type: ignore[method-assign]
    for k in range(7):
        ring.put(chunk(3 * k, 3))
    assert woken == [21]


def test_a_batch_ends_with_its_epoch() -> None:
    """A reader must not wait for samples of an utterance that has ended."""
    ring = Ring(40, blocking=True, batch=20)
    ring.put(chunk(0, 3))
    assert ring.get(0) is None
    ring.put(chunk(0, 3, epoch=1))
    part = ring.get(0)
    assert part is not None
    assert part.epoch == 0


@pytest.mark.parametrize("blocking", [True, False])
def test_a_closed_ring_takes_no_more_and_lets_nobody_wait(blocking: bool) -> None:
    """When the computing has failed, the reader must not hang."""
    ring = Ring(3, blocking=blocking)
    ring.put(chunk(0, 3))
    released: list[bool] = []

    def put() -> None:
        ring.put(chunk(3, 3))
        released.append(True)

    writer = threading.Thread(target=put)
    writer.start()
    ring.close()
    writer.join(60)
    assert released
    ring.put(chunk(6, 3))
    while (part := ring.get()) is not None:
        assert part.first_index < 6


@pytest.mark.parametrize(("capacity", "size"), [(45, 6), (7, 100), (40, 33)])
def test_a_blocking_ring_never_waits_for_its_own_reader(capacity: int, size: int) -> None:
    """Whatever the ring's length, a replay at speed max must not hang."""
    ring = Ring(capacity, blocking=True, batch=300)

    def write() -> None:
        for k in range(20):
            ring.put(chunk(size * k, size))
        ring.close()

    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    got = 0
    while (part := ring.get(60)) is not None:
        got += len(part.samples)
    writer.join(60)
    assert got == 20 * size
