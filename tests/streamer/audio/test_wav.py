"""The WAV file: readable at any moment, by anybody."""

import wave
from pathlib import Path

import numpy as np
import pytest
import soundfile
from scipy.io import wavfile

from streamer.audio.wav import WavFile

VOICE = np.random.default_rng(0).uniform(-1, 1, 4000).astype(np.float32)


def test_it_can_be_read_by_all_while_it_grows(tmp_path: Path) -> None:
    """After a crash the voice up to the last flush must not be lost to any program."""
    path = tmp_path / "a.wav"
    wav = WavFile(path, 16000)
    for n in (0, 1, 1000, 4000):
        wav.write(VOICE[wav.samples : n])
        wav.flush()
        with wave.open(str(path)) as file:
            assert (file.getnframes(), file.getframerate(), file.getnchannels()) == (n, 16000, 1)
            assert len(file.readframes(n)) == 2 * n
        audio, rate_hz = soundfile.read(path, dtype="float32")
        assert rate_hz == 16000
        np.testing.assert_allclose(audio, VOICE[:n], atol=1 / 32000)
        assert len(wavfile.read(path)[1]) == n
    wav.close()


def test_what_is_not_announced_yet_does_not_disturb(tmp_path: Path) -> None:
    """A kill between two flushes must leave a file that can be read."""
    path = tmp_path / "a.wav"
    wav = WavFile(path, 16000)
    wav.write(VOICE[:100])
    wav.flush()
    wav.write(VOICE[100:])
    with wave.open(str(path)) as file:
        assert file.getnframes() == 100
    assert len(soundfile.read(path)[0]) >= 100
    wav.close()
    assert wav.samples == 4000
    assert len(soundfile.read(path)[0]) == 4000


def test_what_exceeds_full_scale_is_clipped(tmp_path: Path) -> None:
    """An overflow would turn a loud vowel into a bang."""
    wav = WavFile(tmp_path / "a.wav", 16000)
    wav.write(np.array([2.0, -2.0, 0.5], dtype=np.float32))
    wav.close()
    wav.close()
    with wave.open(str(wav.path)) as file:
        pcm = np.frombuffer(file.readframes(3), "<i2")
    np.testing.assert_array_equal(pcm, [32767, -32768, 16384])


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    """An older recording of the same name must survive."""
    (tmp_path / "a.wav").write_bytes(b"precious")
    with pytest.raises(FileExistsError):
        WavFile(tmp_path / "a.wav", 16000)
    assert (tmp_path / "a.wav").read_bytes() == b"precious"
