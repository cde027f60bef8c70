"""The way of the voice to the loudspeaker: one timeline, without holes and overlaps."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from drivers.source import Chunk
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

    def name(self, epoch: int, utterance: str) -> None:
        self.names[epoch] = utterance

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


def play(
    bundle: Bundle, chunks: list[Chunk], drift: Drift | None = None
) -> tuple[Loudspeaker, Listener]:
    """Run chunks through to the loudspeaker."""
    settings = PipelineSettings(gate=GateSettings(enabled=False))
    loudspeaker, listener = Loudspeaker(), Listener()
    compute = Compute(
        Pipeline(bundle, settings, 0.1, no_correction if drift is None else drift.next_hop),
        LatencyTrace(acquired=True),
        loudspeaker,
        listener,  # type: ignore[arg-type]
        Background(lambda: None, inline=True),
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
