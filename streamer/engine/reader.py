"""What the reader thread does: bring the source's EMG to whoever wants it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

from drivers.clock import Clock
from drivers.source import Chunk, Source, SourceState

Ended = Literal["source", "duration", "stopped", "error"]

_READ_S = 0.1  # how soon a stop is noticed
_SILENT_S = 1.0  # a duration without EMG ends so much later


def read_all(
    source: Source,
    take: Callable[[Chunk | None], None],
    *,
    duration_s: float | None,
    clock: Clock | None,
    stopped: Callable[[], bool],
) -> Ended:
    """Read until the source ends, the duration is over, or a stop is wanted.

    Parameters
    ----------
    source : Source
        Open.
    take : callable
        Gets every chunk, and None where a read gave none.
    duration_s : float, optional
        EMG to read, to the sample, losses that the source counts included.
    clock : Clock, optional
        Ends the duration where no EMG comes; None waits for it.
    stopped : callable
        Says whether a stop is wanted.

    Returns
    -------
    str
        What ended it.
    """
    rate_hz = source.info.rate_hz
    left = None if duration_s is None else round(duration_s * rate_hz)
    until_s = None
    if duration_s is not None and clock is not None:
        until_s = clock.now_s() + duration_s + _SILENT_S
    while not stopped():
        chunk = source.read(_READ_S)
        if chunk is not None and left is not None:
            chunk = _cut(chunk, left, rate_hz)
            left -= chunk.gap_before + len(chunk.samples)
        take(chunk)
        if left is not None and left <= 0:
            return "duration"
        if chunk is None:
            if source.health.state is SourceState.DISCONNECTED:
                return "source"
            if until_s is not None and clock is not None and clock.now_s() > until_s:
                return "duration"
    return "stopped"


def _cut(chunk: Chunk, most: int, rate_hz: float) -> Chunk:
    """Cut a chunk to so many samples at most, those lost before it included."""
    gap = min(chunk.gap_before, most)
    first = chunk.first_index - (chunk.gap_before - gap)
    samples = chunk.samples[: most - gap] if gap == chunk.gap_before else chunk.samples[:0]
    end = first + len(samples)
    missing = chunk.first_index + len(chunk.samples) - end
    if not missing:
        return chunk
    return replace(
        chunk,
        samples=samples,
        first_index=first,
        gap_before=gap,
        time_s=chunk.time_s - missing / rate_hz,
        markers=tuple(marker for marker in chunk.markers if marker.index < end),
    )
