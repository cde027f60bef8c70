"""The play buffer's way to a sound card, whatever becomes of that."""

import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from streamer.audio import port_audio
from streamer.audio.card_stream import CardStream
from streamer.audio.cards import cards_now, find_card
from streamer.audio.play_buffer import PlayBuffer
from streamer.audio.port_audio import AudioError, begin_on_its_thread, on_its_thread
from streamer.audio.recurring import Recurring
from streamer.audio.settings import AudioSettings

_STUCK_S = 5.0  # without a block; some cards take seconds to get going


class SoundCard:
    """A sound card, through PortAudio.

    Parameters
    ----------
    buffer : PlayBuffer
        Where the voice waits.
    settings : AudioSettings
        Which card, at what latency.
    now_s : callable
        The time.
    """

    def __init__(
        self,
        buffer: PlayBuffer,
        settings: AudioSettings,
        now_s: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._buffer = buffer
        self._settings = settings
        self._now_s = now_s
        self._stream: CardStream | None = None
        self._latency_ms = settings.device_latency_ms  # asked for
        self._most_ms = settings.device_latency_most_ms
        self._dry = Recurring()
        self._underflows = 0
        self._reopened = 0
        self._reopening = False
        self._name = "sound card"
        self._taken_s = 0.0  # when the card took a block last
        self._stopping = False
        self._left = False  # to itself: whatever it takes is silence
        self._ended = False
        self._lost = False  # closed, and not open again
        self._problems: list[str] = []  # once it was stopped

    @property
    def name(self) -> str:
        """Name for people."""
        return self._name

    def start(self) -> None:
        """Open the card with what it takes: one channel at the voice's own rate if it does.

        Raises
        ------
        AudioError
            There is no PortAudio or no such card, it cannot be opened, or it does not answer.
        """
        wanted = self._settings.device
        try:
            self._stream = on_its_thread(self._open, port_audio.OPEN_S, CardStream.close, wanted)
        except BaseException:
            self._left = True  # it may open later, when something else drains the buffer
            raise
        self._taken_s = self._now_s()

    def stop(self) -> None:
        """Let the card play what it has, and close it; one that hangs is left to itself."""
        if self._stream is None or self._stopping:
            return
        self._problems = self._hindrances()
        self._stopping = True
        try:
            on_its_thread(self._close, port_audio.STOP_S)
        except AudioError as error:
            self._left = True
            self._problems.append(f"{self.name} could not be closed: {error}")

    @property
    def latency_s(self) -> float:
        """What PortAudio says of the card: nobody listened."""
        return 0.0 if self._stream is None else self._stream.latency_s

    def counters(self) -> dict[str, int]:
        """Return the card's own underflows, and how often it was opened again for them."""
        return {"device_underflows": self._underflows, "device_reopened": self._reopened}

    def problems(self) -> list[str]:
        """Say that the card has stopped or hangs, and that it got later in order not to."""
        problems = self._problems if self._stopping else self._hindrances()
        if self._reopened:
            latency = f"audio.device_latency_ms={self._latency_ms:g}"
            problems = [
                f"{self.name} ran dry {self._underflows} times: it was opened again with more "
                f"latency ({latency} begins with it)",
                *problems,
            ]
        return problems

    def _open(self) -> CardStream:
        """Open the card; on PortAudio's thread."""
        card = find_card(cards_now(), self._settings.device)
        self._name = card.name
        return CardStream(
            card,
            self._buffer.rate_hz,
            self._settings.block_ms / 1000,
            self._latency_ms / 1000,
            self._render,
            self._finish,
            self._underflow,
        )

    def _close(self) -> None:
        """Close the card; on PortAudio's thread, after what was begun there before."""
        if self._stream is not None and not self._lost:
            self._stream.close()

    def _underflow(self) -> None:
        """Count a block that came too late for the card; from PortAudio's callback."""
        self._underflows += 1
        again = self._dry.again(self._now_s())
        if again and not self._reopening and self._latency_ms < self._most_ms:
            self._reopening = True
            begin_on_its_thread(self._reopen)

    def _reopen(self) -> None:
        """Open the card again with twice the latency; on PortAudio's thread.

        A card that ran dry is silent for a while in any case.
        """
        if self._stopping or self._stream is None:
            return
        self._latency_ms = min(2 * self._latency_ms, self._most_ms)
        self._lost = True
        self._stream.close()
        try:
            self._stream = self._open()
        except Exception:
            self._ended = True
            raise
        self._lost = False
        self._reopened += 1
        self._taken_s = self._now_s()
        self._reopening = False

    def _hindrances(self) -> list[str]:
        if self._ended:
            return [f"{self.name} stopped while the session ran: from then on nothing was heard"]
        if self._stream is not None and self._now_s() - self._taken_s > _STUCK_S:
            return [f"{self.name} takes nothing any more: from then on nothing was heard"]
        return []

    def _finish(self) -> None:
        """Learn that no more callbacks come."""
        self._ended = not (self._stopping or self._reopening)

    def _render(self, out: NDArray[np.float32]) -> None:
        self._taken_s = self._now_s()
        if self._left:
            out[:] = 0
        else:
            self._buffer.render(out)
