"""What a session comes to."""

from collections.abc import Callable

import numpy as np

from drivers.recordings.recording import Recording
from drivers.source import Channel
from models.bundle import Bundle
from streamer.results.summary import UtteranceResult
from streamer.session.conclusion import compare


def test_an_utterance_that_was_not_heard_to_its_end_has_no_distortion(
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
    assert compared.mcd_db is None
    assert problems == [
        "no distortion of u: 0.50 s of it were heard, its natural speech is of another length"
    ]
