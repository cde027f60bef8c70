"""The MCD of an utterance compares what belongs together."""

import numpy as np
import pytest
from numpy.typing import NDArray

from drivers.errors import SignalMismatchError
from drivers.recordings.recording import Recording, SpeakingMode
from drivers.source import Channel
from models.speech.analysis import DEFAULT, mel_cepstrum
from streamer.results.distortion import utterance_mcd

RATE_HZ = 16000


def recording(
    audio: NDArray[np.float32] | None, mode: SpeakingMode = "audible", rate_hz: float = RATE_HZ
) -> Recording:
    emg = np.zeros((1200, 6), np.float32)
    channels = tuple(Channel(str(n)) for n in range(6))
    return Recording("u", emg, 600.0, channels, audio=audio, audio_rate_hz=rate_hz, mode=mode)


@pytest.fixture(scope="module")
def speech() -> NDArray[np.float32]:
    """Two seconds of noise whose colour changes all the time."""
    noise = np.random.default_rng(0).normal(0, 0.05, 2 * RATE_HZ)
    sweep = np.sin(2 * np.pi * np.cumsum(np.linspace(200, 6000, len(noise))) / RATE_HZ)
    return (noise + 0.3 * sweep).astype(np.float32)


@pytest.mark.parametrize("lead", [0, 6])
@pytest.mark.parametrize("missing", [0, 2])
def test_a_perfect_converter_has_no_distortion(
    speech: NDArray[np.float32], lead: int, missing: int
) -> None:
    """A shift by a few frames would make every converter look bad."""
    natural = mel_cepstrum(speech)
    beyond = np.zeros((lead, natural.shape[1]))
    predicted = np.concatenate((natural[lead:], beyond))[: len(natural) - missing]
    mcd_db = utterance_mcd(predicted, recording(speech), lead, DEFAULT)
    assert mcd_db == pytest.approx(0, abs=1e-9)
    assert utterance_mcd(natural, recording(speech), 6, DEFAULT) != pytest.approx(0, abs=0.5)


def test_other_sampling_rates_are_resampled(speech: NDArray[np.float32]) -> None:
    """A recording at 48 kHz must not be taken for a slow voice."""
    natural = mel_cepstrum(speech)
    held = np.repeat(speech, 3)
    mcd_db = utterance_mcd(natural, recording(held, rate_hz=48000), 0, DEFAULT)
    assert mcd_db is not None
    assert mcd_db < 3


def test_only_audible_speech_is_compared(speech: NDArray[np.float32]) -> None:
    """The microphone heard nothing of silent speech: no number is better than a wrong one."""
    predicted = mel_cepstrum(speech)
    assert utterance_mcd(predicted, recording(speech, "silent"), 0, DEFAULT) is None
    assert utterance_mcd(predicted, recording(None), 0, DEFAULT) is None
    assert utterance_mcd(predicted[:0], recording(speech[:100]), 0, DEFAULT) is None


def test_another_recording_is_refused(speech: NDArray[np.float32]) -> None:
    """A mix-up of recordings must not become a figure."""
    predicted = mel_cepstrum(speech[:RATE_HZ])
    with pytest.raises(SignalMismatchError):
        utterance_mcd(predicted, recording(speech), 0, DEFAULT)
