"""What a session gives to the rest of the laboratory."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from drivers.clock import VirtualClock
from drivers.errors import SignalMismatchError, SourceError
from drivers.lsl import AudioOutlet, EstimatesOutlet, EventsOutlet
from drivers.lsl.library import pylsl

pytestmark = pytest.mark.system

Outlet = AudioOutlet | EstimatesOutlet | EventsOutlet


@contextmanager
def received(outlet: Outlet, source_id: str) -> Iterator[tuple[Any, Any]]:
    """Subscribe as any other program would."""
    (stream,) = pylsl.resolve_byprop("source_id", source_id, 1, 60.0)
    inlet = pylsl.StreamInlet(stream, recover=False)
    full = inlet.info(60.0)
    inlet.open_stream(60.0)
    try:
        yield inlet, full
    finally:
        outlet.close()
        outlet.close()


def pull(inlet: Any, samples: int) -> tuple[list[Any], list[float]]:
    return inlet.pull_chunk(timeout=60.0, max_samples=samples)


def channels(full: Any) -> list[tuple[str, str, str]]:
    element = full.desc().child("channels").child("channel")
    found = []
    while not element.empty():
        found.append(tuple(element.child_value(key) for key in ("label", "unit", "type")))
        element = element.next_sibling("channel")
    return found


def test_audio(clock):
    """Speech lies beside the EMG in a LabRecorder file, each sample at its time."""
    outlet = AudioOutlet("voice", "voice-1", 16000.0, clock=clock)
    samples = np.linspace(-1, 1, 160, dtype=np.float32)
    with received(outlet, "voice-1") as (inlet, full):
        now_s = clock.now_s()
        outlet.push(samples, now_s)
        outlet.push(samples[:0], now_s)
        values, stamps_s = pull(inlet, 160)
    np.testing.assert_array_equal(np.ravel(values), samples)
    assert stamps_s[-1] == pytest.approx(now_s, abs=1e-6)
    assert np.diff(stamps_s) == pytest.approx(1 / 16000, abs=1e-6)
    assert (full.type(), full.nominal_srate(), full.source_id()) == ("Audio", 16000.0, "voice-1")
    assert channels(full) == [("speech", "full scale", "Audio")]
    assert full.desc().child_value("manufacturer") == "streamer"
    assert "EMG" in full.desc().child_value("time_stamps")


def test_estimates(clock):
    """Another program can act on who speaks, and knows which number is whose."""
    labels = ["mode audible", "speaker 002", "speech"]
    outlet = EstimatesOutlet("who", "who-1", labels, clock=clock)
    with received(outlet, "who-1") as (inlet, full):
        outlet.push([0.25, 0.5, float("nan")], 7.0)
        values, stamps_s = pull(inlet, 1)
        with pytest.raises(SignalMismatchError, match="got 2 probabilities; allowed: 3"):
            outlet.push([0.5, 0.5], 8.0)
    np.testing.assert_array_equal(values, [[0.25, 0.5, np.nan]])
    assert stamps_s == pytest.approx([7.0], abs=1e-6)
    assert (full.type(), full.nominal_srate()) == ("Estimates", pylsl.IRREGULAR_RATE)
    assert channels(full) == [(label, "probability", "Estimate") for label in labels]


def test_events():
    """Gaps and utterances can be seen where the EMG is recorded."""
    outlet = EventsOutlet("what", "what-1")
    with received(outlet, "what-1") as (inlet, full):
        outlet.push("gap of 30 samples \u00fc", 9.0)
        assert pull(inlet, 1)[0] == [["gap of 30 samples \u00fc"]]
        assert outlet.heard
    assert (full.type(), full.channel_format()) == ("Markers", pylsl.cf_string)
    assert channels(full) == [("event", "", "Markers")]
    assert not outlet.heard


def test_the_last_words_go_out_before_the_stream_is_taken_away(monkeypatch):
    """liblsl sends in the background: whoever records would miss the end of each session."""
    clock = VirtualClock(50.0)
    outlet = EventsOutlet("end", "end-1")
    there: list[bool] = []

    def sleep(seconds: float) -> None:
        there.append(outlet.heard)
        clock.advance(seconds)

    with received(outlet, "end-1"):
        while not outlet.heard:
            pass
        waiting = SimpleNamespace(monotonic=clock.now_s, sleep=sleep)
        monkeypatch.setattr("drivers.lsl.sending.time", waiting)
        outlet.push("the end", 9.0)
        clock.advance(0.1)
        outlet.close()
        outlet.close()
    assert there == [True]
    assert clock.now_s() == pytest.approx(50.3)
    assert not outlet.heard


def test_every_stream_needs_an_identity():
    """Without one, a recorder could not find it again after a break."""
    with pytest.raises(SourceError, match="source_id of the LSL stream 'x': got none"):
        AudioOutlet("x", "", 16000.0)
