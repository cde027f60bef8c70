"""What other programs get of a session over LSL."""

import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import drivers.lsl
from drivers.clock import PerfClock
from drivers.errors import StreamerError
from drivers.lsl import sending
from drivers.lsl.library import lsl_ahead_s
from drivers.lsl.sending import Feed
from models.bundle import Bundle
from streamer.audio.settings import AudioSettings
from streamer.engine.answers import Answer, Estimate
from streamer.engine.background import Background
from streamer.outlets import Outlets, OutletSettings
from streamer.results.outputs import RunDirectory
from streamer.session import Session

ALL = OutletSettings(emg=True, audio=True, estimates=True, events=True)


class FakeOutlet:
    made: list["FakeOutlet"] = []

    def __init__(self, *args: Any, clock: Any) -> None:
        self.args = args
        self.pushed: list[Any] = []
        self.closed = False
        FakeOutlet.made.append(self)

    def push(self, *what: Any) -> None:
        self.pushed.append(what)

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def fakes(monkeypatch: pytest.MonkeyPatch) -> list[FakeOutlet]:
    monkeypatch.setattr(FakeOutlet, "made", [])
    for name in ("LslOutlet", "AudioOutlet", "EstimatesOutlet", "EventsOutlet"):
        monkeypatch.setattr(drivers.lsl, name, FakeOutlet)
    return FakeOutlet.made


def open_all(bundle: Bundle, script_source: Any, settings: OutletSettings = ALL) -> Outlets:
    background = Background(lambda: None, inline=True)
    return Outlets(settings, script_source([]).info, bundle, background, PerfClock())


def test_all_is_sent_with_the_times_of_the_emg(
    fakes: list[FakeOutlet], toy_bundle: Bundle, chunks_of: Any, emg: Any, script_source: Any
) -> None:
    """Whoever lines the streams up must find the voice at its EMG."""
    outlets = open_all(toy_bundle, script_source)
    relayed, audio, estimates, events = fakes
    assert (relayed.args[0].name, relayed.args[0].source_id) == (
        "streamer-emg",
        "streamer-script-emg",
    )
    assert audio.args == ("streamer-audio", "streamer-script-audio", 16000)
    labels = ("speech", "mode: soft", "mode: loud", "speaker: soft", "speaker: loud")
    assert estimates.args == ("streamer-estimates", "streamer-script-estimates", labels)
    assert events.args == ("streamer-events", "streamer-script-events")
    (chunk,) = chunks_of(emg(0.01))
    outlets.take(chunk, 0.5)
    outlets.audio(np.zeros(161, np.float32), 3.0)
    answer = Answer("loud", "unsure", {"soft": 0.4, "loud": 0.6}, 1.0)
    outlets.estimate(Estimate(0.1, 0, "u", 0.1, 0.9, None, answer), 4.0)
    outlets.event("lost 3 samples", 5.0)
    assert relayed.pushed == [(chunk,)]
    assert audio.pushed[0][1] == pytest.approx(3.01)  # of the last sample
    row, time_s = estimates.pushed[0]
    np.testing.assert_array_equal(row, [0.9, np.nan, np.nan, 0.4, 0.6])
    assert time_s == 4.0
    assert events.pushed == [("lost 3 samples", 5.0)]
    assert outlets.counters() == {
        "emg_samples": 6,
        "audio_samples": 161,
        "estimates": 1,
        "events": 1,
    }
    outlets.close()
    assert all(fake.closed for fake in fakes)


def test_only_what_is_wanted_is_sent(
    fakes: list[FakeOutlet], toy_bundle: Bundle, chunks_of: Any, emg: Any, script_source: Any
) -> None:
    """A stream that nobody asked for confuses the others in the room."""
    outlets = open_all(toy_bundle, script_source, OutletSettings(events=True, name="lab"))
    assert [fake.args for fake in fakes] == [("lab-events", "lab-script-events")]
    outlets.take(chunks_of(emg(0.01))[0], 0.0)
    outlets.audio(np.zeros(10, np.float32), 0.0)
    assert outlets.counters()["emg_samples"] == outlets.counters()["audio_samples"] == 0


def test_outlets_need_real_time(tmp_path: Path, toy_bundle: Bundle, script_source: Any) -> None:
    """Time stamps of a replay at speed max are no times of this world."""
    directory = RunDirectory.create(tmp_path / "run")
    session = Session(
        script_source([]), toy_bundle, directory, outlets=OutletSettings(emg=True), realtime=False
    )
    with pytest.raises(StreamerError, match="speed max.*--speed 1"):
        session.run()


@pytest.mark.system
def test_a_session_without_outlets_does_not_need_lsl() -> None:
    """A machine without liblsl must be able to replay."""
    code = "import sys, streamer.session.session; sys.exit('pylsl' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.realtime
@pytest.mark.system
def test_another_program_gets_voice_and_emg(
    tmp_path: Path,
    toy_bundle: Bundle,
    chunks_of: Any,
    emg: Any,
    script_source: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Over a real stream: the EMG is what the source gave, and both are one timeline."""
    import pylsl

    received: dict[str, list[Any]] = {"emg": [], "audio": []}
    expected = {"emg": 600, "audio": 16000}
    complete = {kind: threading.Event() for kind in received}
    ready, over = threading.Barrier(3), threading.Event()
    # Read once for both: two readings differ where the machine is busy.
    ahead_s, close = lsl_ahead_s(PerfClock()), Feed.close
    monkeypatch.setattr(sending, "lsl_ahead_s", lambda clock: ahead_s)

    def close_late(feed: Feed) -> None:
        """Take no stream away before a listener, however slow, has all of it."""
        assert all(event.wait(60) for event in complete.values())
        close(feed)

    monkeypatch.setattr(Feed, "close", close_late)

    def listen(kind: str) -> None:
        # Loops may have to be compiled first.
        (found,) = pylsl.resolve_byprop("source_id", f"streamer-script-{kind}", timeout=60)
        inlet = pylsl.StreamInlet(found)
        inlet.open_stream(60)
        ready.wait(60)
        ended = False
        while not ended:
            ended = over.is_set()
            samples, stamps = inlet.pull_chunk(timeout=0.1)
            received[kind] += zip(stamps, samples, strict=True)
            if len(received[kind]) >= expected[kind]:
                complete[kind].set()

    signal_uv = emg(1.0)

    def live() -> Any:
        ready.wait(60)
        yield from chunks_of(signal_uv, (12,), start_s=PerfClock().now_s())

    listeners = [threading.Thread(target=listen, args=(kind,), daemon=True) for kind in received]
    for listener in listeners:
        listener.start()
    try:
        summary = Session(
            script_source(live()),
            toy_bundle,
            RunDirectory.create(tmp_path / "run"),
            audio=AudioSettings(enabled=False),
            outlets=OutletSettings(emg=True, audio=True),
        ).run()
    finally:
        over.set()
    for listener in listeners:
        listener.join()
    assert summary.counters["outlets"]["emg_samples"] == 600
    np.testing.assert_array_equal([values for _, values in received["emg"]], signal_uv)
    first_s = {kind: pairs[0][0] for kind, pairs in received.items()}
    assert first_s["audio"] == pytest.approx(first_s["emg"], abs=1e-4)
    assert len(received["audio"]) == summary.counters["outlets"]["audio_samples"] == 16000
