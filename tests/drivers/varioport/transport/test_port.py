"""A serial port on a pseudo terminal: stamps, losses, and errors in the user's terms."""

import errno
import os
import select
import threading
import time
import tty
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import pytest
import serial

from drivers.clock import VirtualClock
from drivers.errors import SourceError
from drivers.varioport.transport import access, port
from drivers.varioport.transport.link import Link
from drivers.varioport.transport.port import PortLost, SerialTransport

pytestmark = pytest.mark.system

WAIT_S = 60.0


class Pty:
    """The device's end of a cable."""

    def __init__(self) -> None:
        self.master, slave = os.openpty()
        tty.setraw(slave)
        self.name = os.ttyname(slave)
        os.close(slave)

    def send(self, data: bytes) -> None:
        os.write(self.master, data)

    def unplug(self) -> None:
        if self.master >= 0:
            os.close(self.master)
            self.master = -1


@pytest.fixture
def pty() -> Iterator[Pty]:
    pty = Pty()
    yield pty
    pty.unplug()


@pytest.fixture
def transport(pty) -> Iterator[SerialTransport]:
    transport = SerialTransport(pty.name, 115200)
    transport.open()
    yield transport
    transport.close()


def read_all(transport: SerialTransport, count: int) -> bytes:
    data = b""
    while len(data) < count:
        block = transport.read(WAIT_S)
        assert block is not None
        data += block[0]
    return data


def test_bytes_come_as_they_were_sent_and_when(pty, transport):
    """A byte that is changed or stamped late is EMG that is wrong or at the wrong time."""
    before_s = time.perf_counter()
    pty.send(bytes(range(256)))
    data, arrival_s = transport.read(WAIT_S)
    after_s = time.perf_counter()
    while len(data) < 256:
        data += transport.read(WAIT_S)[0]
    assert data == bytes(range(256))
    assert before_s <= arrival_s <= after_s
    assert transport.read(0.0) is None
    assert not transport.ended
    assert transport.dropped_bytes == 0


def test_waiting_ends_when_there_is_something(pty, transport):
    """A read that waits for its time-out delays every sample by it."""
    threading.Timer(0.05, pty.send, [b"x"]).start()
    assert transport.read(3600.0)[0] == b"x"


class Stamps(VirtualClock):
    """A clock that stands still, and tells when something was stamped with it."""

    def __init__(self) -> None:
        super().__init__(5.0)
        self.stamped = threading.Event()

    def now_s(self) -> float:
        self.stamped.set()
        return super().now_s()


def test_the_stamp_is_not_delayed_by_a_busy_session(pty):
    """The session may look away; the clock model must not see it."""
    clock = Stamps()
    transport = SerialTransport(pty.name, 115200, clock=clock)
    transport.open()
    pty.send(b"x")
    assert clock.stamped.wait(WAIT_S)
    clock.advance(0.3)
    assert transport.read(WAIT_S) == (b"x", 5.0)
    transport.close()


def test_a_pulled_cable_is_noticed_after_all_that_came_before(pty, transport):
    """The last EMG before the cable came out is EMG."""
    pty.send(b"last words")
    assert read_all(transport, 10) == b"last words"
    pty.unplug()
    with pytest.raises(PortLost, match="is lost"):
        transport.read(WAIT_S)
    with pytest.raises(PortLost):
        transport.read(0.0)


class Portions:
    """A port at which one portion arrives after the other, and then nothing."""

    def __init__(self, *portions: bytes) -> None:
        self.taken = threading.Event()  # and asked for more
        self.asked = 0
        self._portions = deque(portions)
        self._rest = b""
        self._stopped = threading.Event()

    @property
    def in_waiting(self) -> int:
        self.asked += 1
        return len(self._rest)

    def read(self, size: int) -> bytes:
        self.asked += 1
        if not self._rest and not self._portions:
            self.taken.set()
            self._stopped.wait()
            return b""
        whole = self._rest or self._portions.popleft()
        data, self._rest = whole[:size], whole[size:]
        return data

    def cancel_read(self) -> None:
        self._stopped.set()

    def close(self) -> None:
        pass


