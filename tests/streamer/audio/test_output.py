"""The way to the loudspeaker, and what is said where there is none."""

import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from drivers.clock import PerfClock
from streamer.audio.output import (
    AudioError,
    AudioSettings,
    PacedOutput,
    SoundCard,
    import_sounddevice,
    start_output,
)
from streamer.audio.play_buffer import PlayBuffer


class PortAudioError(Exception):
    pass


class Stream:
    """A sound card that can be asked for its callback."""

    def __init__(self, **settings: Any) -> None:
        if settings["device"] == "mute":
            raise PortAudioError("Invalid sample rate")
        self.settings = settings
        self.state = "made"
        self.latency = 0.0123

    def start(self) -> None:
        self.state = "started"

    def stop(self) -> None:
        self.state = "played to its end"

    def close(self) -> None:
        assert self.state == "played to its end"
        self.state = "closed"


def fake_sounddevice(streams: list[Stream]) -> SimpleNamespace:
    def query_devices(device: object, kind: str) -> dict[str, str]:
        if device == "none":
            raise ValueError("No output device matching 'none'")
        return {"name": "Speaker"}

    def output_stream(**settings: Any) -> Stream:
        streams.append(Stream(**settings))
        return streams[-1]

    return SimpleNamespace(
        PortAudioError=PortAudioError, query_devices=query_devices, OutputStream=output_stream
    )


def make_buffer() -> PlayBuffer:
    return PlayBuffer(16000, 10, 200)


def test_without_portaudio_one_line_names_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user without PortAudio must learn what to install, and still get files."""
    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)

    class NoLibrary:
        def find_spec(self, name: str, *_: object) -> None:
            if name == "sounddevice":
                raise OSError("PortAudio library not found")

    monkeypatch.setattr(sys, "meta_path", [NoLibrary(), *sys.meta_path])
    with pytest.raises(AudioError, match="libportaudio2"):
        import_sounddevice()
    output, problem = start_output(make_buffer(), AudioSettings(), PerfClock())
    output.stop()
    assert isinstance(output, PacedOutput)
    assert problem is not None
    assert "libportaudio2" in problem
    assert "\n" not in problem


def test_the_card_is_asked_for_the_voice_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """A resampler on the way would cost up to 18 ms."""
    streams: list[Stream] = []
    monkeypatch.setitem(sys.modules, "sounddevice", fake_sounddevice(streams))
    buffer = make_buffer()
    settings = AudioSettings(device="Speaker", block_ms=5, device_latency_ms=10)
    output, problem = start_output(buffer, settings, PerfClock())
    assert problem is None
    assert output.name == "Speaker"
    (stream,) = streams
    assert (stream.settings["samplerate"], stream.settings["channels"]) == (16000, 1)
    assert (stream.settings["blocksize"], stream.settings["latency"]) == (80, 0.01)
    assert output.latency_s == 0.0123
    for _ in range(4):
        buffer.arrive()
        buffer.feed(np.full(160, 0.5, np.float32))
    out = np.empty((160, 1), np.float32)
    stream.settings["callback"](out, 160, None, SimpleNamespace(output_underflow=True))
    assert out[-1, 0] == 0.5
    assert output.counters() == {"device_underflows": 1}
    output.stop()
    assert stream.state == "closed"
    stream.settings["finished_callback"]()
    assert output.problems() == []


def test_a_card_that_is_pulled_out_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A session would go on for an hour, and nobody would know why nothing is heard."""
    streams: list[Stream] = []
    monkeypatch.setitem(sys.modules, "sounddevice", fake_sounddevice(streams))
    output, _ = start_output(make_buffer(), AudioSettings(), PerfClock())
    assert output.problems() == []
    streams[0].settings["finished_callback"]()
    (problem,) = output.problems()
    assert "Speaker stopped while the session ran" in problem


def test_a_card_that_does_not_start_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody else could open it."""
    streams: list[Stream] = []
    monkeypatch.setitem(sys.modules, "sounddevice", fake_sounddevice(streams))

    def refuse(stream: Stream) -> None:
        stream.state = "played to its end"
        raise PortAudioError("Device unavailable")

    monkeypatch.setattr(Stream, "start", refuse)
    output, problem = start_output(make_buffer(), AudioSettings(), PerfClock())
    output.stop()
    assert problem is not None
    assert streams[0].state == "closed"


@pytest.mark.parametrize("device", ["none", "mute"])
def test_a_card_asked_for_by_name_must_be_there(
    device: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who names a card must not be left in silence."""
    monkeypatch.setitem(sys.modules, "sounddevice", fake_sounddevice([]))
    with pytest.raises(AudioError, match=f"got {device}"):
        start_output(make_buffer(), AudioSettings(device=device), PerfClock())


def test_a_disabled_card_is_not_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server must not wait for PortAudio."""
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    output, problem = start_output(make_buffer(), AudioSettings(enabled=False), PerfClock())
    output.stop()
    assert problem is None


def test_a_card_that_never_started_can_be_stopped() -> None:
    """An error on the way up must not become another on the way down."""
    SoundCard(make_buffer(), AudioSettings()).stop()


def test_the_paced_output_takes_what_a_card_would_have_taken() -> None:
    """Without a card, an underrun must mean the same: pace by the clock, late or not."""

    class Clock:
        """Late by up to 70 ms now and then, and over after two seconds."""

        def __init__(self) -> None:
            self.time_s = 5.0
            self.woken_s: list[float] = []

        def now_s(self) -> float:
            return self.time_s

        def sleep_until(self, time_s: float) -> None:
            self.time_s = max(self.time_s, time_s) + (0.07 if len(self.woken_s) % 20 == 3 else 0)
            self.woken_s.append(time_s)
            if len(self.woken_s) == 200:
                output._stopped.set()

    buffer, clock = make_buffer(), Clock()
    output = PacedOutput(buffer, clock, 0.005)
    assert output.latency_s is None
    for _ in range(15):
        buffer.arrive()
        buffer.feed(np.zeros(160, np.float32))
    output.start()
    output._thread.join(60)
    output.stop()
    np.testing.assert_allclose(np.diff(clock.woken_s), 0.005)
    assert buffer.waiting == 0
