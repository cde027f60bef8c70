"""A stand-in for sounddevice: cards that a test makes up, and that can hang."""

import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from streamer.audio import library_thread, port_audio
from streamer.audio.library_thread import LibraryThread


class PortAudioError(Exception):
    """As sounddevice raises it."""


@dataclass
class StandInCard:
    """A card.

    Attributes
    ----------
    name : str
        Of the card.
    outputs : int
        Channels that it has.
    channels, rates_hz : set of int
        What it takes.
    host : int
        Number of the system's part that serves it.
    """

    name: str = "Speaker"
    outputs: int = 2
    channels: set[int] = field(default_factory=lambda: {1, 2})
    rates_hz: set[int] = field(default_factory=lambda: {16000, 48000})
    host: int = 0
    rate_hz: float = 48000.0


class StandInStream:
    """What PortAudio plays from; a test asks for its callback."""

    latency = 0.0123

    def __init__(self, system: "SoundSystem", settings: dict[str, Any]) -> None:
        self.settings = settings
        self.state = "made"
        self._system = system

    def start(self) -> None:
        self._system.do("start")
        self.state = "started"

    def stop(self) -> None:
        self._system.do("stop")
        self.settings["finished_callback"]()
        self.state = "played to its end"

    def close(self) -> None:
        self._system.do("close")
        self.state = "closed"


class SoundSystem:
    """What `streamer` uses of sounddevice.

    Attributes
    ----------
    cards : list of StandInCard
        All there are; the first one is the default.
    hangs, fails : set of str
        Calls that never return before `thaw`, and calls that raise: ``query_devices``,
        ``check``, ``open``, ``start``, ``stop``, ``close``.
    streams : list of StandInStream
        All that were opened.
    """

    PortAudioError = PortAudioError

    def __init__(self) -> None:
        self.cards = [StandInCard()]
        self.hangs: set[str] = set()
        self.fails: set[str] = set()
        self.streams: list[StandInStream] = []
        self.hanging = threading.Event()
        self._thawed = threading.Event()

    def thaw(self) -> None:
        """Let all calls return."""
        self.hangs.clear()
        self.hanging.clear()
        self._thawed.set()

    def do(self, call: str) -> None:
        """Hang or fail where that is asked for."""
        if call in self.hangs:
            self.hanging.set()
            self._thawed.wait()
        if call in self.fails:
            raise PortAudioError("Device unavailable")

    @property
    def default(self) -> Any:
        """Numbers of the default input and output."""

        class Default:
            device = (-1, 0 if self.cards else -1)

        return Default

    def query_hostapis(self) -> list[dict[str, Any]]:
        numbers = range(len(self.cards))
        return [
            {"name": name, "devices": [n for n in numbers if self.cards[n].host == host]}
            for host, name in enumerate(("ALSA", "JACK Audio Connection Kit"))
        ]

    def query_devices(self, number: int) -> dict[str, Any]:
        self.do("query_devices")
        card = self.cards[number]
        if card.name == "undecodable":
            raise UnicodeDecodeError("utf-8", b"\xe9", 0, 1, "invalid continuation byte")
        return {
            "name": card.name,
            "max_output_channels": card.outputs,
            "default_samplerate": card.rate_hz,
        }

    def check_output_settings(self, device: int, channels: int, samplerate: float) -> None:
        self.do("check")
        self._check(device, channels, samplerate)

    def OutputStream(self, **settings: Any) -> StandInStream:  # noqa: N802 - sounddevice's name
        self.do("open")
        self._check(settings["device"], settings["channels"], settings["samplerate"])
        self.streams.append(StandInStream(self, settings))
        return self.streams[-1]

    def _check(self, number: int, channels: int, rate_hz: float) -> None:
        if rate_hz not in self.cards[number].rates_hz:
            raise PortAudioError("Invalid sample rate")
        if channels not in self.cards[number].channels:
            raise PortAudioError("Invalid number of channels")


@pytest.fixture
def sound_system(monkeypatch: pytest.MonkeyPatch) -> Iterator[SoundSystem]:
    """Cards of a test's own, on a thread of their own.

    A call that hangs is given up at once: no clock says when.
    """
    system, thread = SoundSystem(), LibraryThread("stand-in")

    class Ended(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            while not self.is_set() and not system.hanging.is_set():
                super().wait(0.001)
            return self.is_set()

    class Call(library_thread._Call[Any]):
        def __init__(self, *args: Any) -> None:
            super().__init__(*args)
            self.ended = Ended()

    monkeypatch.setattr(library_thread, "_Call", Call)
    monkeypatch.setitem(sys.modules, "sounddevice", system)
    monkeypatch.setattr(port_audio, "_library", thread)
    yield system
    system.thaw()
    thread.call(lambda: None, 60.0)  # nothing of this test goes on in the next one


@pytest.fixture
def card_with() -> type[StandInCard]:
    """Makes cards for `sound_system`."""
    return StandInCard
