"""Real streams on this machine. Reception starts when both sides know each other."""

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import numpy as np
import pytest

from drivers.clock import PerfClock
from drivers.errors import SourceError
from drivers.lsl import LslOutlet, LslSource, find_streams, publish
from drivers.lsl.library import pylsl
from drivers.recordings.recording import Recording
from drivers.replay import ReplaySource
from drivers.source import (
    Channel,
    Chunk,
    Marker,
    Provenance,
    SourceInfo,
    SourceState,
)

pytestmark = pytest.mark.realtime

CHANNELS = tuple(Channel(f"EMG{k + 1}") for k in range(6))


def recording(name: str, samples: int, first: int) -> Recording:
    numbers = np.arange(first, first + samples, dtype=np.float32)
    emg = numbers[:, None] + np.arange(6, dtype=np.float32) / 8
    return Recording(name, emg, 600.0, CHANNELS, markers=(Marker(samples // 2, "half"),))


def info(name: str) -> SourceInfo:
    return SourceInfo(name, f"{name}-1", CHANNELS, 600.0, Provenance.SIMULATED)


@contextmanager
def published(source: ReplaySource, outlet: LslOutlet) -> Iterator[threading.Event]:
    """Relay in the background, from the moment somebody listens."""
    stop = threading.Event()

    def run() -> None:
        if outlet.wait_for_consumer(10.0):
            with source:
                publish(source, outlet, stop)
        outlet.close()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield stop
    finally:
        stop.set()
        thread.join()


def read_to_end(source: LslSource, limit_s: float) -> list[Chunk]:
    chunks = []
    deadline_s = time.perf_counter() + limit_s
    while source.health.state is not SourceState.DISCONNECTED:
        assert time.perf_counter() < deadline_s, "the stream did not end"
        chunk = source.read(0.1)
        if chunk is not None:
            chunks.append(chunk)
    return chunks


def test_a_relayed_replay_arrives_whole(monkeypatch):
    """The demo over LSL converts the same samples of the same utterances as a replay."""
    # so long that no busy machine brings a marker after its sample
    monkeypatch.setattr("drivers.lsl.outlet._HEAD_START_S", 0.1)
    recordings = [recording(name, n, 1000 * n) for name, n in (("a", 601), ("b", 77), ("c", 300))]
    replay = ReplaySource(recordings, clock=PerfClock())
    outlet = LslOutlet(info("whole"))
    with LslSource("whole") as source, published(replay, outlet):
        assert source.info == info("whole")
        chunks = read_to_end(source, 6.0)
    for epoch, sent in enumerate(recordings):
        own = [c for c in chunks if c.epoch == epoch]
        np.testing.assert_array_equal(np.concatenate([c.samples for c in own]), sent.emg_uv)
        assert own[0].first_index == 0
        markers = [marker for chunk in own for marker in chunk.markers]
        assert markers == [Marker(0, f"utterance {sent.name}"), *sent.markers]
    health = source.health
    assert (health.samples, health.lost_samples, health.reconnects) == (978, 0, 0)
    assert not any(health.extra.values())
    # Acquisition times are those of the replay, not those of the way.
    times_s = np.array([c.time_s for c in chunks])
    samples = np.cumsum([len(c.samples) for c in chunks])
    np.testing.assert_allclose(times_s - times_s[0], (samples - samples[0]) / 600, atol=2e-4)
    delays_s = [c.received_s - c.time_s for c in chunks]
    assert -1e-3 < np.median(delays_s) < 0.05


def test_lost_samples_are_estimated():
    """A gap on the way from a device is silence of the right length."""
    outlet = LslOutlet(info("gaps"))
    now_s = PerfClock().now_s
    with LslSource("gaps") as source:
        assert outlet.wait_for_consumer(5.0)
        start_s = now_s() - 2.0
        for first in (0, 300, 600, 945):
            emg = np.zeros((300, 6), np.float32)
            outlet.push(Chunk(emg, 0, first, start_s + (first + 300) / 600, 0.0))
        outlet.close()
        chunks = read_to_end(source, 5.0)
    assert sum(c.gap_before for c in chunks) == 45
    gap = next(c for c in chunks if c.gap_before)
    assert (gap.first_index, gap.gap_estimated) == (945, True)
    assert (source.health.lost_samples, source.health.gaps) == (45, 1)


def test_a_sender_whose_clock_is_set():
    """A device that finds a time server in mid-session does not lose an hour."""
    emg = np.zeros((6, 6), np.float32)
    clock = PerfClock()
    outlet = LslOutlet(info("set"))
    with LslSource("set", clock=clock) as source:
        assert outlet.wait_for_consumer(5.0)
        begin_s = clock.now_s()
        for k in range(1, 61):
            clock.sleep_until(begin_s + k / 100)
            outlet.push(Chunk(emg, 0, 0, begin_s + k / 100 + 3600 * (k > 40), 0.0))
        outlet.close()
        chunks = read_to_end(source, 5.0)
    assert source.health.samples == 360
    assert source.health.lost_samples == sum(chunk.gap_before for chunk in chunks) == 0
    assert source.health.extra["clock_resets"] == 1
    assert chunks[-1].time_s == pytest.approx(begin_s + 0.6, abs=0.1)


def test_what_a_silent_stream_keeps_back_is_lost_at_the_end():
    """The last seconds of a session would be missing, and nothing would say so."""
    outlet = LslOutlet(info("fades"))
    clock = PerfClock()
    with LslSource("fades", clock=clock) as source:
        assert outlet.wait_for_consumer(5.0)
        outlet.push(Chunk(np.zeros((6, 6), np.float32), 0, 0, clock.now_s(), 0.0))
        assert source.read(1.0) is not None
        silent_s = clock.now_s()
        while clock.now_s() < silent_s + 0.6:
            assert source.read(0.05) is None
    assert source.health.lost_samples == pytest.approx(360, abs=60)
    assert source.health.gaps == 1
    del outlet


def test_silence_and_return():
    """A pause is said within half a second; a stream taken away is back by itself."""
    emg = np.zeros((6, 6), np.float32)
    clock = PerfClock()
    outlet = LslOutlet(info("return"))
    with LslSource("return", clock=clock) as source:
        assert outlet.wait_for_consumer(5.0)
        last_s = clock.now_s()
        for _ in range(20):
            time.sleep(0.01)
            last_s += 6 / 600
            outlet.push(Chunk(emg, 0, 0, last_s, 0.0))
        while (chunk := source.read(0.05)) is not None:
            assert chunk.epoch == 0
        assert source.health.state is SourceState.STREAMING
        silent_s = clock.now_s()
        while source.health.state is SourceState.STREAMING:
            assert source.read(0.05) is None
        assert source.health.state is SourceState.STALLED
        assert clock.now_s() - silent_s < 0.6
        outlet._samples._outlet = outlet._markers._feed._outlet = None  # dies without a word
        assert source.read(0.2) is None
        assert source.health.state is SourceState.RECONNECTING
        outlet = LslOutlet(info("return"))
        assert outlet.wait_for_consumer(5.0)
        returned_s = clock.now_s()
        outlet.push(Chunk(emg, 0, 0, returned_s, 0.0))
        chunk = source.read(1.0)
        assert chunk is not None
        assert source.health.state is SourceState.STREAMING
    assert chunk.epoch == 1
    assert chunk.gap_before == chunk.first_index > 0
    assert chunk.time_s == pytest.approx(returned_s, abs=1e-3)
    assert chunk.gap_before == pytest.approx((returned_s - last_s) * 600 - 6, abs=2)
    assert source.health.reconnects == 1


@contextmanager
def foreign(
    name: str, unit: str = "uV", source_id: str = "", values: int = pylsl.cf_double64
) -> Iterator[pylsl.StreamOutlet]:
    """An outlet of somebody else's making."""
    stream = pylsl.StreamInfo(name, "EMG", 2, 600.0, values, source_id)
    channels = stream.desc().append_child("channels")
    for _ in range(2):
        channel = channels.append_child("channel")
        channel.append_child_value("unit", unit)
    outlet = pylsl.StreamOutlet(stream)
    yield outlet


@pytest.mark.parametrize(
    ("unit", "values", "sent"),
    [
        ("V", pylsl.cf_double64, 2e-6),
        ("uV", pylsl.cf_float32, 2),
        ("nV", pylsl.cf_int32, 2000),
        ("uV", pylsl.cf_int16, 2),
    ],
)
def test_whatever_is_sent_arrives_in_microvolts(unit, values, sent):
    """Features of a signal in volts would be those of silence."""
    name = f"{unit}{values}"
    with foreign(name, unit, name, values) as outlet, LslSource(source_id=name) as source:
        assert source.info.provenance is Provenance.GUESSED
        outlet.wait_for_consumers(5)
        stamp_s = pylsl.local_clock()
        outlet.push_chunk([[sent, 2 * sent]], stamp_s)
        chunk = source.read(1.0)
    np.testing.assert_allclose(chunk.samples, [[2.0, 4.0]])
    assert chunk.samples.dtype == np.float32
    assert chunk.markers == ()
    assert chunk.time_s == pytest.approx(stamp_s + source.health.clock_offset_s, abs=1e-9)


def test_jitter_is_known():
    """A laboratory sees in the summary whether its network is fit for real time."""
    with foreign("jitter", "uV", "jitter") as outlet, LslSource(source_id="jitter") as source:
        outlet.wait_for_consumers(5)
        for k in range(40):
            now_s = pylsl.local_clock()
            # Every fourth is stamped 20 ms before it is sent.
            outlet.push_chunk([[k, k]], now_s - (0.02 if k % 4 else 0.04))
            source.read(1.0)
    assert 15 < source.health.jitter_ms < 60


def test_a_stream_of_counts_is_refused():
    """A wrong unit is an error, not a wrong voice."""
    source = LslSource(source_id="counts")
    with foreign("counts", "counts", "counts"), pytest.raises(SourceError, match="got counts"):
        source.open()
    assert source.health.state is SourceState.DISCONNECTED


def test_a_wrong_name_shows_the_right_ones():
    """A typing error costs one look at the screen."""
    with foreign("the real one", "uV", "the-real-one"):
        with pytest.raises(SourceError, match="'the real one' .EMG, 2 channels, 600 Hz"):
            LslSource("the reel one", timeout_s=0.2).open()
        assert "the-real-one" in [s.source_id for s in find_streams(0.5)]


def test_two_of_one_name_are_told_apart():
    """The wrong person's muscles do not speak."""
    ids = ["twin-1", "twin-2", "twin-3"]
    with ExitStack() as stack:
        for one in ids:
            stack.enter_context(foreign("twin", "uV", one))
        line = ""
        while "got 3 of them" not in line:  # until all have answered in time
            try:
                LslSource("twin").open()
            except SourceError as error:
                line = str(error)
        assert "choose by source_id: twin-1, twin-2, twin-3" in line
        with LslSource(source_id="twin-2") as source:
            assert source.info.source_id == "twin-2"


def test_closing_twice_and_opening_again():
    """A session can be tried a second time without a new start."""
    source = LslSource(source_id="again")
    with foreign("again", "uV", "again") as outlet:
        for epoch in range(2):
            source.open()
            outlet.wait_for_consumers(5)
            outlet.push_chunk([[epoch, epoch]])
            assert source.read(1.0).samples[0, 0] == epoch
            source.close()
            source.close()
            assert source.read(0.0) is None


def test_an_outlet_needs_an_identity():
    """Without one, receivers could not find it again after a break."""
    nameless = SourceInfo("n", "", CHANNELS, 600.0, Provenance.SIMULATED)
    with pytest.raises(SourceError, match="source_id"):
        LslOutlet(nameless)


def test_info_before_opening():
    """A mistake of the program, said as one."""
    with pytest.raises(SourceError, match="not open yet"):
        _ = LslSource("x").info
