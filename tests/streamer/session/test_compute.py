"""The way of the voice to the loudspeaker: one timeline, without holes and overlaps."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from drivers.clock import VirtualClock
from drivers.recordings.recording import Recording
from drivers.replay import ReplaySource
from drivers.source import UTTERANCE, Channel, Chunk, SourceState
from models.bundle import Bundle
from streamer.audio.drift import DriftControl
from streamer.audio.play_buffer import PlayBuffer
from streamer.engine.background import Background
from streamer.engine.chain import no_correction
from streamer.engine.gate import GateSettings
from streamer.engine.latency import LatencyTrace
from streamer.engine.pipeline import Pipeline, PipelineSettings
from streamer.engine.timeline import Output
from streamer.session.compute import Compute

MakeBundle = Callable[..., Bundle]
MakeEmg = Callable[..., NDArray[np.float32]]
MakeChunks = Callable[..., list[Chunk]]


class Loudspeaker(PlayBuffer):
    """Hears all at once."""

    def __init__(self) -> None:
        super().__init__(16000, 10, 100)
        self.heard: list[tuple[NDArray[np.float32], bool]] = []
        self.tails: list[bool] = []

    def feed(
        self, samples: NDArray[np.float32], *, without_emg: bool = False, tail: bool = False
    ) -> None:
        self.heard.append((samples, without_emg))
        self.tails.append(tail)


class Listener:
    """Stands for the observer."""

    def __init__(self) -> None:
        self.names: dict[int, str] = {}
        self.outputs: list[Output] = []

    def mark(self, chunk: Chunk) -> None:
        for marker in chunk.markers:
            self.names[chunk.epoch] = marker.label.removeprefix(UTTERANCE)

    def take(self, output: Output) -> None:
        self.outputs.append(output)


class Drift(DriftControl):
    """Wants every second hop longer, and keeps what it is told."""

    def __init__(self) -> None:
        self.seen: list[float | None] = []
        self.resets = -1
        super().__init__(16000, 0.02)

    def observe(self, ahead_s: float | None, now_s: float) -> None:
        self.seen.append(ahead_s)

    def next_hop(self) -> int:
        self.counts.longer_hops += 1
        return self.counts.longer_hops % 2

    def reset(self) -> None:
        self.resets += 1


class Overwhelmed(Background):
    """Has no room for what may be dropped."""

    def __init__(self) -> None:
        super().__init__(lambda: None, inline=True)

    def submit(self, job: Callable[[], object], *, may_drop: bool = False) -> None:
        if not may_drop:
            super().submit(job)


def play(
    bundle: Bundle,
    chunks: list[Chunk],
    drift: Drift | None = None,
    background: Background | None = None,
) -> tuple[Loudspeaker, Listener]:
    """Run chunks through to the loudspeaker."""
    settings = PipelineSettings(gate=GateSettings(enabled=False))
    loudspeaker, listener = Loudspeaker(), Listener()
    compute = Compute(
        Pipeline(bundle, settings, 0.1, no_correction if drift is None else drift.next_hop),
        LatencyTrace(acquired=True),
        loudspeaker,
        listener,  # type: ignore[arg-type]
        background or Background(lambda: None, inline=True),
        drift,
    )
    for chunk in chunks:
        compute.take(chunk)
    compute.finish()
    return loudspeaker, listener


@pytest.mark.parametrize("lead_ms", [0.0, 60.0])
def test_utterances_follow_each_other_in_time(
    bundle_with: MakeBundle, emg: MakeEmg, chunks_of: MakeChunks, lead_ms: float
) -> None:
    """A lead that is played twice, or left out, would empty or fill the buffer."""
    lead = round(16 * lead_ms)
    signals = [emg(0.7, seed=n) for n in range(3)]
    chunks = [c for n, x in enumerate(signals) for c in chunks_of(x, epoch=n, name=f"u{n}")]
    loudspeaker, listener = play(bundle_with(lead_ms=lead_ms), chunks)
    assert listener.names == {0: "u0", 1: "u1", 2: "u2"}
    heard = np.concatenate([samples for samples, _ in loudspeaker.heard])
    assert not any(without_emg for _, without_emg in loudspeaker.heard)
    voices = [
        [b for o in listener.outputs if o.epoch == n for b in o.blocks if b.kind == "voice"]
        for n in range(3)
    ]
    for n, blocks in enumerate(voices):
        voice = np.concatenate([block.samples for block in blocks])[:8000]
        start = n * 11200  # the first lead is not waited for, all others are
        np.testing.assert_array_equal(heard[start : start + 8000], voice)
    assert len(heard) <= 3 * 11200 + lead
    assert len(heard) >= 3 * 11200 - lead


def test_only_time_without_emg_excuses_an_empty_buffer(
    bundle_with: MakeBundle, emg: MakeEmg, chunks_of: MakeChunks
) -> None:
    """A new utterance is no excuse for being late; a gap and a reconnection are."""
    bundle = bundle_with(lead_ms=60.0)
    signal = emg(0.7)
    at_once = chunks_of(signal) + chunks_of(signal, epoch=1, start_s=0.7)
    assert not any(excused for _, excused in play(bundle, at_once)[0].heard)
    later = chunks_of(signal) + chunks_of(signal, epoch=1, start_s=3.0)
    assert any(excused for _, excused in play(bundle, later)[0].heard)
    gap = [Chunk(signal[:180], 0, 0, 0.3, 0.3), Chunk(signal[300:], 0, 300, 0.7, 0.7)]
    assert any(excused for _, excused in play(bundle, gap)[0].heard)


def test_the_last_of_a_voice_whose_emg_ended_excuses_an_empty_buffer(
    bundle_with: MakeBundle, emg: MakeEmg, chunks_of: MakeChunks
) -> None:
    """Every LSL stream that ends or comes back would look like an underrun of ours."""
    bundle, signal = bundle_with(), emg(0.7)
    at_once = chunks_of(signal) + chunks_of(signal, epoch=1, start_s=0.7)
    assert sum(play(bundle, at_once)[0].tails) == 1
    later = chunks_of(signal) + chunks_of(signal, epoch=1, start_s=3.0)
    assert sum(play(bundle, later)[0].tails) == 2


def test_the_end_of_an_utterance_is_never_dropped(
    bundle_with: MakeBundle, emg: MakeEmg, chunks_of: MakeChunks
) -> None:
    """With a disk that is too slow for all, two utterances must not become one."""
    chunks = [c for n in range(2) for c in chunks_of(emg(0.3), epoch=n, name=f"u{n}")]
    _, listener = play(bundle_with(), chunks, background=Overwhelmed())
    assert listener.names == {0: "u0", 1: "u1"}
    assert [(output.epoch, output.ended) for output in listener.outputs] == [(0, True), (1, True)]


def test_the_loudspeaker_gets_the_time_of_its_own_clock(
    bundle_with: MakeBundle, emg: MakeEmg, chunks_of: MakeChunks
) -> None:
    """Corrections that never reach the card would let the clocks drift apart in vain."""
    bundle, chunks, drift = bundle_with(), chunks_of(emg(0.7)), Drift()
    plain = sum(len(samples) for samples, _ in play(bundle, chunks)[0].heard)
    loudspeaker, listener = play(bundle, chunks, drift)
    heard = sum(len(samples) for samples, _ in loudspeaker.heard)
    assert heard == plain + (drift.counts.longer_hops + 1) // 2
    blocks = [block for output in listener.outputs for block in output.blocks]
    ends = [block.first_index + len(block.samples) for block in blocks]
    assert [block.first_index for block in blocks[1:]] == ends[:-1]
    assert len(drift.seen) == len(chunks)


def test_a_gap_resets_the_control(bundle_with: MakeBundle, emg: MakeEmg) -> None:
    """What waits while EMG is missing says nothing of the clocks."""
    signal, drift = emg(0.7), Drift()
    gap = [Chunk(signal[:180], 0, 0, 0.3, 0.3), Chunk(signal[300:], 0, 300, 0.7, 0.7)]
    play(bundle_with(), gap[:1], drift)
    assert drift.resets == 0
    play(bundle_with(), gap, drift)
    assert drift.resets > 0


BLOCK_S = 0.01
RESERVE_MS = 120.0


class CardClock(VirtualClock):
    """A stepped clock, and a sound card that takes a block of 10 ms whenever it is due."""

    def __init__(self) -> None:
        super().__init__(50.0)
        self.buffer = PlayBuffer(16000, RESERVE_MS, 500, self.now_s)
        self.heard: list[NDArray[np.float32]] = []
        self._due_s = self.now_s() + 0.0033  # between two chunks

    def sleep_until(self, time_s: float) -> None:
        while self._due_s <= time_s:
            super().sleep_until(self._due_s)
            self.heard.append(np.empty(round(BLOCK_S * 16000), np.float32))
            self.buffer.render(self.heard[-1])
            self._due_s += BLOCK_S
        super().sleep_until(time_s)


def at_a_card(bundle: Bundle, clock: CardClock) -> tuple[Compute, LatencyTrace, DriftControl]:
    """What a live session computes, beside the card of the clock."""
    settings = PipelineSettings(gate=GateSettings(enabled=False))
    drift = DriftControl(16000, lambda: RESERVE_MS / 1000 + BLOCK_S)
    trace = LatencyTrace(acquired=True)
    compute = Compute(
        Pipeline(bundle, settings, 0.1, drift.next_hop),
        trace,
        clock.buffer,
        Listener(),  # type: ignore[arg-type]
        Background(lambda: None, inline=True),
        drift,
        clock.now_s,
    )
    return compute, trace, drift


def come_to_the_end(compute: Compute, clock: CardClock) -> None:
    compute.finish()
    clock.buffer.finish()
    clock.advance(1.0)
    assert clock.buffer.waiting == 0


@pytest.mark.parametrize("lead_ms", [0.0, 60.0])
def test_a_replay_at_the_pace_of_life_has_no_hole(
    bundle_with: MakeBundle, emg: MakeEmg, lead_ms: float
) -> None:
    """Through the change of utterances too, the loudspeaker must never run dry."""
    channels = tuple(Channel(f"EMG{n}") for n in range(1, 7))
    lengths_s = (0.9, 0.61, 0.8)
    series = [
        Recording(f"u{n}", emg(length_s, seed=n), 600.0, channels)
        for n, length_s in enumerate(lengths_s)
    ]
    clock = CardClock()
    compute, trace, drift = at_a_card(bundle_with(lead_ms=lead_ms), clock)
    with ReplaySource(series, clock=clock) as source:
        while (chunk := source.read(0.1)) or source.health.state is not SourceState.DISCONNECTED:
            if chunk is not None:
                compute.take(chunk)
    come_to_the_end(compute, clock)
    counts = clock.buffer.counts
    assert (counts.underruns, counts.starved, counts.dropped_samples) == (0, 0, 0)
    corrected = drift.counts.longer_hops - drift.counts.shorter_hops
    assert counts.played_samples - corrected == pytest.approx(
        16000 * sum(lengths_s), abs=16 * lead_ms + 1
    )
    sounding = np.flatnonzero(np.concatenate(clock.heard))
    assert np.diff(sounding).max() < 16 * lead_ms + 160  # nothing leads the first frames
    # The buffer holds the reserve and what is left of the current block.
    fill = trace.percentiles("fill")
    assert fill is not None
    assert RESERVE_MS <= fill.p50_ms <= RESERVE_MS + 20


def test_a_stall_of_the_source_is_no_underrun_of_ours(
    bundle_with: MakeBundle, emg: MakeEmg, chunks_of: MakeChunks
) -> None:
    """Half a second without EMG is the radio's fault, and must not delay the voice for good."""
    clock = CardClock()
    compute, _, _ = at_a_card(bundle_with(), clock)
    waited = []
    for chunk in chunks_of(emg(2.0), start_s=clock.now_s()):
        if 450 <= chunk.first_index < 750:
            continue
        clock.sleep_until(chunk.time_s)
        waited.append(clock.buffer.waiting)
        gap = 300 if chunk.first_index == 750 else 0
        compute.take(replace(chunk, gap_before=gap, received_s=clock.now_s()))
    come_to_the_end(compute, clock)
    counts = clock.buffer.counts
    assert (counts.underruns, counts.starved) == (0, 1)
    assert counts.skipped_samples > 0.3 * 16000
    assert waited[-1] <= max(waited[:75]) + 160
