"""PortAudio: cards of all kinds, and sound servers that hang."""

import os
import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from streamer.audio import port_audio
from streamer.audio.card_stream import CardStream
from streamer.audio.cards import Card, cards_now, find_card, hindrance, list_cards
from streamer.audio.port_audio import AudioError, on_its_thread

VOICE_HZ = 16000


def render_ones(out: NDArray[np.float32]) -> None:
    out[:] = 1


def opened(wanted: int | str | None = None, underflows: list[int] | None = None) -> CardStream:
    def open_it() -> CardStream:
        there = find_card(cards_now(), wanted)
        count = [] if underflows is None else underflows
        return CardStream(
            there, VOICE_HZ, 0.005, 0.01, render_ones, lambda: None, lambda: count.append(1)
        )

    return on_its_thread(open_it, port_audio.OPEN_S, CardStream.close, wanted)


def close(stream: CardStream) -> None:
    on_its_thread(stream.close, port_audio.STOP_S)


def ask(stream: Any, frames: int | None = None, underflow: bool = False) -> NDArray[np.float32]:
    """Take a block as the card would."""
    settings = stream.settings
    out = np.full((frames or settings["blocksize"], settings["channels"]), np.nan, np.float32)
    flags = SimpleNamespace(output_underflow=underflow)
    settings["callback"](out, len(out), None, flags)
    return out


def card(number: int, name: str, host: str = "ALSA", default: bool = False) -> Card:
    return Card(number, name, host, default, 2, 48000)


def test_without_portaudio_one_line_names_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user without PortAudio must learn what to install."""
    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)

    class NoLibrary:
        def find_spec(self, name: str, *_: object) -> None:
            if name == "sounddevice":
                raise OSError("PortAudio library not found")

    monkeypatch.setattr(sys, "meta_path", [NoLibrary(), *sys.meta_path])
    with pytest.raises(AudioError, match="libportaudio2"):
        list_cards()


@pytest.mark.parametrize("channels", [{1}, {2}, {1, 2}, {8}])
@pytest.mark.parametrize("card_hz", [16000, 44100, 48000, 96000])
def test_a_card_is_opened_with_what_it_takes(
    sound_system: Any, card_with: Any, channels: set[int], card_hz: int
) -> None:
    """Many cards take only stereo at 48 kHz, and the voice would be silent."""
    sound_system.cards = [
        card_with(outputs=8, channels=channels, rates_hz={card_hz}, rate_hz=card_hz)
    ]
    assert hindrance(list_cards()[0], VOICE_HZ) is None
    stream = opened()
    (given,) = sound_system.streams
    assert given.settings["channels"] == min(channels)
    assert given.settings["blocksize"] == round(0.005 * card_hz)
    for _ in range(20):
        out = ask(given)
    np.testing.assert_allclose(out[:, :2], 1, atol=1e-5)  # left and right alike
    assert not out[:, 2:].any()
    np.testing.assert_allclose(ask(given, 1000)[:, :2], 1, atol=1e-5)
    assert stream.latency_s == pytest.approx(0.0123, abs=1e-9 if card_hz == VOICE_HZ else 0.001)
    close(stream)
    assert given.state == "closed"


def test_the_voice_as_it_is_comes_first(sound_system: Any) -> None:
    """A resampler on the way would cost time, and a second channel work."""
    underflows: list[int] = []
    opened(underflows=underflows)
    (given,) = sound_system.streams
    assert (given.settings["samplerate"], given.settings["channels"]) == (16000, 1)
    assert (given.settings["blocksize"], given.settings["latency"]) == (80, 0.01)
    ask(given)
    ask(given, underflow=True)
    assert len(underflows) == 1


def test_a_card_that_takes_nothing_is_refused_with_its_own_words(
    sound_system: Any, card_with: Any
) -> None:
    """The reason must be that of the voice as it is, not of the last resort."""
    sound_system.cards = [card_with(rates_hz={8000})]
    with pytest.raises(AudioError, match="Invalid sample rate.*streamer devices"):
        opened()
    assert hindrance(list_cards()[0], VOICE_HZ) == "Invalid sample rate"


def test_a_card_that_does_not_start_is_closed(sound_system: Any) -> None:
    """Nobody else could open it."""
    sound_system.fails.add("start")
    with pytest.raises(AudioError, match="Device unavailable"):
        opened("Speaker")
    assert {stream.state for stream in sound_system.streams} == {"closed"}


@pytest.mark.parametrize("call", ["query_devices", "check", "open", "start", "stop", "close"])
@pytest.mark.parametrize("wanted", [None, "Speaker"])
def test_a_sound_server_that_hangs_is_one_line(
    sound_system: Any, call: str, wanted: str | None
) -> None:
    """No command would ever begin or end, and Ctrl-C would do nothing."""
    sound_system.hangs.add(call)

    def use() -> None:
        hindrance(CARDS[0], VOICE_HZ)
        close(opened(wanted))

    with pytest.raises(AudioError, match=r"does not answer within .*; restart the sound server"):
        use()


def test_standard_error_is_there_though_portaudio_hangs(
    sound_system: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """sounddevice sends it nowhere while PortAudio starts: all errors would be lost."""
    before = os.fstat(2)

    def query_hostapis() -> list[dict[str, Any]]:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 2)
        os.close(nowhere)
        sound_system.hangs.add("hostapis")
        sound_system.do("hostapis")
        return []

    monkeypatch.setattr(sound_system, "query_hostapis", query_hostapis)
    with pytest.raises(AudioError):
        list_cards()
    after = os.fstat(2)
    assert (after.st_dev, after.st_ino) == (before.st_dev, before.st_ino)


def test_nothing_waits_for_the_sound_server_at_the_end_of_the_program(
    sound_system: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everything would be written, and the program would hang all the same."""
    unregistered: list[object] = []
    monkeypatch.setattr(port_audio.atexit, "unregister", unregistered.append)
    sound_system._exit_handler = print
    list_cards()
    assert unregistered[0] is print


