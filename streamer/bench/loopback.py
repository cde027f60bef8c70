"""Streams within this process: how late samples are, and how soon it is known what a stream does.

It fails to import where there is no liblsl. `drivers.lsl.use_loopback` comes first.
"""

import threading

import numpy as np

from drivers.clock import PerfClock
from drivers.lsl import LslOutlet, LslSource, find_streams, publish
from drivers.lsl.description import describe
from drivers.lsl.library import pylsl
from drivers.lsl.sending import Feed
from drivers.replay import ReplaySource
from drivers.source import Channel, Provenance, SourceInfo, SourceState
from streamer.recordings import RecordingsSettings, Selection

_RATE_HZ, _PUSHED = 600.0, 6
_CHANNELS = (Channel("1"), Channel("2"))
_PATIENCE_S = 10.0
_LISTENED_S, _DEATH_S, _TRIES = 1.0, 0.6, 3
_READS, _READ_S = 5, 0.1


def delay_ms(seconds: float) -> float:
    """Publish a replay and receive it.

    Parameters
    ----------
    seconds : float
        How long.

    Returns
    -------
    float
        Time from acquisition to arrival, median of all chunks; infinite where none came.
    """
    recordings = list(Selection(RecordingsSettings()).recordings)
    first = recordings[0]
    info = SourceInfo("delay", "delay", first.channels, first.rate_hz, Provenance.SIMULATED)
    clock, stop = PerfClock(), threading.Event()
    delays_ms: list[float] = []
    with (
        LslOutlet(info, clock=clock) as outlet,
        LslSource("delay", timeout_s=_PATIENCE_S, clock=clock) as source,
        ReplaySource(recordings, clock=clock, loop=True) as replay,
    ):
        sending = threading.Thread(target=publish, args=(replay, outlet, stop), daemon=True)
        sending.start()
        until_s = clock.now_s() + seconds
        while clock.now_s() < until_s:
            chunk = source.read(0.1)
            if chunk is not None:
                delays_ms.append(1000 * (chunk.received_s - chunk.time_s))
        stop.set()
        sending.join()
    return float(np.median(delays_ms)) if delays_ms else float("inf")


def return_s(times: int) -> float:
    """Take a stream away without a word, and bring it back under its source_id.

    Parameters
    ----------
    times : int
        How often.

    Returns
    -------
    float
        Longest time from the new outlet to its first sample; infinite where none came.
    """
    clock = PerfClock()
    longest_s = 0.0
    feed = _feed("return", clock)
    with LslSource(source_id="return", timeout_s=_PATIENCE_S, clock=clock) as source:
        _first_s(source, feed, 0, clock)
        for epoch in range(1, times + 1):
            feed.close()
            until_s = clock.now_s() + _PATIENCE_S
            while source.health.state is not SourceState.RECONNECTING:
                if clock.now_s() > until_s:
                    return float("inf")
                source.read(0.05)
            feed = _feed("return", clock)
            longest_s = max(longest_s, _first_s(source, feed, epoch, clock))
    feed.close()
    return longest_s


def find_dead_s() -> float:
    """List streams, one of which dies between its answer and the question for its metadata.

    Returns
    -------
    float
        What it takes beyond listening; infinite where the dead one is not listed as such.
    """
    clock = PerfClock()
    for _ in range(_TRIES):  # on a busy machine it may die before it has answered
        feed = _feed("dead", clock)
        death = threading.Timer(_DEATH_S, feed.close)
        death.start()
        began_s = clock.now_s()
        found = find_streams(_LISTENED_S)
        took_s = clock.now_s() - began_s - _LISTENED_S
        death.join()
        if any("does not answer" in line for stream in found for line in stream.problems):
            return took_s
    return float("inf")


def read_over_s() -> float:
    """Read a stream while liblsl does not return.

    Returns
    -------
    float
        By how much the longest read is beyond what it was given.
    """
    clock, over = PerfClock(), threading.Event()
    make = pylsl.StreamInlet

    def hang(*_: object, **__: object) -> None:
        over.wait()
        raise pylsl.util.LostError

    def make_hanging(*given: object, **named: object) -> object:
        inlet = make(*given, **named)
        inlet.pull_chunk = hang
        return inlet

    feed = _feed("hanging", clock)
    pylsl.StreamInlet = make_hanging
    took_s = []
    try:
        with LslSource(source_id="hanging", timeout_s=_PATIENCE_S, clock=clock) as source:
            for _ in range(_READS):
                began_s = clock.now_s()
                source.read(_READ_S)
                took_s.append(clock.now_s() - began_s)
            over.set()
    finally:
        over.set()
        pylsl.StreamInlet = make
        feed.close()
    return max(took_s) - _READ_S


def _feed(name: str, clock: PerfClock) -> Feed:
    return Feed(describe(name, "EMG", name, _CHANNELS, _RATE_HZ, "as sent"), clock)


def _first_s(source: LslSource, feed: Feed, epoch: int, clock: PerfClock) -> float:
    """Send silence until some of it comes in this epoch; say how long that took."""
    began_s = clock.now_s()
    zeros = np.zeros((_PUSHED, len(_CHANNELS)), np.float32)
    sent = 0
    while sent < _PATIENCE_S * _RATE_HZ:
        sent += _PUSHED
        due_s = began_s + sent / _RATE_HZ
        clock.sleep_until(due_s)
        feed.push(zeros, due_s)
        chunk = source.read(max(0.0, due_s + _PUSHED / _RATE_HZ - clock.now_s()))
        if chunk is not None and chunk.epoch == epoch:
            return clock.now_s() - began_s
    return float("inf")
