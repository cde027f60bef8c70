"""The queue between the thread that reads a source and the one that computes."""

import threading
from collections import deque
from dataclasses import dataclass, replace

import numpy as np

from drivers.source import Chunk


@dataclass
class RingCounts:
    """What went through a ring.

    Attributes
    ----------
    samples : int
        Samples taken in.
    dropped_samples : int
        Samples that came too fast and were left out; each stretch is a gap for the reader.
    most_samples : int
        Most samples that waited at a time.
    """

    samples: int = 0
    dropped_samples: int = 0
    most_samples: int = 0


class Ring:
    """Chunks from one thread to another, bounded in samples.

    Live, a full ring leaves out its oldest samples and counts them: the newest matter, and
    a source cannot wait. What came at once is not too late yet, however much it is: after a
    pause of its sender, or in chunks of seconds, EMG comes faster than life, and computing
    catches up. So a sample is left out only when others wait that arrived `late_s` after it.
    Otherwise a full ring blocks, and chunks are handed on in batches, which saves time.

    Parameters
    ----------
    capacity : int
        Samples that may wait.
    blocking : bool
        Let the writer wait instead of dropping samples.
    batch : int
        When blocking: samples of one epoch to wait for, unless the epoch or the stream ends.
    late_s : float
        Live: samples beyond the capacity are left out once they have waited so long.
    most : int, optional
        Live: more than these never wait, whenever they came; no such bound without.
    """

    def __init__(
        self,
        capacity: int,
        *,
        blocking: bool,
        batch: int = 1,
        late_s: float = 0.0,
        most: int | None = None,
    ) -> None:
        self.counts = RingCounts()
        self._capacity = capacity
        self._late_s = late_s
        self._most = most
        self._blocking = blocking
        self._batch = min(batch, capacity) if blocking else 1
        self._longest = max(batch, 1) if blocking else capacity
        self._chunks: deque[Chunk] = deque()
        self._waiting = 0
        self._closed = False
        self._changed = threading.Condition()

    @property
    def waiting(self) -> int:
        """Samples that wait now."""
        return self._waiting

    def put(self, chunk: Chunk) -> None:
        """Take a chunk; after `close` it is thrown away."""
        n = len(chunk.samples)
        with self._changed:
            if self._blocking:
                # Never wait while the reader waits too, for a batch.
                self._changed.wait_for(
                    lambda: (
                        self._closed
                        or self._waiting < self._batch
                        or self._waiting + n <= self._capacity
                    )
                )
            if self._closed:
                return
            self._chunks.append(chunk)
            self._waiting += n
            self.counts.samples += n
            if not self._blocking:
                self._make_room()
            self.counts.most_samples = max(self.counts.most_samples, self._waiting)
            if self._ready():  # else the reader would wake for nothing
                self._changed.notify_all()

    def get(self, timeout_s: float | None = None) -> Chunk | None:
        """Return what waits, joined to one chunk as far as it belongs together.

        Parameters
        ----------
        timeout_s : float, optional
            Wait so long at the most; for ever by default.

        Returns
        -------
        Chunk or None
            None when the time is over, or the ring is closed and empty.
        """
        with self._changed:
            if not self._changed.wait_for(self._ready, timeout_s) or not self._chunks:
                return None
            parts = [self._chunks.popleft()]
            size = len(parts[0].samples)
            while self._chunks and size < self._longest and _follows(self._chunks[0], parts[-1]):
                parts.append(self._chunks.popleft())
                size += len(parts[-1].samples)
            self._waiting -= size
            self._changed.notify_all()
        return _join(parts)

    def close(self) -> None:
        """End the stream: what waits can still be read."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _ready(self) -> bool:
        """Say whether there is enough to hand on, or no more to come."""
        if self._closed:
            return True
        if not self._chunks:
            return False
        return self._waiting >= self._batch or self._chunks[-1].epoch != self._chunks[0].epoch

    def _make_room(self) -> None:
        """Leave out the oldest samples; what they said of their epoch stays, in an empty chunk."""
        newest_s = self._chunks[-1].received_s
        dropped: list[Chunk] = []
        while (excess := self._excess(newest_s)) > 0:
            oldest = self._chunks.popleft()
            n = min(excess, len(oldest.samples))
            self._waiting -= n
            self.counts.dropped_samples += n
            rest = _without_first(oldest, n)
            if dropped and dropped[-1].epoch == rest.epoch:
                before = dropped.pop()
                rest = replace(
                    rest,
                    gap_before=before.gap_before + rest.gap_before,
                    lead_in=before.lead_in,
                    markers=before.markers + rest.markers,
                )
            dropped.append(rest)
        self._chunks.extendleft(reversed(dropped))

    def _excess(self, newest_s: float) -> int:
        """Count the samples that have to go, beginning with the oldest chunk."""
        if self._waiting <= self._capacity or not self._chunks:
            return 0
        if newest_s - self._chunks[0].received_s > self._late_s:
            return self._waiting - self._capacity
        return 0 if self._most is None else self._waiting - self._most


def _without_first(chunk: Chunk, n: int) -> Chunk:
    """Return a chunk without its first samples; they count as lost before the rest."""
    return replace(
        chunk,
        samples=chunk.samples[n:],
        first_index=chunk.first_index + n,
        gap_before=chunk.gap_before + n,
    )


def _follows(chunk: Chunk, before: Chunk) -> bool:
    """Say whether a chunk goes on where another ended."""
    return (
        chunk.epoch == before.epoch
        and chunk.first_index == before.first_index + len(before.samples)
        and chunk.gap_before == 0
    )


def _join(parts: list[Chunk]) -> Chunk:
    """Make one chunk of chunks that follow each other."""
    if len(parts) == 1:
        return parts[0]
    return replace(
        parts[0],
        samples=np.concatenate([part.samples for part in parts]),
        time_s=parts[-1].time_s,
        received_s=parts[-1].received_s,
        markers=tuple(marker for part in parts for marker in part.markers),
    )
