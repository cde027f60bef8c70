"""What `streamer devices` can say of streams."""

import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from drivers.errors import SourceError
from drivers.lsl import find_streams
from drivers.lsl.finding import FoundStream, resolve
from drivers.lsl.library import pylsl
from drivers.outside.names import clean

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


@pytest.mark.parametrize(
    "name",
    [
        '6" probe',
        """the "boss's" amplifier""",
        "two  spaces",
        "line\nfeed",
        "\x1b[31mred",
        "x" * 3000,
        "\u00fc\u00df",
    ],
)
def test_a_stream_of_any_name_is_found(name):
    """Names are whatever people and programs write; as they are and as they are shown."""
    outlet = pylsl.StreamOutlet(pylsl.StreamInfo(name, "EMG", 1, 600.0, "float32", "q"))
    other = pylsl.StreamOutlet(pylsl.StreamInfo(f"{name}!", "EMG", 1, 600.0, "float32", "r"))
    for wanted in {name, clean(name)} - ({clean(name)} if len(name) > 256 else set()):
        assert resolve("name or source_id", wanted, 60.0).source_id() == "q"
    del outlet, other


class Answers:
    """Stands for the network: all streams answer, some of them late."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *streams: tuple[str, str, str]) -> None:
        self._streams = [
            pylsl.StreamInfo(name, kind, 1, 600.0, "float32", source_id)
            for name, kind, source_id in streams
        ]
        monkeypatch.setattr(pylsl, "resolve_bypred", self.ask)
        monkeypatch.setattr(pylsl, "resolve_streams", lambda wait_s: self._streams)

    def ask(self, predicate: str, minimum: int, wait_s: float) -> list[Any]:
        late = minimum > 1 and wait_s > 1.0  # liblsl asks known peers half a second later
        return self._streams if late else self._streams[:1]


@pytest.mark.parametrize(
    ("streams", "field", "value", "line"),
    [
        (
            [("Amp", "EMG", "one"), ("Amp", "EMG", "two")],
            "name",
            "Amp",
            "got 2 of them; allowed: one; choose by source_id: one, two",
        ),
        (
            [("Amp", "EMG", "s1"), ("AmpFiltered", "EMG", "s1")],
            "source_id",
            "s1",
            r"2 of them; .* choose by name: 'Amp' \(EMG, .*\), 'AmpFiltered'",
        ),
        ([("Amp", "EMG", "s1"), ("Amp", "ACC", "s1")], "source_id", "s1", "choose by type: .*ACC"),
        ([("Amp", "EMG", ""), ("Amp", "EMG", "")], "name", "Amp", "nothing tells .* apart: stop"),
        ([("Amp", "EMG", "s1"), ("B", "EMG", "s2")], "name", "Ampp", "there are: 'Amp'.*, 'B'"),
    ],
)
def test_one_of_several_is_never_taken_by_chance(monkeypatch, streams, field, value, line):
    """Somebody else's muscles would speak; the user reads how to choose, offline too."""
    Answers(monkeypatch, *streams)
    with pytest.raises(SourceError, match=line):
        resolve(field, value, 0.01)
