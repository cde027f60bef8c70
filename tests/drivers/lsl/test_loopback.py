"""Real streams on this machine. Reception starts when both sides know each other."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import SimpleNamespace

import numpy as np
import pytest

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

pytestmark = pytest.mark.system

CHANNELS = tuple(Channel(f"EMG{k + 1}") for k in range(6))
ZEROS = np.zeros((6, 6), np.float32)
WAIT_S = 60.0


def recording(name: str, samples: int, first: int) -> Recording:
    numbers = np.arange(first, first + samples, dtype=np.float32)
    emg = numbers[:, None] + np.arange(6, dtype=np.float32) / 8
    return Recording(name, emg, 600.0, CHANNELS, markers=(Marker(samples // 2, "half"),))


def info(name: str) -> SourceInfo:
    return SourceInfo(name, f"{name}-1", CHANNELS, 600.0, Provenance.SIMULATED)


def read_samples(source: LslSource, samples: int) -> list[Chunk]:
    """Wait for so many."""
    chunks: list[Chunk] = []
    while sum(len(chunk.samples) for chunk in chunks) < samples:
        chunk = source.read(WAIT_S)
        assert chunk is not None
        chunks.append(chunk)
    return chunks


class Lockstep:
    """An outlet whose every chunk is read before the next one is sent, its markers first."""

    def __init__(
        self,
        outlet: LslOutlet,
        source: LslSource,
        await_markers: Callable[[LslSource, int], None],
    ) -> None:
        self._outlet, self._source = outlet, source
        self._await_markers = await_markers
        self._push_marker = outlet._markers.push
        self._markers = 0
        outlet._markers.push = self._push_marker_and_wait
        self.chunks: list[Chunk] = []

    def push(self, chunk: Chunk) -> None:
        self._markers = 0
        self._outlet.push(chunk)
        self.chunks += read_samples(self._source, len(chunk.samples))

    def close(self) -> None:
        self._markers = 0
        self._outlet.close()

    def _push_marker_and_wait(self, event: str, time_s: float) -> None:
        self._push_marker(event, time_s)
        self._markers += 1
        self._await_markers(self._source, self._markers)


def test_a_relayed_replay_arrives_whole(clock, await_markers):
    """The demo over LSL converts the same samples of the same utterances as a replay."""
    recordings = [recording(name, n, 1000 * n) for name, n in (("a", 601), ("b", 77), ("c", 300))]
    replay = ReplaySource(recordings, clock=clock)
    outlet = LslOutlet(info("whole"), clock=clock)
    with LslSource("whole", timeout_s=WAIT_S, clock=clock) as source:
        assert source.info == info("whole")
        assert outlet.wait_for_consumer(WAIT_S)
        relay = Lockstep(outlet, source, await_markers)
        began_s = clock.now_s()
        with replay:
            publish(replay, relay)
        relay.close()
        assert source.read(0.0) is None
        assert source.health.state is SourceState.DISCONNECTED
    chunks = relay.chunks
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
    np.testing.assert_allclose(times_s, began_s + samples / 600, rtol=0, atol=1e-6)
    assert [c.received_s >= c.time_s - 1e-6 for c in chunks] == [True] * len(chunks)


def test_an_utterance_has_a_head_start_on_its_samples(monkeypatch):
    """Markers and samples travel apart: an utterance would begin late, or not at all."""
    happened: list[str] = []
    outlet = LslOutlet(info("ahead"))
    monkeypatch.setattr(outlet._markers, "push", lambda *_: happened.append("marker"))
    monkeypatch.setattr(outlet._samples, "push", lambda *_: happened.append("samples"))
    pause = SimpleNamespace(sleep=lambda _: happened.append("pause"))
    monkeypatch.setattr("drivers.lsl.outlet.time", pause)
    outlet.push(Chunk(ZEROS, 0, 0, 1.0, 1.0, markers=(Marker(0, "utterance a"),)))
    outlet.push(Chunk(ZEROS, 0, 6, 1.01, 1.01))
    assert happened == ["marker", "pause", "samples", "samples"]


def test_lost_samples_are_estimated(clock):
    """A gap on the way from a device is silence of the right length."""
    outlet = LslOutlet(info("gaps"), clock=clock)
    with LslSource("gaps", timeout_s=WAIT_S, clock=clock) as source:
        assert outlet.wait_for_consumer(WAIT_S)
        start_s = clock.now_s() - 5.0
        for first in (0, 300, 600, 945):
            emg = np.zeros((300, 6), np.float32)
            outlet.push(Chunk(emg, 0, first, start_s + (first + 300) / 600, 0.0))
        chunks = read_samples(source, 1200)
    assert sum(c.gap_before for c in chunks) == 45
    gap = next(c for c in chunks if c.gap_before)
    assert (gap.first_index, gap.gap_estimated) == (945, True)
    assert (source.health.lost_samples, source.health.gaps) == (45, 1)


def test_a_sender_whose_clock_is_set(clock):
    """A device that finds a time server in mid-session does not lose an hour."""
    outlet = LslOutlet(info("set"), clock=clock)
    chunks: list[Chunk] = []
    with LslSource("set", timeout_s=WAIT_S, clock=clock) as source:
        assert outlet.wait_for_consumer(WAIT_S)
        begin_s = clock.now_s()
        for k in range(1, 61):
            clock.sleep_until(begin_s + k / 100)
            outlet.push(Chunk(ZEROS, 0, 0, begin_s + k / 100 + 3600 * (k > 40), 0.0))
            chunks += read_samples(source, 6)
    assert source.health.samples == 360
    assert source.health.lost_samples == sum(chunk.gap_before for chunk in chunks) == 0
    assert source.health.extra["clock_resets"] == 1
    assert chunks[-1].time_s == pytest.approx(begin_s + 0.6, abs=1e-6)


def test_what_a_silent_stream_keeps_back_is_lost_at_the_end(clock):
    """The last seconds of a session would be missing, and nothing would say so."""
    outlet = LslOutlet(info("fades"), clock=clock)
    with LslSource("fades", timeout_s=WAIT_S, clock=clock) as source:
        assert outlet.wait_for_consumer(WAIT_S)
        outlet.push(Chunk(ZEROS, 0, 0, clock.now_s(), 0.0))
        read_samples(source, 6)
        clock.advance(0.6)
        assert source.read(0.0) is None
    assert (source.health.lost_samples, source.health.gaps) == (360, 1)


def test_silence_and_return(clock):
    """A pause is said within half a second; a stream taken away is back by itself."""
    outlet = LslOutlet(info("return"), clock=clock)
    with LslSource("return", timeout_s=WAIT_S, clock=clock) as source:
        assert outlet.wait_for_consumer(WAIT_S)
        for _ in range(20):
            clock.advance(0.01)
            outlet.push(Chunk(ZEROS, 0, 0, clock.now_s(), 0.0))
            assert {chunk.epoch for chunk in read_samples(source, 6)} == {0}
        last_s = clock.now_s()
        clock.advance(0.39)
        assert source.read(0.0) is None
        assert source.health.state is SourceState.STREAMING
        clock.advance(0.1)
        assert source.read(0.0) is None
        assert source.health.state is SourceState.STALLED
        outlet._samples._outlet = outlet._markers._feed._outlet = None  # dies without a word
        while source.health.state is not SourceState.RECONNECTING:
            assert source.read(0.05) is None
        outlet = LslOutlet(info("return"), clock=clock)
        assert outlet.wait_for_consumer(WAIT_S)
        clock.sleep_until(last_s + 2.0)
        outlet.push(Chunk(ZEROS, 0, 0, clock.now_s(), 0.0))
        chunk, *more = read_samples(source, 6)
        assert source.health.state is SourceState.STREAMING
    assert chunk.epoch == 1
    assert chunk.gap_before == chunk.first_index == 1194
    assert (source.health.lost_samples, source.health.reconnects) == (1194, 1)
    assert [chunk, *more][-1].time_s == pytest.approx(last_s + 2.0, abs=1e-6)


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
    with (
        foreign(name, unit, name, values) as outlet,
        LslSource(source_id=name, timeout_s=WAIT_S) as source,
    ):
        assert source.info.provenance is Provenance.GUESSED
        assert outlet.wait_for_consumers(WAIT_S)
        stamp_s = pylsl.local_clock()
        outlet.push_chunk([[sent, 2 * sent]], stamp_s)
        (chunk,) = read_samples(source, 1)
    np.testing.assert_allclose(chunk.samples, [[2.0, 4.0]])
    assert chunk.samples.dtype == np.float32
    assert chunk.markers == ()
    assert chunk.time_s == pytest.approx(stamp_s + source.health.clock_offset_s, abs=1e-9)


def test_jitter_is_known(clock):
    """A laboratory sees in the summary whether its network is fit for real time."""
    wanted = LslSource(source_id="jitter", timeout_s=WAIT_S, clock=clock)
    with foreign("jitter", "uV", "jitter") as outlet, wanted as source:
        assert outlet.wait_for_consumers(WAIT_S)
        for k in range(40):
            clock.advance(1 / 600)
            # Every fourth is stamped 40 ms before it is sent, the others 20 ms.
            outlet.push_chunk([[k, k]], clock.now_s() - (0.02 if k % 4 else 0.04))
            read_samples(source, 1)
    assert source.health.jitter_ms == pytest.approx(20, abs=0.1)


def test_a_stream_of_counts_is_refused():
    """A wrong unit is an error, not a wrong voice."""
    source = LslSource(source_id="counts", timeout_s=WAIT_S)
    with foreign("counts", "counts", "counts"), pytest.raises(SourceError, match="got counts"):
        source.open()
    assert source.health.state is SourceState.DISCONNECTED


def test_a_wrong_name_shows_the_right_ones():
    """A typing error costs one look at the screen."""
    with foreign("the real one", "uV", "the-real-one"):
        line = ""
        while "'the real one' (EMG, 2 channels, 600 Hz)" not in line:  # until it answers in time
            with pytest.raises(SourceError) as caught:
                LslSource("the reel one", timeout_s=0.2).open()
            line = str(caught.value)
        while "the-real-one" not in [stream.source_id for stream in find_streams(0.5)]:
            pass


def test_two_of_one_name_are_told_apart():
    """The wrong person's muscles do not speak."""
    ids = ["twin-1", "twin-2", "twin-3"]
    with ExitStack() as stack:
        for one in ids:
            stack.enter_context(foreign("twin", "uV", one))
        line = ""
        while "got 3 of them" not in line:  # until all have answered in time
            try:
                with LslSource("twin", timeout_s=WAIT_S):
                    pass
            except SourceError as error:
                line = str(error)
        assert "choose by source_id: twin-1, twin-2, twin-3" in line
        with LslSource(source_id="twin-2", timeout_s=WAIT_S) as source:
            assert source.info.source_id == "twin-2"


def test_closing_twice_and_opening_again():
    """A session can be tried a second time without a new start."""
    source = LslSource(source_id="again", timeout_s=WAIT_S)
    with foreign("again", "uV", "again") as outlet:
        for epoch in range(2):
            source.open()
            assert outlet.wait_for_consumers(WAIT_S)
            outlet.push_chunk([[epoch, epoch]])
            (chunk,) = read_samples(source, 1)
            assert chunk.samples[0, 0] == epoch
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
