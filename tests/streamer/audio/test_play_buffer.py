"""The play buffer: what is heard, and what is counted when it could not be."""

import threading
import tracemalloc

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from drivers.clock import VirtualClock
from streamer.audio.play_buffer import PlayBuffer

BLOCK = 160
HOP = np.full(BLOCK, 0.5, dtype=np.float32)


def make(reserve_ms: float = 20, limit_ms: float = 200) -> PlayBuffer:
    return PlayBuffer(16000, reserve_ms, limit_ms)


def feed(buffer: PlayBuffer, samples: NDArray[np.float32], *, without_emg: bool = False) -> None:
    buffer.arrive()
    buffer.feed(samples, without_emg=without_emg)


def render(buffer: PlayBuffer, blocks: int = 1) -> NDArray[np.float32]:
    out = np.full(blocks * BLOCK, np.nan, dtype=np.float32)
    for block in out.reshape(blocks, BLOCK):
        buffer.render(block)
    return out


def playing(reserve_ms: float = 20) -> PlayBuffer:
    buffer = make(reserve_ms)
    while not render(buffer).any():
        feed(buffer, HOP)
    return buffer


def test_it_starts_with_the_reserve_in_hand() -> None:
    """A voice that starts with an empty buffer would break off at the first hiccup."""
    buffer = make(reserve_ms=20)
    for _ in range(2):
        feed(buffer, HOP)
        assert not render(buffer).any()
    feed(buffer, HOP)
    assert render(buffer).any()
    assert buffer.waiting == 2 * BLOCK


def test_a_card_that_starts_late_is_no_delay_for_good() -> None:
    """Some cards are not ready for a second or two, and all later speech would wait for it."""
    buffer = make(reserve_ms=20, limit_ms=2000)
    for _ in range(100):
        feed(buffer, HOP)
    out = render(buffer)
    assert out[-1] == 0.5
    assert buffer.waiting == 2 * BLOCK  # the reserve, when the latest came
    assert buffer.counts.dropped_samples == 97 * BLOCK
    short = make(reserve_ms=20)
    for _ in range(10):
        feed(short, HOP)
    short.finish()
    render(short, 12)
    assert short.counts.played_samples == 10 * BLOCK


def test_the_reserve_holds_for_big_chunks_too() -> None:
    """A source that sends 50 ms at a time must not underrun with every chunk."""
    buffer = make(reserve_ms=20)
    chunk = np.tile(HOP, 5)
    for _ in range(20):
        feed(buffer, chunk)
        render(buffer, 5)
    assert buffer.counts.underruns == 0
    assert buffer.counts.played_samples > 80 * BLOCK


def test_the_voice_is_played_as_it_is_after_a_fade() -> None:
    """What is heard is what was made, but for the click at its start."""
    voice = np.random.default_rng(0).normal(0, 0.1, 20 * BLOCK).astype(np.float32)
    buffer = make(reserve_ms=10)
    heard = []
    for hop in voice.reshape(-1, BLOCK):
        feed(buffer, hop)
        heard.append(render(buffer))
    out = np.concatenate(heard)
    start = np.flatnonzero(out)[0] // BLOCK * BLOCK
    np.testing.assert_array_equal(out[start + 80 :], voice[80 : len(out) - start])
    rise = np.abs(out[start : start + 80]) <= np.abs(voice[:80])
    assert rise.all()


def test_an_underrun_fades_and_is_counted_once() -> None:
    """A late chain must not click, and must not look better than it is."""
    buffer = playing()
    left = buffer.waiting // BLOCK
    out = render(buffer, left + 5)
    silent = out[left * BLOCK :]
    assert 0.4 < silent[0] < 0.5
    assert (np.diff(silent[:200]) < 0).all()
    assert np.abs(silent[200:]).max() < 0.01
    assert not silent[-BLOCK:].any()
    for _ in range(4):
        feed(buffer, HOP)
    again = render(buffer)
    assert again[0] == 0
    assert again[79] < again[80] == 0.5
    assert (buffer.counts.underruns, buffer.counts.starved) == (1, 0)


def test_a_gap_of_the_emg_is_no_underrun_and_adds_no_delay() -> None:
    """After a stall the voice must be as near to the EMG as before, and nobody is blamed."""
    buffer = playing()
    left = buffer.waiting // BLOCK
    render(buffer, left + 50)  # half a second without EMG
    feed(buffer, np.zeros(50 * BLOCK, dtype=np.float32), without_emg=True)
    assert buffer.waiting < BLOCK
    for _ in range(3):
        feed(buffer, HOP)
    assert render(buffer).any()
    assert buffer.waiting <= 3 * BLOCK
    assert (buffer.counts.underruns, buffer.counts.starved) == (0, 1)
    assert buffer.counts.skipped_samples >= 49 * BLOCK


