"""What plays the voice: a sound card, or a clock where there is none."""

import threading
from typing import Protocol

import numpy as np

from drivers.clock import Clock
from streamer.audio.play_buffer import PlayBuffer
from streamer.audio.port_audio import AudioError
from streamer.audio.settings import AudioSettings
from streamer.audio.sound_card import SoundCard


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
