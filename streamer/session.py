"""A session: a source, the models, a run directory, and the threads between them."""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from drivers.clock import Clock, PerfClock
from drivers.recordings.recording import Recording
from drivers.source import Chunk, Source, SourceInfo
from models.bundle import Bundle
from streamer.audio.output import AudioOutput, AudioSettings, start_output
from streamer.audio.play_buffer import PlayBuffer
from streamer.engine.background import Background
from streamer.engine.compute import Compute
from streamer.engine.estimates import EstimateSettings, Estimator
from streamer.engine.latency import LatencyTrace
from streamer.engine.pipeline import Pipeline, PipelineSettings
from streamer.engine.reader import read_into
from streamer.engine.ring import Ring
from streamer.engine.undisturbed import undisturbed
from streamer.results.conclusion import Ended, Ending, Parts, compare, summarise
from streamer.results.envelope import Envelope
from streamer.results.observer import Observer
from streamer.results.outputs import OutputError, RunDirectory, write_json
from streamer.results.recorder import Recorder
from streamer.results.summary import Snapshot, Summary

_log = logging.getLogger(__name__)

_BATCH_S = 0.5  # EMG to wait for where time does not matter
_DRAIN_S = 1.0
_RECENT_FRAMES = 1000


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
        Gives the recording that an utterance was replayed from, or None, by its name: for
        the MCD against its natural speech. Called after the run.
    clock : Clock, optional
        The source's clock.
    stop : threading.Event, optional
        Set it to end the session properly, from a signal handler too.

    Attributes
    ----------
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
        realtime: bool = True,
        recording_named: Callable[[str], Recording | None] | None = None,
        clock: Clock | None = None,
        stop: threading.Event | None = None,
    ) -> None:
        self._source = source
        self._bundle = bundle
        self._directory = directory
        self._settings = settings or SessionSettings()
        self._pipeline = pipeline or PipelineSettings()
        self._estimates = estimates or EstimateSettings()
        self._audio = audio or AudioSettings()
        self._realtime = realtime
        self._recording_named = recording_named
        self._clock = clock or PerfClock()
        self._stop = stop or threading.Event()
        self._failed = threading.Event()
        self._error: BaseException | None = None
        self._ended: Ended = "source"
        self._problems: list[str] = []
        signal = bundle.manifest.signal
        self._rate_hz = signal.rate_hz
        self._ring = Ring(
            max(1, round(self._settings.ring_s * self._rate_hz)),
            blocking=not realtime,
            batch=round(_BATCH_S * self._rate_hz),
        )
        self._buffer: PlayBuffer | None = None
        if realtime:
            self._buffer = PlayBuffer(
                bundle.manifest.speech.rate_hz, self._audio.buffer_ms, self._audio.limit_ms
            )
        self._output: AudioOutput | None = None
        self._parts: Parts | None = None
        self._algorithmic_ms = round(bundle.algorithmic_latency_ms, 4)
        self._took_s = 0.0
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
        self._warm_up()
        with ExitStack() as stack:
            if self._buffer is not None:
                stack.enter_context(undisturbed())
                # Before the source: a sound card may take its time.
                self._output, problem = start_output(self._buffer, self._audio, self._clock)
                stack.callback(self._output.stop)
                if problem is not None:
                    self._problems.append(problem)
            stack.callback(self._source.close)
            self._source.open()
            info = self._source.info
            self._bundle.check(info.rate_hz, [channel.label for channel in info.channels])
            recorder = Recorder(self._directory, self._bundle.manifest.speech.rate_hz)
            stack.callback(recorder.close)
            background = Background(recorder.flush, inline=not self._realtime)
            background.start()
            stack.callback(background.close)
            self._parts = self._build(info, recorder, background)
            started_s = time.perf_counter()
            self._run_threads(self._parts)
            if self._buffer is not None:
                self._buffer.finish()
            background.close()
            self._took_s = time.perf_counter() - started_s
            self._drain()
        if self._error is None:
            self._error = background.error
        summary = self._conclude(self._parts)
        if self._error is not None:
            raise self._error
        return summary

    def snapshot(self) -> Snapshot:
        """Return the session as it is now; cheap, from any thread."""
        parts, state = self._parts, self._source.health.state
        if parts is None:
            return Snapshot(source_state=state, algorithmic_ms=self._algorithmic_ms)
        trace, live, counts = parts.trace, parts.observer.live, parts.pipeline.counts
        return Snapshot(
            utterance=live.utterance,
            time_s=live.time_s,
            source_state=state,
            levels_uv=live.levels_uv,
            speech=0.0 if live.estimate is None else live.estimate.speech,
            estimate=live.estimate,
            compute_ms=trace.percentiles("compute", _RECENT_FRAMES),
            latency_ms=trace.percentiles("latency", _RECENT_FRAMES),
            algorithmic_ms=self._algorithmic_ms,
            fill_ms=parts.fill_ms,
            output="files only" if self._output is None else self._output.name,
            frames=counts.frames,
            lost_samples=counts.lost_samples,
            underruns=parts.underruns,
            counters=parts.counters(),
            problems=(*self._problems, *parts.problems()),
        )

    def _warm_up(self) -> None:
        """Let every model run once: compilers and caches must not meet the first frames."""
        pipeline = Pipeline(self._bundle, self._pipeline, self._estimates.update_ms / 1000)
        estimator = Estimator(self._bundle, self._estimates)
        n = round(2 * self._estimates.shortest_s * self._rate_hz)
        channels = len(self._bundle.manifest.signal.channels)
        noise = np.random.default_rng(0).normal(0, 20, (n, channels))
        chunk = Chunk(noise.astype(np.float32), 0, 0, 0.0, 0.0)
        for output in (*pipeline.process(chunk), *pipeline.finish()):
            estimator.push(output, "", 0.0)
        estimator.end()

    def _build(self, info: SourceInfo, recorder: Recorder, background: Background) -> Parts:
        """Make the parts that are fresh for each run."""
        pipeline = Pipeline(self._bundle, self._pipeline, self._estimates.update_ms / 1000)
        acquired = self._realtime and isinstance(self._clock, PerfClock)
        trace = LatencyTrace(acquired=acquired)
        observer = Observer(
            recorder,
            Estimator(self._bundle, self._estimates),
            self.envelope,
            trace,
            pipeline.rate_hz,
            pipeline.audio_rate_hz,
            keep_mel_cepstra=self._recording_named is not None,
        )
        return Parts(
            self._source,
            info,
            self._ring,
            pipeline,
            trace,
            observer,
            recorder,
            background,
            self._buffer,
            self._output,
        )

    def _run_threads(self, parts: Parts) -> None:
        """Read and compute until the end."""
        compute = Compute(
            parts.pipeline, parts.trace, parts.buffer, parts.observer, parts.background
        )

        def work() -> None:
            while (chunk := self._ring.get()) is not None:
                compute.take(chunk)
            compute.finish()

        threads = [
            threading.Thread(target=self._guard, args=(job,), name=name, daemon=True)
            for name, job in (("reader", self._read), ("compute", work))
        ]
        for thread in threads:
            thread.start()
        for thread in reversed(threads):
            try:
                thread.join()
            except KeyboardInterrupt:
                self._stop.set()
                thread.join()

    def _guard(self, job: Callable[[], None]) -> None:
        """Do a thread's job; an error ends the session and is raised by `run`."""
        try:
            job()
        except BaseException as error:
            self._error = self._error or error
            self._failed.set()
            self._ring.close()

    def _read(self) -> None:
        """Bring what the source gives to the ring, until it ends or is stopped."""
        try:
            self._ended = read_into(
                self._ring,
                self._source,
                self._rate_hz,
                duration_s=self._settings.duration_s,
                clock=self._clock if self._realtime else None,
                stopped=lambda: self._stop.is_set() or self._failed.is_set(),
            )
        finally:
            self._ring.close()

    def _drain(self) -> None:
        """Let the loudspeaker come to its end."""
        if self._buffer is None or self._error is not None:
            return
        until_s = time.perf_counter() + _DRAIN_S
        while self._buffer.waiting and time.perf_counter() < until_s:
            time.sleep(0.01)

    def _conclude(self, parts: Parts) -> Summary:
        """Compare with natural speech, and write what the session did."""
        utterances = [result for result, _ in parts.observer.results]
        if self._recording_named is not None:
            utterances, problems = compare(
                parts.observer.results, self._recording_named, self._bundle
            )
            self._problems += problems
        run = Ending(
            str(self._directory.path),
            str(self._directory.audio),
            "error" if self._error is not None else self._ended,
            None if self._error is None else str(self._error) or repr(self._error),
            self._took_s,
            self._algorithmic_ms,
        )
        summary = summarise(parts, run, utterances, self._problems)
        for path, content in (
            (self._directory.latency, parts.trace.as_dict(self._algorithmic_ms)),
            (self._directory.summary, summary.as_dict()),
        ):
            try:
                write_json(path, content)
            except OutputError as error:
                _log.error("%s", error)
                summary.problems.append(str(error))
        return summary
