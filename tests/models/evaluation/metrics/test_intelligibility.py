"""The intelligibility estimate."""

import numpy as np
import pytest

pytest.importorskip("pystoi")

from models.evaluation.metrics.intelligibility import extended_stoi  # noqa: E402


def _speech_like(seconds: float) -> np.ndarray:
    rng = np.random.default_rng(0)
    n = round(seconds * 16000)
    envelope = 0.6 + 0.4 * np.sin(2 * np.pi * 4 * np.arange(n) / 16000)
    return rng.normal(size=n) * envelope


def test_noise_lowers_it() -> None:
    """A figure that does not fall with intelligibility is none."""
    clean = _speech_like(2)
    noise = np.random.default_rng(1).normal(size=len(clean))
    scores = [extended_stoi(clean + level * noise, clean, 16000) for level in (0, 0.5, 4)]
    assert scores[0] == pytest.approx(1, abs=1e-6)
    assert scores[0] > scores[1] > scores[2]


def test_too_little_speech_has_none() -> None:
    """pystoi returns 1e-5 then, which would be averaged like a measurement."""
    assert extended_stoi(_speech_like(0.2), _speech_like(0.2), 16000) is None
