"""A session: a source, the models, a run directory, and the threads between them."""

import threading
import time
from collections.abc import Callable
from contextlib import ExitStack

from pydantic import Field

from drivers.clock import Clock, PerfClock
from drivers.outside.settings import MOST_SECONDS, Settings
from drivers.recordings.recording import Recording
from drivers.source import Source, SourceInfo
from models.bundle import Bundle
from streamer.audio.drift import DriftControl
from streamer.audio.output import AudioOutput, start_output
from streamer.audio.play_buffer import PlayBuffer
from streamer.audio.settings import AudioSettings
from streamer.engine.background import Background
from streamer.engine.chain import no_correction
from streamer.engine.closing import Closing
from streamer.engine.decision import EstimateSettings
from streamer.engine.estimates import Estimator
from streamer.engine.latency import LatencyTrace
from streamer.engine.pipeline import Pipeline, PipelineSettings
from streamer.engine.ring import Ring
from streamer.engine.undisturbed import undisturbed
from streamer.engine.watch import Watch
from streamer.outlets import OutletSettings
from streamer.results.envelope import Envelope
from streamer.results.observer import Observer
from streamer.results.outputs import Reserve, RunDirectory
from streamer.results.recorder import Recorder
from streamer.results.sink import Sink, open_sinks
from streamer.results.summary import Snapshot, Summary
from streamer.session.channels import check_microvolts, columns_for, said_of
from streamer.session.conclusion import Ending, conclude, write_summary
from streamer.session.drive import drive
from streamer.session.parts import Parts
from streamer.session.warm_up import warm_up

_BATCH_S = 0.5  # EMG to wait for where time does not matter
_MOST_WAITING_S = 600.0  # EMG that can come at once, as after a long pause of the network
_DRAIN_S = 1.0


