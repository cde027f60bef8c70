"""The way to the loudspeaker, and what is said where there is none."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from drivers.clock import PerfClock, VirtualClock
from streamer.audio import port_audio
from streamer.audio.output import PacedOutput, start_output
from streamer.audio.play_buffer import PlayBuffer
from streamer.audio.port_audio import AudioError
from streamer.audio.settings import AudioSettings
from streamer.audio.sound_card import SoundCard


def make_buffer() -> PlayBuffer:
    return PlayBuffer(16000, 10, 200)


def take(stream: Any, *, underflow: bool = False) -> float:
    """Take 10 ms as the card would; return the last sample."""
    out = np.empty((160, 1), np.float32)
    stream.settings["callback"](out, 160, None, SimpleNamespace(output_underflow=underflow))
    return float(out[-1, 0])


def fed(buffer: PlayBuffer) -> PlayBuffer:
    for _ in range(4):
        buffer.arrive()
        buffer.feed(np.full(160, 0.5, np.float32))
    return buffer


def test_the_card_plays_what_waits(sound_system: Any) -> None:
    """It is the way of the voice to the loudspeaker."""
    output, problem = start_output(fed(make_buffer()), AudioSettings(device="Spea"), PerfClock())
    assert problem is None
    assert output.name == "Speaker"
    (stream,) = sound_system.streams
    assert output.latency_s == 0.0123
    assert take(stream, underflow=True) == 0.5
    assert output.counters() == {"device_underflows": 1, "device_reopened": 0}
    output.stop()
    output.stop()  # nothing more happens
    assert stream.state == "closed"
    stream.settings["finished_callback"]()
    assert output.problems() == []


def test_a_card_that_is_pulled_out_is_told(sound_system: Any) -> None:
    """A session would go on for an hour, and nobody would know why nothing is heard."""
    output, _ = start_output(make_buffer(), AudioSettings(), PerfClock())
    assert output.problems() == []
    sound_system.streams[0].settings["finished_callback"]()
    for _ in range(2):
        (problem,) = output.problems()
        assert "Speaker stopped while the session ran" in problem
        output.stop()


def test_a_card_that_takes_nothing_is_told(sound_system: Any) -> None:
    """The sound server hangs, nothing is heard, and the screen would look as ever."""
    clock = VirtualClock()
    card = SoundCard(fed(make_buffer()), AudioSettings(), clock.now_s)
    card.start()
    clock.advance(4.0)
    assert card.problems() == []
    take(sound_system.streams[0])
    clock.advance(6.0)
    assert card.problems() == ["Speaker takes nothing any more: from then on nothing was heard"]
    take(sound_system.streams[0])
    assert card.problems() == []  # it goes on
    card.stop()
    clock.advance(100.0)
    assert card.problems() == []


def settled() -> None:
    """Wait for what was begun on PortAudio's thread."""
    port_audio.on_its_thread(lambda: None, 60.0)


def test_a_card_that_runs_dry_again_and_again_is_opened_with_more_latency(
    sound_system: Any,
) -> None:
    """Behind a sound server each time costs two seconds of silence."""
    clock = VirtualClock()
    settings = AudioSettings(device_latency_ms=10, device_latency_most_ms=35)
    card = SoundCard(fed(make_buffer()), settings, clock.now_s)
    card.start()
    for _ in range(6):
        clock.advance(61.0)
        take(sound_system.streams[-1], underflow=True)
        settled()
    assert len(sound_system.streams) == 1  # bad luck
    for _ in range(6):
        clock.advance(10.0)
        take(sound_system.streams[-1], underflow=True)
        take(sound_system.streams[-1], underflow=True)
        settled()
    asked_s = [stream.settings["latency"] for stream in sound_system.streams]
    assert asked_s == [0.01, 0.02, 0.035]
    assert [stream.state for stream in sound_system.streams] == ["closed", "closed", "started"]
    assert card.counters() == {"device_underflows": 18, "device_reopened": 2}
    (problem,) = card.problems()
    assert "opened again with more latency (audio.device_latency_ms=35 begins with it)" in problem
    card.stop()
    assert sound_system.streams[-1].state == "closed"
    assert card.problems() == [problem]


def test_a_card_that_does_not_open_again_is_told(sound_system: Any) -> None:
    """It was pulled out meanwhile, and nothing is heard."""
    card = SoundCard(fed(make_buffer()), AudioSettings())
    card.start()
    sound_system.fails.add("open")
    for _ in range(2):
        take(sound_system.streams[0], underflow=True)
    settled()
    for _ in range(2):
        (problem,) = card.problems()
        assert "stopped while the session ran" in problem
        card.stop()


@pytest.mark.parametrize("device", [None, "Speaker"])
def test_a_card_that_does_not_answer_at_the_start(sound_system: Any, device: str | None) -> None:
    """Without a word nothing would ever begin; and a card that opens late must not play, too."""
    sound_system.hangs.add("start")
    buffer = fed(make_buffer())
    card = SoundCard(buffer, AudioSettings(device=device))
    with pytest.raises(AudioError, match="does not answer"):
        card.start()
    card.stop()
    (stream,) = sound_system.streams
    assert take(stream) == 0.0
    assert buffer.counts.played_samples == 0
    if device is None:
        output, problem = start_output(buffer, AudioSettings(), PerfClock())
        output.stop()
        assert isinstance(output, PacedOutput)
        assert problem is not None
        assert problem.endswith("; the voice goes to files only")
    else:
        with pytest.raises(AudioError, match="does not answer"):
            start_output(buffer, AudioSettings(device=device), PerfClock())


def test_a_card_that_does_not_answer_at_the_end_is_left_alone(sound_system: Any) -> None:
    """Neither summary nor picture would be written."""
    buffer = fed(make_buffer())
    output, _ = start_output(buffer, AudioSettings(), PerfClock())
    sound_system.hangs.add("stop")
    output.stop()
    (problem,) = output.problems()
    assert problem.startswith("Speaker could not be closed: the system's sound does not answer")
    assert take(sound_system.streams[0]) == 0.0


def test_without_a_card_the_voice_goes_to_files(sound_system: Any) -> None:
    """On a server, a session must run all the same, and say so in a line."""
    sound_system.cards = []
    output, problem = start_output(make_buffer(), AudioSettings(), PerfClock())
    output.stop()
    assert isinstance(output, PacedOutput)
    assert problem is not None
    assert problem.endswith("; the voice goes to files only")
    assert "\n" not in problem
    with pytest.raises(AudioError, match="got none"):
        start_output(make_buffer(), AudioSettings(device="none"), PerfClock())


def test_a_disabled_card_is_not_looked_for(sound_system: Any) -> None:
    """A server must not wait for PortAudio."""
    sound_system.hangs.add("query_devices")
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
