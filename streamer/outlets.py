"""What a session sends to other programs as LSL streams."""

from dataclasses import replace
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from drivers.clock import Clock
from drivers.errors import StreamerError
from drivers.outside.settings import Settings
from drivers.source import Chunk, SourceInfo
from models.bundle import Bundle
from streamer.engine.answers import Estimate
from streamer.engine.background import Background
from streamer.engine.columns import EstimateColumns

if TYPE_CHECKING:
    from drivers.lsl import EventsOutlet, LslOutlet


class OutletSettings(Settings):
    """Which streams of the Lab Streaming Layer a session sends."""

    emg: bool = Field(default=False, description="Relay EMG and markers as the source gives them")
    audio: bool = Field(default=False, description="The voice, stamped with the time of its EMG")
    estimates: bool = Field(default=False, description="Probabilities of mode and speaker")
    events: bool = Field(default=False, description="Stalls, returns and losses of the source")
    name: str = Field(default="streamer", min_length=1, description="Their names begin so")
    local: bool = Field(
        default=False, description="Only programs on this machine can receive them (Linux)"
    )

    @property
    def wanted(self) -> bool:
        """Any of them."""
        return self.emg or self.audio or self.estimates or self.events

    def check(self, *, realtime: bool) -> None:
        """Refuse what cannot be sent, before anything is opened.

        Parameters
        ----------
        realtime : bool
            The session runs at the pace of life.

        Raises
        ------
        StreamerError
            Streams are wanted, and it does not, or there is no liblsl.
        """
        if not self.wanted:
            return
        lsl = import_module("drivers.lsl")
        if self.local:
            lsl.keep_outlets_here("outlets.local")
        if not realtime:
            raise StreamerError(
                "LSL outlets of a session at speed max",
                allowed="a session at the pace of a clock",
                way_out="replay with --speed 1, or switch off the settings under outlets",
            )


class Outlets:
    """A `Sink` that sends over LSL, on the background's thread.

    The streams are called ``streamer-emg``, ``-audio``, ``-estimates`` and ``-events``; their
    source_ids hold the source's too, so that they are the same tomorrow. All time stamps are
    those of the EMG: a sample of the voice has the time at which the EMG that it speaks for
    was acquired, as in ``audio.wav``, and not that at which it is heard. They are sent every
    50 ms.

    Parameters
    ----------
    settings : OutletSettings
        Which ones.
    info : SourceInfo
        Of the source.
    bundle : Bundle
        Makes voice and estimates.
    background : Background
        Its thread sends; `audio` and `estimate` are called there.
    clock : Clock
        The session's.

    Raises
    ------
    StreamerError
        LSL cannot be used.
    """

    name = "outlets"
    failed = False  # what nobody received is counted

    def __init__(
        self,
        settings: OutletSettings,
        info: SourceInfo,
        bundle: Bundle,
        background: Background,
        clock: Clock,
    ) -> None:
        from drivers import lsl  # needs liblsl, which not every machine has

        self._background = background
        self._columns = EstimateColumns.of(bundle)
        self._rate_hz = bundle.manifest.speech.rate_hz
        self._sent = {"emg_samples": 0, "audio_samples": 0, "estimates": 0, "events": 0}
        self._emg = self._audio = self._estimates = self._events = None

        def named(kind: str) -> tuple[str, str]:
            source_id = info.source_id or info.name
            return f"{settings.name}-{kind}", f"{settings.name}-{source_id}-{kind}"

        if settings.emg:
            name, source_id = named("emg")
            self._emg = lsl.LslOutlet(replace(info, name=name, source_id=source_id), clock=clock)
        if settings.audio:
            self._audio = lsl.AudioOutlet(*named("audio"), self._rate_hz, clock=clock)
        if settings.estimates:
            labels = self._columns.labels
            self._estimates = lsl.EstimatesOutlet(*named("estimates"), labels, clock=clock)
        if settings.events:
            self._events = lsl.EventsOutlet(*named("events"), clock=clock)

    def take(self, chunk: Chunk, clock_offset_s: float) -> None:
        """Take EMG as the source gave it."""
        if self._emg is not None:
            self._background.submit(partial(self._relay, self._emg, chunk), may_drop=True)

    def audio(self, samples: NDArray[np.float32], time_s: float) -> None:
        """Take the voice; its first sample stands for the EMG of `time_s`."""
        if self._audio is not None:
            self._audio.push(samples, time_s + (len(samples) - 1) / self._rate_hz)
            self._sent["audio_samples"] += len(samples)

    def estimate(self, estimate: Estimate, time_s: float) -> None:
        """Take an estimate that rests on the EMG up to `time_s`."""
        if self._estimates is not None:
            self._estimates.push(self._columns.row(estimate), time_s)
            self._sent["estimates"] += 1

    def event(self, label: str, time_s: float) -> None:
        """Take what happened, for people."""
        if self._events is not None:
            self._background.submit(partial(self._tell, self._events, label, time_s))

    def counters(self) -> dict[str, int]:
        """Return what was sent."""
        return dict(self._sent)

    def problems(self) -> list[str]:
        """Say nothing: what the background drops, it counts."""
        return []

    def close(self) -> None:
        """Take the streams away; may be called twice."""
        for outlet in (self._emg, self._audio, self._estimates, self._events):
            if outlet is not None:
                outlet.close()

    def _relay(self, outlet: "LslOutlet", chunk: Chunk) -> None:
        outlet.push(chunk)
        self._sent["emg_samples"] += len(chunk.samples)

    def _tell(self, outlet: "EventsOutlet", label: str, time_s: float) -> None:
        outlet.push(label, time_s)
        self._sent["events"] += 1