def test_nobody_reads_so_the_oldest_bytes_go_and_are_counted(monkeypatch):
    """A session that hangs must not eat the memory, nor lose EMG silently."""
    portions = Portions(*(bytes([k]) * 50 for k in range(20)))
    monkeypatch.setattr(port, "_open", lambda *_: portions)
    transport = SerialTransport("COM3", 115200, queue_bytes=100)
    transport.open()
    assert portions.taken.wait(WAIT_S)
    assert transport.dropped_bytes == 0  # nothing is missing before what was read
    assert transport.read(0.0)[0] == bytes([18]) * 50
    assert transport.dropped_bytes == 900
    assert transport.read(0.0)[0] == bytes([19]) * 50
    assert transport.read(0.0) is None
    assert transport.dropped_bytes == 900
    transport.close()


def test_the_port_is_asked_no_more_often_than_needed(monkeypatch):
    """The reader thread shares the interpreter with the voice."""
    portions = Portions(*[bytes(50)] * 20)
    monkeypatch.setattr(port, "_open", lambda *_: portions)
    transport = SerialTransport("COM3", 115200)
    transport.open()
    assert portions.taken.wait(WAIT_S)
    assert portions.asked == 20 * 3 + 1  # first byte, how many more, these; and for the next
    transport.close()


def test_bytes_can_be_sent(pty, transport):
    """A device that waits for its start bytes stays silent otherwise."""
    transport.write(b"go")
    assert os.read(pty.master, 10) == b"go"
    transport.close()
    with pytest.raises(PortLost, match="open it first"):
        transport.write(b"go")


def test_a_port_can_be_opened_again(pty):
    """What came while nobody listened belongs to no epoch."""
    clock = Stamps()
    transport = SerialTransport(pty.name, 115200, clock=clock)
    transport.open()
    pty.send(b"taken, but not read")
    assert clock.stamped.wait(WAIT_S)
    transport.open()
    pty.send(b"new")
    assert read_all(transport, 3) == b"new"
    transport.close()
    system = os.open(pty.name, os.O_RDWR | os.O_NOCTTY)
    pty.send(b"not taken")
    select.select([system], [], [])
    transport.open()
    os.close(system)
    pty.send(b"newer")
    assert read_all(transport, 5) == b"newer"
    transport.close()
    transport.close()


def test_a_port_that_is_in_use_names_who_has_it(pty, transport):
    """'Device or resource busy' sends people looking for the program for an hour."""
    with pytest.raises(SourceError) as caught:
        SerialTransport(pty.name, 115200).open()
    assert "in use by" in str(caught.value)
    assert f"process {os.getpid()}" in str(caught.value)


def test_no_such_port_names_those_there_are(monkeypatch, tmp_path):
    """A wrong number is the most common mistake."""
    monkeypatch.setattr(port, "port_names", lambda: ["/dev/ttyUSB3"])
    with pytest.raises(SourceError, match="does not exist; allowed: /dev/ttyUSB3") as caught:
        SerialTransport(str(tmp_path / "ttyUSB0"), 115200).open()
    assert "\n" not in str(caught.value)
    monkeypatch.setattr(port, "port_names", list)
    with pytest.raises(SourceError, match="no serial port is there at all"):
        SerialTransport(str(tmp_path / "ttyUSB0"), 115200).open()


def test_no_permission_names_the_group(monkeypatch, tmp_path):
    """New users are never in the group, and the kernel does not say which one it is."""

    def refuse(*_: object, **__: object) -> None:
        raise serial.SerialException(errno.EACCES, "could not open port")

    monkeypatch.setattr(serial, "Serial", refuse)
    device = tmp_path / "ttyUSB0"
    device.touch()
    device.chmod(0o660)
    group = device.group()
    with pytest.raises(SourceError, match=f"no permission; `sudo usermod -aG {group} "):
        SerialTransport(str(device), 115200).open()
    device.chmod(0o600)
    with pytest.raises(SourceError, match="administrator"):
        SerialTransport(str(device), 115200).open()
    device.chmod(0o660)
    monkeypatch.setattr(access, "grp", None)
    with pytest.raises(SourceError, match="administrator"):
        SerialTransport(str(device), 115200).open()


def test_what_is_no_serial_port_is_said(tmp_path, pty):
    """A recording in the place of a port, or a speed that no adapter does."""
    file = tmp_path / "talk.wav"
    file.write_bytes(b"")
    with pytest.raises(SourceError, match="cannot be used") as caught:
        SerialTransport(str(file), 115200).open()
    assert "streamer devices" in str(caught.value)
    with pytest.raises(SourceError, match="baud rate of serial port"):
        SerialTransport(pty.name, 10**12).open()


