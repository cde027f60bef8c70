"""What a session hands out beside its own files."""

import logging
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from drivers.clock import Clock
from drivers.source import Chunk, SourceInfo
from models.bundle import Bundle
from streamer.engine.answers import Estimate
from streamer.engine.background import Background
from streamer.engine.columns import EstimateColumns
from streamer.outlets import Outlets, OutletSettings
from streamer.results.live_recording import LiveRecording

_log = logging.getLogger(__name__)


class Sink(Protocol):
    """Takes all that comes of a session, at once and by reference, and never raises.

    Times are on the session's clock. `take` and `event` are called on the thread that reads
    the source, `audio` and `estimate` on the one that writes the files.
    """

    name: str
    """Under which its counters appear."""

    def take(self, chunk: Chunk, clock_offset_s: float) -> None:
        """Take EMG as the source gave it; the offset is `Health.clock_offset_s`."""

    def audio(self, samples: NDArray[np.float32], time_s: float) -> None:
        """Take the voice; its first sample stands for the EMG of `time_s`."""

    def estimate(self, estimate: Estimate, time_s: float) -> None:
        """Take an estimate that rests on the EMG up to `time_s`."""

    def event(self, label: str, time_s: float) -> None:
        """Take what happened, for people."""

    def counters(self) -> dict[str, int]:
        """Return what was handed out and what was not."""

    @property
    def failed(self) -> bool:
        """Whether an output is not whole that a user asked for."""

    def problems(self) -> list[str]:
        """Say in a line each what went wrong."""

    def close(self) -> None:
        """Hand out what waits, and end; may be called twice."""


def open_sinks(
    info: SourceInfo,
    bundle: Bundle,
    outlets: OutletSettings,
    recording: Path | None,
    background: Background,
    clock: Clock | None,
) -> tuple[Sink, ...]:
    """Open all that is wanted.

    Parameters
    ----------
    info : SourceInfo
        Of the source.
    bundle : Bundle
        Makes voice and estimates.
    outlets : OutletSettings
        Which LSL streams to send.
    recording : Path or None
        The recording's file, if there shall be one.
    background : Background
        Sends the streams.
    clock : Clock or None
        The session's; None where time is virtual.

    Returns
    -------
    tuple of Sink
        Open.

    Raises
    ------
    StreamerError
        A file or a stream cannot be made.
    """
    sinks: list[Sink] = []
    try:
        if recording is not None:
            file = LiveRecording(
                recording,
                info,
                columns=EstimateColumns.of(bundle),
                audio_rate_hz=bundle.manifest.speech.rate_hz,
                started_s=0.0 if clock is None else clock.now_s(),
                realtime=clock is not None,
                tell=_log.error,
            )
            sinks.append(file)
        if outlets.wanted and clock is not None:
            sinks.append(Outlets(outlets, info, bundle, background, clock))
    except BaseException:
        for sink in sinks:
            sink.close()
        raise
    return tuple(sinks)