def test_hundreds_of_cards_with_any_names_are_listed(sound_system: Any, card_with: Any) -> None:
    """Names come from USB devices and sound servers of others."""
    sound_system.cards = [card_with(name=f"Monitor {n}\x1b[2J\n") for n in range(300)]
    sound_system.cards += [card_with(name="Microphone", outputs=0), card_with(name="undecodable")]
    cards = list_cards()
    assert [one.number for one in cards] == [*range(300), 301]
    assert all(one.name.isprintable() for one in cards)
    assert find_card(cards, cards[7].name) is cards[7]
    assert [one for one in cards if one.default] == cards[:1]
    with pytest.raises(AudioError) as caught:
        find_card(cards, "monitor")
    assert len(str(caught.value)) < 400


CARDS = [
    card(0, "HDA Intel: ALC (hw:0,0)"),
    card(3, "pulse"),
    card(4, "default", default=True),
    card(7, "USB Headset"),
    card(8, "USB Headset", "JACK"),
    card(9, "pulse monitor"),
]


@pytest.mark.parametrize(
    ("wanted", "number"),
    [
        (None, 4),
        (7, 7),
        ("pulse", 3),
        ("PULSE", 3),
        ("intel alc", 0),
        ("USB Headset, JACK", 8),
        ("headset jack", 8),
    ],
)
def test_a_card_is_found_as_a_user_names_it(wanted: int | str | None, number: int) -> None:
    """The voice would come out of another loudspeaker."""
    assert find_card(CARDS, wanted).number == number


@pytest.mark.parametrize(
    ("wanted", "line"),
    [
        (5, "sound card does not exist: got 5; `streamer devices` lists"),
        ("none", "sound card does not exist: got none"),
        (
            "USB Headset",
            r"cannot be told from others: got USB Headset; allowed: .* 7 \(USB Headset, ALSA\), 8 ",
        ),
    ],
)
def test_a_card_that_is_none_or_several_is_refused(wanted: int | str, line: str) -> None:
    """Who names a card must not be left in silence, or hear it elsewhere."""
    with pytest.raises(AudioError, match=line):
        find_card(CARDS, wanted)


def test_no_card_at_all_is_one_line(sound_system: Any) -> None:
    """On a server, speech goes to files only."""
    sound_system.cards = []
    assert list_cards() == []
    with pytest.raises(AudioError, match="default sound card does not exist"):
        opened()
