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
    """List sound cards that can play, by names that `audio.device` takes."""
    from streamer.audio.cards import find_card, hindrance, list_cards
    from streamer.audio.port_audio import AudioError

    try:
        cards = list_cards()
    except AudioError as error:
        return Devices(problem=f"{error}; until then speech goes to files only")
    found, unanswered = [], None
    for card in cards:
        name, about = card.name, card.host
        try:
            find_card(cards, name)
        except AudioError:  # another one has the same name
            name, about = str(card.number), f"{card.name}, {card.host}"
        problem = unanswered
        if unanswered is None:
            try:
                refusal = hindrance(card, _SPEECH_RATE_HZ)
                problem = None if refusal is None else f"does not play now: {refusal}"
            except AudioError as error:
                problem, unanswered = str(error), f"not tried, because {card.name} does not answer"
        default = ", the default" if card.default else ""
        found.append(Device(name, f"{about}{default}", problem))
    nothing = "no sound card: speech goes to files only"
    return Devices(tuple(found), None if found else nothing)


def _hindrance(port: str) -> str | None:
    """Say what keeps this user from a port."""
    if not os.access(port, os.R_OK | os.W_OK):
        return f"no permission: {way_to_permission(port)}"
    busy = ", ".join(holders(port))
    return f"in use by {busy}: end that first" if busy else None
