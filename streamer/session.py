"""A session: a source, a bundle, a run directory, and the threads between them."""

import threading
from collections.abc import Callable

from pydantic import BaseModel, ConfigDict, Field

from drivers.clock import Clock
from drivers.recordings.recording import Recording
from drivers.source import Source
from models.bundle import Bundle
from streamer.audio import AudioSettings
from streamer.envelope import Envelope
from streamer.estimates import EstimateSettings
from streamer.outputs import RunDirectory
from streamer.pipeline import PipelineSettings
from streamer.summary import Snapshot, Summary


class SessionSettings(BaseModel):
    """How a session runs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    duration_s: float | None = Field(
        default=None, gt=0, description="End after this much EMG; null runs to the source's end"
    )
    ring_s: float = Field(
        default=2.0, gt=0, description="EMG that may wait for the models before the oldest is lost"
    )


class Session:
    """A source's EMG to speech and estimates.

    Parameters
    ----------
    source : Source
        Closed; the session opens and closes it.
    bundle : Bundle
        The models.
    directory : RunDirectory
        Where the files go.
    settings, pipeline, estimates, audio : settings, optional
        Of the session and its parts.
    realtime : bool
        The source runs at the pace of life (a device, a replay at speed 1): queues drop
        what comes too late, and count it; the loudspeaker plays. Otherwise queues block,
        nothing is lost, and nothing is played.
    recording_named : callable, optional
        Natural recording of an utterance by its name, or None: gives the utterances'
        MCD. Called after the run.
    clock : Clock, optional
        The source's clock.
    stop : threading.Event, optional
        Set it to end the session properly, from a signal handler too.
    """

    def __init__(
        self,
        source: Source,
        bundle: Bundle,
        directory: RunDirectory,
        *,
        settings: SessionSettings = SessionSettings(),
        pipeline: PipelineSettings = PipelineSettings(),
        estimates: EstimateSettings = EstimateSettings(),
        audio: AudioSettings = AudioSettings(),
        realtime: bool = True,
        recording_named: Callable[[str], Recording | None] | None = None,
        clock: Clock | None = None,
        stop: threading.Event | None = None,
    ) -> None: ...

    def run(self) -> Summary:
        """Run to the end; call it once.

        Returns
        -------
        Summary
            As written to ``summary.json``.

        Raises
        ------
        StreamerError
            The source or the bundle cannot be used, or the source fails; what was made
            until then is in the run's directory.
        """
        raise NotImplementedError

    def stop(self) -> None:
        """End the session properly; `run` returns soon after."""

    def snapshot(self) -> Snapshot:
        """Return the session as it is now; cheap, from any thread."""
        raise NotImplementedError

    @property
    def envelope(self) -> Envelope:
        """EMG of the whole session, drawn out of its extremes; complete after `run`."""
        raise NotImplementedError
