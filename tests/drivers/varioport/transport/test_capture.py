"""Captures: every byte and its time on disk, readable after anything, played as the device."""

import json
import os
import subprocess
import sys
import tty
from collections import deque
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drivers.clock import VirtualClock
from drivers.errors import RecordingError, SourceError
from drivers.source import Chunk, SourceState
from drivers.varioport.codec import make_encoder
from drivers.varioport.profile import FRAMED, MULTIPLEX, Profile
from drivers.varioport.source import VarioportSource
from drivers.varioport.transport.capture import (
    CaptureHeader,
    CaptureTransport,
    CaptureWriter,
    capture,
    read_capture,
)
from drivers.varioport.transport.port import PortLost, SerialTransport

HEADER = CaptureHeader(port="/dev/ttyUSB0", baud_rate=230400, started="2026-11-22T12:00:00+00:00")

Blocks = list[tuple[float, bytes | None]]


def write(path: Path, blocks: Blocks, start_s: float = 0.0) -> Path:
    with CaptureWriter(path, HEADER, start_s) as writer:
        for arrival_s, data in blocks:
            if data is None:
                writer.lost(arrival_s)
            else:
                writer.write(data, arrival_s)
    return path


class Scripted:
    """Brings blocks at their times on a virtual clock; None is a lost port."""

    name, dropped_bytes, ended = "/dev/ttyUSB0", 3, False

    def __init__(self, clock: VirtualClock, blocks: Blocks) -> None:
        self.clock, self.blocks = clock, list(blocks)
        self.written: list[bytes] = []
        self.opens = 0

    def open(self) -> None:
        self.opens += 1

    def read(self, timeout_s: float) -> tuple[bytes, float] | None:
        deadline_s = self.clock.now_s() + timeout_s
        if not self.blocks or self.blocks[0][0] > deadline_s:
            self.clock.sleep_until(deadline_s)
            return None
        arrival_s, data = self.blocks.pop(0)
        self.clock.sleep_until(arrival_s)
        if data is None:
            raise PortLost("pulled")
        return data, arrival_s

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def close(self) -> None:
        pass


def run(path: Path, blocks: Blocks, **more: object) -> tuple[object, Scripted]:
    clock = VirtualClock(100.0)
    transport = Scripted(clock, blocks)
    found = capture(
        transport,
        path,
        baud_rate=230400,
        clock=clock,
        **({"stopped": lambda: False, "duration_s": 5.0} | more),  # type: ignore[arg-type]
    )
    return found, transport