def test_the_stable_name_is_preferred(monkeypatch, tmp_path):
    """Plugged in again, ttyUSB0 is ttyUSB1, or somebody else's device is ttyUSB0."""
    device = tmp_path / "ttyUSB0"
    device.touch()
    by_id = tmp_path / "by-id"
    by_id.mkdir()
    (by_id / "usb-Else").symlink_to(tmp_path / "ttyUSB7")
    monkeypatch.setattr(access, "_BY_ID", by_id)
    assert SerialTransport(str(device), 1).name == str(device)
    (by_id / "usb-Varioport_1").symlink_to(device)
    assert SerialTransport(str(device), 1).name == str(by_id / "usb-Varioport_1")
    chosen = tmp_path / "varioport"
    chosen.symlink_to(device)
    assert SerialTransport(str(chosen), 1).name == str(chosen)
    monkeypatch.setattr(access, "_BY_ID", tmp_path / "none")
    assert SerialTransport(str(device), 1).name == str(device)


def test_whoever_hides_holds_nothing(monkeypatch, tmp_path):
    """Processes end, and belong to others: neither may break the error message."""
    monkeypatch.setattr(access, "_PROCESSES", tmp_path)
    (tmp_path / "123").mkdir()
    (tmp_path / "self").mkdir()
    assert access.holders("/dev/null") == []


class Flaky:
    """A port that is there, or not, as a script says."""

    name, ended, dropped_bytes = "flaky", False, 0

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self.there = True
        self.mute = False
        self.attempts_s: list[float] = []
        self.written: list[bytes] = []

    def open(self) -> None:
        self.attempts_s.append(self.clock.now_s())
        if not self.there:
            raise SourceError("no such port")

    def read(self, timeout_s: float) -> tuple[bytes, float] | None:
        if not self.there:
            raise PortLost("gone")
        self.clock.advance(min(0.01, timeout_s))
        return None if self.mute else (b"x", self.clock.now_s())

    def write(self, data: bytes) -> None:
        if not self.there:
            raise PortLost("gone")
        self.written.append(data)

    def close(self) -> None:
        pass


def test_a_device_that_is_back_is_found_soon_each_time():
    """Ten pulled cables, any time apart: half a second, not the minute of a naive back-off."""
    clock = VirtualClock(50.0)
    flaky = Flaky(clock)
    link = Link(flaky, clock, start=b"go", stop=b"halt")
    with link:
        for outage_s in [0.0, 0.01, 0.1, 1.0, 3.0, 10.0, 60.0, 0.2, 5.0, 7.7]:
            for _ in range(5):
                assert link.read(0.1) is not None
            flaky.there = False
            gone_s = clock.now_s()
            while clock.now_s() < gone_s + outage_s:
                before_s = clock.now_s()
                assert link.read(0.1) is None
                assert clock.now_s() - before_s <= 0.1 + 1e-9
            if outage_s == 0.0:
                assert link.read(0.1) is None
            assert not link.connected
            flaky.there = True
            back_s = clock.now_s()
            while link.read(0.1) is None:
                pass
            assert clock.now_s() - back_s < 0.6
        assert link.losses == 10
    assert flaky.written == [b"go"] * 11 + [b"halt"]
    assert len(flaky.attempts_s) < 250


def test_a_device_that_takes_no_start_is_not_told_to_stop():
    """Each attempt to write may block for a second, and the voice waits for none of them."""
    flaky = Flaky(VirtualClock())
    link = Link(flaky, flaky.clock, start=b"go", stop=b"halt")
    told: list[bytes] = []

    def refuse(data: bytes) -> None:
        told.append(data)
        raise PortLost("full")

    flaky.write = refuse
    with pytest.raises(PortLost):
        link.open()
    link.close()
    assert told == [b"go"]


def test_a_port_that_opens_and_fails_at_once_is_not_hammered():
    """A loose plug would keep a core busy opening and closing."""
    clock = VirtualClock()
    flaky = Flaky(clock)
    link = Link(flaky, clock)
    link.open()
    flaky.mute = True
    opens = flaky.open

    def open_and_lose() -> None:
        flaky.there = True
        opens()
        flaky.there = False

    flaky.there, flaky.open = False, open_and_lose
    while clock.now_s() < 10.0:
        assert link.read(0.1) is None
    assert len(flaky.attempts_s) < 40


def test_a_capture_or_device_name_is_a_path_on_no_particular_system():
    """`COM3` has no slash and no link."""
    assert SerialTransport("COM3", 9600).name == "COM3"
    assert isinstance(access.port_names(), list)
    assert Path(access.stable_name("/dev/null")) == Path("/dev/null")
