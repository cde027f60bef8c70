"""What the compute thread does with each chunk."""

import time
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from drivers.source import UTTERANCE, Chunk
from models.bundle import Bundle
from models.signal.operator import Array
from streamer.background import Background
from streamer.envelope import Envelope
from streamer.estimates import EstimateSettings, Estimator, Utterance
from streamer.latency import LatencyTrace
from streamer.pipeline import Pipeline, PipelineSettings
from streamer.play_buffer import PlayBuffer
from streamer.recorder import Recorder
from streamer.summary import Estimate, UtteranceResult
from streamer.timeline import Output

_PAUSE_S = 0.05  # a chunk that comes this much later than its length explains


@dataclass(frozen=True)
class Live:
    """What changes with each chunk, for a screen.

    Attributes
    ----------
    utterance : str
        Name of the running utterance.
    time_s : float
        EMG time from the session's start.
    levels_uv : tuple of float
        RMS of each channel over the last update.
    estimate : Estimate or None
        The latest one.
    """

    utterance: str = ""
    time_s: float = 0.0
    levels_uv: tuple[float, ...] = ()
    estimate: Estimate | None = None


@dataclass
class _Running:
    """The utterance that runs."""

    name: str
    epoch: int
    start_s: float
    frames: int = 0
    broken: bool = False
    mel_cepstra: list[Array] = field(default_factory=list)


