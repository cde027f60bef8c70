"""Senders that die and come back, each a process of its own."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from drivers.errors import SignalMismatchError
from drivers.lsl import LslSource
from drivers.lsl.library import lsl_ahead_s, pylsl
from drivers.lsl.search import Search, Watch, successor
from drivers.source import Chunk, SourceState

RATE = 600.0


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


@pytest.mark.system
@pytest.mark.realtime
@pytest.mark.parametrize(("source_id", "cycles"), [("phoenix-1", 10), ("", 4)])
def test_a_sender_may_die_and_come_back(same_clock, monkeypatch, source_id, cycles):
    """A crash of the sender costs what it did not send, and no sample of the wrong epoch."""
    # On a busy machine a sender may pause for long; that it died, liblsl says.
    monkeypatch.setattr(Watch, "gone", lambda watch, now_s: False)
    chunks: list[Chunk] = []

    def read() -> None:
        chunk = source.read(0.1)
        if chunk is not None:
            chunks.append(chunk)

    def read_samples(epoch: int) -> None:
        while sum(len(chunk.samples) for chunk in chunks if chunk.epoch == epoch) < 60:
            read()

    name = f"phoenix{len(source_id)}"
    source = LslSource(name, unit="uV", timeout_s=60.0)
    with senders(name, source_id) as sender:
        sender.start()
        with source:
            read_samples(0)
            for cycle in range(1, cycles + 1):
                sender.kill()
                while source.health.state is not SourceState.RECONNECTING:
                    read()
                sender.start()
                read_samples(cycle)
                assert source.health.state is SourceState.STREAMING
        to_lsl_s = lsl_ahead_s(source._clock)
        starts_s = np.array(sender.starts_s)
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
        assert own[-1].time_s + to_lsl_s == pytest.approx(sent_s[-1], abs=1e-3)
        if last_s is not None:
            missed = (sent_s[0] - last_s) * RATE - 1
            lost += missed
            assert own[0].gap_before == own[0].first_index == pytest.approx(missed, abs=1)
            assert own[0].gap_estimated
        last_s = sent_s[-1]
    assert health.lost_samples == pytest.approx(lost, abs=cycles)


def outlet(name: str, channels: int = 2, rate_hz: float = RATE) -> pylsl.StreamOutlet:
    return pylsl.StreamOutlet(pylsl.StreamInfo(name, "EMG", channels, rate_hz, "float32", name))


@pytest.mark.system
@pytest.mark.parametrize(("channels", "rate_hz"), [(3, RATE), (2, 1000.0)])
def test_another_stream_in_the_place_of_the_lost_one(channels, rate_hz):
    """Its samples are not taken for those of the electrodes that the session knows."""
    name = f"changeling{channels}"
    first = outlet(name)
    with LslSource(source_id=name, unit="uV", timeout_s=60.0) as source:
        assert first.wait_for_consumers(60)
        first.push_chunk([[1.0, 1.0]])
        assert source.read(60.0) is not None
        del first
        second = outlet(name, channels, rate_hz)
        line = rf"after its return: got {channels} channels at {rate_hz:g} Hz.* allowed: 2 chan"
        with pytest.raises(SignalMismatchError, match=line):
            source.read(60.0)
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
    ("found", "chosen"),
    [
        ([], None),
        ([(2, 1000.0)], 0),  # the only one is taken as it is: what does not fit is said later
        ([(2, 1000.0), (6, 600.0)], 1),
        ([(6, 600.0), (6, 600.0)], None),
        ([(2, 1000.0), (2, 600.0)], None),
    ],
)
def test_of_several_namesakes_none_is_taken_by_chance(found, chosen):
    """A session would go on with somebody else's muscles."""

    def stream(channels, rate_hz):
        return pylsl.StreamInfo("six", "EMG", channels, rate_hz, "float32", "x")

    streams = [stream(*shape) for shape in found]
    taken = successor(streams, stream(6, 600.0))
    assert taken is (None if chosen is None else streams[chosen])


def six(name: str = "Amp", kind: str = "EMG", source_id: str = "s1") -> pylsl.StreamInfo:
    return pylsl.StreamInfo(name, kind, 6, RATE, "float32", source_id)


@pytest.mark.parametrize(
    ("others", "taken", "namesake"),
    [
        ([six()], True, None),  # itself, started anew
        ([], False, None),
        ([six("AmpFiltered")], False, "'AmpFiltered' (EMG, id s1)"),
        ([six("Amp", "ACC")], False, "'Amp' (ACC, id s1)"),
        ([six(source_id="s2")], False, "'Amp' (EMG, id s2)"),
        ([six(source_id="")], False, "'Amp' (EMG, id none)"),
        ([six("Other", "EMG", "s2")], False, None),
        ([six(source_id="s2"), six()], True, None),
    ],
)
def test_only_the_same_stream_goes_on(monkeypatch, others, taken, namesake):
    """After a loss, ten times as large a signal was taken, or acceleration; or nothing was said."""
    monkeypatch.setattr(Search, "_run", lambda search: None)

    def ask(predicate: str, minimum: int, wait_s: float) -> list[pylsl.StreamInfo]:
        return [stream for stream in others if '"s1"' in predicate or '"EMG"' in predicate]

    monkeypatch.setattr(pylsl, "resolve_bypred", ask)
    search = Search(six())
    found = [search._look(turn) for turn in range(1, 5)][0]
    assert (successor(found, six()) is not None) == taken
    assert search.namesake == namesake


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
