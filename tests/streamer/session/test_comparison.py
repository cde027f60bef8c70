"""How far a session is from natural speech, and why that is not known."""

from collections.abc import Callable

import numpy as np
import pytest

from drivers.recordings.recording import Recording
from drivers.source import Channel
from models.bundle import Bundle
from streamer.results.summary import UtteranceResult
from streamer.session.comparison import compare


def test_an_utterance_that_was_not_received_to_its_end_has_no_distortion(
    bundle_with: Callable[..., Bundle],
) -> None:
    """After Ctrl-C a user must read why a figure is missing, not how to program."""
    bundle = bundle_with()
    audio = np.random.default_rng(0).normal(0, 0.1, 32000).astype(np.float32)
    channels = tuple(Channel(str(n)) for n in range(6))
    emg = np.zeros((1200, 6), np.float32)
    recording = Recording(
        "u", emg, 600.0, channels, audio=audio, audio_rate_hz=16000, mode="audible"
    )
    result = UtteranceResult("u", 0, "u.wav", 0.0, 0.5, 48, 0, None, None, None)
    heard = np.zeros((48, bundle.manifest.speech.order + 1))
    (compared,), problems = compare([(result, heard)], lambda name: recording, bundle)
    assert (compared.mcd_db, compared.no_mcd) == (None, "its EMG was not received to its end")
    assert problems == [
        "no distortion of u: 0.50 s of it were received, its natural speech is of another length"
    ]


@pytest.mark.parametrize(
    ("mode", "audio", "reason"),
    [
        ("silent", True, "silent speech has no natural speech to compare with"),
        ("whispered", False, "whispered speech has no natural speech to compare with"),
        ("audible", False, "the recording has no sound to compare with"),
        (None, True, "the recording does not say that its speech is audible"),
    ],
)
def test_an_utterance_without_distortion_says_why(
    mode: str | None, audio: bool, reason: str, bundle_with: Callable[..., Bundle]
) -> None:
    """An empty column would look like a fault of the replay."""
    recording = Recording(
        "u",
        np.zeros((600, 6), np.float32),
        600.0,
        tuple(Channel(str(n)) for n in range(6)),
        audio=np.zeros(16000, np.float32) if audio else None,
        audio_rate_hz=16000 if audio else None,
        mode=mode,
    )
    result = UtteranceResult("u", 0, "u.wav", 0.0, 1.0, 98, 0, None, None, None)
    heard = np.zeros((98, 25))
    (compared,), problems = compare([(result, heard)], lambda name: recording, bundle_with())
    assert (compared.mcd_db, compared.no_mcd, problems) == (None, reason, [])