def device_blocks(profile: Profile, outage_s: float = 1.5) -> Blocks:
    """Six seconds of a device with a stall, a pulled cable and damaged bytes."""
    encoder = make_encoder(profile)
    n = np.arange(round(600 * (6 + 2 * outage_s)))
    samples = np.stack([400 * np.sin(n / (5 + k)) + 40 * k for k in range(6)], axis=1) * 0.033
    frames = encoder.encode(samples.astype(np.float32), (n % 500 < 6) * (n // 500 + 1))
    blocks: Blocks = []
    for k, first in enumerate(range(0, len(n) - 10, 10)):
        arrival_s = (first + 10) / 600 + 0.003 * (k % 3)
        if 2.0 < arrival_s < 2.0 + outage_s:
            continue
        if 5.0 < arrival_s < 5.0 + outage_s:
            if blocks[-1][1] is not None:
                blocks.append((arrival_s, None))
            continue
        data = b"".join(frames[first : first + 10])
        blocks.append((arrival_s, data[:-3] if k % 50 == 0 else data))
    return blocks


def decode(transport: object, profile: Profile, clock: VirtualClock) -> list[Chunk]:
    chunks = []
    with VarioportSource(transport, profile, clock=clock) as source:  # type: ignore[arg-type]
        while source.health.state is not SourceState.DISCONNECTED:
            if (chunk := source.read(0.1)) is not None:
                chunks.append(chunk)
            if clock.now_s() > 120.0:
                break
    return chunks


def test_everything_is_in_the_file(tmp_path):
    """The owner of a device can look at what it sends, and when, with any editor."""
    path = tmp_path / "a.jsonl"
    blocks: Blocks = [(100.5, b"\x00\xff"), (101.25, None), (102.0, b"abc")]
    found, transport = run(path, blocks)
    assert (found.byte_count, found.losses, found.dropped_bytes) == (5, 1, 3)
    assert found.seconds == pytest.approx(5.0)
    assert transport.opens == 2
    assert transport.written == []
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert lines[0]["port"] == "/dev/ttyUSB0"
    assert lines[0]["baud_rate"] == 230400
    assert lines[0]["profile"] is None
    assert lines[1:] == [[0.5, "00ff"], [1.25, None], [2.0, "616263"]]
    read = read_capture(path)
    assert read.data == b"\x00\xffabc"
    assert read.ends.tolist() == [2, 5]
    assert read.arrival_s.tolist() == [0.5, 2.0]
    assert read.losses == (1,)
    assert not read.cut
    assert read.header.started.utcoffset() is not None


def test_only_a_profile_makes_it_send_bytes(tmp_path):
    """Nobody sends unproven bytes to a medical device."""
    asked = FRAMED.model_copy(update={"start": b"\x01", "stop": b"\x02"})
    _, transport = run(tmp_path / "a.jsonl", [(101.0, None)], profile=asked)
    assert transport.written == [b"\x01", b"\x01", b"\x02"]
    assert read_capture(tmp_path / "a.jsonl").header.profile == "framed"


def test_it_ends_when_it_shall(tmp_path):
    """By hand as by the clock; and a capture is not written over."""
    path = tmp_path / "a.jsonl"
    asked = iter([False, False, True])
    found, _ = run(path, [(100.01, b"x")] * 9, stopped=lambda: next(asked), duration_s=None)
    assert found.byte_count == 2
    before = path.read_bytes()
    with pytest.raises(RecordingError, match="File exists"):
        run(path, [])
    assert path.read_bytes() == before


@pytest.mark.parametrize("profile", [FRAMED, MULTIPLEX])
def test_a_capture_gives_what_the_device_gave(tmp_path, profile):
    """Same samples, numbers, epochs, gaps, markers and times: a capture can stand for it."""
    blocks = [(100.0 + t, data) for t, data in device_blocks(profile)]
    clock = VirtualClock(100.0)
    live = decode(Scripted(clock, blocks), profile, clock)
    path = write(tmp_path / "a.jsonl", blocks, start_s=100.0)
    clock = VirtualClock(100.0)
    paced = decode(CaptureTransport(path, clock=clock), profile, clock)
    unpaced = decode(CaptureTransport(path, None), profile, VirtualClock(7.0))
    assert {c.epoch for c in live} == {0, 1}
    assert sum(c.gap_before for c in live) > 1500
    for played, shift_s in ((paced, 0.0), (unpaced, 100.0)):
        assert len(played) == len(live)
        for a, b in zip(live, played, strict=True):
            np.testing.assert_array_equal(a.samples, b.samples)
            assert (a.epoch, a.first_index, a.markers) == (b.epoch, b.first_index, b.markers)
            assert (a.gap_before, a.gap_estimated) == (b.gap_before, b.gap_estimated)
            assert a.time_s == pytest.approx(b.time_s + shift_s, abs=2e-6)
            assert a.received_s == pytest.approx(b.received_s + shift_s, abs=2e-6)


def test_its_own_pace(tmp_path):
    """On the clock each block comes when it came; without one, at once."""
    path = write(tmp_path / "a.jsonl", [(0.5, b"x"), (0.9, b"y")])
    clock = VirtualClock(10.0)
    transport = CaptureTransport(path, clock=clock)
    transport.open()
    assert transport.read(0.4) is None
    assert clock.now_s() == pytest.approx(10.4)
    assert transport.read(0.4) == (b"x", 10.5)
    assert clock.now_s() == pytest.approx(10.5)
    assert transport.read(9.0) == (b"y", 10.9)
    assert not transport.ended
    assert transport.read(9.0) is None
    assert transport.ended
    assert clock.now_s() == pytest.approx(10.9)
    transport.open()
    assert transport.read(9.0) == (b"x", 11.4)
    transport.close()
    transport.close()
    unpaced = CaptureTransport(path, None, clock=clock)
    unpaced.open()
    assert [unpaced.read(0.0), unpaced.read(0.0), unpaced.read(0.0)] == [
        (b"x", 0.5),
        (b"y", 0.9),
        None,
    ]
    unpaced.write(b"is ignored")
    unpaced.close()
    with pytest.raises(SourceError, match="allowed: 1 or max"):
        CaptureTransport(path, 2.0)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    max_examples=60,
)
@given(share=st.floats(0, 1))
def test_cut_anywhere_it_is_readable_up_to_there(tmp_path, share):
    """A full disk or a kill -9 costs the last line, not the session."""
    path = tmp_path / "whole.jsonl"
    if not path.exists():
        write(path, [(k / 60, bytes([k]) * 50) for k in range(20)])
    whole = path.read_bytes()
    header = whole.index(b"\n") + 1
    cut = tmp_path / "cut.jsonl"
    kept = header + round(share * (len(whole) - header))
    cut.write_bytes(whole[:kept])
    found = read_capture(cut)
    lines = whole[header:kept].count(b"\n")
    complete = not found.cut and not whole[:kept].endswith(b"\n")
    assert found.data == b"".join(bytes([k]) * 50 for k in range(lines + complete))
    assert found.cut == (not complete and not whole[:kept].endswith(b"\n"))


def test_a_cut_line_is_said(tmp_path, caplog):
    """Nothing is left out silently."""
    path = write(tmp_path / "a.jsonl", [(0.5, b"x")])
    path.write_bytes(path.read_bytes() + b'[0.9, "0a')
    transport = CaptureTransport(path, None)
    transport.open()
    assert transport.read(0.0) == (b"x", 0.5)
    assert transport.read(0.0) is None
    assert transport.ended
    assert "last line of capture a.jsonl is cut" in caplog.text
    transport.close()


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"nonsense",
        b"[0.9]",
        b'[0.9, "0g"]',
        b'["x", "00"]',
        b'[0.9, "00", 1]',
        b'[0.1, "00"]',
        b'[-1, "00"]',
        b'[NaN, "00"]',
        b'[Infinity, "00"]',
        b"[0.9, 7]",
        b'{"a": 1, "b": 2}',
        b"\xff\xfe",
        b"[" * 100000,
        b"[1" + b"0" * 400 + b', "00"]',
        b'[0.9, "' + b"00" * 600000 + b'"]',
    ],
    ids=range(16),
)
def test_damage_elsewhere_is_an_error_in_one_line(tmp_path, line):
    """A capture that was edited is not believed where it makes no sense."""
    path = write(tmp_path / "a.jsonl", [(0.5, b"x")])
    path.write_bytes(path.read_bytes() + line + b'\n[1.0, "00"]\n')
    with pytest.raises(RecordingError, match=r"line 3 of capture a\.jsonl") as caught:
        read_capture(path)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    "content",
    [b"", b"\x00" * 100, b"RIFF....WAVE", b"{}\n", b'{"format": "x"}', b"[" * 100000 + b"\n"],
    ids=range(6),
)
def test_another_file_is_no_capture(tmp_path, content):
    """A recording given by mistake is named, not decoded."""
    path = tmp_path / "a.jsonl"
    path.write_bytes(content)
    with pytest.raises(RecordingError, match=r"a\.jsonl: got no header"):
        read_capture(path)
    with pytest.raises(RecordingError, match="No such file"):
        CaptureTransport(tmp_path / "b.jsonl").open()
    path.write_text(HEADER.model_copy(update={"version": 9}).model_dump_json())
    with pytest.raises(RecordingError, match="streamer-capture version 9"):
        CaptureTransport(path).open()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_said(tmp_path, monkeypatch):
    """Who captures for an hour learns of it at once."""
    opened = Path.open
    monkeypatch.setattr(Path, "open", lambda self, *a, **k: opened(Path("/dev/full"), "w", **k))
    with pytest.raises(RecordingError, match="cannot be written: got No space left"):
        CaptureWriter(tmp_path / "a.jsonl", HEADER, 0.0)


