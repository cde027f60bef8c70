"""Chunks of EMG to a voice on a timeline: epochs and gaps, without threads and without I/O."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from drivers.errors import SourceError
from drivers.outside.settings import MOST_SEED, Settings
from drivers.source import Chunk, Samples
from models.bundle import Bundle
from models.signal.operator import Array, as_rows
from streamer.engine.chain import Chain, Correction, Made, no_correction
from streamer.engine.electrodes import RETURNS, Codes, Electrodes
from streamer.engine.epoch import Epoch
from streamer.engine.failures import Failures
from streamer.engine.gate import GateSettings
from streamer.engine.timeline import AudioBlock, Kind, Output

_log = logging.getLogger(__name__)

# A cable can be out for hours: the silence that stands for it comes in pieces of one array.
_SILENCE_S = 60.0


class PipelineSettings(Settings):
    """How EMG becomes speech, beyond what the bundle says."""

    interpolate_ms: float = Field(
        default=20.0,
        ge=0,
        le=1000,
        description="Longest gap to bridge by interpolation; a longer one is silence",
    )
    seed: int = Field(default=0, ge=0, le=MOST_SEED, description="Of the vocoder's noise")
    gate: GateSettings = Field(default=GateSettings(), description="Silence at rest")


@dataclass
class PipelineCounts:
    """What the pipeline met.

    Attributes
    ----------
    samples : int
        EMG samples taken.
    frames : int
        EMG frames made.
    lost_samples : int
        Samples to do without: missing, or invalid.
    invalid_samples : int
        Samples without a number in any channel: NaN or infinity in all of them.
    interpolated_samples : int
        Lost samples that were bridged for the operators.
    gaps, long_gaps : int
        Runs of lost samples; of these, those made silence.
    """

    samples: int = 0
    frames: int = 0
    lost_samples: int = 0
    invalid_samples: int = 0
    interpolated_samples: int = 0
    gaps: int = 0
    long_gaps: int = 0


class Pipeline:
    """Chunks of EMG in; speech, and what estimates rest on, out.

    The result does not depend on how the EMG is cut into chunks, within what the converter
    promises. A change of epoch ends the old one and starts afresh; what a source lost before
    its return are the new epoch's first samples, and a gap like any other. A gap of up to
    `PipelineSettings.interpolate_ms` is bridged linearly for the operators alone. A longer
    one is silence: the voice fades out, every operator is reset, and the filters settle on
    the first sample after it. Samples that are NaN or infinite in all channels count as
    lost. Where only some are so, or do not move, the models go on without these channels: see
    `Electrodes` and `StandIn`.

    Parameters
    ----------
    bundle : Bundle
        The models.
    settings : PipelineSettings
        What else there is to decide.
    block_s : float
        An output ends at each multiple of this EMG time of an epoch, so that whatever is
        derived from outputs does not depend on the chunks either.
    correction : callable
        For a sound card's clock; asked at most once for each output.
    labels : sequence of str, optional
        What the source calls the channels, to name those that fail; the bundle's without.

    Attributes
    ----------
    counts : PipelineCounts
        What it met.
    failures : Failures
        Which channels fail, and did.
    """

    def __init__(
        self,
        bundle: Bundle,
        settings: PipelineSettings,
        block_s: float,
        correction: Correction = no_correction,
        labels: Sequence[str] | None = None,
    ) -> None:
        signal = bundle.manifest.signal
        self.rate_hz = signal.rate_hz
        self.audio_rate_hz = bundle.manifest.speech.rate_hz
        self.counts = PipelineCounts()
        self._columns = len(signal.channels)
        self._block = block_s * self.rate_hz
        self._lead = bundle.lead_frames * bundle.manifest.speech.hop
        self._bridge = int(settings.interpolate_ms / 1000 * self.rate_hz + 1e-9)
        self._chain = Chain(bundle, settings.gate, settings.seed, correction)
        self._silence = round(_SILENCE_S * self.rate_hz)
        self._zeros = np.zeros(self.audio_index(self._silence) + 1, dtype=np.float32)
        self._zeros.flags.writeable = False
        self._electrodes = Electrodes(self._columns, self.rate_hz, self._bridge)
        self.failures = Failures(labels or signal.channels, self.rate_hz, self._electrodes)
        self._epoch: Epoch | None = None
        self._blocks: list[AudioBlock] = []
        self._stamp = (0, 0.0)  # end of the last chunk, and its time

    def process(self, chunk: Chunk) -> Iterator[Output]:
        """Take the next chunk, as far as the outputs are taken.

        Parameters
        ----------
        chunk : Chunk
            EMG in microvolts; may begin a new epoch.

        Yields
        ------
        Output
            In order, each as soon as it is made; one that ends the epoch before comes first.

        Raises
        ------
        SourceError
            The chunk goes back in time.
        SignalMismatchError
            The chunk has other channels than the bundle.
        """
        if self._epoch is None or chunk.epoch != self._epoch.number:
            yield from self.finish()
            self._epoch = Epoch(chunk.epoch)
            self._electrodes.reset()
            self._open(self._epoch, chunk.lead_in)
        epoch = self._epoch
        if chunk.first_index < epoch.seen:
            raise SourceError(
                f"first sample of a chunk of epoch {chunk.epoch}",
                value=chunk.first_index,
                allowed=f"{epoch.seen} or later",
                way_out="the source counts its samples wrongly: report it",
            )
        rows = as_rows(np.asarray(chunk.samples, dtype=np.float64), self._columns)
        epoch.seen = chunk.first_index + len(rows)
        self._stamp = (epoch.seen, chunk.time_s)
        self.counts.samples += len(rows)
        for first, last in self._valid_runs(rows):
            yield from self._take(epoch, chunk.first_index + first, rows[first:last])

    def finish(self) -> Iterator[Output]:
        """End the epoch.

        Yields
        ------
        Output
            The last of the epoch that runs; nothing where none does.
        """
        epoch = self._epoch
        if epoch is None:
            return
        first, gap = epoch.done, epoch.seen - epoch.done
        self._count_gap(epoch, gap)
        self.counts.long_gaps += gap > self._bridge
        epoch.done = epoch.seen
        made = self._chain.flush(self.audio_index(epoch.seen) - epoch.voice)
        self._emit(epoch, made.audio, "gap" if gap > self._bridge else "voice")
        self._epoch = None
        yield self._output(epoch, first, made, ended=True)

    def counters(self) -> dict[str, int]:
        """Return all that was counted."""
        return asdict(self.counts) | self.failures.counters() | self._chain.counters()

    def audio_index(self, index: int) -> int:
        """Return the audio sample at an EMG sample's time, both counted from an epoch's start."""
        return round(index * self.audio_rate_hz / self.rate_hz)

    def _valid_runs(self, rows: Array) -> list[tuple[int, int]]:
        """Return begin and end of each run of rows with a number in any channel."""
        valid = np.isfinite(rows).any(axis=1)
        if valid.all():
            return [(0, len(rows))] if len(rows) else []
        if not self.counts.invalid_samples:
            _log.warning("EMG without a number in any channel: such samples count as lost")
        self.counts.invalid_samples += int((~valid).sum())
        edges = np.flatnonzero(np.diff(valid.astype(np.int8), prepend=0, append=0))
        return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]

    def _take(self, epoch: Epoch, index: int, rows: Array) -> Iterator[Output]:
        """Take a run of valid rows, after what is missing before it."""
        gap = index - epoch.done
        self._count_gap(epoch, gap)
        if gap:
            self._electrodes.interrupt(forget=gap > self._bridge)
        if gap > self._bridge:
            self.counts.long_gaps += 1
            yield from self._break(epoch, index)
        bridged = self._electrodes.bridged(gap)
        rows = rows.copy()
        codes = self._electrodes.process(rows)
        if 0 < gap <= self._bridge:
            self.counts.interpolated_samples += gap
            last = rows[0] if epoch.last_row is None else epoch.last_row
            yield from self._feed(epoch, np.linspace(last, rows[0], gap + 2)[1:-1], bridged)
        self.failures.look()
        yield from self._feed(epoch, rows, codes)

    def _count_gap(self, epoch: Epoch, gap: int) -> None:
        if gap:
            epoch.lost += gap
            self.counts.lost_samples += gap
            self.counts.gaps += 1

    def _open(self, epoch: Epoch, lead_in: Samples | None) -> None:
        """Begin a segment where the epoch stands; the operators are in their first state."""
        epoch.first = epoch.done
        epoch.voice = self.audio_index(epoch.first) + self._lead
        epoch.frames, epoch.last_row, epoch.new = 0, None, True
        settled: Array | None = None
        if lead_in is not None:
            settled = as_rows(np.asarray(lead_in, dtype=np.float64), self._columns)
            settled = self._electrodes.settle(settled[np.isfinite(settled).any(axis=1)])
        self._chain.settle(settled)
        silence = np.zeros(max(0, epoch.voice - epoch.emitted))
        self._emit(epoch, silence, "gap" if epoch.first else "lead_in")

    def _break(self, epoch: Epoch, index: int) -> Iterator[Output]:
        """End the segment before a long gap, be silent, and begin another after it."""
        made = self._chain.flush(self.audio_index(epoch.done) - epoch.voice)
        self._emit(epoch, made.audio, "gap")
        yield self._output(epoch, epoch.done, made, ended=False)
        nothing = self._chain.nothing()
        while epoch.done < index:
            first = epoch.done
            epoch.done = min(index, first + self._silence)
            end = self.audio_index(epoch.done)
            self._emit(epoch, self._zeros[: max(0, end - epoch.emitted)], "gap")
            yield self._output(epoch, first, nothing, ended=False)
        self._open(epoch, None)

    def _feed(self, epoch: Epoch, rows: Array, codes: Codes | None) -> Iterator[Output]:
        """Run the operators over rows that follow each other, block by block."""
        ends = [] if codes is None else np.flatnonzero((codes == RETURNS).any(axis=1)).tolist()
        begin, start = 0, epoch.done
        while begin < len(rows):
            number = int(epoch.done / self._block)
            while round(number * self._block) <= epoch.done:
                number += 1
            end = min(round(number * self._block) - start, len(rows))
            end = next((one for one in ends if begin < one < end), end)
            first = epoch.done
            part = None if codes is None else codes[begin:end]
            made = self._chain.process(rows[begin:end], part)
            epoch.done += end - begin
            epoch.last_row = rows[end - 1]
            begin = end
            self._emit(epoch, made.audio, "voice", made.played)
            yield self._output(epoch, first, made, ended=False)

    def _emit(
        self,
        epoch: Epoch,
        samples: Array | NDArray[np.float32],
        kind: Kind,
        played: Array | None = None,
    ) -> None:
        """Put audio behind the epoch's."""
        if len(samples):
            audio = heard = samples.astype(np.float32, copy=False)
            if played is not None and played is not samples:
                heard = played.astype(np.float32)
            self._blocks.append(AudioBlock(audio, epoch.emitted, kind, heard))
            epoch.emitted += len(samples)

    def _output(self, epoch: Epoch, first: int, made: Made, *, ended: bool) -> Output:
        """Put together what was made since the last output."""
        numbers = range(epoch.frames, epoch.frames + len(made.frames))
        end, time_s = self._stamp
        times_s = []
        for k in numbers:
            last = min(epoch.first + self._chain.last_sample(k), epoch.done - 1)
            times_s.append(time_s - (end - 1 - last) / self.rate_hz)
        output = Output(
            epoch=epoch.number,
            first_index=first,
            end_index=epoch.done,
            audio_length=self.audio_index(epoch.done),
            lost_samples=epoch.lost,
            new_segment=epoch.new,
            ended=ended,
            made=made,
            blocks=tuple(self._blocks),
            frame_times_s=tuple(times_s),
            time_s=time_s - (end - epoch.done) / self.rate_hz,
        )
        self._blocks.clear()
        epoch.new = False
        epoch.frames += len(made.frames)
        self.counts.frames += len(made.frames)
        return output
