"""A device on a pseudo terminal: what is tried on it must be true of a real one."""

import os
import select
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
import serial

from drivers.clock import VirtualClock
from drivers.errors import SignalMismatchError, SourceError
from drivers.recordings.recording import Recording
from drivers.replay import ReplaySource
from drivers.source import Channel, Chunk, Marker, SourceState
from drivers.varioport.codec import Frames, make_decoder
from drivers.varioport.emulator import Emulator
from drivers.varioport.emulator.device import MarkerPulses
from drivers.varioport.emulator.faults import Faults, Pause
from drivers.varioport.emulator.pty import PseudoPort
from drivers.varioport.profile import FRAMED, MULTIPLEX, Profile
from drivers.varioport.source import VarioportSource
from drivers.varioport.transport.port import SerialTransport

pytestmark = pytest.mark.system

COUNT_UV = 0.033
PROFILES = pytest.mark.parametrize("profile", [FRAMED, MULTIPLEX], ids=lambda p: p.name)


def emg(samples: int) -> np.ndarray:
    """EMG-like noise in whole counts; no two samples are the same."""
    rng = np.random.default_rng(7)
    noise = rng.normal(0, 300, (samples + 2, 6))
    return (np.rint(noise[:-2] + noise[1:-1] + noise[2:]) * COUNT_UV).astype(np.float32)


