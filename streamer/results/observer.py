"""What is made of the pipeline's outputs beside the voice: files, estimates, results."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from drivers.outside.names import clean
from drivers.source import UTTERANCE, Chunk, Marker
from models.signal.operator import Array
from streamer.engine.answers import Estimate
from streamer.engine.estimates import Estimator
from streamer.engine.latency import LatencyTrace
from streamer.engine.timeline import Output
from streamer.results.envelope import Envelope
from streamer.results.markers import MOST_MARKERS
from streamer.results.recorder import Recorder
from streamer.results.sink import Sink
from streamer.results.summary import Event, UtteranceResult


@dataclass(frozen=True)
class Live:
    """What changes with each estimate, for a screen.

    Attributes
    ----------
    utterance : str
        Name of the running utterance.
    time_s : float
        EMG time from the session's start.
    levels_uv : tuple of float
        RMS of each channel since the estimate before.
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
    audio: int = 0
    frames: int = 0
    broken: bool = False
    mel_cepstra: list[Array] = field(default_factory=list)


class Observer:
    """Takes the pipeline's outputs in their order, on a thread of its own.

    Parameters
    ----------
    recorder : Recorder
        Writes.
    estimator : Estimator
        Says who speaks and how.
    envelope : Envelope
        Takes the EMG's extremes.
    trace : LatencyTrace
        Takes the time that estimates take.
    rate_hz, audio_rate_hz : float
        Sampling rates of EMG and voice.
    keep_mel_cepstra : bool
        Keep what the converter predicted, utterance by utterance.
    sinks : sequence of Sink
        Get voice and estimates too.

    Attributes
    ----------
    results : list of (UtteranceResult, ndarray or None)
        Of the utterances that ended, without their MCD; and the converter's mel-cepstra
        where they are kept and none is missing.
    markers : list of Event
        Of the epochs that ended, but for those that name them; 10 000 at most.
    markers_left_out : int
        What came beyond that.
    live : Live
        Replaced as a whole.
    """

    def __init__(
        self,
        recorder: Recorder,
        estimator: Estimator,
        envelope: Envelope,
        trace: LatencyTrace,
        rate_hz: float,
        audio_rate_hz: int,
        *,
        keep_mel_cepstra: bool,
        sinks: Sequence[Sink] = (),
    ) -> None:
        self.results: list[tuple[UtteranceResult, Array | None]] = []
        self.markers: list[Event] = []
        self.markers_left_out = 0
        self.live = Live()
        self._recorder = recorder
        self._estimator = estimator
        self._envelope = envelope
        self._trace = trace
        self._rate_hz = rate_hz
        self._audio_rate_hz = audio_rate_hz
        self._keep = keep_mel_cepstra
        self._sinks = sinks
        self._names: dict[int, str] = {}
        self._marked: dict[int, list[Marker]] = {}
        self._utterance: _Running | None = None
        self._audio_base = 0  # where the epoch begins on the session's timeline
        self._recent: list[Array] = []  # EMG that the envelope has not had yet
        self._recent_s = 0.0  # where it begins on the session's timeline

    @property
    def implausible_answers(self) -> int:
        """Count what a classifier said that could not be right."""
        return self._estimator.implausible

    def mark(self, chunk: Chunk) -> None:
        """Take the markers of a chunk, before what comes of it.

        An epoch has the name that a marker at its first sample gives it.
        """
        begins = chunk.first_index == chunk.gap_before  # losses before the first one included
        for marker in chunk.markers:
            label = clean(marker.label)
            names = begins and marker.index <= chunk.first_index and label.startswith(UTTERANCE)
            if names and chunk.epoch not in self._names:
                self._names[chunk.epoch] = label.removeprefix(UTTERANCE)
            elif len(self.markers) + sum(map(len, self._marked.values())) < MOST_MARKERS:
                self._marked.setdefault(chunk.epoch, []).append(Marker(marker.index, label))
            else:
                self.markers_left_out += 1

    def take(self, output: Output) -> None:
        """Take the next output."""
        utterance = self._utterance
        if utterance is None:
            utterance = self._utterance = self._begin(output.epoch)
        self._hand_out(output, utterance, self._recorder.take(output))
        started_s = time.perf_counter()
        estimate = self._estimator.push(output, utterance.name, utterance.start_s)
        if estimate is not None:
            self._trace.add_estimate(time.perf_counter() - started_s)
            self._recorder.estimate(estimate)
            for sink in self._sinks:
                sink.estimate(estimate, output.time_s)
        if output.new_segment:
            self._draw()
        if not self._recent:
            self._recent_s = utterance.start_s + output.first_index / self._rate_hz
        self._recent.append(output.made.samples)
        utterance.frames += len(output.made.frames)
        utterance.broken |= output.new_segment and output.first_index > 0
        utterance.broken |= not np.isfinite(output.made.mel_cepstrum).all()
        if self._keep:
            utterance.mel_cepstra.append(output.made.mel_cepstrum)
        if estimate is not None or output.ended:
            self._show(output, utterance, estimate)
        if output.ended:
            self._end(output, utterance)

    def _hand_out(self, output: Output, utterance: _Running, audio: NDArray[np.float32]) -> None:
        """Give the voice to the sinks, at the time of its EMG."""
        first = utterance.audio
        utterance.audio += len(audio)
        if not len(audio) or not (len(output.made.samples) or audio.any()):
            return  # of silence in a long gap, the times before and after say enough
        epoch_s = output.time_s - (output.end_index - 1) / self._rate_hz
        for sink in self._sinks:
            sink.audio(audio, epoch_s + first / self._audio_rate_hz)

    def _begin(self, epoch: int) -> _Running:
        """Begin an epoch: an utterance of its own, whether or not the source names it."""
        name = self._names.pop(epoch, None)
        self._recorder.begin(name)
        start_s = self._audio_base / self._audio_rate_hz
        return _Running(f"epoch-{epoch:04d}" if name is None else name, epoch, start_s)

    def _end(self, output: Output, utterance: _Running) -> None:
        """End an epoch with its result."""
        mode, speaker = self._estimator.end()
        result = UtteranceResult(
            utterance=utterance.name,
            epoch=utterance.epoch,
            audio=str(self._recorder.audio),
            start_s=utterance.start_s,
            seconds=output.end_index / self._rate_hz,
            frames=utterance.frames,
            lost_samples=output.lost_samples,
            mcd_db=None,
            mode=mode,
            speaker=speaker,
        )
        mel_cepstrum = None
        if self._keep and not utterance.broken:
            mel_cepstrum = np.concatenate(utterance.mel_cepstra)
        self.results.append((result, mel_cepstrum))
        for marker in self._marked.pop(utterance.epoch, ()):
            time_s = utterance.start_s + min(marker.index, output.end_index) / self._rate_hz
            self.markers.append(Event(marker.label, time_s, utterance.epoch))
        self._audio_base += output.audio_length
        self._utterance = None

    def _show(self, output: Output, utterance: _Running, estimate: Estimate | None) -> None:
        """Show where things stand."""
        samples = self._draw()
        live = replace(
            self.live,
            utterance=utterance.name,
            time_s=utterance.start_s + output.end_index / self._rate_hz,
        )
        if len(samples):
            levels_uv = np.sqrt((samples**2).mean(axis=0))
            live = replace(live, levels_uv=tuple(float(level) for level in levels_uv))
        if estimate is not None:
            live = replace(live, estimate=estimate)
        self.live = live

    def _draw(self) -> Array:
        """Give the envelope what came since the last time, and return it."""
        samples = np.concatenate(self._recent) if self._recent else np.empty((0, 0))
        self._recent.clear()
        self._envelope.add(self._recent_s, samples)
        return samples
