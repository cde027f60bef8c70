"""A sound card that plays."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamer.audio.cards import Card, forms_of
from streamer.audio.port_audio import sounddevice_module
from streamer.audio.resampling import Resampler


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
        sounddevice = sounddevice_module()
        self._render = render
        self._underflowed = underflowed
        first: Exception | None = None
        for channels, card_hz in forms_of(card, rate_hz):
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
