"""Senders that die and come back, each a process of its own."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from drivers.errors import SignalMismatchError
from drivers.lsl import LslSource
from drivers.lsl.library import lsl_ahead_s, pylsl
from drivers.lsl.search import Watch
from drivers.source import Chunk, SourceState

RATE = 600.0
TIMEOUT_S = 0.1


class Senders:
    """One after another; the next one is warm before the last one dies."""

    def __init__(self, name: str, source_id: str) -> None:
        self._words = [sys.executable, str(Path(__file__).with_name("sender.py")), name, source_id]
        self._made = 0
        self._running: subprocess.Popen[str] | None = None
        self.starts_s: list[float] = []  # on LSL's clock
        self._next = self._make()

    def _make(self) -> subprocess.Popen[str]:
        first = 100000 * self._made
        self._made += 1
        pipe = subprocess.PIPE
        return subprocess.Popen([*self._words, str(first)], stdin=pipe, stdout=pipe, text=True)

    def start(self) -> None:
        self._running, self._next = self._next, self._make()
        assert self._running.stdin is not None
        assert self._running.stdout is not None
        self._running.stdin.write("\n")
        self._running.stdin.flush()
        self.starts_s.append(float(self._running.stdout.readline()))

    def kill(self, process: subprocess.Popen[str] | None = None) -> None:
        process = process or self._running
        if process is not None:
            process.kill()  # SIGKILL: no good-bye
            process.communicate()

    def close(self) -> None:
        self.kill()
        self.kill(self._next)


@contextmanager
def senders(name: str, source_id: str) -> Iterator[Senders]:
    some = Senders(name, source_id)
    try:
        yield some
    finally:
        some.close()


@pytest.mark.realtime
@pytest.mark.parametrize(("source_id", "cycles"), [("phoenix-1", 10), ("", 4)])
def test_a_sender_may_die_and_come_back(source_id, cycles):
    """A crash of the sender costs two seconds at most, and no sample of the wrong epoch."""
    chunks: list[Chunk] = []
    slowest_s = 0.0

    def read() -> Chunk | None:
        nonlocal slowest_s
        begin_s = time.perf_counter()
        chunk = source.read(TIMEOUT_S)
        slowest_s = max(slowest_s, time.perf_counter() - begin_s)
        if chunk is not None:
            chunks.append(chunk)
        return chunk

    def read_for(seconds: float) -> None:
        end_s = time.perf_counter() + seconds
        while time.perf_counter() < end_s:
            read()

    name = f"phoenix{len(source_id)}"
    source = LslSource(name, unit="uV")
    returns_s = []
    with senders(name, source_id) as sender:
        sender.start()
        with source:
            read_for(0.3)
            for cycle in range(1, cycles + 1):
                sender.kill()
                read_for(0.15)
                assert source.health.state is SourceState.RECONNECTING
                sender.start()
                while not chunks or chunks[-1].epoch < cycle:
                    returns_s.append(pylsl.local_clock() - sender.starts_s[-1])
                    assert returns_s[-1] < 2.0
                    read()
                assert source.health.state is SourceState.STREAMING
                read_for(0.15)
        to_lsl_s = lsl_ahead_s(source._clock)
        starts_s = np.array(sender.starts_s)
    assert slowest_s < TIMEOUT_S + 0.25
    health = source.health
    assert (health.reconnects, health.gaps) == (cycles, cycles)
    assert health.samples == sum(len(chunk.samples) for chunk in chunks)
    lost = 0.0
    last_s = None
    for epoch in range(cycles + 1):
        own = [chunk for chunk in chunks if chunk.epoch == epoch]
        numbers = np.concatenate([chunk.samples[:, 0] for chunk in own])
        # All from one sender, and in its order.
        np.testing.assert_array_equal(numbers, numbers[0] + np.arange(len(numbers)))
        assert numbers[0] // 100000 == numbers[-1] // 100000 == epoch
        sent_s = starts_s[epoch] + (numbers - 100000 * epoch) / RATE
        assert own[-1].time_s + to_lsl_s == pytest.approx(sent_s[-1], abs=5e-3)
        if last_s is not None:
            missed = (sent_s[0] - last_s) * RATE - 1
            lost += missed
            assert own[0].gap_before == own[0].first_index == pytest.approx(missed, abs=4)
            assert own[0].gap_estimated
        last_s = sent_s[-1]
    assert health.lost_samples == pytest.approx(lost, abs=4 * cycles)


def outlet(name: str, channels: int = 2, rate_hz: float = RATE) -> pylsl.StreamOutlet:
    return pylsl.StreamOutlet(pylsl.StreamInfo(name, "EMG", channels, rate_hz, "float32", name))


@pytest.mark.realtime
@pytest.mark.parametrize(("channels", "rate_hz"), [(3, RATE), (2, 1000.0)])
def test_another_stream_in_the_place_of_the_lost_one(channels, rate_hz):
    """Its samples are not taken for those of the electrodes that the session knows."""
    name = f"changeling{channels}"
    first = outlet(name)
    with LslSource(source_id=name, unit="uV") as source:
        first.wait_for_consumers(5)
        first.push_chunk([[1.0, 1.0]])
        assert source.read(1.0) is not None
        del first
        second = outlet(name, channels, rate_hz)
        line = rf"after its return: got {channels} channels at {rate_hz:g} Hz.* allowed: 2 chan"
        with pytest.raises(SignalMismatchError, match=line):
            source.read(5.0)
        assert source.health.state is SourceState.DISCONNECTED
    del second


class Turns:
    """A search whose answers are known."""

    def __init__(self, *answers: list[str] | None) -> None:
        self._answers = iter(answers)

    def __call__(self, stream, *, at_least):
        assert at_least == 2  # so that a namesake is not taken for a successor
        return self

    def answer(self, timeout_s: float):
        found = next(self._answers)
        return None if found is None else [Found(uid) for uid in found]

    def stop(self) -> None:
        pass


class Found:
    def __init__(self, uid: str, rate_hz: float = RATE) -> None:
        self.uid = lambda: uid
        self.nominal_srate = lambda: rate_hz


@pytest.mark.parametrize(
    ("answers", "gone"),
    [
        ([["a"], None, ["a"], ["a"]], [False, False, False, False]),  # it only pauses
        ([[], ["a"], [], ["a"]], [False, False, False, False]),  # an answer was lost
        ([[], [], [], ["a"]], [False, False, False, True]),  # its cable was pulled
        ([["b"], ["b"]], [False, True]),  # it crashed and was started again
        ([["a", "b"], ["a", "b"]], [False, False]),  # it pauses beside a namesake
    ],
)
def test_a_pause_is_told_from_an_absence(monkeypatch, answers, gone):
    """A pulled cable is noticed; a device that rests is not torn from its connection."""
    monkeypatch.setattr("drivers.lsl.search.Search", Turns(*answers))
    watch = Watch(Found("a"), 10.0)
    assert not watch.gone(10.3)  # no silence yet
    assert [watch.gone(11.0 + k) for k in range(len(answers))] == gone
    watch.calm(20.0)
    assert not watch.gone(20.3)


def test_rare_events_are_no_absence():
    """A marker stream may be silent for an hour."""
    assert not Watch(Found("a", rate_hz=0.0), 0.0).gone(3600.0)
