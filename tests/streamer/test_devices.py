"""What `streamer devices` finds, on a machine that a test makes up."""

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from serial.tools import list_ports

from drivers.varioport.transport import access
from streamer import devices


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


def test_missing_portaudio_names_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """The voice would be silent for no reason that a user could find."""
    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)

    class NoPortAudio:
        def find_spec(self, name: str, *_: object) -> None:
            if name == "sounddevice":
                raise OSError("PortAudio library not found")

    monkeypatch.setattr(sys, "meta_path", [NoPortAudio(), *sys.meta_path])
    problem = devices.sound_cards().problem
    assert problem is not None
    assert "apt-get install libportaudio2" in problem


def sounddevice(cards: list[dict[str, object]], error: Exception | None) -> SimpleNamespace:
    """Build what devices.py uses of sounddevice."""

    class PortAudioError(Exception):
        pass

    def check(*_: object, **__: object) -> None:
        if error is not None:
            raise PortAudioError(*error.args)

    return SimpleNamespace(
        PortAudioError=PortAudioError,
        query_devices=lambda: cards,
        query_hostapis=lambda number: {"name": "ALSA", "default_output_device": 1},
        check_output_settings=check,
    )


MICROPHONE = {"index": 0, "name": "mic", "max_output_channels": 0, "hostapi": 0}
LOUDSPEAKER = {"index": 1, "name": "pulse", "max_output_channels": 32, "hostapi": 0}


def test_only_cards_that_play_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody would choose the microphone."""
    fake = sounddevice([MICROPHONE, LOUDSPEAKER], None)
    monkeypatch.setitem(sys.modules, "sounddevice", fake)
    (card,) = devices.sound_cards().found
    assert (card.name, card.about, card.problem) == ("pulse", "ALSA, the default", None)


def test_card_that_refuses_the_rate_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """The card would be chosen, and fail at the start of the session."""
    fake = sounddevice([LOUDSPEAKER], ValueError("Invalid sample rate"))
    monkeypatch.setitem(sys.modules, "sounddevice", fake)
    (card,) = devices.sound_cards().found
    assert card.problem == "does not play 16000 Hz mono now: Invalid sample rate"


def test_no_card_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a server silence would look like a failure."""
    monkeypatch.setitem(sys.modules, "sounddevice", sounddevice([], None))
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
