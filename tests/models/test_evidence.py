"""The classifier of all speech so far."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.evidence import BANDS, LEAST_FRAMES, EvidenceClassifier, evidence_vectors
from models.manifest import ClassifierPart
from models.signal.band_profile import band_profiles, profile_columns
from models.signal.log_bands import LogBands

CHANNELS, RATE_HZ = 2, 600.0
COLUMNS = profile_columns(CHANNELS, BANDS.bands)
WEIGHTS = np.random.default_rng(0).normal(size=(COLUMNS + 1, 3))
PART = ClassifierPart(
    name="evidence",
    file="evidence.onnx",
    labels=("a", "b", "c"),
    features=("evidence",),
    window_s=2.0,
    calibration="none",
)


def model(vectors):
    """Return what was asked: a listener has to hand it on."""
    return [vectors @ WEIGHTS]


def emg(frames=200):
    rng = np.random.default_rng(1)
    return rng.normal(0, 50, (6 * frames, CHANNELS)), rng.uniform(size=frames)


def listener(longest_s=60.0):
    return EvidenceClassifier(model, PART, RATE_HZ, CHANNELS).listen(0.4, longest_s)


def test_only_speech_is_evidence():
    """Rest is the same for everybody, and longer."""
    samples, speech = emg()
    heard = listener()
    heard.process(samples, speech)
    bands = LogBands(BANDS, RATE_HZ, CHANNELS).process(samples)
    spoken = bands[np.flatnonzero(speech[: len(bands)] >= 0.4)]
    assert heard.seconds == pytest.approx(len(spoken) / 100)
    profile = band_profiles(spoken, CHANNELS, [len(spoken)])
    expected = model(evidence_vectors(profile, np.array([heard.seconds])))[0][0]
    np.testing.assert_allclose(heard.probabilities(), expected)


@settings(deadline=None, max_examples=30)
@given(
    cuts=st.lists(st.tuples(st.integers(0, 1200), st.integers(0, 200)), max_size=6),
)
def test_any_chunking_gives_the_same(cuts):
    """Frames come later or sooner than their bands, live otherwise than offline."""
    samples, speech = emg()
    whole, parts = listener(), listener()
    whole.process(samples, speech)
    a = b = 0
    ends, counts = ([0, *sorted(one)] for one in zip((1200, 200), *cuts, strict=True))
    for end, frames in zip(ends, counts, strict=True):
        parts.process(samples[a:end], speech[b:frames])
        a, b = end, frames
    np.testing.assert_array_equal(whole.probabilities(), parts.probabilities())


def test_nothing_is_said_of_too_little_speech():
    """One frame would name a speaker."""
    samples, _ = emg()
    heard = listener()
    heard.process(samples, np.zeros(150))
    assert heard.probabilities() is None
    speech = np.zeros(50)
    speech[: LEAST_FRAMES - 1] = 1
    heard.process(samples[:0], speech[:40])
    assert heard.probabilities() is None
    heard.reset()
    heard.process(samples, np.ones(LEAST_FRAMES))
    assert heard.probabilities() is not None
    heard.reset()
    assert heard.probabilities() is None
    assert heard.seconds == 0


def test_it_rests_on_the_latest_speech():
    """A session of a day must not be told by its morning."""
    samples, _ = emg()
    heard, fresh = listener(0.5), listener(0.5)
    heard.process(1000 * samples, np.ones(150))
    heard.process(samples[:0], np.ones(40))
    assert heard.seconds == 0.5
    heard.reset()
    heard.process(samples, np.ones(150))
    fresh.process(samples, np.ones(150))
    np.testing.assert_array_equal(heard.probabilities(), fresh.probabilities())
