"""What the compute thread does with each chunk: EMG in, voice out, and nothing else."""

import time
from collections.abc import Callable
from functools import partial

from drivers.source import Chunk
from streamer.audio.drift import DriftControl
from streamer.audio.play_buffer import PlayBuffer
from streamer.engine.background import Background
from streamer.engine.latency import LatencyTrace
from streamer.engine.pipeline import Pipeline
from streamer.engine.timeline import Output
from streamer.results.observer import Observer

_PAUSE_S = 0.05  # a chunk that comes this much later than its length explains


class Compute:
    """Chunks to the pipeline, the voice to the loudspeaker, all else to the background.

    Parameters
    ----------
    pipeline : Pipeline
        Fresh.
    trace : LatencyTrace
        Takes the stamps.
    buffer : PlayBuffer, optional
        The loudspeaker's; None plays nothing.
    observer : Observer
        Gets every output, on the background's thread.
    background : Background
        Does what must not stand in the way.
    drift : DriftControl, optional
        Looks at what waits; the pipeline asks it for corrections.
    now_s : callable
        The time.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        trace: LatencyTrace,
        buffer: PlayBuffer | None,
        observer: Observer,
        background: Background,
        drift: DriftControl | None = None,
        now_s: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._pipeline = pipeline
        self._trace = trace
        self._buffer = buffer
        self._observer = observer
        self._background = background
        self._drift = drift
        self._now_s = now_s
        self._fill_s: float | None = None
        self._audio_base = 0  # where the epoch begins on the session's timeline
        self._played: int | None = None  # how far the loudspeaker has the timeline
        self._received_s: float | None = None

    def take(self, chunk: Chunk) -> None:
        """Take the next chunk."""
        if chunk.markers:
            self._background.submit(partial(self._observer.mark, chunk))
        length_s = len(chunk.samples) / self._pipeline.rate_hz
        last_s, self._received_s = self._received_s, chunk.received_s
        paused = last_s is not None and chunk.received_s - last_s - length_s > _PAUSE_S
        if self._buffer is not None:
            self._look(self._buffer)
        for output in self._pipeline.process(chunk):
            self._hand_on(output, paused)

    def finish(self) -> None:
        """End: the source gives no more."""
        for output in self._pipeline.finish():
            self._hand_on(output, paused=True)

    def _look(self, buffer: PlayBuffer) -> None:
        """Look at what waits right before more comes: it is the same moment every time."""
        buffer.arrive()
        self._fill_s = buffer.ahead_s()
        if self._drift is not None:
            self._drift.observe(self._fill_s, self._now_s())

    def _hand_on(self, output: Output, paused: bool) -> None:
        ahead_s = None
        if self._buffer is not None:
            ahead_s = self._buffer.ahead_s()
            self._play(self._buffer, output, paused)
        made = output.made
        self._trace.add(
            output.frame_times_s,
            made.started_s,
            made.stage_s,
            self._now_s(),
            fill_s=self._fill_s,
            ahead_s=ahead_s,
        )
        # The end of an epoch is no more than a mark, and nothing makes sense without it.
        job = partial(self._observer.take, output)
        self._background.submit(job, may_drop=not output.ended)
        if output.ended:
            self._audio_base += output.audio_length

    def _play(self, buffer: PlayBuffer, output: Output, paused: bool) -> None:
        """Hand the voice to the loudspeaker, on a timeline without overlaps."""
        for block in output.blocks:
            first = self._audio_base + block.first_index
            if self._played is None:
                if block.kind == "lead_in":
                    continue  # nobody waits for silence at the beginning
                self._played = first
            # The voice of the epoch before can reach into this one's leading silence.
            samples = block.played[max(0, self._played - first) :]
            without_emg = block.kind == "gap" or (paused and block.kind == "lead_in")
            if without_emg and self._drift is not None:
                self._drift.reset()
            buffer.feed(samples, without_emg=without_emg, tail=paused and output.ended)
            self._played = max(self._played, first + len(block.samples))
