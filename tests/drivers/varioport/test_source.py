"""The device as a source: every sample right, every missing one counted, whatever happens."""

import math
import os
import threading
import tty
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from drivers.clock import PerfClock, VirtualClock
from drivers.errors import SourceError
from drivers.source import Chunk, Marker, Provenance, SourceState
from drivers.varioport.codec import make_encoder
from drivers.varioport.profile import FRAMED, MULTIPLEX, Counter, Profile
from drivers.varioport.source import VarioportSource
from drivers.varioport.transport.port import PortLost, SerialTransport

RATE_HZ = 600.0
START_S = 1000.0
UV = 0.033
SHORT = FRAMED.model_copy(update={"counter": Counter(bytes=1)})
UNCOUNTED = FRAMED.model_copy(update={"counter": None})


@dataclass
class Device:
    """Sends numbered samples, and knows when it acquired each of them.

    Channel 1 is the number of the sample, channel 2 that of the connection.
    """

    profile: Profile = FRAMED
    drift_ppm: float = 0.0
    burst_s: float = 0.016
    acquired: int = 0
    connection: int = 0
    markers: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.encoder = make_encoder(self.profile)

    @property
    def rate_hz(self) -> float:
        return RATE_HZ * (1 + self.drift_ppm * 1e-6)

    def samples(self, first: int, end: int) -> np.ndarray:
        n = np.arange(first, end)
        columns = [n % 30000, np.full(len(n), self.connection)]
        columns += [np.round(400 * np.sin(n / (5 + k)) + 40 * k) for k in range(4)]
        return (np.stack(columns, axis=1) * UV).astype(np.float32)

    def time_s(self, number: int) -> float:
        return START_S + (number + 1) / self.rate_hz

    def frames(self, until_s: float) -> list[bytes]:
        """Acquire until then."""
        end = math.floor((until_s - START_S) * self.rate_hz + 1e-9)
        markers = np.array([self.markers.get(n, 0) for n in range(self.acquired, end)], np.int64)
        frames = self.encoder.encode(self.samples(self.acquired, end), markers)
        self.acquired = max(end, self.acquired)
        return frames

    def send(self, from_s: float, until_s: float) -> list[tuple[float, bytes | None]]:
        """Blocks as an adapter hands them on, with their arrivals, both from the start."""
        blocks: list[tuple[float, bytes | None]] = []
        for k in range(1, math.floor((until_s - from_s) / self.burst_s + 1e-9) + 1):
            arrival_s = START_S + from_s + k * self.burst_s
            if data := b"".join(self.frames(arrival_s)):
                blocks.append((arrival_s, data))
        return blocks


class Scripted:
    """A transport that brings blocks at their times; None is a pulled cable.

    Then it cannot be opened until shortly before the next block.
    """

    name, dropped_bytes = "/dev/serial/by-id/usb-Test_1", 0

    def __init__(self, clock: VirtualClock, blocks: list[tuple[float, bytes | None]]) -> None:
        self.clock = clock
        self.blocks = deque(blocks)
        self.written: list[bytes] = []
        self.is_open = False

    @property
    def ended(self) -> bool:
        return not self.blocks

    def open(self) -> None:
        if self.blocks and self.clock.now_s() > START_S + 1:
            back_s, data = self.blocks[0]
            if data is None or self.clock.now_s() < back_s - 0.02:
                raise SourceError("no such port")
        self.is_open = True

    def read(self, timeout_s: float) -> tuple[bytes, float] | None:
        assert self.is_open
        if not self.blocks:
            return None
        arrival_s, data = self.blocks[0]
        deadline_s = self.clock.now_s() + timeout_s
        self.clock.sleep_until(min(arrival_s, deadline_s))
        if arrival_s > deadline_s:
            return None
        self.blocks.popleft()
        if data is None:
            raise PortLost("pulled")
        return data, arrival_s

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def close(self) -> None:
        self.is_open = False


@dataclass
class Run:
    source: VarioportSource
    chunks: list[Chunk]
    states: list[SourceState]
    transport: Scripted


