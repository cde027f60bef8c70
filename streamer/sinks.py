"""What a session hands out beside its own files: made from its settings."""

from pathlib import Path

from drivers.clock import Clock
from drivers.source import SourceInfo
from models.bundle import Bundle
from streamer.engine.background import Background
from streamer.outlets import Outlets, OutletSettings
from streamer.results.columns import EstimateColumns
from streamer.results.live_recording import LiveRecording
from streamer.results.sink import Sink


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
            )
            sinks.append(file)
        if outlets.wanted and clock is not None:
            sinks.append(Outlets(outlets, info, bundle, background, clock))
    except BaseException:
        for sink in sinks:
            sink.close()
        raise
    return tuple(sinks)