def test_the_end_of_the_emg_is_no_underrun_and_its_pause_is_no_delay() -> None:
    """The last of a voice comes when the stream is known to have ended, or is back."""
    buffer = playing()
    left = buffer.waiting // BLOCK
    render(buffer, left + 50)
    buffer.arrive()
    buffer.feed(HOP, tail=True)
    buffer.feed(np.zeros(50 * BLOCK, dtype=np.float32), without_emg=True)
    assert (buffer.counts.underruns, buffer.counts.starved) == (0, 1)
    assert buffer.waiting <= 2 * BLOCK
    heard = []
    for _ in range(5):
        feed(buffer, -HOP)
        heard.append(render(buffer))
    assert np.min(heard) < -0.4
    # The last of the voice, half a second after it, would be a tick.
    assert np.max(heard) <= 0


def test_silence_for_a_gap_that_was_not_heard_is_played() -> None:
    """A gap shorter than what waits must keep its length in what is heard."""
    buffer = playing(reserve_ms=50)
    before = buffer.waiting
    feed(buffer, np.zeros(3 * BLOCK, dtype=np.float32), without_emg=True)
    assert buffer.waiting == before + 3 * BLOCK
    assert buffer.counts.skipped_samples == 0


def test_the_end_is_no_underrun_and_is_heard_to_its_last_sample() -> None:
    """A recording that ends must not look like a fault."""
    buffer = playing()
    waiting = buffer.waiting
    buffer.finish()
    out = render(buffer, 10)
    assert np.count_nonzero(out == 0.5) >= waiting - 80
    assert buffer.waiting == 0
    assert buffer.counts.underruns == 0


def test_a_voice_shorter_than_the_reserve_is_heard() -> None:
    """One short word must not be kept back."""
    buffer = make(reserve_ms=100)
    feed(buffer, HOP)
    buffer.finish()
    assert render(buffer).any()


def test_too_much_is_left_out_down_to_the_reserve() -> None:
    """A delay that has built up must go away again, and be counted."""
    buffer = playing(reserve_ms=20)
    feed(buffer, np.tile(HOP, 30))
    render(buffer)
    assert buffer.counts.dropped_samples == 0  # it may be how the source sends
    feed(buffer, HOP)
    waiting = buffer.waiting
    out = render(buffer)
    assert buffer.waiting == round(0.02 * 16000)  # of what waited the reserve, and what came
    assert buffer.counts.dropped_samples == waiting - BLOCK - buffer.waiting
    np.testing.assert_allclose(out, 0.5)  # fades over at the jump