class Compute:
    """Chunks in; voice, estimates and files out.

    Parameters
    ----------
    bundle : Bundle
        The models.
    pipeline, estimates : settings
        Of the parts.
    recorder : Recorder
        Writes, on the background's thread.
    background : Background
        Does what must not stand in the way.
    buffer : PlayBuffer, optional
        The loudspeaker's; None plays nothing.
    envelope : Envelope
        Takes the EMG's extremes.
    acquired : bool
        Chunks are stamped on ``perf_counter``.
    keep_mel_cepstra : bool
        Keep what the converter predicted, utterance by utterance, for `results`.

    Attributes
    ----------
    results : list of (UtteranceResult, ndarray or None)
        Of the utterances that ended, without their MCD, and the converter's mel-cepstra
        where they are kept and nothing is missing from them. Filled by the background.
    live : Live
        Replaced as a whole.
    """

    def __init__(
        self,
        bundle: Bundle,
        pipeline: PipelineSettings,
        estimates: EstimateSettings,
        recorder: Recorder,
        background: Background,
        buffer: PlayBuffer | None,
        envelope: Envelope,
        *,
        acquired: bool,
        keep_mel_cepstra: bool,
    ) -> None:
        self.results: list[tuple[UtteranceResult, Array | None]] = []
        self.live = Live()
        self.trace = LatencyTrace(acquired=acquired)
        self.pipeline = Pipeline(bundle, pipeline, estimates.update_ms / 1000)
        self._envelope = envelope
        self._estimator = Estimator(bundle, estimates)
        self._recorder = recorder
        self._background = background
        self._buffer = buffer
        self._keep = keep_mel_cepstra
        self._names: dict[int, str] = {}
        self._utterance: _Running | None = None
        self._audio_base = 0  # where the epoch begins on the session's timeline
        self._played: int | None = None  # how far the loudspeaker has the timeline
        self._received_s: float | None = None
        self._levels: list[Array] = []

    def take(self, chunk: Chunk) -> None:
        """Take the next chunk."""
        for marker in chunk.markers:
            if marker.index == 0 and marker.label.startswith(UTTERANCE):
                self._names[chunk.epoch] = marker.label.removeprefix(UTTERANCE)
        length_s = len(chunk.samples) / self.pipeline.rate_hz
        last_s, self._received_s = self._received_s, chunk.received_s
        paused = last_s is not None and chunk.received_s - last_s - length_s > _PAUSE_S
        if self._buffer is not None:
            self._buffer.arrive()
        for output in self.pipeline.process(chunk):
            self._handle(output, paused)

    def finish(self) -> None:
        """End: the source gives no more."""
        for output in self.pipeline.finish():
            self._handle(output, paused=False)

    def _handle(self, output: Output, paused: bool) -> None:
        utterance = self._utterance
        if utterance is None:
            utterance = self._utterance = self._begin(output.epoch)
        self._play(output, paused)
        buffered_s = time.perf_counter()
        estimate = self._estimator.push(output, utterance.name, utterance.start_s)
        made = output.made
        self.trace.add(
            output.frame_times_s, made.started_s, made.stage_s, buffered_s, time.perf_counter()
        )
        start_s = utterance.start_s + output.first_index / self.pipeline.rate_hz
        self._background.submit(partial(self._record, output, estimate, start_s), may_drop=True)
        self._levels.append(made.samples)
        utterance.frames += len(made.frames)
        utterance.broken |= output.new_segment and output.first_index > 0
        if self._keep:
            utterance.mel_cepstra.append(made.mel_cepstrum)
        if estimate is not None or output.ended:
            self._publish(output, utterance, estimate)
        if output.ended:
            self._end(output, utterance)

    def _begin(self, epoch: int) -> _Running:
        """Begin an epoch: an utterance of its own, whether or not the source names it."""
        name = self._names.pop(epoch, None)
        self._background.submit(partial(self._recorder.begin, name))
        start_s = self._audio_base / self.pipeline.audio_rate_hz
        return _Running(f"epoch-{epoch:04d}" if name is None else name, epoch, start_s)

    def _end(self, output: Output, utterance: _Running) -> None:
        """End an epoch; what takes time is done in the background."""
        result = UtteranceResult(
            utterance=utterance.name,
            epoch=utterance.epoch,
            audio="",
            start_s=utterance.start_s,
            seconds=output.end_index / self.pipeline.rate_hz,
            frames=utterance.frames,
            lost_samples=output.lost_samples,
            mcd_db=None,
            mode=None,
            speaker=None,
        )
        mel_cepstrum = None
        if self._keep and not utterance.broken:
            mel_cepstrum = np.concatenate(utterance.mel_cepstra)
        whole = self._estimator.end()
        self._background.submit(partial(self._conclude, result, mel_cepstrum, whole))
        self._audio_base += output.audio_length
        self._utterance = None

    def _conclude(
        self, result: UtteranceResult, mel_cepstrum: Array | None, whole: Utterance
    ) -> None:
        """Complete an utterance's result; on the background's thread."""
        mode, speaker = self._estimator.answers(whole)
        result = replace(result, audio=str(self._recorder.audio), mode=mode, speaker=speaker)
        self.results.append((result, mel_cepstrum))

    def _play(self, output: Output, paused: bool) -> None:
        """Hand the voice to the loudspeaker, on a timeline without overlaps."""
        if self._buffer is None:
            return
        for block in output.blocks:
            first = self._audio_base + block.first_index
            if self._played is None:
                if block.kind == "lead_in":
                    continue  # nobody waits for silence at the beginning
                self._played = first
            # The voice of the epoch before can reach into this one's leading silence.
            samples = block.samples[max(0, self._played - first) :]
            without_emg = block.kind == "gap" or (paused and block.kind == "lead_in")
            self._buffer.feed(samples, without_emg=without_emg)
            self._played = max(self._played, first + len(block.samples))

    def _record(self, output: Output, estimate: Estimate | None, start_s: float) -> None:
        """Write; on the background's thread."""
        self._recorder.take(output)
        if estimate is not None:
            self._recorder.estimate(estimate)
        self._envelope.add(start_s, output.made.samples)

    def _publish(self, output: Output, utterance: _Running, estimate: Estimate | None) -> None:
        """Show where things stand, an update at a time."""
        samples = np.concatenate(self._levels)
        self._levels.clear()
        levels_uv = self.live.levels_uv
        if len(samples):
            levels_uv = tuple(float(level) for level in np.sqrt((samples**2).mean(axis=0)))
        time_s = utterance.start_s + output.end_index / self.pipeline.rate_hz
        self.live = Live(utterance.name, time_s, levels_uv, estimate or self.live.estimate)
