"""A source to a file, without models."""

import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from drivers.clock import Clock, PerfClock
from drivers.source import Chunk, Source, SourceState
from streamer.engine.closing import Closing
from streamer.engine.reader import Ended, read_all
from streamer.engine.watch import Watch
from streamer.results.live_recording import LiveRecording
from streamer.results.outputs import OutputError


@dataclass(frozen=True)
class RecordResult:
    """What came of a recording without models.

    Attributes
    ----------
    path : str
        The file.
    ended : str
        ``"source"`` (it came to its end), ``"duration"`` or ``"stopped"``.
    provenance : str
        How far the source is proven.
    samples : int
        EMG samples written.
    seconds : float
        Their length.
    lost_samples, gaps, reconnects, stalls : int
        As the source counted them.
    extra : dict of str to int
        What only this kind of source counts.
    drift_ppm, jitter_ms : float or None
        Of the source's clock, where known.
    problems : list of str
        What went wrong and did not end it, a line each.
    """

    path: str
    ended: Ended
    provenance: str
    samples: int
    seconds: float
    lost_samples: int
    gaps: int
    reconnects: int
    stalls: int
    extra: dict[str, int]
    drift_ppm: float | None
    jitter_ms: float | None
    problems: list[str]

    def as_dict(self) -> dict[str, Any]:
        """Return plain types, ready for JSON."""
        return asdict(self)


def record(
    source: Source,
    path: Path,
    *,
    duration_s: float | None = None,
    stop: threading.Event | None = None,
    progress: Callable[[float, SourceState], None] | None = None,
    clock: Clock | None = None,
    realtime: bool = True,
    closing: Closing | None = None,
) -> RecordResult:
    """Record a source to an XDF file, without models.

    Parameters
    ----------
    source : Source
        Closed; it is opened and closed here.
    path : Path
        A new file.
    duration_s : float, optional
        End after this much EMG, losses that the source counts included.
    stop : threading.Event, optional
        Set it to end properly.
    progress : callable, optional
        Gets the seconds of EMG so far and the source's state, ten times a second or more.
    clock : Clock, optional
        The source's clock.
    realtime : bool
        The source runs at the pace of life; otherwise nothing is ever left out.
    closing : Closing, optional
        Closes the source.

    Returns
    -------
    RecordResult
        What was recorded.

    Raises
    ------
    StreamerError
        The source cannot be used, the file exists, or the disk is full; what was recorded
        until then can be read.
    """
    stop = stop or threading.Event()
    clock = (clock or PerfClock()) if realtime else None
    closing = closing or Closing()
    try:
        source.open()
        started_s = 0.0 if clock is None else clock.now_s()
        recording = LiveRecording(path, source.info, started_s=started_s, realtime=realtime)
        try:
            watch = Watch(source, [recording.event], clock)
            seconds = 0.0

            def take(chunk: Chunk | None) -> None:
                nonlocal seconds
                watch.look(chunk)
                if chunk is not None:
                    recording.take(chunk, source.health.clock_offset_s)
                    seconds += len(chunk.samples) / source.info.rate_hz
                if progress is not None:
                    progress(seconds, source.health.state)

            ended = read_all(
                source,
                take,
                duration_s=duration_s,
                clock=clock,
                stopped=lambda: stop.is_set() or recording.failed or recording.error is not None,
            )
            watch.finish()
        finally:
            recording.close()
    finally:
        closing.begin("the source", source.close)
        closing.wait()
    if recording.error is not None:
        raise recording.error
    if recording.failed:
        raise OutputError(
            "; ".join(recording.problems()), way_out="make room, and record to a new file"
        )
    health = source.health
    samples = recording.counters()["samples"]
    return RecordResult(
        path=str(path),
        ended=ended,
        provenance=source.info.provenance.value,
        samples=samples,
        seconds=samples / source.info.rate_hz,
        lost_samples=health.lost_samples,
        gaps=health.gaps,
        reconnects=health.reconnects,
        stalls=watch.stalls,
        extra=dict(health.extra),
        drift_ppm=health.drift_ppm,
        jitter_ms=health.jitter_ms,
        problems=[*watch.problems(), *recording.problems(), *closing.problems()],
    )
