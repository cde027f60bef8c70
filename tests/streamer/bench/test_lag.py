"""The estimator of the acoustic lag finds delays that are known."""

import numpy as np
import pytest
from numpy.typing import NDArray

from drivers.errors import StreamerError
from models.speech.analysis import mel_cepstrum, pitch
from models.speech.vocoder import Vocoder
from streamer.bench.heard import Heard
from streamer.bench.lag import RATE_HZ, Spoken, envelope, measure_lag
from streamer.recordings import RecordingsSettings, Selection

PATIENCE_S = 1.0  # before and after what was said


def said() -> list[Spoken]:
    """Some utterances, one after the other, from second 100 on."""
    recordings = list(Selection(RecordingsSettings(subset="test.audible")).recordings)[:3]
    result, start_s = [], 100.0
    for recording in recordings:
        assert recording.audio is not None
        result.append(Spoken(recording.name, recording.audio, start_s))
        start_s += len(recording.audio) / RATE_HZ
    return result


def heard_after(spoken: list[Spoken], delay_ms: float, *, copied: bool = False) -> Heard:
    """Put it on one recording, so much later."""
    pieces = [_copy(one.audio) if copied else one.audio for one in spoken]
    silence = np.zeros(round(PATIENCE_S * RATE_HZ))
    audio = np.concatenate((silence, *pieces, silence)).astype(np.float32)
    start_s = spoken[0].start_s - PATIENCE_S + delay_ms / 1000
    return Heard(audio, RATE_HZ, start_s, 1 / RATE_HZ)


def _copy(audio: NDArray[np.floating]) -> NDArray[np.float64]:
    """What the vocoder makes of natural speech."""
    f0_hz = pitch(audio)
    vocoder = Vocoder()
    made = vocoder.process(mel_cepstrum(audio), f0_hz, f0_hz > 0)
    return np.concatenate((made, vocoder.finish(len(audio))))


@pytest.mark.parametrize("delay_ms", [-31.4, 0.0, 37.3, 210.02])
@pytest.mark.parametrize("copied", [False, True])
def test_a_known_delay_is_found(delay_ms: float, copied: bool) -> None:
    """A latency would be promised that nobody hears."""
    spoken = said()
    lag = measure_lag(spoken, heard_after(spoken, delay_ms, copied=copied))
    assert lag.lag_ms == pytest.approx(delay_ms, abs=1.0 if copied else 0.1)
    assert lag.median_ms == pytest.approx(delay_ms, abs=1.5 if copied else 0.1)
    assert len(lag.of_each_ms) == 3
    assert lag.correlation > (0.8 if copied else 0.99)


def test_level_and_gate_move_nothing() -> None:
    """A voice that stays on after a word would count as late."""
    spoken = said()
    heard = heard_after(spoken, 50.0)
    level = 0.1 + 0.1 * np.sin(np.arange(len(heard.audio)) / 3000)
    quiet = Heard((heard.audio * level).astype(np.float32), RATE_HZ, heard.start_s, 1 / RATE_HZ)
    assert measure_lag(spoken, quiet).lag_ms == pytest.approx(50.0, abs=1.0)


def test_silence_is_no_lag() -> None:
    """A dead loudspeaker would have a delay."""
    spoken = said()
    heard = Heard(np.zeros(320_000, np.float32), RATE_HZ, 99.0, 1 / RATE_HZ)
    with pytest.raises(StreamerError, match="nothing to compare"):
        measure_lag(spoken, heard)
    nobody = [Spoken("a", np.zeros(32_000), 100.0)]
    with pytest.raises(StreamerError, match="nothing to compare"):
        measure_lag(nobody, heard)


def test_short_audio_has_an_envelope() -> None:
    """A cut-off end would end the measurement."""
    cepstra, speaks = envelope(np.zeros(10))
    assert cepstra.shape == (1, 12)
    assert not speaks.any()
