"""What plays the voice: a sound card, or a clock where there is none."""

import threading
import time
from collections.abc import Callable
from typing import Annotated, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from drivers.clock import Clock
from drivers.outside.settings import Settings
from streamer.audio import port_audio
from streamer.audio.play_buffer import PlayBuffer
from streamer.audio.port_audio import (
    AudioError,
    CardStream,
    begin_on_its_thread,
    cards_now,
    find_card,
    on_its_thread,
)
from streamer.audio.recurring import Recurring

_STUCK_S = 5.0  # without a block; some cards take seconds to get going


class AudioSettings(Settings):
    """How the voice is played."""

    enabled: bool = Field(default=True, description="Play the voice on a sound card")
    device: Annotated[int, Field(ge=0, le=9999)] | str | None = Field(
        default=None,
        description="Sound card by number or part of its name; null is the system's own choice, "
        "or none where there is no card",
    )
    buffer_ms: float = Field(
        default=10.0,
        gt=0,
        le=1000,
        description="Reserve: audio still in the buffer when more comes, lateness that nobody "
        "hears, paid for in latency",
    )
    buffer_most_ms: float = Field(
        default=60.0,
        ge=0,
        le=1000,
        description="What the reserve may grow to, by itself, where the buffer runs dry twice in a "
        "minute; 0 keeps it as it is",
    )
    block_ms: float = Field(
        default=5.0, ge=1, le=100, description="Audio that the sound card takes at a time"
    )
    limit_ms: float = Field(
        default=80.0,
        ge=1,
        le=10_000,
        description="Audio that may wait when more comes; beyond it the oldest is left out",
    )
    device_latency_ms: float = Field(
        default=10.0, ge=1, le=1000, description="Latency to ask the sound card for"
    )
    device_latency_most_ms: float = Field(
        default=80.0,
        ge=0,
        le=1000,
        description="What to ask for at most: where the card runs dry twice in a minute, it is "
        "opened again with twice the latency; 0 keeps it as it is",
    )
    drift_control: bool = Field(
        default=True,
        description="Follow the clock of the sound card: a sample more or less in a hop, "
        "such that neither delay nor holes build up",
    )


class AudioOutput(Protocol):
    """Drains a play buffer at the pace of life."""

    @property
    def name(self) -> str:
        """Name for people."""

    def start(self) -> None:
        """Begin to drain; raise `AudioError` when that is not possible."""

    def stop(self) -> None:
        """End, after what the buffer has handed out already."""

    @property
    def latency_s(self) -> float | None:
        """From the hand-over of a sample to its sound, once started; None without a card."""

    def problems(self) -> list[str]:
        """Say in a line each why the voice was not heard, or not whole."""

    def counters(self) -> dict[str, int]:
        """Return what the output itself counted."""


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


class PacedOutput:
    """A thread that takes what a sound card would have taken by now, and throws it away.

    It keeps an absolute schedule, so that underruns mean what they mean with a card.

    Parameters
    ----------
    buffer : PlayBuffer
        Where the voice waits.
    clock : Clock
        Its pace.
    block_s : float
        What it takes at a time.
    """

    name = "files only"
    latency_s = None

    def __init__(self, buffer: PlayBuffer, clock: Clock, block_s: float = 0.01) -> None:
        self._buffer = buffer
        self._block_s = block_s
        self._clock = clock
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="paced output", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._stopped.set()
        if self._thread.ident is not None:
            self._thread.join()

    def counters(self) -> dict[str, int]:
        """Return nothing: a thread has no counters of its own."""
        return {}

    def problems(self) -> list[str]:
        """Say nothing: why there is no card, `start_output` has said."""
        return []

    def _run(self) -> None:
        out = np.zeros(round(self._block_s * self._buffer.rate_hz), dtype=np.float32)
        start_s = self._clock.now_s()
        block = 0
        while not self._stopped.is_set():
            block += 1
            self._clock.sleep_until(start_s + block * self._block_s)
            self._buffer.render(out)


def start_output(
    buffer: PlayBuffer, settings: AudioSettings, clock: Clock
) -> tuple[AudioOutput, str | None]:
    """Start whatever there is to play on.

    Parameters
    ----------
    buffer : PlayBuffer
        Where the voice waits.
    settings : AudioSettings
        What is wanted.
    clock : Clock
        Paces the output where there is no card.

    Returns
    -------
    output : AudioOutput
        Started.
    problem : str or None
        Why it is no sound card, though one was wanted.

    Raises
    ------
    AudioError
        A card was asked for by name and cannot be had.
    """
    problem = None
    if settings.enabled:
        card = SoundCard(buffer, settings)
        try:
            card.start()
        except AudioError as error:
            if settings.device is not None:
                raise
            problem = f"{error}; the voice goes to files only"
        else:
            return card, None
    paced = PacedOutput(buffer, clock, settings.block_ms / 1000)
    paced.start()
    return paced, problem