def play(
    blocks: list[tuple[float, bytes | None]], profile: Profile = FRAMED, timeout_s: float = 0.1
) -> Run:
    """Read all of it."""
    clock = VirtualClock(START_S)
    transport = Scripted(clock, blocks)
    source = VarioportSource(transport, profile, clock=clock)
    chunks, states, lost = [], [], 0
    with source:
        states.append(source.health.state)
        while True:
            before_s = clock.now_s()
            chunk = source.read(timeout_s)
            assert clock.now_s() - before_s <= timeout_s + 1e-6
            if source.health.state is not states[-1]:
                states.append(source.health.state)
            if chunk is not None:
                chunks.append(chunk)
                lost += chunk.gap_before
            elif source.health.state is SourceState.DISCONNECTED:
                break
            assert source.health.lost_samples == lost
    assert [c.time_s for c in chunks] == sorted(c.time_s for c in chunks)
    assert all(c.time_s <= c.received_s + 1e-9 for c in chunks)
    assert source.health.samples == sum(len(c.samples) for c in chunks)
    assert not transport.is_open
    return Run(source, chunks, states, transport)


def numbers(chunk: Chunk) -> np.ndarray:
    """Which samples these are, by what they hold."""
    return np.round(chunk.samples[:, 0] / UV).astype(int)


def check_right(chunks: list[Chunk], device: Device, first: int = 0) -> None:
    """Every sample has the number and all the values that it was sent with."""
    for chunk in chunks:
        at = first + chunk.first_index
        expected = device.samples(at, at + len(chunk.samples))
        np.testing.assert_allclose(chunk.samples, expected, atol=UV / 2)


def test_every_sample_comes_with_its_time():
    """The plain case: ten seconds of a device in order."""
    device = Device(markers={100: 3, 101: 3, 102: 3, 200: 7})
    run = play(device.send(0.0, 10.0))
    check_right(run.chunks, device)
    assert sum(len(c.samples) for c in run.chunks) == device.acquired
    health = run.source.health
    assert (health.lost_samples, health.gaps, health.reconnects) == (0, 0, 0)
    assert health.extra["skipped_bytes"] == health.extra["dropped_bytes"] == 0
    assert [m for c in run.chunks for m in c.markers] == [Marker(100, "3"), Marker(200, "7")]
    for chunk in run.chunks:
        last = chunk.first_index + len(chunk.samples) - 1
        assert chunk.time_s == pytest.approx(device.time_s(last), abs=1e-3)
    S = SourceState
    assert run.states == [S.CONNECTING, S.STREAMING, S.DISCONNECTED]


def test_it_says_what_it_is():
    """Outputs name the device, and how far its protocol is proven."""
    source = VarioportSource(Scripted(VirtualClock(), []), FRAMED)
    assert source.info.name == "varioport /dev/serial/by-id/usb-Test_1"
    assert source.info.source_id == "varioport-usb-Test_1"
    assert source.info.provenance is Provenance.EMULATOR_ONLY
    assert source.info.rate_hz == RATE_HZ
    assert [c.label for c in source.info.channels] == [f"EMG{k}" for k in range(1, 7)]


@pytest.mark.parametrize("drift_ppm", [-100.0, 100.0])
def test_times_are_right_under_bursts_and_drift(drift_ppm):
    """What the clock model promises reaches the chunks."""
    device = Device(drift_ppm=drift_ppm)
    run = play(device.send(0.0, 60.0))
    errors = [
        c.time_s - device.time_s(c.first_index + len(c.samples) - 1)
        for c in run.chunks
        if c.received_s > START_S + 0.5
    ]
    assert np.abs(errors).max() < 1e-3
    assert run.source.health.drift_ppm == pytest.approx(drift_ppm, abs=5)
    assert run.source.health.jitter_ms == pytest.approx(15, abs=3)


@pytest.mark.parametrize("seed", range(3))
def test_one_percent_of_the_bytes_is_lost(seed):
    """Every delivered sample is right, every missing one counted."""
    device = Device()
    rng = np.random.default_rng(seed)
    blocks: list[tuple[float, bytes | None]] = []
    for arrival_s, data in device.send(0.0, 15.0):
        raw = np.frombuffer(data, np.uint8)
        kept = raw[rng.random(len(raw)) >= 0.01]
        blocks.append((arrival_s, kept.tobytes()))
    run = play(blocks)
    first = int(numbers(run.chunks[0])[0])
    check_right(run.chunks, device, first)
    health = run.source.health
    last = run.chunks[-1].first_index + len(run.chunks[-1].samples)
    assert health.samples + health.lost_samples == last
    assert health.lost_samples == sum(c.gap_before for c in run.chunks) > 500
    assert not any(c.gap_estimated for c in run.chunks)
    assert health.extra["resynchronisations"] > 250
    for chunk in run.chunks:
        number = first + chunk.first_index + len(chunk.samples) - 1
        assert chunk.time_s == pytest.approx(device.time_s(number), abs=5e-3)


