"""The classifier of all speech so far."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.evidence import LEAST_FRAMES, EvidenceClassifier, evidence_vectors
from models.manifest import ClassifierPart
from models.signal.band_profile import band_profiles, profile_columns
from models.signal.log_bands import LogBands, LogBandSettings

CHANNELS, RATE_HZ = 2, 600.0
BANDS = LogBandSettings()
COLUMNS = profile_columns(CHANNELS, BANDS.bands)
WEIGHTS = np.random.default_rng(0).normal(size=(COLUMNS + 1, 3))
PART = ClassifierPart(
    name="evidence",
    file="evidence.onnx",
    labels=("a", "b", "c"),
    features=("evidence",),
    bands=BANDS,
    window_s=0.5,
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
    assert heard.all_s == pytest.approx(len(spoken) / 100)
    for said, rows in ((heard.whole(), spoken), (heard.now(), spoken[-50:])):
        profile = band_profiles(rows, CHANNELS, [len(rows)])
        # However much was heard, it counts as half a second.
        expected = model(evidence_vectors(profile, np.array([0.5])))[0][0]
        np.testing.assert_allclose(said, expected)


@settings(max_examples=30)
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
    np.testing.assert_array_equal(whole.now(), parts.now())
    np.testing.assert_array_equal(whole.whole(), parts.whole())


def test_nothing_is_said_of_too_little_speech():
    """One frame would name a speaker."""
    samples, _ = emg()
    heard = listener()
    heard.process(samples, np.zeros(150))
    assert heard.now() is None
    speech = np.zeros(50)
    speech[: LEAST_FRAMES - 1] = 1
    heard.process(samples[:0], speech[:40])
    assert heard.now() is heard.whole() is None
    heard.reset()
    heard.process(samples, np.ones(LEAST_FRAMES))
    assert heard.now() is not None
    assert heard.whole() is not None
    heard.reset()
    assert heard.now() is heard.whole() is None
    assert heard.recent_s == heard.all_s == 0


def test_what_is_said_now_is_of_the_latest_speech():
    """After another one began to speak, the first would be named for minutes."""
    samples, _ = emg()
    heard, fresh = listener(), listener()
    heard.process(1000 * samples[:600], np.ones(90))
    heard.process(samples[600:], np.ones(108))
    fresh.process(samples[600:], np.ones(98))
    assert heard.recent_s == fresh.recent_s == 0.5
    np.testing.assert_allclose(heard.now(), fresh.now(), atol=1e-6)
    assert np.abs(heard.whole() - fresh.whole()).max() > 1


def test_an_interruption_ends_the_moment_and_not_the_whole():
    """What was before a loss may have been somebody else; the utterance goes on."""
    samples, _ = emg()
    heard = listener()
    heard.process(samples, np.ones(198))
    before_s = heard.all_s
    heard.interrupt()
    assert heard.now() is None
    assert heard.recent_s == 0
    heard.process(samples[:300], np.ones(45))
    assert heard.recent_s == 0.45
    assert heard.all_s == pytest.approx(before_s + 0.45)


def test_the_whole_is_bounded():
    """A session of a day must not grow in memory."""
    samples, _ = emg()
    heard = listener(longest_s=1.0)
    heard.process(samples, np.ones(198))
    assert heard.all_s == 1.0
