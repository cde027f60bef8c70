"""A voice at the rate of the card."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from streamer.audio.resampling import Resampler

VOICE_HZ = 16000


class Tone:
    """A voice of one pitch, taken piece by piece."""

    def __init__(self, pitch_hz: float) -> None:
        self.taken = 0
        self._pitch_hz = pitch_hz

    def render(self, out: NDArray[np.float32]) -> None:
        times_s = (self.taken + np.arange(len(out))) / VOICE_HZ
        out[:] = np.sin(2 * np.pi * self._pitch_hz * times_s)
        self.taken += len(out)


@pytest.mark.parametrize("card_hz", [8000, 11025, 22050, 44100, 48000, 96000, 192000])
def test_a_tone_is_heard_as_it_is_and_a_millisecond_later(card_hz: int) -> None:
    """Another pitch, level or delay would be another voice."""
    tone = Tone(440.0)
    resampler = Resampler(VOICE_HZ, card_hz, tone.render)
    out = np.empty(card_hz, dtype=np.float32)
    resampler.render(out)
    times_s = np.arange(card_hz) / card_hz - resampler.delay_s
    settled = slice(card_hz // 100, None)
    expected = np.sin(2 * np.pi * 440 * times_s)
    np.testing.assert_allclose(out[settled], expected[settled], atol=1e-3)
    assert resampler.delay_s <= 0.0015


def test_images_of_the_voice_are_not_heard() -> None:
    """Repeated samples would whistle above the voice."""
    tone = Tone(6000.0)
    out = np.empty(48000, dtype=np.float32)
    Resampler(VOICE_HZ, 48000, tone.render).render(out)
    spectrum = np.abs(np.fft.rfft(out * np.hanning(len(out))))
    assert spectrum.argmax() == 6000
    assert spectrum[8500:].max() < spectrum.max() / 1000


@given(
    card_hz=st.sampled_from([8000, 11025, 22050, 44100, 48000]),
    blocks=st.lists(st.integers(0, 700), max_size=20),
)
def test_blocks_of_any_size_give_the_same_sound_and_take_what_they_need(
    card_hz: int, blocks: list[int]
) -> None:
    """A card may ask for as much as it likes; the voice's clock must not run away."""
    whole, pieces = Tone(300.0), Tone(300.0)
    at_once = np.empty(sum(blocks), dtype=np.float32)
    Resampler(VOICE_HZ, card_hz, whole.render).render(at_once)
    resampler = Resampler(VOICE_HZ, card_hz, pieces.render)
    heard = [np.empty(block, dtype=np.float32) for block in blocks]
    for block in heard:
        resampler.render(block)
    np.testing.assert_array_equal(np.concatenate([np.empty(0, np.float32), *heard]), at_once)
    assert abs(pieces.taken - sum(blocks) * VOICE_HZ / card_hz) <= max(1, VOICE_HZ / card_hz)