def outages(device: Device, lengths_s: list[float], on_s: float = 1.5, cut: int = 7):
    """Blocks of a device whose cable is pulled and plugged in again."""
    blocks: list[tuple[float, bytes | None]] = []
    now_s, starts = 0.0, [0]
    for length_s in [*lengths_s, None]:
        part = device.send(now_s, now_s + on_s)
        now_s += on_s
        if length_s is None:
            return blocks + part, starts
        # The cable is pulled within a frame, and plugged in within another.
        part[-1] = (part[-1][0], part[-1][1][:-cut])
        blocks += [*part, (part[-1][0] + 0.002, None)]
        now_s += length_s
        device.connection += 1
        device.frames(START_S + now_s)  # nobody hears them
        starts.append(device.acquired)
    raise AssertionError


@pytest.mark.parametrize("profile", [FRAMED, SHORT])
def test_ten_pulled_cables(profile):
    """No sample of a wrong epoch, resumption within two seconds, the gap by time."""
    device = Device(profile)
    lengths_s = [0.1, 0.5, 1.0, 2.0, 0.3, 5.0, 0.02, 0.7, 30.0, 1.3]
    blocks, starts = outages(device, lengths_s)
    rest = {k: data for k, (_, data) in enumerate(blocks) if data is None}
    for k in rest:  # half a frame at the beginning
        blocks[k + 1] = (blocks[k + 1][0], blocks[k + 1][1][9:])
    run = play(blocks, profile)
    assert {c.epoch for c in run.chunks} == set(range(11))
    before = run.chunks[0]
    for epoch, start in enumerate(starts):
        part = [c for c in run.chunks if c.epoch == epoch]
        for chunk in part:
            connection = np.round(chunk.samples[:, 1] / UV).astype(int)
            assert (connection == epoch).all()
            assert (np.diff(numbers(chunk)) == 1).all()
        first = part[0]
        assert first.first_index == first.gap_before
        if epoch > 0:
            assert int(numbers(first)[0]) == (start + 1) % 30000
            missing = (start - int(numbers(before)[-1])) % 30000
            assert first.gap_before == pytest.approx(missing, abs=2)
            assert first.gap_estimated
            assert first.received_s - before.received_s < lengths_s[epoch - 1] + 0.05
        before = part[-1]
    health = run.source.health
    assert health.reconnects == 10
    assert health.gaps >= 9
    assert health.lost_samples == pytest.approx(600 * sum(lengths_s), rel=0.02)


def test_nothing_of_one_connection_is_decoded_with_the_next():
    """Half a frame before the cable came out and half a frame after make a whole one."""
    device = Device()
    blocks = device.send(0.0, 1.008)
    whole = device.acquired
    frame = device.frames(START_S + 1.012)[0]
    blocks += [(START_S + 1.1, frame[:11]), (START_S + 1.15, None), (START_S + 1.2, frame[11:])]
    run = play(blocks)
    assert sum(len(c.samples) for c in run.chunks) == whole


def test_a_stall_goes_on_in_the_same_epoch():
    """A pause is no reconnection: the counter knows what it cost."""
    device = Device()
    blocks = device.send(0.0, 2.0)
    before = device.acquired
    device.frames(START_S + 3.5)
    after = device.acquired
    run = play(blocks + device.send(3.5, 5.0))
    check_right(run.chunks, device)
    (gap,) = [c for c in run.chunks if c.gap_before]
    assert (gap.gap_before, gap.gap_estimated, gap.epoch) == (after - before, False, 0)
    S = SourceState
    assert run.states == [S.CONNECTING, S.STREAMING, S.STALLED, S.STREAMING, S.DISCONNECTED]
    for chunk in run.chunks:
        last = chunk.first_index + len(chunk.samples) - 1
        assert chunk.time_s == pytest.approx(device.time_s(last), abs=2e-3)


