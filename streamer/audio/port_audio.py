"""PortAudio: sound cards, listed, opened and closed by calls that always return.

Behind PortAudio is a sound server, and one that hangs lets every call hang. All calls go through
one thread here, and are given up after a time; all errors are ours.
"""

import atexit
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from drivers.errors import StreamerError
from drivers.outside.names import clean
from streamer.audio.library_thread import LibraryThread, UnansweredError
from streamer.audio.resampling import Resampler

T = TypeVar("T")

OPEN_S = 10.0
"""Longest wait for a card to be listed or opened: some are not ready for seconds."""

STOP_S = 2.0
"""Longest wait for a card to play what it has."""

_RATES_HZ = (48_000, 44_100)  # what a card plays that plays little
_MOST_CHANNELS = 64  # to open at once; what reports more takes fewer
_MOST_NAMED = 5
_NAMELESS = {"name": "card without a name", "max_output_channels": 2, "default_samplerate": 48_000}

_library = LibraryThread("PortAudio")


class AudioError(StreamerError):
    """There is no way to the loudspeaker."""


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


class CardStream:
    """A card that plays, opened with what it takes.

    Parameters
    ----------
    card : Card
        Which.
    rate_hz : int
        Sampling rate of the voice.
    block_s : float
        Audio that the card takes at a time.
    latency_s : float
        Asked of the card.
    render : callable
        Fills an array with the next samples of the voice; called from PortAudio's thread.
    finished : callable
        Called when the card takes no more.
    underflowed : callable
        Called when a block came too late for the card; from PortAudio's callback.

    Attributes
    ----------
    latency_s : float
        From the hand-over of a sample to its sound, by PortAudio's word.

    Raises
    ------
    Exception
        PortAudio's own; this runs on PortAudio's thread.
    """

    def __init__(
        self,
        card: Card,
        rate_hz: int,
        block_s: float,
        latency_s: float,
        render: Callable[[NDArray[np.float32]], None],
        finished: Callable[[], None],
        underflowed: Callable[[], None],
    ) -> None:
        sounddevice = _sounddevice()
        self._render = render
        self._underflowed = underflowed
        first: Exception | None = None
        for channels, card_hz in _forms(card, rate_hz):
            stream = None
            try:
                self._delay_s = self._prepare(rate_hz, card_hz, round(block_s * card_hz))
                stream = sounddevice.OutputStream(
                    samplerate=card_hz,
                    blocksize=len(self._mono),
                    device=card.number,
                    channels=channels,
                    dtype="float32",
                    latency=latency_s,
                    callback=self._callback,
                    finished_callback=finished,
                )
                stream.start()
            except (sounddevice.PortAudioError, ValueError) as error:
                if stream is not None:
                    stream.close()
                first = first or error
            else:
                self._stream: Any = stream
                self.latency_s = float(stream.latency) + self._delay_s
                return
        assert first is not None
        raise first

    def close(self) -> None:
        """Let the card play what it has, and close it; on PortAudio's thread."""
        self._stream.stop()
        self._stream.close()

    def _prepare(self, rate_hz: int, card_hz: int, block: int) -> float:
        """Get ready for a rate of the card; return the delay in seconds that it costs."""
        self._mono = np.zeros(max(1, block), dtype=np.float32)
        if card_hz == rate_hz:
            self._fill = self._render
            return 0.0
        resampler = Resampler(rate_hz, card_hz, self._render)
        self._fill = resampler.render
        return resampler.delay_s

    def _callback(self, out: NDArray[np.float32], frames: int, _times: Any, flags: Any) -> None:
        if flags.output_underflow:
            self._underflowed()
        if out.shape[1] == 1:
            self._fill(out[:, 0])
            return
        if frames > len(self._mono):
            self._mono = np.zeros(frames, dtype=np.float32)
        mono = self._mono[:frames]
        self._fill(mono)
        out[:] = 0
        out[:, :2] = mono[:, None]  # of a card with many channels, left and right


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
        sounddevice = _sounddevice()
        first = None
        for channels, card_hz in _forms(card, rate_hz):
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


def on_its_thread(
    job: Callable[[], T],
    within_s: float,
    undo: Callable[[T], object] = lambda _: None,
    wanted: int | str | None = None,
) -> T:
    """Do something with PortAudio on the thread that is there for it.

    Parameters
    ----------
    job : callable
        Does it, such as making a `CardStream` of one of `cards_now`.
    within_s : float
        How long to wait.
    undo : callable, optional
        Takes the result if it comes later.
    wanted : int or str or None
        Card that it is about, for people.

    Returns
    -------
    object
        What `job` returns.

    Raises
    ------
    AudioError
        There is no PortAudio, no such card, it cannot be opened, or it does not answer.
    """
    card = "default sound card" if wanted is None else "sound card"
    try:
        with _standard_error_kept():
            return _library.call(job, within_s, undo)
    except UnansweredError:
        raise AudioError(
            f"the system's sound does not answer within {within_s:g} s",
            way_out="restart the sound server (PulseAudio, PipeWire), or unplug the card",
        ) from None
    except StreamerError:
        raise
    except Exception as error:  # whatever a foreign library raises
        raise AudioError(
            f"{card} cannot be opened ({error})",
            value=wanted,
            way_out="`streamer devices` lists those there are",
        ) from None


def begin_on_its_thread(job: Callable[[], object]) -> None:
    """Do something with PortAudio on its thread, later; from PortAudio's callback, too."""
    _library.begin(job)


@contextmanager
def _standard_error_kept() -> Iterator[None]:
    """Keep standard error: sounddevice sends it nowhere for as long as PortAudio starts.

    With a sound server that hangs, all that the program says would be lost from then on.
    """
    try:
        kept = os.dup(2)
    except OSError:  # there is none
        yield
        return
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _sounddevice() -> ModuleType:
    """Import sounddevice, which needs PortAudio; on PortAudio's thread."""
    try:
        import sounddevice
    except OSError:  # not an ImportError: the Python part is there
        raise AudioError(
            "PortAudio is not installed, so there is no loudspeaker",
            way_out="on Debian and Ubuntu: apt-get install libportaudio2",
        ) from None
    # It would wait for the sound server, in C, when the program ends. What is open goes with it.
    if (handler := getattr(sounddevice, "_exit_handler", None)) is not None:
        atexit.unregister(handler)
    module: ModuleType = sounddevice
    return module


def cards_now() -> list[Card]:
    """As `list_cards`; on PortAudio's thread."""
    sounddevice = _sounddevice()
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


def _forms(card: Card, rate_hz: int) -> Iterator[tuple[int, int]]:
    """Yield channels and rates to open a card with, from the best to the last resort.

    A rate of its own costs a resampler, more channels cost nothing.
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
