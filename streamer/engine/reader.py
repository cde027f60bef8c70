"""What the reader thread does: bring the source's EMG to the ring."""

from collections.abc import Callable
from dataclasses import replace

from drivers.clock import Clock
from drivers.source import Chunk, Source, SourceState
from streamer.engine.ring import Ring
from streamer.results.conclusion import Ended

_READ_S = 0.1  # how soon a stop is noticed
_SILENT_S = 1.0  # a duration without EMG ends so much later


def read_into(
    ring: Ring,
    source: Source,
    rate_hz: float,
    *,
    duration_s: float | None,
    clock: Clock | None,
    stopped: Callable[[], bool],
) -> Ended:
    """Read until the source ends, the duration is over, or a stop is wanted.

    Parameters
    ----------
    ring : Ring
        Where the EMG goes.
    source : Source
        Open.
    rate_hz : float
        Its sampling rate.
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
    left = None if duration_s is None else round(duration_s * rate_hz)
    until_s = None
    if duration_s is not None and clock is not None:
        until_s = clock.now_s() + duration_s + _SILENT_S
    while not stopped():
        chunk = source.read(_READ_S)
        if chunk is None:
            if source.health.state is SourceState.DISCONNECTED:
                return "source"
            if until_s is not None and clock is not None and clock.now_s() > until_s:
                return "duration"
            continue
        if left is not None:
            chunk = _cut(chunk, left - chunk.gap_before, rate_hz)
            left -= chunk.gap_before + len(chunk.samples)
        ring.put(chunk)
        if left is not None and left <= 0:
            return "duration"
    return "stopped"


def _cut(chunk: Chunk, samples: int, rate_hz: float) -> Chunk:
    """Cut a chunk to so many samples at most."""
    extra = len(chunk.samples) - max(0, samples)
    if extra <= 0:
        return chunk
    end = chunk.first_index + len(chunk.samples) - extra
    return replace(
        chunk,
        samples=chunk.samples[:-extra],
        time_s=chunk.time_s - extra / rate_hz,
        markers=tuple(marker for marker in chunk.markers if marker.index < end),
    )