@pytest.mark.parametrize("outage_s", [0.45, 0.6, 1.7, 10.0, 100.03])
def test_an_outage_beyond_the_counters_wrap(outage_s):
    """A counter of one byte wraps in 0.43 s: time tells how often."""
    device = Device(SHORT)
    blocks = device.send(0.0, 2.0)
    device.frames(START_S + 2.0 + outage_s)
    run = play(blocks + device.send(2.0 + outage_s, 4.0 + outage_s), SHORT)
    check_right(run.chunks, device)
    assert run.source.health.samples + run.source.health.lost_samples == device.acquired


@pytest.mark.parametrize("profile", [FRAMED, SHORT])
@pytest.mark.parametrize("late_s", [0.2, 0.7, 3.0])
def test_what_is_late_is_not_lost(profile, late_s):
    """A host that was busy finds all bytes in its buffer: no gap, and no wrong time."""
    device = Device(profile)
    blocks = device.send(0.0, 5.0)
    held = device.send(5.0, 5.0 + late_s)
    blocks.append((START_S + 5.0 + late_s, b"".join(data for _, data in held if data)))
    run = play(blocks + device.send(5.0 + late_s, 8.0 + late_s), profile)
    check_right(run.chunks, device)
    assert run.source.health.lost_samples == 0
    for chunk in run.chunks:
        last = chunk.first_index + len(chunk.samples) - 1
        assert chunk.time_s == pytest.approx(device.time_s(last), abs=2e-3)


def test_a_device_that_paused_goes_on_with_the_right_times():
    """It did not count what it did not acquire: the times after the pause are new ones."""
    device = Device()
    blocks = device.send(0.0, 5.0)
    pause_s = 2.0
    blocks += [(t + pause_s, data) for t, data in device.send(5.0, 10.0)]
    run = play(blocks)
    assert sum(len(c.samples) for c in run.chunks) == device.acquired
    for chunk in run.chunks[-100:]:
        number = int(numbers(chunk)[-1])
        assert chunk.time_s == pytest.approx(device.time_s(number) + pause_s, abs=2e-3)


def test_after_a_short_pause_the_times_are_right_soon():
    """A pause that is no stall yet puts the times off for half a second, not for a minute."""
    device = Device()
    blocks = device.send(0.0, 5.0)
    pause_s = 0.3
    run = play(blocks + [(t + pause_s, data) for t, data in device.send(5.0, 10.0)])
    check_right(run.chunks, device)
    assert run.source.health.lost_samples == 0
    for chunk in run.chunks:
        if chunk.received_s > START_S + 6.0:
            number = int(numbers(chunk)[-1])
            assert chunk.time_s == pytest.approx(device.time_s(number) + pause_s, abs=2e-3)


@pytest.mark.parametrize("profile", [UNCOUNTED, MULTIPLEX])
def test_what_a_short_stall_cost_is_counted_without_a_counter(profile):
    """Whole frames that vanish leave no byte out of place: only time tells."""
    device = Device(profile)
    blocks = device.send(0.0, 5.0)
    before = device.acquired
    device.frames(START_S + 5.3)
    missing = device.acquired - before
    run = play(blocks + device.send(5.3, 10.0), profile)
    (gap,) = [c for c in run.chunks if c.gap_before]
    assert (gap.gap_before, gap.gap_estimated) == (pytest.approx(missing, abs=11), True)
    assert gap.received_s < START_S + 6.0
    for chunk in run.chunks[-100:]:
        number = int(numbers(chunk)[-1])
        assert chunk.time_s == pytest.approx(device.time_s(number), abs=2e-3)


@pytest.mark.parametrize("gap_s", [0.0017, 0.004, 0.0048])
def test_no_sample_waits_long_for_others(gap_s):
    """Frames are decoded a few at a time, which must not be heard."""
    profile = FRAMED.model_copy(update={"rate_hz": 1 / gap_s})
    frames = Device(profile).frames(START_S + 1.0)
    blocks = deque((START_S + k * gap_s, frame) for k, frame in enumerate(frames))
    clock = VirtualClock(START_S)
    waits_s = []
    with VarioportSource(Scripted(clock, list(blocks)), profile, clock=clock) as source:
        while blocks:
            chunk = source.read(1.0)
            assert chunk is not None
            waits_s.append(clock.now_s() - blocks[0][0])
            for _ in chunk.samples:
                blocks.popleft()
    assert max(waits_s) < 0.0051


