"""What plays the voice: a sound card, or a clock where there is none."""

import threading
from types import ModuleType
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from drivers.clock import Clock
from drivers.errors import StreamerError
from streamer.audio.play_buffer import PlayBuffer


class AudioError(StreamerError):
    """There is no way to the loudspeaker."""


class AudioSettings(BaseModel):
    """How the voice is played."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    enabled: bool = Field(default=True, description="Play the voice on a sound card")
    device: int | str | None = Field(
        default=None,
        description="Sound card by number or part of its name; null is the system's own choice, "
        "or none where there is no card",
    )
    buffer_ms: float = Field(
        default=40.0,
        gt=0,
        le=1000,
        description="Audio still in the buffer when more comes: lateness that nobody hears, "
        "paid for in latency",
    )
    block_ms: float = Field(
        default=10.0, ge=1, le=100, description="Audio that the sound card takes at a time"
    )
    limit_ms: float = Field(
        default=250.0,
        gt=0,
        description="Audio that may wait when more comes; beyond it the oldest is left out",
    )
    device_latency_ms: float = Field(
        default=20.0, gt=0, description="Latency to ask the sound card for"
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
    """

    def __init__(self, buffer: PlayBuffer, settings: AudioSettings) -> None:
        self._buffer = buffer
        self._settings = settings
        self._underflows = 0
        self._ending = self._ended = False
        self._latency_s = 0.0
        self._stream: Any = None
        self._name = "sound card"

    @property
    def name(self) -> str:
        """Name for people."""
        return self._name

    def start(self) -> None:
        """Open the card at the voice's own rate, so that nothing has to be resampled.

        Raises
        ------
        AudioError
            There is no PortAudio, no such card, or it does not play this rate.
        """
        sounddevice = import_sounddevice()
        rate_hz = self._buffer.rate_hz
        try:
            self._name = str(sounddevice.query_devices(self._settings.device, "output")["name"])
            self._stream = sounddevice.OutputStream(
                samplerate=rate_hz,
                blocksize=round(self._settings.block_ms / 1000 * rate_hz),
                device=self._settings.device,
                channels=1,
                dtype="float32",
                latency=self._settings.device_latency_ms / 1000,
                callback=self._callback,
                finished_callback=self._finished,
            )
            self._stream.start()
            self._latency_s = float(self._stream.latency)
        except (sounddevice.PortAudioError, ValueError) as error:
            if self._stream is not None:
                self._stream.close()
                self._stream = None
            card = "default sound card" if self._settings.device is None else "sound card"
            raise AudioError(
                f"{card} cannot be opened ({error})",
                value=self._settings.device,
                way_out="`streamer devices` lists those there are",
            ) from None

    def stop(self) -> None:
        """Let the card play what it has, and close it."""
        self._ending = True
        if self._stream is not None:
            self._stream.stop()
            self._stream.close()
            self._stream = None

    @property
    def latency_s(self) -> float:
        """What PortAudio says of the card: nobody listened."""
        return self._latency_s

    def counters(self) -> dict[str, int]:
        """Return the card's own underflows: callbacks that came too late."""
        return {"device_underflows": self._underflows}

    def problems(self) -> list[str]:
        """Say that the card has stopped: pulled out, or taken away by the system."""
        if not self._ended:
            return []
        return [f"{self.name} stopped while the session ran: from then on nothing was heard"]

    def _finished(self) -> None:
        """Learn that no more callbacks come."""
        self._ended = not self._ending

    def _callback(self, out: NDArray[np.float32], _frames: int, _times: Any, flags: Any) -> None:
        self._underflows += bool(flags.output_underflow)
        self._buffer.render(out[:, 0])


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


def import_sounddevice() -> ModuleType:
    """Import sounddevice, which needs PortAudio.

    Raises
    ------
    AudioError
        PortAudio is not installed.
    """
    try:
        import sounddevice
    except OSError:  # not an ImportError: the Python part is there
        raise AudioError(
            "PortAudio is not installed, so there is no loudspeaker",
            way_out="on Debian and Ubuntu: apt-get install libportaudio2",
        ) from None
    module: ModuleType = sounddevice
    return module


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
