"""Replay through the source contract."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.clock import VirtualClock
from drivers.errors import SignalMismatchError, SourceError
from drivers.recordings.recording import Recording
from drivers.replay import ReplaySource, inject_gaps
from drivers.source import Channel, Chunk, Marker, SourceState


def read_all(source: ReplaySource, timeout_s: float = 1.0) -> list[Chunk]:
    """Read from the opening to the end."""
    chunks = []
    with source:
        while (chunk := source.read(timeout_s)) is not None:
            chunks.append(chunk)
        assert source.health.state is SourceState.DISCONNECTED
    return chunks


def ramp(samples: int, name: str, rate_hz: float = 600.0) -> Recording:
    emg = np.arange(samples, dtype=np.float32)[:, None]
    return Recording(name, emg, rate_hz, (Channel("EMG1"),))


def test_every_recording_is_an_epoch_that_begins_with_its_name(make_recording):
    """The session resets its filters at each utterance, and names its outputs by it."""
    lead_in = np.ones((5, 2), np.float32)
    events = (Marker(0, "x"), Marker(6, "y"), Marker(9, "z"))
    recordings = [
        make_recording(10, name="one", lead_in_uv=lead_in, markers=events),
        make_recording(7, name="two", first=100),
    ]
    chunks = read_all(ReplaySource(recordings, speed=None))
    assert [(c.epoch, c.first_index, len(c.samples)) for c in chunks] == [
        (0, 0, 6),
        (0, 6, 4),
        (1, 0, 6),
        (1, 6, 1),
    ]
    assert chunks[0].markers == (Marker(0, "utterance one"), Marker(0, "x"))
    assert chunks[1].markers == events[1:]
    assert chunks[2].markers == (Marker(0, "utterance two"),)
    assert chunks[0].lead_in is lead_in
    assert chunks[1].lead_in is chunks[2].lead_in is None
    for epoch, recording in enumerate(recordings):
        parts = [c.samples for c in chunks if c.epoch == epoch]
        np.testing.assert_array_equal(np.concatenate(parts), recording.emg_uv)


def test_unpaced_time_is_virtual():
    """At full speed an estimate is still stamped with the time of its samples."""
    source = ReplaySource([ramp(10, "a"), ramp(7, "b")], speed=None, clock=VirtualClock(50.0))
    chunks = read_all(source, timeout_s=0.0)
    assert [c.time_s for c in chunks] == pytest.approx(np.array([6, 10, 16, 17]) / 600)
    assert all(c.received_s == c.time_s for c in chunks)
    assert source.health.samples == 17
    assert source.health.lost_samples == 0


@given(
    lengths=st.lists(st.integers(0, 80), min_size=1, max_size=5),
    pauses=st.lists(st.floats(0, 0.2), min_size=1, max_size=20),
    chunk_s=st.sampled_from([0.001, 0.01, 0.0137, 0.5]),
    rate_hz=st.sampled_from([600.0, 599.7, 1000.0]),
    speed=st.sampled_from([None, 0.5, 1.0, 2.0, 3.3]),
)
def test_nothing_is_lost_whenever_it_is_read(lengths, pauses, chunk_s, rate_hz, speed):
    """However late the reader, all samples come once, in order, on absolute boundaries."""
    recordings = [ramp(n, str(k), rate_hz) for k, n in enumerate(lengths)]
    played = [r for r in recordings if len(r.emg_uv)]
    clock = VirtualClock(1e6)
    source = ReplaySource(recordings, speed=speed, clock=clock, chunk_s=chunk_s)
    if not played:
        with pytest.raises(SourceError, match="no samples"):
            source.open()
        return
    source.open()
    chunks: list[Chunk] = []
    for turn in range(10_000):
        clock.advance(pauses[turn % len(pauses)])
        chunk = source.read(1000.0)
        if chunk is None:
            break
        chunks.append(chunk)
    assert source.health.state is SourceState.DISCONNECTED
    assert source.health.samples == sum(lengths)
    opened_s = 1e6 if speed else 0.0
    total = 0
    for epoch, recording in enumerate(played):
        own = [c for c in chunks if c.epoch == epoch]
        samples = np.concatenate([c.samples for c in own])
        np.testing.assert_array_equal(samples, recording.emg_uv)
        boundaries = {round(k * chunk_s * rate_hz) for k in range(len(samples) + 1000)}
        for chunk in own:
            end = chunk.first_index + len(chunk.samples)
            assert end in boundaries or end == len(samples)
            due_s = opened_s + (total + end) / rate_hz / (speed or 1)
            assert chunk.time_s == pytest.approx(due_s, abs=1e-6)
            assert chunk.received_s > due_s - 1e-5
        total += len(samples)


def test_a_late_reader_gets_all_that_is_due():
    """After a pause the replay catches up instead of lagging for good."""
    clock = VirtualClock()
    source = ReplaySource([ramp(60, "a"), ramp(60, "b")], clock=clock)
    source.open()
    clock.sleep_until(0.0555)
    assert len(source.read(0.0).samples) == 30
    clock.sleep_until(0.15)
    late = source.read(0.0)
    assert (late.epoch, late.first_index, len(late.samples)) == (0, 30, 30)
    assert late.time_s == pytest.approx(0.1)
    assert late.received_s == 0.15
    caught_up = source.read(0.0)
    assert (caught_up.epoch, len(caught_up.samples)) == (1, 30)


def test_read_waits_no_longer_than_told():
    """A session stays responsive to Ctrl-C."""
    clock = VirtualClock()
    source = ReplaySource([ramp(60, "a")], clock=clock)
    source.open()
    assert source.read(0.004) is None
    assert clock.now_s() == pytest.approx(0.004)
    assert source.health.state is SourceState.STREAMING
    assert len(source.read(0.5).samples) == 6
    assert clock.now_s() == pytest.approx(0.01)


@pytest.mark.parametrize("speed", [1.0, 2.0])
def test_no_drift_over_an_hour(speed):
    """After an hour of utterances the sound is as late as in the first second."""
    utterances = [ramp(2345, str(k)) for k in range(920)]  # 3.9 s each, 59.9 min together
    clock = VirtualClock(7.0)
    source = ReplaySource(utterances, speed=speed, clock=clock, chunk_s=0.1)
    source.open()
    samples = 0
    while (chunk := source.read(1.0)) is not None:
        samples += len(chunk.samples)
        expected_s = 7.0 + samples / 600 / speed
        assert abs(chunk.time_s - expected_s) < 1e-6
        assert abs(chunk.received_s - expected_s) < 1e-5
        clock.advance(0.0007)  # the reader's own work
    assert samples == 2345 * 920


class LateClock(VirtualClock):
    """Wakes its sleepers late, as an operating system does."""

    def sleep_until(self, time_s: float) -> None:
        super().sleep_until(time_s + 0.0011)


def test_a_late_clock_does_not_add_up(make_recording):
    """After ten minutes of short chunks, loops and gaps the replay is still on its schedule."""
    utterances = inject_gaps([make_recording(2345), make_recording(1801)], [(1.0, 0.5), (3.9, 0.2)])
    clock = LateClock(7.0)
    source = ReplaySource(utterances, clock=clock, loop=True)
    source.open()
    opened_s = clock.now_s()
    late_s = []
    while clock.now_s() < opened_s + 600:
        if (chunk := source.read(0.1)) is not None:
            index = chunk.epoch // 2 * 4146 + chunk.epoch % 2 * 2345 + chunk.first_index
            due_s = opened_s + (index + len(chunk.samples)) / 600
            assert abs(chunk.time_s - due_s) < 1e-6
            late_s.append(chunk.received_s - due_s)
    assert len(late_s) > 50_000
    assert max(late_s) < 0.002
    assert source.health.lost_samples == 87 * 420


def test_looping_goes_on_in_new_epochs():
    """A demonstration can run all day."""
    source = ReplaySource([ramp(6, "a"), ramp(6, "b")], speed=None, loop=True)
    source.open()
    chunks = [source.read(0.0) for _ in range(5)]
    assert [c.epoch for c in chunks] == [0, 1, 2, 3, 4]
    assert [c.markers[0].label[-1] for c in chunks] == list("ababa")
    assert chunks[-1].time_s == pytest.approx(0.05)
    with pytest.raises(ValueError, match="more than once"):
        ReplaySource(iter([ramp(6, "a")]), loop=True)


def test_opening_again_starts_again():
    """The same source can be run twice, in a benchmark for one."""
    source = ReplaySource([ramp(10, "a")], speed=None)
    first = read_all(source)
    second = read_all(source)
    assert [c.first_index for c in first] == [c.first_index for c in second]
    assert second[0].epoch == 0
    assert source.health.samples == 10
    source.close()
    source.close()
    assert source.read(0.0) is None


def test_recordings_are_taken_when_their_turn_comes():
    """Forty minutes of a corpus need not be in memory at once."""
    taken = []

    def series():
        for name in "abc":
            taken.append(name)
            yield ramp(6, name)

    source = ReplaySource(series(), speed=None)
    source.open()
    source.read(0.0)
    assert taken == ["a"]
    source.read(0.0)
    assert taken == ["a", "b"]


def test_recordings_must_agree(make_recording):
    """Channels in another order would be converted into nonsense."""
    recordings = [make_recording(6, name="a"), make_recording(6, name="b", channels=3)]
    source = ReplaySource(recordings, speed=None)
    source.open()
    source.read(0.0)
    with pytest.raises(SignalMismatchError, match=r"signal of b: got 3 channels .* 2 channels"):
        source.read(0.0)
    source = ReplaySource([ramp(6, "a"), ramp(6, "b", 500.0)], speed=None)
    source.open()
    source.read(0.0)
    with pytest.raises(SignalMismatchError, match=r"500 Hz.*600 Hz.* as in a"):
        source.read(0.0)


def test_a_sample_with_some_values_passes(make_recording):
    """What is wrong in a recording is seen by the session, which counts it."""
    recording = make_recording(6)
    recording.emg_uv[3, 0] = np.nan
    recording.emg_uv[4] = np.inf
    (chunk,) = read_all(ReplaySource([recording], speed=None))
    np.testing.assert_array_equal(chunk.samples, recording.emg_uv)


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({"speed": 0.0}, "speed of the replay: got 0.0; allowed: above 0"),
        ({"speed": float("nan")}, "speed"),
        ({"chunk_s": 0.0}, "chunk length"),
        ({"start_s": -1.0}, "start of the replay"),
    ],
)
def test_settings_are_checked(settings, line):
    """A wrong flag is said in one line."""
    with pytest.raises(SourceError, match=line):
        ReplaySource([ramp(6, "a")], **settings)


def test_start_beyond_the_end():
    """An empty run says why it is empty."""
    with pytest.raises(SourceError, match="an earlier start than 5 s"):
        ReplaySource([ramp(600, "a")], start_s=5.0).open()


def test_empty_recordings_are_counted():
    """Nothing is left out silently."""
    source = ReplaySource([ramp(0, "a"), ramp(6, "b")], speed=None)
    chunks = read_all(source)
    assert [c.epoch for c in chunks] == [0]
    assert source.health.extra == {"empty_recordings": 1}


def test_info_is_that_of_the_recordings(make_recording):
    """The session checks channels and rate against the bundle before it starts."""
    source = ReplaySource([make_recording(6)], name="talk", speed=None)
    with pytest.raises(SourceError, match="not open"):
        _ = source.info
    with source:
        info = source.info
    assert (info.name, info.rate_hz) == ("talk", 600.0)
    assert [c.label for c in info.channels] == ["EMG1", "EMG2"]


def test_its_own_pace(monkeypatch):
    """Speech comes at the pace at which it was spoken, each chunk when it is due."""
    clock = VirtualClock(7.0)
    monkeypatch.setattr("drivers.replay.source.PerfClock", lambda: clock)
    chunks = read_all(ReplaySource([ramp(150, "a"), ramp(150, "b")]))
    assert clock.now_s() == pytest.approx(7.5)
    assert [c.received_s for c in chunks] == pytest.approx([c.time_s for c in chunks])
    assert [c.time_s for c in chunks] == pytest.approx(7.0 + np.arange(1, 51) / 100)
