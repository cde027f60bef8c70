import importlib.util
import subprocess

import numpy as np
import pytest

from drivers.errors import StreamerError
from drivers.recordings.recording import Segment
from drivers.simulator.phones import PHONE_LIST
from drivers.simulator.speakers import VOICES
from drivers.simulator.speech import AUDIO_RATE_HZ, Speech, synthesise

pytest.importorskip("espeakng_loader", reason="the speech synthesiser is not installed")

TEXT = "she put fresh bread on the table"


@pytest.fixture(scope="module")
def speech() -> Speech:
    return synthesise(TEXT, VOICES[0])


def _part(speech: Speech, segment: Segment) -> np.ndarray:
    return speech.audio[
        round(segment.start_s * AUDIO_RATE_HZ) : round(segment.end_s * AUDIO_RATE_HZ)
    ]


def test_the_phones_cover_the_speech_without_holes(speech: Speech) -> None:
    """EMG is made from the phones: a hole would be a pause that nobody hears."""
    assert speech.phones[0].start_s == 0
    assert speech.phones[-1].end_s == pytest.approx(len(speech.audio) / AUDIO_RATE_HZ, abs=1e-4)
    assert all(phone.label in PHONE_LIST for phone in speech.phones)
    assert all(phone.end_s > phone.start_s for phone in speech.phones)
    ends = [phone.end_s for phone in speech.phones[:-1]]
    assert ends == [phone.start_s for phone in speech.phones[1:]]


def test_every_word_is_found_those_spoken_as_one_too(speech: Speech) -> None:
    """espeak-ng speaks "on the" as one word; a transcript says two."""
    assert [word.label for word in speech.words] == TEXT.upper().split()
    boundary = speech.words[5].start_s
    assert [phone.label for phone in speech.phones if phone.start_s >= boundary][:2] == ["DH", "AX"]


def test_timings_fit_the_sound(speech: Speech) -> None:
    """Phones that lie beside the sound would make EMG that belongs to other sounds."""
    closure = next(phone for phone in speech.phones if phone.label == "P")
    vowel = next(phone for phone in speech.phones if phone.label == "UH")
    quiet = _part(speech, closure)[: int(0.03 * AUDIO_RATE_HZ)]
    assert np.std(quiet) < 0.05 * np.std(_part(speech, vowel))


@pytest.mark.system
@pytest.mark.parametrize("whispered", [False, True])
def test_the_same_words_sound_the_same_again(whispered: bool) -> None:
    """Else the recording that comes with the package could not be rebuilt."""
    first, second = (
        synthesise("a young fox", VOICES[1], whispered=whispered, seed=7) for _ in range(2)
    )
    np.testing.assert_array_equal(first.audio, second.audio)
    assert first.phones == second.phones


@pytest.mark.system
def test_a_whisper_has_the_speakers_timing_and_no_voice(speech: Speech) -> None:
    """The modes of one speaker must differ by mode, not by speaker."""
    whisper = synthesise(TEXT, VOICES[0], whispered=True)
    assert [phone.label for phone in whisper.phones] == [phone.label for phone in speech.phones]
    voiced, breathed = (
        _periodicity(_part(s, next(phone for phone in s.phones if phone.label == "EY")))
        for s in (speech, whisper)
    )
    assert breathed < 0.5 * voiced


def _periodicity(audio: np.ndarray) -> float:
    """Highest autocorrelation at a pitch between 60 and 250 Hz."""
    audio = audio - audio.mean()
    correlation = np.correlate(audio, audio, "full")[len(audio) - 1 :]
    return float(correlation[64:267].max() / correlation[0])


def test_a_missing_synthesiser_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """The synthesiser is no dependency: whoever needs it is told which extra to install."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(StreamerError, match=r"install -c constraints.txt -e"):
        synthesise(TEXT, VOICES[0])


def test_a_synthesiser_that_fails_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """A failure must not end as silence; its own last line says most."""
    failed = subprocess.CompletedProcess([], 1, b"", b"noise\nespeak-ng cannot use its data\n")
    monkeypatch.setattr(subprocess, "run", lambda *args, **kwargs: failed)
    with pytest.raises(StreamerError, match="got espeak-ng cannot use its data; reinstall"):
        synthesise(TEXT, VOICES[0])


@pytest.mark.system
def test_a_text_without_words_is_an_error() -> None:
    """Not an utterance of no length."""
    with pytest.raises(StreamerError, match="text to be spoken: got ''"):
        synthesise("", VOICES[0])