def test_a_read_without_waiting_gives_what_is_there():
    """Who polls gets every sample as soon as it has come."""
    device = Device(burst_s=1 / RATE_HZ)
    clock = VirtualClock(START_S)
    with VarioportSource(Scripted(clock, device.send(0.0, 1.0)), FRAMED, clock=clock) as source:
        for k in range(500):
            clock.sleep_until(START_S + (k + 1) / RATE_HZ + 1e-6)
            chunk = source.read(0.0)
            assert chunk is not None
            assert (chunk.first_index, len(chunk.samples)) == (k, 1)


@pytest.mark.parametrize("profile", [FRAMED, SHORT])
@pytest.mark.parametrize("seed", range(4))
def test_all_of_it_at_once(profile, seed):
    """Damage, odd blocks, stalls, pulled cables and late bytes, read in any rhythm."""
    rng = np.random.default_rng(seed)
    device = Device(profile, drift_ppm=rng.uniform(-100, 100))
    blocks: list[tuple[float, bytes | None]] = []
    now_s = 0.0
    for fate in rng.permutation(["stall", "cable", "late", "cable"]):
        device.burst_s = rng.choice([0.001, 0.004, 0.016, 0.05])
        for arrival_s, data in device.send(now_s, now_s + 1.5):
            raw = np.frombuffer(data, np.uint8)
            raw = raw[rng.random(len(raw)) >= 0.01 * (seed % 2)]
            for part in np.split(raw, np.sort(rng.integers(0, len(raw) + 1, 2))):
                if len(part):
                    blocks.append((arrival_s, part.tobytes()))
        outage_s = rng.uniform(0.05, 3.0)
        now_s += 1.5 + outage_s
        if fate == "cable":
            blocks.append((blocks[-1][0] + 0.002, None))
            device.connection += 1
        frames = device.frames(START_S + now_s)
        if fate == "late":
            blocks.append((START_S + now_s, b"".join(frames)))
    blocks += device.send(now_s, now_s + 1.0)
    runs = [play(blocks, profile, timeout_s) for timeout_s in (0.003, 0.1, 10.0)]
    for run in runs:
        expected, epoch = 0, 0
        for chunk in run.chunks:
            at = int(numbers(chunk)[0])
            values = device.samples(at, at + len(chunk.samples))
            values[:, 1] = chunk.epoch * UV
            np.testing.assert_allclose(chunk.samples, values, atol=UV / 2)
            if chunk.epoch == epoch:  # counted, not estimated
                assert chunk.gap_before == (at - expected if expected else 0)
            else:
                assert chunk.first_index == chunk.gap_before
                assert chunk.gap_before == pytest.approx(at - expected, abs=35)
            expected, epoch = at + len(chunk.samples), chunk.epoch
        assert epoch == 2
    for run in runs[1:]:
        ours = np.concatenate([c.samples for c in run.chunks])
        np.testing.assert_array_equal(ours, np.concatenate([c.samples for c in runs[0].chunks]))


def test_dropped_bytes_are_a_hole_that_is_counted():
    """A session that was too slow reads what is lost, not what two halves make."""
    device = Device()
    clock = VirtualClock(START_S)
    blocks = device.send(0.0, 4.0)
    transport = Scripted(clock, blocks[:100] + blocks[130:])
    dropped = sum(len(data) for _, data in blocks[100:130] if data)
    source = VarioportSource(transport, FRAMED, clock=clock)
    chunks = []
    with source:
        while not transport.ended:
            if len(transport.blocks) == len(blocks) - 130:
                transport.dropped_bytes = dropped
            chunk = source.read(0.1)
            chunks += [chunk] if chunk is not None else []
        assert source.health.extra["dropped_bytes"] == dropped
    check_right(chunks, device)
    assert source.health.lost_samples == dropped // FRAMED.frame_bytes


