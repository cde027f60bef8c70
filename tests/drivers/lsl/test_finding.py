"""What `streamer devices` can say of streams."""

import time

import pytest

from drivers.lsl import find_streams
from drivers.lsl.finding import equal
from drivers.lsl.library import pylsl

pytestmark = pytest.mark.realtime


def test_what_is_wrong_is_said_before_a_session():
    """The user mends his sender, or sets the unit, with nobody waiting for him."""
    outlets = [
        pylsl.StreamOutlet(pylsl.StreamInfo("bare", "EMG", 1, 600.0, "float32", "")),
        pylsl.StreamOutlet(pylsl.StreamInfo("events", "Markers", 1, 0.0, "string", "")),
    ]
    complete = pylsl.StreamInfo("complete", "EMG", 1, 600.0, "float32", "complete-1")
    channel = complete.desc().append_child("channels").append_child("channel")
    channel.append_child_value("unit", "mV")
    outlets.append(pylsl.StreamOutlet(complete))
    found = {stream.name: stream for stream in find_streams(0.5)}
    assert len(outlets) == 3
    unit, identity = found["bare"].problems
    assert "got none" in unit
    assert "--set live.unit=uV" in unit
    assert "no source_id" in identity
    assert found["complete"].problems == found["events"].problems == ()
    assert str(found["complete"]) == "'complete' (EMG, 1 channels, 600 Hz)"


def test_a_stream_that_died_costs_a_second_at_most(monkeypatch):
    """A list of devices comes, whatever is wrong with one of them."""
    outlet = pylsl.StreamOutlet(pylsl.StreamInfo("mute", "EMG", 1, 600.0, "float32", "mute"))
    found = pylsl.resolve_byprop("source_id", "mute", 1, 5.0)
    del outlet
    monkeypatch.setattr(pylsl, "resolve_streams", lambda wait_s: found)
    start_s = time.perf_counter()
    (stream,) = find_streams(0.0)
    assert time.perf_counter() - start_s < 1.5
    assert "does not answer" in stream.problems[0]


def test_a_name_with_a_quote_is_found():
    """Names are whatever people type."""
    outlet = pylsl.StreamOutlet(pylsl.StreamInfo('6" probe', "EMG", 1, 600.0, "float32", "q"))
    assert len(pylsl.resolve_bypred(equal("name or source_id", '6" probe'), 1, 5.0)) == 1
    assert len(pylsl.resolve_bypred(equal("name or source_id", "q"), 1, 5.0)) == 1
    del outlet
