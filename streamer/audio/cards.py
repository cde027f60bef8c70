"""The sound cards that there are, and the one that a user means."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from drivers.outside.names import clean
from streamer.audio.port_audio import OPEN_S, AudioError, on_its_thread, sounddevice_module

_RATES_HZ = (48_000, 44_100)  # what a card plays that plays little
_MOST_CHANNELS = 64  # to open at once; what reports more takes fewer
_MOST_NAMED = 5
_NAMELESS = {"name": "card without a name", "max_output_channels": 2, "default_samplerate": 48_000}


@dataclass(frozen=True)
class Card:
    """A sound card that can play.

    Attributes
    ----------
    number : int
        Of PortAudio.
    name, host : str
        Of the card and of the system's part that serves it, for people.
    default : bool
        The system plays on it where nothing else is chosen.
    channels : int
        Most that it takes.
    rate_hz : int
        The one that it likes best.
    """

    number: int
    name: str
    host: str
    default: bool
    channels: int
    rate_hz: int


def list_cards() -> list[Card]:
    """List all sound cards that can play.

    Returns
    -------
    list of Card
        By number; names can occur more than once.

    Raises
    ------
    AudioError
        There is no PortAudio, or it does not answer.
    """
    return on_its_thread(cards_now, OPEN_S)


def hindrance(card: Card, rate_hz: int) -> str | None:
    """Say why a card cannot play a voice now, None where it can.

    Parameters
    ----------
    card : Card
        From `list_cards`.
    rate_hz : int
        Of the voice.

    Raises
    ------
    AudioError
        PortAudio does not answer.
    """

    def check() -> str | None:
        sounddevice = sounddevice_module()
        first = None
        for channels, card_hz in forms_of(card, rate_hz):
            try:
                sounddevice.check_output_settings(card.number, channels, samplerate=card_hz)
            except (sounddevice.PortAudioError, ValueError) as error:
                first = first or clean(str(error))
            else:
                return None
        return first

    return on_its_thread(check, OPEN_S)


def find_card(cards: Sequence[Card], wanted: int | str | None) -> Card:
    """Find the card that a user means.

    Parameters
    ----------
    cards : sequence of Card
        All there are.
    wanted : int or str or None
        Its number, its name, or words of its name; None is the default.

    Returns
    -------
    Card
        The only one that is meant.

    Raises
    ------
    AudioError
        There is none, or there are several.
    """
    thing = "default sound card" if wanted is None else "sound card"
    found = next((some for some in _matches(cards, wanted) if some), [])
    if len(found) == 1:
        return found[0]
    several = ", ".join(f"{card.number} ({card.name}, {card.host})" for card in found[:_MOST_NAMED])
    more = f" and {len(found) - _MOST_NAMED} more" if len(found) > _MOST_NAMED else ""
    raise AudioError(
        f"{thing} cannot be told from others" if found else f"{thing} does not exist",
        value=wanted,
        allowed=f"a whole name, or one of the numbers {several}{more}" if found else None,
        way_out="`streamer devices` lists those there are",
    )


def cards_now() -> list[Card]:
    """As `list_cards`; on PortAudio's thread."""
    sounddevice = sounddevice_module()
    default = sounddevice.default.device[1]
    cards = []
    for host in sounddevice.query_hostapis():
        for number in host["devices"]:
            try:
                device = sounddevice.query_devices(number)
            except UnicodeDecodeError:  # it can be chosen by its number still
                device = _NAMELESS
            if device["max_output_channels"] < 1:
                continue
            cards.append(
                Card(
                    number,
                    clean(device["name"]),
                    clean(host["name"]),
                    number == default,
                    int(device["max_output_channels"]),
                    round(device["default_samplerate"]),
                )
            )
    return sorted(cards, key=lambda card: card.number)


def forms_of(card: Card, rate_hz: int) -> Iterator[tuple[int, int]]:
    """Tell how to open a card: a rate of its own costs a resampler, more channels cost nothing.

    Parameters
    ----------
    card : Card
        From `cards_now`.
    rate_hz : int
        Of the voice.

    Yields
    ------
    channels, rate_hz : int
        From the best to the last resort.
    """
    most = min(card.channels, _MOST_CHANNELS)
    channels = sorted({count for count in (1, 2, most) if count <= most})
    for card_hz in dict.fromkeys((rate_hz, card.rate_hz, *_RATES_HZ)):
        if card_hz > 0:
            yield from ((count, card_hz) for count in channels)


def _matches(cards: Sequence[Card], wanted: int | str | None) -> Iterator[list[Card]]:
    """Yield the cards that can be meant, from the closest to the widest meaning."""
    if wanted is None:
        yield [card for card in cards if card.default]
    elif isinstance(wanted, int):
        yield [card for card in cards if card.number == wanted]
    else:
        text = clean(wanted).lower()
        names = [(f"{card.name}, {card.host}".lower(), card) for card in cards]
        yield [card for card in cards if card.name.lower() == text]
        yield [card for name, card in names if name == text]
        yield [card for name, card in names if all(word in name for word in text.split())]