def test_the_port_gone_before_the_first_sample():
    """Switched on too late: an epoch 0 that begins when there is something."""
    device = Device()
    device.frames(START_S + 3.0)
    first = device.acquired
    run = play([(START_S + 1.5, None), *device.send(3.0, 4.0)])
    assert (run.chunks[0].epoch, run.chunks[0].first_index, run.chunks[0].gap_before) == (0, 0, 0)
    check_right(run.chunks, device, first)
    S = SourceState
    assert run.states == [
        S.CONNECTING,
        S.STALLED,
        S.RECONNECTING,
        S.STREAMING,
        S.DISCONNECTED,
    ]
    assert run.source.health.lost_samples == 0


def test_what_is_missing_at_the_end_counts():
    """A session that ends with the cable out has lost all since then."""
    device = Device()
    clock = VirtualClock(START_S)
    blocks = [*device.send(0.0, 2.0), (START_S + 2.1, None), (START_S + 100.0, b"x")]
    with VarioportSource(Scripted(clock, blocks), FRAMED, clock=clock) as source:
        while clock.now_s() < START_S + 12.0:
            source.read(0.1)
        assert source.health.state is SourceState.RECONNECTING
        assert source.health.lost_samples == 0
    assert source.health.lost_samples == pytest.approx(6000, abs=70)
    assert source.health.gaps == 1
    source.close()
    assert source.health.lost_samples == pytest.approx(6000, abs=70)


def test_a_device_is_sent_what_its_profile_says_and_nothing_else():
    """Nobody sends unproven bytes to a medical device."""
    device = Device()
    blocks, _ = outages(device, [1.0])
    assert play(blocks).transport.written == []
    asked = FRAMED.model_copy(update={"start": b"\x01", "stop": b"\x02"})
    blocks, _ = outages(Device(asked), [1.0])
    assert play(blocks, asked).transport.written == [b"\x01", b"\x01", b"\x02"]


def test_noise_alone_is_a_stall():
    """The wrong baud rate gives bytes without end and no EMG."""
    rng = np.random.default_rng(0)
    blocks: list[tuple[float, bytes | None]] = [
        (START_S + k * 0.016, rng.bytes(190)) for k in range(1, 200)
    ]
    run = play(blocks)
    assert run.chunks == []
    assert SourceState.STALLED in run.states
    assert run.source.health.extra["skipped_bytes"] > 30000


def test_it_opens_again_as_new():
    """The second session of the day counts its own losses."""
    clock = VirtualClock(START_S)
    transport = Scripted(clock, Device().send(0.0, 1.0))
    transport.dropped_bytes = 7
    source = VarioportSource(transport, FRAMED, clock=clock)
    for _ in range(2):
        with source:
            while source.read(0.1) is not None or not transport.ended:
                pass
            assert source.health.samples == 595
            assert source.health.extra["dropped_bytes"] == 0
        clock = VirtualClock(START_S)
        transport.clock, source._clock = clock, clock
        transport.blocks = deque(Device().send(0.0, 1.0))
    transport.blocks = deque([(START_S + 99.0, None)])
    clock.advance(5.0)
    with pytest.raises(SourceError, match="no such port"):
        source.open()
    assert source.health.state is SourceState.DISCONNECTED


def test_multiplex_is_aligned_anew_after_a_stall():
    """Without a counter, nothing but time tells what a pause cost, nor where frames begin."""
    device = Device(MULTIPLEX)
    blocks = device.send(0.0, 5.0)
    device.frames(START_S + 7.0)
    after = device.send(7.0, 12.0)
    after[0] = (after[0][0], after[0][1][5:])
    run = play(blocks + after, MULTIPLEX)
    assert {c.epoch for c in run.chunks} == {0}
    first = int(numbers(run.chunks[0])[0])
    for chunk in run.chunks:
        at = int(numbers(chunk)[0])
        np.testing.assert_allclose(
            chunk.samples, device.samples(at, at + len(chunk.samples)), atol=UV / 2
        )
        assert first + chunk.first_index == pytest.approx(at, abs=11)
    missing = int(numbers(run.chunks[-1])[-1]) + 1 - first - run.source.health.samples
    assert run.source.health.lost_samples == pytest.approx(missing, abs=11)
    assert run.source.health.extra["alignment_losses"] >= 1
    for chunk in run.chunks[-50:]:
        assert chunk.time_s == pytest.approx(device.time_s(int(numbers(chunk)[-1])), abs=2e-3)


