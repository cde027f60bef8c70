"""What `streamer devices` finds, on a machine that a test makes up."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace

import pytest
from serial.tools import list_ports

from drivers.varioport.transport import access
from streamer import devices
from streamer.audio import cards as sound
from streamer.audio.cards import Card
from streamer.audio.port_audio import AudioError


def port(device: Path, description: str = "n/a") -> SimpleNamespace:
    return SimpleNamespace(device=str(device), description=description)


def test_port_without_permission_names_the_group(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who just installed would not know why the device cannot be opened."""
    device = tmp_path / "ttyUSB0"
    device.touch(0o660)
    device.chmod(0o660)
    monkeypatch.setattr(list_ports, "comports", lambda: [port(device, "FT232R")])
    monkeypatch.setattr(devices.os, "access", lambda path, mode: False)
    (found,) = devices.serial_ports().found
    assert found.about == "FT232R"
    assert found.problem is not None
    assert "usermod -aG" in found.problem


def test_port_has_the_name_that_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`/dev/ttyUSB0` would be another device after the next reboot."""
    device = tmp_path / "ttyUSB0"
    device.touch()
    by_id = tmp_path / "by-id"
    by_id.mkdir()
    (by_id / "usb-FTDI-if00").symlink_to(device)
    monkeypatch.setattr(access, "_BY_ID", by_id)
    monkeypatch.setattr(list_ports, "comports", lambda: [port(device)])
    (found,) = devices.serial_ports().found
    assert found.name == f"varioport:{by_id / 'usb-FTDI-if00'}"
    assert found.problem is None


def test_no_port_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty list would leave open whether anything was looked for."""
    monkeypatch.setattr(list_ports, "comports", list)
    assert devices.serial_ports().problem == "no serial port: plug the device in"


def card(number: int, name: str, host: str = "ALSA", *, default: bool = False) -> Card:
    return Card(number, name, host, default, 2, 48000)


@pytest.fixture
def cards_of(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Make up the sound cards, and what is wrong with each."""

    def make(*cards: Card, wrong: Mapping[int, str | AudioError] | None = None) -> None:
        def hindrance(card: Card, rate_hz: int) -> str | None:
            problem = (wrong or {}).get(card.number)
            if isinstance(problem, AudioError):
                raise problem
            return problem

        monkeypatch.setattr(sound, "list_cards", lambda: list(cards))
        monkeypatch.setattr(sound, "hindrance", hindrance)

    return make


def test_sound_that_cannot_be_had_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without PortAudio, or with a server that hangs, the voice would be silent for no reason."""

    def refuse() -> list[Card]:
        raise AudioError("PortAudio is not installed", way_out="apt-get install libportaudio2")

    monkeypatch.setattr(sound, "list_cards", refuse)
    problem = devices.sound_cards().problem
    assert problem is not None
    assert "apt-get install libportaudio2; until then speech goes to files only" in problem


def test_cards_are_listed_by_the_names_that_settings_take(cards_of: Callable[..., None]) -> None:
    """Somebody would choose a card, and be told that there are two of that name."""
    cards = [card(1, "pulse", default=True), card(4, "USB"), card(7, "USB", "JACK")]
    cards_of(*cards)
    found = devices.sound_cards().found
    assert [(one.name, one.about, one.problem) for one in found] == [
        ("pulse", "ALSA, the default", None),
        ("4", "USB, ALSA", None),
        ("7", "USB, JACK", None),
    ]


def test_a_card_that_refuses_the_voice_says_so(cards_of: Callable[..., None]) -> None:
    """The card would be chosen, and fail at the start of the session."""
    cards_of(card(1, "pulse"), wrong={1: "Invalid sample rate"})
    (found,) = devices.sound_cards().found
    assert found.problem == "does not play now: Invalid sample rate"


def test_a_card_that_hangs_is_asked_once(cards_of: Callable[..., None]) -> None:
    """With hundreds of cards the list would take an hour."""
    cards = [card(n, f"card {n}") for n in range(300)]
    cards_of(*cards, wrong={n: AudioError("no answer") for n in range(1, 300)})
    first, second, *rest = devices.sound_cards().found
    assert (first.problem, second.problem) == (None, "no answer")
    assert {one.problem for one in rest} == {"not tried, because card 1 does not answer"}


def test_no_card_is_said(cards_of: Callable[..., None]) -> None:
    """On a server silence would look like a failure."""
    cards_of()
    assert devices.sound_cards().problem == "no sound card: speech goes to files only"


def test_streams_are_named_as_source_takes_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is listed could not be copied into ``--source``."""
    from drivers import lsl

    streams = [
        lsl.FoundStream("Varioport", "EMG", "", "lab", 6, 600.0, ("has no source_id",)),
        lsl.FoundStream("keys", "Markers", "keys-1", "lab", 1, 0.0),
    ]
    monkeypatch.setattr(lsl, "find_streams", lambda wait_s: streams)
    emg, keys = devices.lsl_streams().found
    assert (emg.name, emg.about) == ("lsl:Varioport", "EMG, 6 channels, 600 Hz, id none, on lab")
    assert emg.problem is not None
    assert "source_id" in emg.problem
    assert (keys.about, keys.problem) == ("Markers, 1 channels, events, id keys-1, on lab", None)
