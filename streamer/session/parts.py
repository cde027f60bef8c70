"""The parts of a session that count, and what they have counted so far."""

import math
from dataclasses import asdict, dataclass

from drivers.source import Source, SourceInfo
from streamer.audio.drift import DriftControl
from streamer.audio.output import AudioOutput
from streamer.audio.play_buffer import PlayBuffer
from streamer.engine.background import Background
from streamer.engine.latency import LatencyTrace
from streamer.engine.pipeline import Pipeline
from streamer.engine.ring import Ring
from streamer.engine.watch import Watch
from streamer.results.observer import Observer
from streamer.results.recorder import Recorder
from streamer.results.sink import Sink
from streamer.results.summary import Snapshot

_RECENT_FRAMES = 1000


@dataclass(frozen=True)
class Parts:
    """The parts of a session that count.

    Attributes
    ----------
    source, watch, ring, pipeline, trace, observer, recorder, background : object
        Of every session.
    info : SourceInfo
        What the source said once it was open.
    sinks : tuple of Sink
        What else gets all that comes of the session.
    buffer, drift, output : object or None
        Of one that plays; `drift` where it follows the clock of the sound card.
    """

    source: Source
    info: SourceInfo
    watch: Watch
    ring: Ring
    pipeline: Pipeline
    trace: LatencyTrace
    observer: Observer
    recorder: Recorder
    background: Background
    sinks: tuple[Sink, ...]
    buffer: PlayBuffer | None
    drift: DriftControl | None
    output: AudioOutput | None

    @property
    def underruns(self) -> int:
        """Holes in the sound that the EMG did not have."""
        return 0 if self.buffer is None else self.buffer.counts.underruns

    @property
    def output_name(self) -> str:
        """Where the voice goes, for people."""
        return "files only" if self.output is None else self.output.name

    @property
    def fill_ms(self) -> float:
        """Audio that waits to be played."""
        return 0.0 if self.buffer is None else 1000 * self.buffer.waiting / self.buffer.rate_hz

    def playback(self, last: int | None = None) -> dict[str, float | None]:
        """Return what the way to the loudspeaker is like.

        Parameters
        ----------
        last : int, optional
            What waits, only of so many frames.

        Returns
        -------
        dict
            As in the summary.
        """
        fill = self.trace.percentiles("fill", *(() if last is None else (last,)))
        drift_ppm = None if self.drift is None else self.drift.drift_ppm
        return {
            "fill_p50_ms": None if fill is None else fill.p50_ms,
            "reserve_ms": None if self.buffer is None else round(1000 * self.buffer.reserve_s, 1),
            "drift_ppm": None if drift_ppm is None else round(drift_ppm, 1),
        }

    def counters(self) -> dict[str, dict[str, int]]:
        """Return all counters, by where they were counted."""
        health = self.source.health
        audio = {} if self.buffer is None else asdict(self.buffer.counts)
        audio |= {} if self.drift is None else asdict(self.drift.counts)
        return {
            "source": {
                "samples": health.samples,
                "lost_samples": health.lost_samples,
                "gaps": health.gaps,
                "stalls": self.watch.stalls,
                "reconnects": health.reconnects,
                **health.extra,
            },
            "ring": asdict(self.ring.counts),
            "pipeline": self.pipeline.counters(),
            "audio": audio | ({} if self.output is None else self.output.counters()),
            "estimates": {"implausible_answers": self.observer.implausible_answers},
            "background": {"dropped_jobs": self.background.dropped},
            **{sink.name: sink.counters() for sink in self.sinks},
        }

    def problems(self) -> list[str]:
        """Say in a line each what went wrong and did not end the session."""
        pipeline = self.pipeline.counters()
        counted = (
            (
                pipeline["invalid_samples"],
                "EMG samples without a number in any channel: they count as lost",
            ),
            (
                pipeline["implausible_frames"],
                "frames for which a model gave no numbers that can be right: they are silent",
            ),
            (
                self.observer.implausible_answers,
                "answers of a classifier could not be right, and were left out",
            ),
            (
                self.ring.counts.dropped_samples,
                "EMG samples came faster than they could be computed, and are lost",
            ),
            (
                0 if self.buffer is None else self.buffer.counts.overflowed_samples,
                "samples of the voice were not played: nobody took them",
            ),
            (self.background.dropped, "stretches are missing from the files: the disk is slow"),
            (
                self.observer.markers_left_out,
                "markers are not in the summary: only the first of them are",
            ),
        )
        return [
            *self.watch.problems(),
            *(f"{count} {what}" for count, what in counted if count),
            *self.pipeline.failures.problems(),
            *(() if self.output is None else self.output.problems()),
            *self._raised_reserve(),
            *self.recorder.problems,
            *(problem for sink in self.sinks for problem in sink.problems()),
        ]

    def _raised_reserve(self) -> list[str]:
        """Say that the voice got later, such that it breaks off no more."""
        if self.buffer is None or not self.buffer.counts.reserve_steps:
            return []
        if self.output is None or self.output.latency_s is None:  # nobody listens
            return []
        reserve_ms = 1000 * self.buffer.reserve_s
        return [
            f"the loudspeaker ran dry {self.underruns} times: {reserve_ms:.0f} ms of the voice "
            f"wait before it now (audio.buffer_ms={math.ceil(reserve_ms)} begins with them)"
        ]

    def failures(self) -> list[str]:
        """Say in a line each which files are not whole; `problems` has these lines, too."""
        return [
            *self.recorder.problems,
            *(line for sink in self.sinks if sink.failed for line in sink.problems()),
        ]

    def snapshot(self, problems: list[str], algorithmic_ms: float) -> Snapshot:
        """Return the session as it is now.

        Parameters
        ----------
        problems : list of str
            Those that the parts do not know of.
        algorithmic_ms : float
            Latency of the bundle.

        Returns
        -------
        Snapshot
            Of this instant.
        """
        live, counts = self.observer.live, self.pipeline.counts
        return Snapshot(
            utterance=live.utterance,
            time_s=live.time_s,
            source_state=self.source.health.state,
            provenance=self.info.provenance.value,
            levels_uv=live.levels_uv,
            failing=self.pipeline.failures.failing_numbers,
            speech=0.0 if live.estimate is None else live.estimate.speech,
            estimate=live.estimate,
            compute_ms=self.trace.percentiles("compute", _RECENT_FRAMES),
            latency_ms=self.trace.percentiles("latency", _RECENT_FRAMES),
            algorithmic_ms=algorithmic_ms,
            total_ms=self.trace.total(algorithmic_ms, _RECENT_FRAMES),
            fill_ms=self.fill_ms,
            playback=self.playback(_RECENT_FRAMES),
            output=self.output_name,
            frames=counts.frames,
            lost_samples=counts.lost_samples,
            underruns=self.underruns,
            counters=self.counters(),
            problems=(*problems, *self.problems()),
        )
