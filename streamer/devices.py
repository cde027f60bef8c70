"""What there is to read from and to play on, and what is wrong with each.

Looking changes nothing: no port is opened, no stream is read and nothing is played.
"""

import os
from dataclasses import dataclass

from serial.tools import list_ports

from drivers.errors import StreamerError
from drivers.varioport.transport.access import holders, stable_name, way_to_permission

_SPEECH_RATE_HZ = 16000


@dataclass(frozen=True)
class Device:
    """Something that can be used, or what is wrong with it.

    Attributes
    ----------
    name : str
        What to call it in ``--source`` or ``audio.device``.
    about : str
        For people.
    problem : str or None
        Why it cannot be used as it is, and the way out.
    """

    name: str
    about: str
    problem: str | None = None


@dataclass(frozen=True)
class Devices:
    """All devices of one kind.

    Attributes
    ----------
    found : tuple of Device
        What there is.
    problem : str or None
        Why nothing of this kind can be used, and the way out.
    """

    found: tuple[Device, ...] = ()
    problem: str | None = None


def serial_ports() -> Devices:
    """List serial ports, by the name that stays the same when they are plugged in again."""
    ports = []
    for port in sorted(list_ports.comports(), key=lambda port: port.device):
        about = port.description if port.description != "n/a" else "serial port"
        name = f"varioport:{stable_name(port.device)}"
        ports.append(Device(name, about, _hindrance(port.device)))
    return Devices(tuple(ports), None if ports else "no serial port: plug the device in")


def lsl_streams(wait_s: float = 1.0) -> Devices:
    """List LSL streams.

    Parameters
    ----------
    wait_s : float
        How long to listen; below 0.5 s some may be missed.
    """
    try:
        from drivers.lsl import find_streams  # fails where there is no liblsl
    except StreamerError as error:
        return Devices(problem=str(error))
    streams = []
    for stream in find_streams(wait_s):
        rate = f"{stream.rate_hz:g} Hz" if stream.rate_hz else "events"
        streams.append(
            Device(
                f"lsl:{stream.name}",
                f"{stream.type}, {stream.channels} channels, {rate}, "
                f"id {stream.source_id or 'none'}, on {stream.hostname}",
                "; ".join(stream.problems) or None,
            )
        )
    nothing = f"no stream within {wait_s:g} s: start one, such as `streamer simulate`"
    return Devices(tuple(streams), None if streams else nothing)


def sound_cards() -> Devices:
    """List sound cards that can play."""
    try:
        import sounddevice  # raises OSError where there is no PortAudio
    except OSError:
        return Devices(
            problem="PortAudio is not installed: apt-get install libportaudio2; "
            "until then speech goes to files only"
        )
    cards = []
    for card in sounddevice.query_devices():
        if card["max_output_channels"] < 1:
            continue
        host = sounddevice.query_hostapis(card["hostapi"])
        default = ", the default" if card["index"] == host["default_output_device"] else ""
        try:
            sounddevice.check_output_settings(card["index"], 1, samplerate=_SPEECH_RATE_HZ)
            problem = None
        except sounddevice.PortAudioError as error:
            problem = f"does not play {_SPEECH_RATE_HZ} Hz mono now: {error}"
        cards.append(Device(card["name"], f"{host['name']}{default}", problem))
    nothing = "no sound card: speech goes to files only"
    return Devices(tuple(cards), None if cards else nothing)


def _hindrance(port: str) -> str | None:
    """Say what keeps this user from a port."""
    if not os.access(port, os.R_OK | os.W_OK):
        return f"no permission: {way_to_permission(port)}"
    busy = ", ".join(holders(port))
    return f"in use by {busy}: end that first" if busy else None