def test_multiplex_after_a_pulled_cable():
    """The new connection proves its own alignment."""
    device = Device(MULTIPLEX)
    blocks, _ = outages(device, [1.0, 3.0], on_s=3.0, cut=3)
    run = play(blocks, MULTIPLEX)
    assert {c.epoch for c in run.chunks} == {0, 1, 2}
    for chunk in run.chunks:
        assert (np.round(chunk.samples[:, 1] / UV) == chunk.epoch).all()
        assert (np.diff(numbers(chunk)) == 1).all()
    assert run.source.health.reconnects == 2


class LivePort:
    """A real pseudo terminal behind a link, fed in real time."""

    def __init__(self, link: Path, device: Device) -> None:
        self.link, self.device = link, device
        self.stopped = threading.Event()
        self.master = -1
        self.plug()

    def plug(self) -> None:
        self.master, slave = os.openpty()
        tty.setraw(slave)
        os.set_blocking(self.master, False)
        self.link.symlink_to(os.ttyname(slave))
        os.close(slave)
        self.stopped.clear()
        self.thread = threading.Thread(target=self.feed)
        self.thread.start()

    def feed(self) -> None:
        clock = PerfClock()
        begin_s = clock.now_s()
        sent = 0
        while not self.stopped.is_set():
            clock.sleep_until(clock.now_s() + 0.008)
            end = math.floor((clock.now_s() - begin_s) * RATE_HZ)
            frames = self.device.encoder.encode(self.device.samples(sent, end))
            sent = end
            try:
                os.write(self.master, b"".join(frames))
            except OSError:  # nobody reads
                continue

    def unplug(self) -> None:
        self.stopped.set()
        self.thread.join()
        self.link.unlink()
        os.close(self.master)
        self.device.connection += 1


@pytest.fixture
def live(tmp_path) -> Iterator[LivePort]:
    port = LivePort(tmp_path / "varioport", Device())
    yield port
    if not port.stopped.is_set():
        port.unplug()


def open_terminals() -> int:
    """Count the terminals that this process has open, where the system tells."""
    count = 0
    for file in Path("/proc/self/fd").glob("*"):
        with suppress(OSError):  # another thread's, and closed by now
            count += os.readlink(file).startswith("/dev/pt")
    return count


@pytest.mark.system
@pytest.mark.realtime
def test_ten_pulled_cables_in_real_time(live):
    """On a real terminal, with real threads: back each time, nothing left behind."""
    terminals = open_terminals()
    with VarioportSource(SerialTransport(str(live.link), 230400), FRAMED) as source:
        for cycle in range(11):
            got = 0
            while got < 60:
                chunk = source.read(0.1)
                if chunk is not None and chunk.epoch == cycle:
                    got += len(chunk.samples)
                    assert (np.round(chunk.samples[:, 1] / UV) == cycle).all()
            if cycle < 10:
                live.unplug()
                for _ in range(cycle):
                    source.read(0.02)
                live.plug()
        assert source.health.reconnects == 10
        assert [t.name for t in threading.enumerate()].count("serial reader") == 1
    assert "serial reader" not in [t.name for t in threading.enumerate()]
    assert open_terminals() == terminals


@pytest.mark.parametrize("late_s", [0.2, 0.7, 3.0])
def test_what_is_late_is_not_lost_without_a_counter_either(late_s):
    """Time alone must not take bytes that were held up for missing ones."""
    device = Device(MULTIPLEX)
    blocks = device.send(0.0, 5.008)
    held = device.send(5.008, 5.008 + late_s)
    blocks.append((START_S + 5.008 + late_s, b"".join(data for _, data in held if data)))
    run = play(blocks + device.send(blocks[-1][0] - START_S, 12.0), MULTIPLEX)
    first = int(numbers(run.chunks[0])[0])
    for chunk in run.chunks:  # within an arrival's worth
        assert first + chunk.first_index == pytest.approx(int(numbers(chunk)[0]), abs=11)
    for chunk in run.chunks[-50:]:
        assert chunk.time_s == pytest.approx(device.time_s(int(numbers(chunk)[-1])), abs=5e-3)