def replay(samples: int, lost: slice | None = None, **more: object) -> ReplaySource:
    signal = emg(samples)
    if lost is not None:
        signal[lost] = np.nan
    channels = tuple(Channel(f"EMG{k + 1}") for k in range(6))
    markers = (Marker(samples // 2, "half"), Marker(3 * samples // 4, "42"))
    recording = Recording("talk", signal, 600.0, channels, markers=markers)
    return ReplaySource([recording], speed=None, **more)  # type: ignore[arg-type]


@pytest.fixture
def link(tmp_path: Path) -> Path:
    return tmp_path / "varioport"


@contextmanager
def port_open(link: Path) -> Iterator[Callable[[int], bytes]]:
    """Have the port open as it is, without setting anything; hand out what comes next."""
    port = os.open(link, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)

    def receive(count: int) -> bytes:
        data = b""
        while len(data) < count:
            select.select([port], [], [])  # the kernel hands over by and by
            data += os.read(port, count - len(data))
        return data

    try:
        yield receive
    finally:
        os.close(port)


@contextmanager
def count_bytes(emulator: Emulator) -> Iterator[list[int]]:
    """Collect how many bytes the port takes each time."""
    taken: list[int] = []
    write = emulator._port.write

    def count(data: bytes) -> int:
        taken.append(write(data))
        return taken[-1]

    with mock.patch.object(emulator._port, "write", count):
        yield taken


def run_unpaced(
    link: Path, faults: Faults | None = None, *, profile: Profile = FRAMED, samples: int = 800
) -> tuple[Emulator, bytes]:
    """Run on a clock that stands still, for as much as a terminal holds."""
    with Emulator(replay(samples), profile, faults, link=link, clock=VirtualClock()) as emulator:
        with port_open(link) as receive, count_bytes(emulator) as taken:
            emulator.run()
            return emulator, receive(sum(taken))


def decode(data: bytes, profile: Profile = FRAMED) -> list[Frames]:
    return make_decoder(profile).push(data)


def samples_of(frames: list[Frames]) -> np.ndarray:
    return np.concatenate([f.samples for f in frames])


@PROFILES
def test_what_goes_in_comes_out(link: Path, profile: Profile):
    """What a session reads from the port is the recording, count for count."""
    emulator, data = run_unpaced(link, profile=profile, samples=800)
    assert len(data) == 800 * profile.frame_bytes
    frames = decode(data, profile)
    # A decoder without a sync may need some frames at either end.
    received = samples_of(frames)
    skipped = int(np.argmin(np.abs(emg(20) - received[0]).sum(1)))
    assert len(received) >= (800 if profile is FRAMED else 780)
    np.testing.assert_allclose(received, emg(800)[skipped : skipped + len(received)], atol=1e-3)
    assert emulator.injected.whole_frames == emulator.injected.frames == 800
    labels = [m.label for f in frames for m in f.markers]
    assert labels == ["1", "2", "42"]  # the utterance, and the markers within it


def test_nothing_is_changed_on_the_way(link: Path):
    """No byte has a meaning to the terminal: no echo, line ending or control character."""
    port = PseudoPort(link)
    port.plug()
    every = bytes(range(256))
    with port_open(link) as receive:
        assert port.write(every) == 256
        assert receive(256) == every
        assert port.read() == b""
    with serial.Serial(str(link), 115200, timeout=60, exclusive=True) as reader:
        port.write(every)
        assert reader.read(256) == every
        reader.write(every)
        heard = b""
        while len(heard) < 256:  # for as long as a test may take
            heard += port.read()
        assert heard == every
    port.unplug()


def test_a_port_that_nobody_reads_loses_and_counts(link: Path):
    """A device does not wait: a reader that is too slow misses data, and the tests know it."""
    emulator, data = run_unpaced(link, samples=3000)
    injected = emulator.injected
    assert injected.overflow_bytes + len(data) == 3000 * FRAMED.frame_bytes
    assert injected.overflow_bytes > 0
    assert injected.frames == 3000
    assert injected.whole_frames == len(data) // FRAMED.frame_bytes


def test_whoever_opens_the_port_gets_no_stale_bytes(link: Path):
    """Bytes sent while nobody listened are gone, those that a reader left too."""
    port = PseudoPort(link)
    port.plug()
    assert port.write(b"nobody") == 0
    with port_open(link) as receive:
        assert port.write(b"read, left behind") == 17
        assert receive(4) == b"read"  # so all of it is there
    assert port.write(b"nobody") == 0
    with port_open(link) as receive:
        port.write(b"now")
        assert receive(3) == b"now"
    port.unplug()
    assert port.write(b"gone") == 0


def test_counts_go_on_while_nobody_listens(link: Path):
    """A device that was on before the session began is somewhere in its count."""
    clock = VirtualClock()
    with Emulator(replay(100), FRAMED, link=link, clock=clock) as emulator:
        emulator.run()
        assert emulator.injected.unread_bytes == 100 * FRAMED.frame_bytes
        assert emulator.injected.lost_frames == emulator.injected.whole_frames == 0


def test_stalls_lose_what_was_measured(link: Path):
    """The device counts on in a stall: a driver that misses it shifts all that follows."""
    emulator, data = run_unpaced(link, Faults(stall=Pause(0.5, 0.1)), samples=540)
    first, second = decode(data)
    assert (first.lost_before, second.lost_before) == (0, 60)
    np.testing.assert_allclose(second.samples, emg(540)[359:], atol=1e-3)
    assert emulator.injected.stalled_frames == emulator.injected.lost_frames == 60


def test_counter_wraps(link: Path):
    """The wrap of a counter is no loss, and comes early enough to be seen in a test."""
    _, data = run_unpaced(link, Faults(first_count=-20), samples=100)
    assert data[2:4] == (2**16 - 20).to_bytes(2, "big")
    assert data[20 * FRAMED.frame_bytes :][2:4] == bytes(2)
    assert [f.lost_before for f in decode(data)] == [0]


def test_half_a_frame_at_the_start(link: Path):
    """A device that is on sends on: a session rarely begins with a whole frame."""
    emulator, data = run_unpaced(link, Faults(half_frame=True), samples=100)
    assert len(data) == 100 * FRAMED.frame_bytes - FRAMED.frame_bytes // 2
    np.testing.assert_allclose(samples_of(decode(data)), emg(100)[1:], atol=1e-3)
    assert emulator.injected.half_frames == 1


def test_gaps_of_the_recording_are_gaps_of_the_device(link: Path):
    """What a recording lacks is missing on the way, too, and not made up."""
    source = replay(900, lost=slice(300, 340))
    with Emulator(source, FRAMED, link=link, clock=VirtualClock()) as emulator:
        with port_open(link) as receive:
            emulator.run()
            first, second = decode(receive(860 * FRAMED.frame_bytes))
    assert (len(first.samples), second.lost_before) == (300, 40)
    assert emulator.injected.gap_frames == emulator.injected.lost_frames == 40


class Sent:
    """When which bytes went out, on a clock that stands still."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.clock = VirtualClock()
        self.sent: dict[float, int] = {}  # frames, by time
        monkeypatch.setattr(PseudoPort, "is_open", True)
        monkeypatch.setattr(PseudoPort, "write", lambda _, data: self._write(data))

    def _write(self, data: bytes) -> int:
        at_s = self.clock.now_s()
        self.sent[at_s] = self.sent.get(at_s, 0) + len(data) // FRAMED.frame_bytes
        return len(data)

    def run(self, link: Path, faults: Faults, samples: int) -> tuple[np.ndarray, np.ndarray]:
        with Emulator(replay(samples), FRAMED, faults, link=link, clock=self.clock) as emulator:
            emulator.run()
        return np.array(list(self.sent)), np.array(list(self.sent.values()))


def test_each_frame_goes_out_at_its_time(link: Path, monkeypatch: pytest.MonkeyPatch):
    """The pace is the device's, absolute: an hour later it is not a millisecond off."""
    times, sizes = Sent(monkeypatch).run(link, Faults(), 3000)
    assert (sizes == 1).all()
    np.testing.assert_allclose(times, np.arange(1, 3001) / 600, atol=1e-6)


@pytest.mark.parametrize("ppm", [-100, 100])
def test_drift(link: Path, monkeypatch: pytest.MonkeyPatch, ppm: float):
    """A driver that measures drift is measured with a known one."""
    times, _ = Sent(monkeypatch).run(link, Faults(drift_ppm=ppm), 3000)
    assert (3000 / 600 / times[-1] - 1) * 1e6 == pytest.approx(ppm, abs=0.1)


def test_bursts(link: Path, monkeypatch: pytest.MonkeyPatch):
    """An adapter hands over every 16 ms what came in the meantime."""
    times, sizes = Sent(monkeypatch).run(link, Faults(burst_ms=16), 3000)
    phase = np.abs(times / 0.016 - np.rint(times / 0.016))
    assert phase.max() < 1e-3
    assert set(sizes[:-1].tolist()) == {9, 10}
    assert sizes.sum() == 3000


def test_late_samples_come_all_at_once(link: Path, monkeypatch: pytest.MonkeyPatch):
    """A device with a buffer loses nothing in a stall, and floods the driver after it."""
    times, sizes = Sent(monkeypatch).run(link, Faults(late=Pause(1.0, 0.2)), 1200)
    late = int(np.argmax(sizes))
    assert sizes[late] == 121  # those held back, and the one that is due
    assert times[late] == pytest.approx(1.2, abs=1e-6)
    assert np.diff(times).max() == pytest.approx(0.2 + 1 / 600, abs=1e-6)
    assert sizes.sum() == 1200


def test_unplugged_the_port_is_gone(link: Path):
    """A pulled cable takes the name away and kills the open port; a new one comes back."""
    port = PseudoPort(link)
    port.plug()
    first = link.resolve()
    reader = serial.Serial(str(link), 115200, timeout=60)
    port.unplug()
    assert not link.is_symlink()
    with pytest.raises((serial.SerialException, OSError)):
        reader.read(1)
    port.plug()
    assert link.is_symlink()
    with port_open(link) as receive:
        port.write(b"back")
        assert receive(4) == b"back"
    reader.close()
    port.unplug()
    port.unplug()
    assert first.parent.is_dir()


def test_a_name_that_is_taken(link: Path):
    """Nothing of the user's is overwritten, and no other emulator is cut off."""
    link.write_text("a diary")
    with pytest.raises(SourceError, match="exists"):
        PseudoPort(link).plug()
    assert link.read_text() == "a diary"
    with pytest.raises(SourceError, match="directory does not exist"):
        PseudoPort(link.parent / "nowhere" / "port").plug()


def test_what_a_crash_left_is_replaced(link: Path):
    """After a kill -9 the emulator starts again without anyone tidying up."""
    link.symlink_to("/dev/pts/nobody")
    port = PseudoPort(link)
    port.plug()
    assert link.exists()
    port.unplug()
    assert not link.is_symlink()


def test_without_pseudo_terminals(link: Path, monkeypatch: pytest.MonkeyPatch):
    """On Windows everything else works, and the emulator says why it does not."""
    monkeypatch.delattr(os, "openpty")
    with pytest.raises(SourceError, match="no pseudo terminals on this system"):
        PseudoPort(link).plug()


def test_other_signals_are_refused(link: Path):
    """Channels are not put into places where nobody expects them."""
    profile = FRAMED.model_copy(update={"channels": FRAMED.channels[:4]})
    with pytest.raises(SignalMismatchError, match="6 channels at 600 Hz; allowed: 4 at 600 Hz"):
        Emulator(replay(10), profile, link=link).open()
    assert not link.is_symlink()


def test_silent_until_told(link: Path, monkeypatch: pytest.MonkeyPatch):
    """A device with a start command is silent before it and after its stop command."""
    profile = FRAMED.model_copy(update={"start": b"GO", "stop": b"HALT"})
    commands = [b"", b"G", b"O", b"", b"HA", b"LT", b"", b"GO"]
    told = iter(commands)
    monkeypatch.setattr(PseudoPort, "read", lambda _: next(told))
    with Emulator(replay(8), profile, link=link, clock=VirtualClock()) as emulator:
        with port_open(link) as receive:
            emulator.run()
            samples = samples_of(decode(receive(4 * profile.frame_bytes)))
    np.testing.assert_allclose(samples, emg(8)[[2, 3, 4, 7]], atol=1e-3)


def test_marker_pulses():
    """Each marker is an event of its own, across chunks, and none hides another unsaid."""
    pulses = MarkerPulses(600.0)

    def draw(first: int, size: int, *markers: Marker) -> tuple[list[int], int]:
        samples = np.zeros((size, 1), np.float32)
        values, unsent = pulses.draw(Chunk(samples, 0, first, 0.0, 0.0, markers=markers))
        return values.tolist(), unsent

    assert draw(0, 8, Marker(0, "utterance a")) == ([1] * 6 + [0] * 2, 0)
    assert draw(8, 4, Marker(10, "b")) == ([0, 0, 2, 2], 0)
    assert draw(12, 3) == ([2, 2, 2], 0)
    assert draw(15, 3, Marker(17, "99")) == ([2, 0, 99], 0)
    assert draw(18, 3, Marker(19, "c"), Marker(19, "d")) == ([99, 4, 4], 1)
    pulses.stop()
    assert draw(30, 4, Marker(25, "in the gap before")) == ([5, 5, 5, 5], 0)
    assert draw(34, 4) == ([5, 5, 0, 0], 0)


class Session(VirtualClock):
    """Reads an emulated device; time goes on when all that the device did has been noticed.

    On a clock of theirs, which the emulator moves, while bytes go through a real terminal.
    """

    def __init__(self, link: Path, profile: Profile) -> None:
        super().__init__(100.0)
        self._link = link
        self._transport = SerialTransport(str(link), profile.baud_rate, clock=self)
        self.source = VarioportSource(self._transport, profile, clock=self)
        self.chunks: list[Chunk] = []
        self._taken: list[int] = []  # by the port
        self._received = 0
        self._reading = False

    def run(self, emulator: Emulator) -> None:
        """Have the device send all it has."""
        read = self._transport.read

        def count(timeout_s: float) -> tuple[bytes, float] | None:
            block = read(timeout_s)
            self._received += len(block[0]) if block is not None else 0
            return block

        with mock.patch.object(self._transport, "read", count), emulator, self.source:
            with count_bytes(emulator) as self._taken:
                emulator.run()
                self._catch_up()

    def sleep_until(self, time_s: float) -> None:
        if not self._reading and time_s > self.now_s():
            self._catch_up()
        super().sleep_until(time_s)

    def _catch_up(self) -> None:
        self._reading = True
        self._read()  # opens the port, where it is due
        while self._received < sum(self._taken) or self._is_to_notice_the_loss():
            time.sleep(1e-4)  # the reader thread's turn
            self._read()
        while self._read():
            pass
        self._reading = False

    def _read(self) -> bool:
        chunk = self.source.read(0.0)
        if chunk is not None:
            self.chunks.append(chunk)
        return chunk is not None

    def _is_to_notice_the_loss(self) -> bool:
        plugged = self._link.is_symlink()
        return not plugged and self.source.health.state is not SourceState.RECONNECTING


def check_against_recording(chunks: list[Chunk], signal: np.ndarray) -> int:
    """Each delivered sample is one of the recording, at its place; return how many."""
    counts = np.rint(signal / COUNT_UV).astype(int)
    where = {tuple(row): n for n, row in enumerate(counts)}
    offsets: dict[int, set[int]] = {}
    for chunk in chunks:
        rows = np.rint(chunk.samples / COUNT_UV).astype(int)
        for k, row in enumerate(rows):
            place = where[tuple(row)]
            offsets.setdefault(chunk.epoch, set()).add(place - chunk.first_index - k)
    assert all(len(places) == 1 for places in offsets.values()), offsets
    return sum(len(chunk.samples) for chunk in chunks)


@PROFILES
def test_a_session_on_it_is_one_on_a_device(link: Path, profile: Profile):
    """The emulator's samples arrive as `VarioportSource` delivers a device's."""
    session = Session(link, profile)
    emulator = Emulator(replay(3000), profile, Faults(burst_ms=16), link=link, clock=session)
    session.run(emulator)
    assert session.source.health.lost_samples == 0
    received = check_against_recording(session.chunks, emg(3000))
    assert received >= (3000 if profile is FRAMED else 2980)
    assert emulator.injected.overflow_bytes == 0


def test_lost_bytes_on_the_way(link: Path):
    """Of a bad line every delivered sample is right and every missing one counted."""
    session = Session(link, FRAMED)
    faults = Faults(lost_bytes=0.01, burst_ms=16)
    emulator = Emulator(replay(3000), FRAMED, faults, link=link, clock=session)
    session.run(emulator)
    check_against_recording(session.chunks, emg(3000))
    assert emulator.injected.lost_frames > 250
    # The last frame may wait for what follows.
    assert abs(session.source.health.lost_samples - emulator.injected.lost_frames) <= 3


@PROFILES
def test_unplug_and_replug(link: Path, profile: Profile):
    """A cable pulled and put back: a new epoch, with the right samples, within 2 s."""
    session = Session(link, profile)
    faults = Faults(unplug=Pause(0.8, 0.2), half_frame=True, burst_ms=4)
    emulator = Emulator(replay(1380), profile, faults, link=link, clock=session)
    session.run(emulator)
    assert check_against_recording(session.chunks, emg(1380)) > 400
    assert session.source.health.reconnects == emulator.injected.unplugs == 2
    epochs = sorted({chunk.epoch for chunk in session.chunks})
    assert epochs == [0, 1, 2]
    for epoch in epochs[1:]:
        before = max(c.received_s for c in session.chunks if c.epoch == epoch - 1)
        after = min(c.received_s for c in session.chunks if c.epoch == epoch)
        assert after - before < 0.2 + 2.0


def test_nobody_is_too_late_for_a_port_that_will_be_unplugged(link: Path):
    """Who starts slowly would be told that there is no device, or not: as chance has it."""

    class OpensAt(VirtualClock):
        def sleep_until(self, time_s: float) -> None:
            super().sleep_until(time_s)
            if time_s >= 0.5 and not received:  # nobody was there for the first 0.5 s
                received.append(opened.enter_context(port_open(link)))

    received: list[Callable[[int], bytes]] = []
    faults = Faults(unplug=Pause(0.4, 0.2))
    emulator = Emulator(replay(700), FRAMED, faults, link=link, clock=OpensAt())
    with ExitStack() as opened, emulator:
        emulator.run()
    assert received
    assert emulator.injected.unplugs == 1
    assert emulator.injected.unplugged_frames == pytest.approx(0.2 * 600, abs=1)


def test_it_keeps_real_time(link: Path, monkeypatch: pytest.MonkeyPatch):
    """One second of signal takes one second, unless told otherwise."""
    clock = VirtualClock(7.0)
    monkeypatch.setattr("drivers.varioport.emulator.device.PerfClock", lambda: clock)
    with Emulator(replay(600), FRAMED, link=link) as emulator, port_open(link) as receive:
        emulator.run()
        assert clock.now_s() == pytest.approx(8.0)
        assert len(receive(600 * FRAMED.frame_bytes)) == 600 * FRAMED.frame_bytes


class StopsAt(VirtualClock):
    """A clock at one of whose times a stop is wanted."""

    def __init__(self, time_s: float) -> None:
        super().__init__()
        self.stop = threading.Event()
        self._time_s = time_s

    def sleep_until(self, time_s: float) -> None:
        super().sleep_until(time_s)
        if self.now_s() >= self._time_s:
            self.stop.set()


def test_a_request_to_stop_is_heard(link: Path):
    """Ctrl-C ends it at once, also in the middle of a long pause."""
    clock = StopsAt(2.0)
    faults = Faults(late=Pause(1.0, 0.9))
    with Emulator(replay(6000), FRAMED, faults, link=link, clock=clock) as emulator:
        emulator.run(clock.stop)
        assert 2.0 <= clock.now_s() <= 2.1
        emulator.run(clock.stop)
        assert clock.now_s() <= 2.1