def test_a_source_of_big_chunks_is_heard_whole_with_short_buffers() -> None:
    """An amplifier that sends 100 ms at a time would lose nine tenths of its voice."""
    buffer = make(reserve_ms=10, limit_ms=80)
    chunk, out = np.tile(HOP, 10), np.empty(BLOCK // 2, dtype=np.float32)
    for _ in range(50):
        feed(buffer, chunk)
        for _ in range(20):
            buffer.render(out)
    assert buffer.counts.underruns == 0
    assert buffer.counts.dropped_samples <= len(chunk)
    assert buffer.counts.played_samples >= 48 * len(chunk)


def test_a_chain_that_stalled_starts_with_its_reserve() -> None:
    """What waited before the stall is gone: to count on it breaks the voice, or the buffer."""
    buffer = playing(reserve_ms=40)
    while buffer.waiting < 10 * BLOCK:
        feed(buffer, HOP)
    buffer.arrive()
    render(buffer, buffer.waiting // BLOCK + 1)  # all of it, while the chain computes
    buffer.feed(HOP)
    assert abs(render(buffer)[-1]) < 1e-3
    assert buffer.waiting == BLOCK
    while buffer.waiting < 5 * BLOCK:
        feed(buffer, HOP)
    assert render(buffer)[-1] == 0.5
    assert buffer.counts.underruns == 1


def test_a_stall_before_a_big_chunk_is_no_reserve() -> None:
    """With 100 ms at a time, a voice that starts on nothing but the chunk breaks off each time."""
    buffer = playing(reserve_ms=40)
    while buffer.waiting < 10 * BLOCK:
        feed(buffer, HOP)
    buffer.arrive()
    render(buffer, buffer.waiting // BLOCK + 1)  # all of it, while the chain computes
    buffer.feed(np.tile(HOP, 10))
    assert abs(render(buffer)[-1]) < 1e-3
    assert buffer.waiting == 10 * BLOCK
    feed(buffer, HOP)
    assert render(buffer)[-1] == 0.5


def test_nobody_renders() -> None:
    """A sound card that died must not stop the session or eat its memory."""
    buffer = make()
    second = np.tile(HOP, 100)
    for _ in range(100):
        feed(buffer, second)
    assert buffer.waiting < 62 * 16000
    assert buffer.counts.overflowed_samples + buffer.waiting == 100 * len(second)


def test_a_sender_of_long_chunks_is_heard() -> None:
    """Three seconds come at a time, and all but the first must be heard."""
    buffer, three = make(), np.tile(HOP, 300)
    feed(buffer, three)
    assert not render(buffer, 300).any()  # as long as there is no reserve
    for _ in range(5):
        feed(buffer, three)
        assert (render(buffer, 300)[BLOCK:] == 0.5).all()
    counts = buffer.counts
    assert (counts.underruns, counts.overflowed_samples) == (0, 0)


@given(
    chunks=st.lists(st.integers(0, 6), min_size=20, max_size=60),
    block=st.sampled_from([40, 80, 160]),
)
def test_nothing_makes_a_step_in_the_sound(chunks: list[int], block: int) -> None:
    """Underruns, gaps, restarts and what is left out would click, in a loud vowel at worst."""
    buffer = PlayBuffer(16000, 10, 30)
    hum = 0.9 * np.sin(2 * np.pi * 110 / 16000 * np.arange(80 * 6 * len(chunks)))
    voice = hum.astype(np.float32)
    heard, fed = [np.zeros(1, np.float32)], 0
    for number, chunk in enumerate(chunks):
        n = 80 * chunk
        if number % 11 == 7:  # a gap, faded by the vocoder
            feed(buffer, voice[fed : fed + 80] * np.linspace(1, 0, 80, dtype=np.float32))
            feed(buffer, np.zeros(n, dtype=np.float32), without_emg=True)
            voice[fed + 80 : fed + 160] *= np.linspace(0, 1, 80, dtype=np.float32)
            fed += 80
        feed(buffer, voice[fed : fed + n])
        fed += n
        for _ in range(240 // block):
            out = np.empty(block, dtype=np.float32)
            buffer.render(out)
            heard.append(out)
    own = 0.9 * 2 * np.pi * 110 / 16000
    fade = 2 * 0.9 / 80 + 0.9 * 3 / 80  # over 5 ms, linear or exponential
    assert np.abs(np.diff(np.concatenate(heard))).max() < own + fade


def test_the_callback_allocates_no_array() -> None:
    """Memory comes when the system pleases, and the card does not wait."""
    out = np.empty(16_000, dtype=np.float32)
    peaks = []
    for _ in range(5):  # other threads of this process may need some at the same moment
        buffer = PlayBuffer(16000, 12_500, 20_000)
        feed(buffer, np.ones(200_000, dtype=np.float32))
        feed(buffer, np.ones(1, dtype=np.float32))
        tracemalloc.start()
        try:
            for _ in range(14):  # starts, plays, runs dry, is silent
                buffer.render(out)
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
        assert buffer.counts.played_samples == 200_001
    assert min(peaks) < 8000  # bytes; the smallest array of such a block has more


def test_what_waits_is_told_between_two_blocks_too() -> None:
    """A card takes blocks and plays samples: in between, the wait shrinks with time."""
    clock = VirtualClock()
    buffer = PlayBuffer(16000, 10, 200, clock.now_s)
    assert buffer.ahead_s() is None
    for _ in range(3):
        feed(buffer, HOP)
    buffer.render(np.empty(BLOCK, dtype=np.float32))
    waits_s = []
    for _ in range(4):
        waits_s.append(buffer.ahead_s())
        clock.advance(0.004)
    np.testing.assert_allclose(waits_s, [0.03, 0.026, 0.022, 0.02])
    for _ in range(4):
        buffer.render(np.empty(BLOCK, dtype=np.float32))
    assert buffer.ahead_s() is None


@given(sizes=st.lists(st.integers(1, 700), min_size=1, max_size=40), block=st.integers(1, 500))
def test_every_sample_is_accounted_for(sizes: list[int], block: int) -> None:
    """Whatever the sizes: heard, left out and counted, or still waiting."""
    buffer = make(reserve_ms=5, limit_ms=60)
    out = np.empty(block, dtype=np.float32)
    for n, size in enumerate(sizes):
        feed(buffer, np.zeros(size, dtype=np.float32), without_emg=n % 7 == 3)
        buffer.render(out)
    counts = buffer.counts
    gone = counts.played_samples + counts.dropped_samples + counts.skipped_samples
    assert counts.overflowed_samples == 0
    assert gone + buffer.waiting == sum(sizes)


def test_two_threads_share_it_without_a_lock() -> None:
    """The callback must hear every sample in its order while the chain feeds on."""
    buffer = make(reserve_ms=1, limit_ms=100_000)
    buffer._surplus = 10**9
    total = 200 * BLOCK
    ramp = np.arange(1, total + 1, dtype=np.float32)

    def write() -> None:
        for hop in ramp.reshape(-1, BLOCK):
            feed(buffer, hop)
        buffer.finish()

    writer = threading.Thread(target=write)
    writer.start()
    heard = []
    out = np.empty(37, dtype=np.float32)
    while writer.is_alive() or buffer.waiting:
        read = buffer.counts.played_samples
        buffer.render(out)
        heard.append(out[: buffer.counts.played_samples - read].copy())
    writer.join()
    values = np.concatenate(heard)
    assert len(values) + buffer.counts.dropped_samples == total
    assert buffer.counts.dropped_samples == 0
    faded = values != ramp
    assert (values[faded] < ramp[faded]).all()
    assert np.count_nonzero(faded) <= 80 * (1 + buffer.counts.underruns)


RESERVE_MS, MOST_MS = 10.0, 60.0


class Late:
    """A voice that comes every 10 ms, or later, and a card that takes what is due."""

    def __init__(self, reserve_ms: float = RESERVE_MS, most_ms: float = MOST_MS) -> None:
        self.clock = VirtualClock()
        self.buffer = PlayBuffer(16000, reserve_ms, 80, self.clock.now_s, most_ms)
        self._hops = 0
        self._due_s = 0.0033
        self._block = np.empty(80, dtype=np.float32)

    def speak(self, lateness_s: float = 0.0, hops: int = 1, *, lost: bool = False) -> None:
        """Feed hops, the first of them late: the others wait for it."""
        late_s = 0.01 * self._hops + lateness_s
        for _ in range(hops):
            self._until(max(late_s, 0.01 * self._hops))
            feed(self.buffer, np.zeros(BLOCK, np.float32) if lost else HOP, without_emg=lost)
            self._hops += 1

    def _until(self, time_s: float) -> None:
        while self._due_s <= time_s:
            self.clock.sleep_until(self._due_s)
            self.buffer.render(self._block)
            self._due_s += 0.005
        self.clock.sleep_until(time_s)


@given(
    course=st.lists(st.tuples(st.integers(0, 120), st.integers(1, 400)), min_size=3, max_size=40),
    reserve_ms=st.sampled_from([1.0, 10.0, 40.0, 60.0]),
    most_ms=st.sampled_from([0.0, 30.0, 60.0]),
)
def test_the_reserve_grows_with_underruns_alone_and_within_bounds(
    course: list[tuple[int, int]], reserve_ms: float, most_ms: float
) -> None:
    """Whatever comes late: no delay without a hole, none without an end, and all of it counted."""
    late = Late(reserve_ms, most_ms)
    late.speak(hops=100)
    counts, before_s, steps = late.buffer.counts, late.buffer.reserve_s, 0
    for lateness_ms, hops in course:
        underruns = counts.underruns
        late.speak(lateness_ms / 1000, hops)
        reserve_s = late.buffer.reserve_s
        assert reserve_s >= before_s
        steps += counts.underruns - underruns
        assert (reserve_s > before_s) <= (counts.underruns > underruns)
        before_s = reserve_s
    assert counts.reserve_steps <= steps
    assert (counts.reserve_steps > 0) == (before_s > reserve_ms / 1000)
    assert before_s <= max(reserve_ms, most_ms) / 1000


@given(lateness_ms=st.integers(0, 45), every=st.integers(20, 300))
def test_a_machine_that_is_late_again_and_again_is_heard_whole_in_the_end(
    lateness_ms: int, every: int
) -> None:
    """On a busy machine a short reserve would break the voice for good."""
    late = Late()
    late.speak(hops=100)
    for _ in range(8):
        late.speak(lateness_ms / 1000, every)
    holes = late.buffer.counts.underruns
    for _ in range(8):
        late.speak(lateness_ms / 1000, every)
    assert late.buffer.counts.underruns == holes
    assert 1000 * late.buffer.reserve_s <= max(RESERVE_MS, 1.5 * lateness_ms + 15)


def test_one_hole_now_and_then_costs_no_delay() -> None:
    """A hiccup every two minutes would add up to the longest delay within an hour."""
    late = Late()
    late.speak(hops=100)
    for _ in range(3):
        late.speak(0.1, hops=12_000)
    assert late.buffer.counts.underruns == 3
    assert late.buffer.counts.reserve_steps == 0


def test_a_radio_that_fails_costs_no_delay() -> None:
    """No reserve helps against EMG that never came."""
    late = Late()
    late.speak(hops=100)
    for _ in range(5):
        late.speak(0.3, hops=30, lost=True)
        late.speak(hops=300)
    assert late.buffer.counts.starved == 5
    assert (late.buffer.counts.underruns, late.buffer.counts.reserve_steps) == (0, 0)
