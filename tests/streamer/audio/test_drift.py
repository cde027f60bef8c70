"""Two clocks that drift apart, for an hour."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest

from drivers.clock import VirtualClock
from streamer.audio.drift import DriftControl
from streamer.audio.play_buffer import PlayBuffer

RATE_HZ, HOP = 16000, 160
SILENCE = np.zeros(HOP + 1, dtype=np.float32)


@dataclass
class Heard:
    """What an hour came to."""

    buffer: PlayBuffer
    control: DriftControl
    fills_ms: list[float] = field(default_factory=list)


def run(
    drift_ppm: float,
    *,
    seconds: float = 3600.0,
    chunk_ms: float = 10.0,
    block_ms: float = 10.0,
    reserve_ms: float = 15.0,
    late_s: Callable[[int], float] = lambda chunk: 0.0,
    most_ms: float = 0.0,
    controlled: bool = True,
    phase_s: float = 0.0033,
) -> Heard:
    """Let a source whose clock runs faster by `drift_ppm` feed a card whose clock is right."""
    clock = VirtualClock()
    buffer = PlayBuffer(RATE_HZ, reserve_ms, 10_000.0, clock.now_s, most_ms)
    control = DriftControl(RATE_HZ, lambda: buffer.reserve_s + block_ms / 1000)
    heard = Heard(buffer, control)
    block = np.empty(round(block_ms * RATE_HZ / 1000), dtype=np.float32)
    hops = round(chunk_ms * RATE_HZ / 1000 / HOP)
    period_s = chunk_ms / 1000 / (1 + drift_ppm * 1e-6)
    rendered = 0
    for chunk in range(1, int(seconds / period_s)):
        now_s = chunk * period_s + phase_s + late_s(chunk)
        while (due_s := rendered * block_ms / 1000) <= now_s:
            clock.sleep_until(due_s)
            buffer.render(block)
            rendered += 1
        clock.sleep_until(now_s)
        buffer.arrive()
        ahead_s = buffer.ahead_s()
        control.observe(ahead_s, now_s)
        if ahead_s is not None:
            heard.fills_ms.append(1000 * ahead_s)
        more = control.next_hop() if controlled else 0
        for hop in range(hops):
            buffer.feed(SILENCE[: HOP + (more if hop == hops - 1 else 0)])
    return heard


@pytest.mark.parametrize("drift_ppm", [500.0, -500.0])
def test_an_hour_of_two_clocks_at_their_worst(drift_ppm: float) -> None:
    """After minutes the voice would come ever later, or break off again and again."""
    heard = run(drift_ppm, chunk_ms=20)
    fills_ms = np.array(heard.fills_ms)
    assert heard.buffer.counts.underruns == 0
    assert abs(fills_ms - 25).max() < 15  # it starts with up to a chunk too much
    assert abs(fills_ms[len(fills_ms) // 20 :] - 25).max() < 1
    assert heard.control.drift_ppm == pytest.approx(drift_ppm, abs=20)
    counts = heard.control.counts
    corrected = counts.shorter_hops - counts.longer_hops
    assert corrected == pytest.approx(drift_ppm * 1e-6 * RATE_HZ * 3600, rel=0.02)


@pytest.mark.parametrize("drift_ppm", [500.0, -500.0])
def test_without_control_they_do_drift_apart(drift_ppm: float) -> None:
    """The simulation would prove nothing if it had nothing to correct."""
    heard = run(drift_ppm, seconds=600, chunk_ms=20, controlled=False)
    if drift_ppm > 0:
        assert heard.fills_ms[-1] > 250
    else:
        assert heard.buffer.counts.underruns >= 5


@pytest.mark.parametrize("drift_ppm", [0.0, 50.0, -50.0])
@pytest.mark.parametrize("block_ms", [5.0, 10.0])
def test_small_drifts_are_followed_too(drift_ppm: float, block_ms: float) -> None:
    """Blocks that slip against chunks must not be taken for a drift."""
    heard = run(drift_ppm, seconds=600, block_ms=block_ms)
    target_ms = 15 + block_ms
    assert heard.buffer.counts.underruns == 0
    assert abs(np.array(heard.fills_ms)[12000:] - target_ms).max() < 0.5
    assert heard.control.drift_ppm == pytest.approx(drift_ppm, abs=5)


@pytest.mark.parametrize("drift_ppm", [300.0, -300.0])
def test_jitter_is_no_drift(drift_ppm: float) -> None:
    """Radios and busy machines deliver late, and in bursts: the voice must not waver."""
    lateness_s = np.minimum(np.random.default_rng(0).exponential(0.003, 100_000), 0.012)
    heard = run(drift_ppm, seconds=600, late_s=lambda chunk: lateness_s[chunk])
    fills_ms = np.array(heard.fills_ms)[12000:]
    assert heard.buffer.counts.underruns == 0
    seconds_ms = fills_ms[: len(fills_ms) // 100 * 100].reshape(-1, 100).mean(axis=1)
    assert abs(seconds_ms - 25).max() < 2.5
    assert heard.control.drift_ppm == pytest.approx(drift_ppm, abs=60)


def test_bursts_keep_the_reserve_of_their_first_chunk() -> None:
    """A source that hands on five chunks every 50 ms must not be taken for a full buffer."""
    heard = run(400.0, seconds=600, reserve_ms=60, late_s=lambda chunk: 0.01 * (-chunk % 5))
    assert heard.buffer.counts.underruns == 0
    assert np.percentile(heard.fills_ms[12000:], 5) > 55


def test_chunks_of_a_tenth_of_a_second_leave_room_enough() -> None:
    """With ten corrections a second at most, the worst clocks must be caught."""
    heard = run(-500.0, seconds=600, chunk_ms=100, reserve_ms=20)
    assert heard.buffer.counts.underruns == 0
    assert abs(np.array(heard.fills_ms)[2000:] - 30).max() < 1


def test_the_fill_follows_a_reserve_that_grows() -> None:
    """What was gained against holes would be given away again within a minute."""
    heard = run(
        0.0,
        seconds=300,
        block_ms=5,
        reserve_ms=10,
        most_ms=60,
        late_s=lambda chunk: 0.03 if chunk % 500 == 250 else 0.0,
    )
    reserve_ms = 1000 * heard.buffer.reserve_s
    assert reserve_ms >= 22
    assert heard.buffer.counts.underruns <= 4
    usual_ms = np.median(np.array(heard.fills_ms)[-10_000:])
    assert usual_ms == pytest.approx(reserve_ms + 5, abs=2)


def settled(fill_s: float, seconds: int = 5) -> DriftControl:
    control = DriftControl(RATE_HZ, lambda: 0.025)
    for n in range(100 * seconds):
        control.observe(fill_s, n / 100)
        control.next_hop()
    return control


def test_no_hop_is_longer_by_more_than_a_sample() -> None:
    """However wrong the fill, a correction must not be heard."""
    control = DriftControl(RATE_HZ, lambda: 0.025)
    mores = []
    for n in range(3000):
        control.observe(1.0, n / 100)
        mores.append(control.next_hop())
    assert set(mores) == {-1, 0}
    assert -sum(mores) <= 30 * 0.0015 * RATE_HZ
    assert control.counts.shorter_hops == -sum(mores)
    assert control.counts.longer_hops == 0


def test_a_fill_that_cannot_be_corrected_is_no_drift() -> None:
    """After a jam the control must not go on to drain the buffer for minutes."""
    control = settled(0.3, seconds=120)
    for n in range(12_000, 13_000):
        control.observe(0.025, n / 100)
        control.next_hop()
    assert control.drift_ppm == pytest.approx(0, abs=100)  # it would have learned 1000


def test_a_pause_resets_the_fill_but_no_clock() -> None:
    """What waited before a gap says nothing afterwards; the clocks are the same two."""
    control = settled(0.026, seconds=120)
    drift_ppm = control.drift_ppm
    assert drift_ppm is not None
    assert drift_ppm > 100
    control.observe(None, 121.0)
    assert control.next_hop() == 0
    assert control.drift_ppm == drift_ppm
    control.observe(0.5, 200.0)
    assert control.next_hop() == 0


def test_no_drift_is_told_before_it_is_known() -> None:
    """A figure of the first seconds would be that of the start."""
    assert settled(0.025, seconds=5).drift_ppm is None
    assert settled(0.025, seconds=62).drift_ppm == pytest.approx(0, abs=0.1)
