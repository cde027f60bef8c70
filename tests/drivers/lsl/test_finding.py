"""What `streamer devices` can say of streams."""

import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from drivers.lsl import find_streams
from drivers.lsl.finding import FoundStream, equal
from drivers.lsl.library import pylsl

pytestmark = pytest.mark.system


def find_all(*names: str) -> dict[str, FoundStream]:
    """Look until all of them have answered in time."""
    found: dict[str, FoundStream] = {}
    while not found.keys() >= set(names):
        found = {stream.name: stream for stream in find_streams(0.5)}
    return found


def test_what_is_wrong_is_said_before_a_session(monkeypatch):
    """The user mends his sender, or sets the unit, with nobody waiting for him."""
    monkeypatch.setattr("drivers.lsl.finding._ANSWER_S", 60.0)
    outlets = [
        pylsl.StreamOutlet(pylsl.StreamInfo("bare", "EMG", 1, 600.0, "float32", "")),
        pylsl.StreamOutlet(pylsl.StreamInfo("events", "Markers", 1, 0.0, "string", "")),
    ]
    complete = pylsl.StreamInfo("complete", "EMG", 1, 600.0, "float32", "complete-1")
    channel = complete.desc().append_child("channels").append_child("channel")
    channel.append_child_value("unit", "mV")
    outlets.append(pylsl.StreamOutlet(complete))
    found = find_all("bare", "events", "complete")
    assert len(outlets) == 3
    unit, identity = found["bare"].problems
    assert "got none" in unit
    assert "--set live.unit=uV" in unit
    assert "no source_id" in identity
    assert found["complete"].problems == found["events"].problems == ()
    assert str(found["complete"]) == "'complete' (EMG, 1 channels, 600 Hz)"


def test_a_stream_that_died_is_listed_as_dead(monkeypatch):
    """A list of devices comes, whatever is wrong with one of them."""
    outlet = pylsl.StreamOutlet(pylsl.StreamInfo("mute", "EMG", 1, 600.0, "float32", "mute"))
    found = pylsl.resolve_byprop("source_id", "mute", 1, 60.0)
    del outlet
    monkeypatch.setattr(pylsl, "resolve_streams", lambda wait_s: found)
    (stream,) = find_streams(0.0)
    assert "does not answer" in stream.problems[0]


def ask_instead(monkeypatch: pytest.MonkeyPatch, answer: Callable[[], object]) -> None:
    """Put three streams in the place of real ones, that answer as the test says."""
    streams = [pylsl.StreamInfo(name, "EMG", 1, 600.0, "float32", name) for name in "abc"]

    def inlet(stream: Any, *, recover: bool) -> SimpleNamespace:
        assert not recover  # only then a dead one is let go of at once

        def info(timeout_s: float) -> Any:
            answer()
            return stream

        return SimpleNamespace(info=info)

    monkeypatch.setattr(pylsl, "resolve_streams", lambda wait_s: streams)
    monkeypatch.setattr(pylsl, "StreamInlet", inlet)


def test_all_streams_are_asked_at_once(monkeypatch):
    """Each dead one would keep the list of devices back a second longer."""
    monkeypatch.setattr("drivers.lsl.finding._ANSWER_S", 60.0)
    ask_instead(monkeypatch, threading.Barrier(3).wait)  # none answers before all are asked
    assert ["does not answer" in stream.problems[0] for stream in find_streams(0.0)] == [False] * 3


def test_a_stream_that_hangs_does_not_hang_the_list(monkeypatch):
    """liblsl does not always keep its time-outs (its issue 201)."""
    monkeypatch.setattr("drivers.lsl.finding._ANSWER_S", 0.1)
    over = threading.Event()
    ask_instead(monkeypatch, over.wait)
    assert ["does not answer" in stream.problems[0] for stream in find_streams(0.0)] == [True] * 3
    over.set()


def test_a_name_with_a_quote_is_found():
    """Names are whatever people type."""
    outlet = pylsl.StreamOutlet(pylsl.StreamInfo('6" probe', "EMG", 1, 600.0, "float32", "q"))
    assert len(pylsl.resolve_bypred(equal("name or source_id", '6" probe'), 1, 60.0)) == 1
    assert len(pylsl.resolve_bypred(equal("name or source_id", "q"), 1, 60.0)) == 1
    del outlet