class SessionSettings(Settings):
    """How a session runs."""

    duration_s: float | None = Field(
        default=None,
        gt=0,
        le=MOST_SECONDS,
        description="End after this much EMG; null runs to the source's end",
    )
    ring_s: float = Field(
        default=2.0,
        ge=0.1,
        le=600,
        description="EMG that may wait for the models before the oldest is lost",
    )
    record: bool = Field(
        default=False, description="Write EMG, voice and estimates to recording.xdf as they come"
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
    settings, pipeline, estimates, audio, outlets : settings, optional
        Of the session and its parts.
    realtime : bool
        The source runs at the pace of life (a device, a replay at speed 1): queues drop
        what comes too late, and count it; the loudspeaker plays. Otherwise queues block,
        nothing is lost, and nothing is played.
    recording_named : callable, optional
        Gives the recording that an utterance was replayed from, or None, by its name: for
        the MCD against its natural speech. Called after the run.
    clock : Clock, optional
        The source's clock.
    stop : threading.Event, optional
        Set it to end the session properly, from a signal handler too.
    opened : callable, optional
        Called once the source is open.
    closing : Closing, optional
        Closes the source and the loudspeaker.

    Attributes
    ----------
    closing : Closing
        Says what has not been closed, should a library hang.
    envelope : Envelope
        EMG of the whole session by its extremes; complete after `run`.
    """

    def __init__(
        self,
        source: Source,
        bundle: Bundle,
        directory: RunDirectory,
        *,
        settings: SessionSettings | None = None,
        pipeline: PipelineSettings | None = None,
        estimates: EstimateSettings | None = None,
        audio: AudioSettings | None = None,
        outlets: OutletSettings | None = None,
        realtime: bool = True,
        recording_named: Callable[[str], Recording | None] | None = None,
        clock: Clock | None = None,
        stop: threading.Event | None = None,
        opened: Callable[[], None] = lambda: None,
        closing: Closing | None = None,
    ) -> None:
        self._source = source
        self._opened = opened
        self._bundle = bundle
        self._directory = directory
        self._settings = settings or SessionSettings()
        self._pipeline = pipeline or PipelineSettings()
        self._estimates = estimates or EstimateSettings()
        self._audio = audio or AudioSettings()
        self._outlets = outlets or OutletSettings()
        self._realtime = realtime
        self._recording_named = recording_named
        self._clock = clock or PerfClock()
        self._stop = stop or threading.Event()
        self.closing = closing or Closing()
        self._problems: list[str] = []
        self._notes: list[str] = []
        self._columns: list[int] = []
        signal = bundle.manifest.signal
        self._rate_hz = signal.rate_hz
        self._ring = Ring(
            max(1, round(self._settings.ring_s * self._rate_hz)),
            blocking=not realtime,
            batch=round(_BATCH_S * self._rate_hz),
            late_s=self._settings.ring_s,
            most=round(_MOST_WAITING_S * self._rate_hz),
        )
        self._buffer: PlayBuffer | None = None
        if realtime:
            buffer = self._buffer = PlayBuffer(
                bundle.manifest.speech.rate_hz,
                self._audio.buffer_ms,
                self._audio.limit_ms,
                most_reserve_ms=self._audio.buffer_most_ms,
            )
        self._drift: DriftControl | None = None
        if realtime and self._audio.drift_control:
            # The reserve has to be there still when a block was taken right before.
            block_s = self._audio.block_ms / 1000
            self._drift = DriftControl(buffer.rate_hz, lambda: buffer.reserve_s + block_s)
        self._output: AudioOutput | None = None
        self._parts: Parts | None = None
        self._algorithmic_ms = round(bundle.algorithmic_latency_ms, 4)
        self.envelope = Envelope(self._rate_hz, len(signal.channels))

    def stop(self) -> None:
        """End the session properly; `run` returns soon after."""
        self._stop.set()

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
        self._outlets.check(realtime=self._realtime)
        warm_up(self._bundle, self._pipeline, self._estimates)
        with ExitStack() as stack:
            stack.callback(self.closing.wait)
            reserve = Reserve(self._directory.path)
            stack.callback(reserve.free)
            if self._buffer is not None:
                stack.enter_context(undisturbed())
                # Before the source: a sound card may take its time.
                self._output, problem = start_output(self._buffer, self._audio, self._clock)
                stack.callback(self.closing.begin, self._output.name, self._output.stop)
                if problem is not None:
                    self._problems.append(problem)
            info = self._open(stack)
            recorder = Recorder(self._directory, self._bundle.manifest.speech.rate_hz)
            stack.callback(recorder.close)
            background = Background(recorder.flush, inline=not self._realtime)
            background.start()
            stack.callback(background.close)
            sinks = open_sinks(
                info,
                self._bundle,
                self._outlets,
                self._directory.recording if self._settings.record else None,
                background,
                self._clock if self._realtime else None,
            )
            for sink in sinks:
                stack.callback(sink.close)
            stack.callback(background.close)  # before them: it writes to them
            self._parts = parts = self._build(info, recorder, background, sinks)
            started_s = time.perf_counter()
            ended, failure = drive(
                parts,
                self._columns,
                duration_s=self._settings.duration_s,
                clock=self._clock if self._realtime else None,
                stop=self._stop,
            )
            if self._buffer is not None:
                self._buffer.finish()
            background.close()
            took_s = time.perf_counter() - started_s
            for sink in sinks:
                sink.close()
            recorder.close()
            if failure is None:
                self._drain()
            error = failure or background.error
            reserve.free()
            # Before anything is closed that may hang.
            summary = conclude(
                parts,
                Ending(ended, error, took_s, self._algorithmic_ms),
                self._bundle,
                self._directory,
                recording_named=self._recording_named,
                problems=self._problems,
                notes=self._notes,
            )
        self._report_closing(summary)
        if error is not None:
            raise error
        return summary

    def _report_closing(self, summary: Summary) -> None:
        """Add what did not end properly to the summary."""
        lines = self.closing.problems()
        if self._output is not None:
            lines += self._output.problems()
        if lines := [line for line in lines if line not in summary.problems]:
            for line in lines:
                summary.fail(line)
            write_summary(self._directory, summary)

    def snapshot(self) -> Snapshot:
        """Return the session as it is now; cheap, from any thread."""
        if self._parts is None:
            state = self._source.health.state
            return Snapshot(source_state=state, algorithmic_ms=self._algorithmic_ms)
        return self._parts.snapshot(self._problems, self._algorithmic_ms)

    def _open(self, stack: ExitStack) -> SourceInfo:
        """Open the source, find the bundle's channels among its own and check the rest."""
        stack.callback(self.closing.begin, "the source", self._source.close)
        self._source.open()
        self._opened()
        info, labels = self._source.info, self._bundle.manifest.signal.channels
        self._columns = columns_for(info, labels)
        used = [info.channels[column].label for column in self._columns]
        self._bundle.check(info.rate_hz, used)
        check_microvolts(self._columns, info)
        self._notes += said_of(self._columns, info, labels)
        return info

    def _build(
        self,
        info: SourceInfo,
        recorder: Recorder,
        background: Background,
        sinks: tuple[Sink, ...],
    ) -> Parts:
        """Make the parts that are fresh for each run."""
        pipeline = Pipeline(
            self._bundle,
            self._pipeline,
            self._estimates.update_ms / 1000,
            no_correction if self._drift is None else self._drift.next_hop,
            [info.channels[column].label for column in self._columns],
        )
        acquired = self._realtime and isinstance(self._clock, PerfClock)
        output = self._output
        trace = LatencyTrace(
            acquired=acquired, card_s=lambda: None if output is None else output.latency_s
        )
        observer = Observer(
            recorder,
            Estimator(self._bundle, self._estimates),
            self.envelope,
            trace,
            pipeline.rate_hz,
            pipeline.audio_rate_hz,
            keep_mel_cepstra=self._recording_named is not None,
            sinks=sinks,
        )
        watch = Watch(
            self._source,
            [sink.event for sink in sinks],
            self._clock if self._realtime else None,
            lambda: 0 if self._buffer is None else self._buffer.counts.underruns,
            lambda: pipeline.failures.failing,
        )
        return Parts(
            self._source,
            info,
            watch,
            self._ring,
            pipeline,
            trace,
            observer,
            recorder,
            background,
            sinks,
            self._buffer,
            self._drift,
            self._output,
        )

    def _drain(self) -> None:
        """Let the loudspeaker come to its end."""
        if self._buffer is None:
            return
        until_s = time.perf_counter() + _DRAIN_S
        while self._buffer.waiting and time.perf_counter() < until_s:
            time.sleep(0.01)