@pytest.mark.system
def test_what_is_written_survives_a_kill(tmp_path):
    """A capture without an end is a capture all the same."""
    path = tmp_path / "a.jsonl"
    script = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from drivers.varioport.transport.capture import CaptureHeader, CaptureWriter\n"
        "header = CaptureHeader(port='p', baud_rate=1, started='2026-11-22T12:00:00Z')\n"
        "writer = CaptureWriter(Path(sys.argv[1]), header, 0.0)\n"
        "for k in range(100):\n"
        "    writer.write(bytes([k]) * 30, k / 60)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", script, str(path)], check=False)
    assert read_capture(path).data == b"".join(bytes([k]) * 30 for k in range(100))


class Fed(SerialTransport):
    """A port at which the next portion arrives when the one before was read."""

    def __init__(self, port: str, master: int, portions: list[bytes], clock: VirtualClock) -> None:
        super().__init__(port, 230400, clock=clock)
        self._master, self._clock = master, clock
        self._portions = deque(portions)
        self._awaited = 0

    @property
    def all_read(self) -> bool:
        return not (self._portions or self._awaited)

    def read(self, timeout_s: float) -> tuple[bytes, float] | None:
        if self._portions and not self._awaited:
            self._clock.advance(0.02)
            self._awaited = os.write(self._master, self._portions.popleft())
        block = super().read(timeout_s)
        self._awaited -= len(block[0]) if block is not None else 0
        return block


@pytest.mark.system
def test_from_a_real_terminal(tmp_path):
    """All bytes, with the times at which they were sent."""
    master, slave = os.openpty()
    tty.setraw(slave)
    clock = VirtualClock(100.0)
    path = tmp_path / "a.jsonl"
    portions = [bytes([k]) * 100 for k in range(20)]
    transport = Fed(os.ttyname(slave), master, portions, clock)
    capture(transport, path, baud_rate=230400, stopped=lambda: transport.all_read, clock=clock)
    found = read_capture(path)
    os.close(master)
    os.close(slave)
    assert found.data == b"".join(portions)
    arrived_s = found.arrival_s[np.searchsorted(found.ends, np.arange(1, 21) * 100)]
    assert arrived_s == pytest.approx(0.02 * np.arange(1, 21))
