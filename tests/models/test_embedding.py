"""Embeddings of windows."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.bundle import Bundle
from models.embedding import Encoder, slices_of
from models.manifest import EncoderPart

PART = EncoderPart(file="encoder.onnx", slice_frames=32, slice_shift=16)


@settings(max_examples=60)
@given(count=st.integers(1, 300), length=st.integers(1, 40), shift=st.integers(1, 40))
def test_slices_cover_what_they_can(count, length, shift):
    """An embedding of other slices than the encoder has learned from is a stranger's."""
    frames = np.arange(2.0 * count).reshape(count, 2)
    slices = slices_of(frames, length, shift)
    assert slices.shape[1:] == (length, 2)
    for number, one in enumerate(slices):
        kept = frames[number * shift :][:length]
        np.testing.assert_array_equal(one[: len(kept)], kept)
        np.testing.assert_array_equal(
            one[len(kept) :], np.tile(frames[-1], (length - len(kept), 1))
        )
    assert (len(slices) - 1) * shift + length <= max(count, length)
    assert len(slices) * shift + length > count  # no further one would fit


@pytest.mark.parametrize("frames", [5, 32, 200])
def test_an_embedding_has_length_one(make_bundle, three_speakers, frames):
    """Speech twice as long, or a word shorter than a slice, would be another person's."""
    speaker = Bundle.open(make_bundle(three_speakers), "embedding").speaker
    assert speaker is not None
    window = np.random.default_rng(frames).normal(size=(frames, 10))
    vector = speaker.features(np.zeros((6 * frames, 2)), window)
    assert vector.shape == (7,)
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-12)


def test_an_embedding_is_the_mean_of_its_slices():
    """Not that of the last one, and not one of the mean frame."""
    rng = np.random.default_rng(0)
    weights, frames = rng.normal(size=(3, 4)), rng.normal(size=(64, 3))

    def network(slices: np.ndarray) -> list[np.ndarray]:
        return [np.tanh(slices[:, -1] @ weights)]

    mean = np.mean([np.tanh(frames[k] @ weights) for k in (31, 47, 63)], axis=0)
    np.testing.assert_allclose(Encoder(network, PART)(frames), mean / np.linalg.norm(mean))


def test_a_window_that_moves_on_costs_one_slice():
    """An estimate would take several milliseconds, ten times a second."""
    frames, ran = np.random.default_rng(0).normal(size=(300, 3)), []

    def network(slices: np.ndarray) -> list[np.ndarray]:
        ran.append(len(slices))
        return [slices[:, :, 0] * np.arange(32)]

    part = EncoderPart(file="encoder.onnx", slice_frames=32, slice_shift=10)
    rolling = Encoder(network, part)
    for end in range(32, 301, 10):
        window = frames[max(0, end - 202) : end]
        ran.clear()
        found = rolling(window)
        assert ran == [1]
        np.testing.assert_array_equal(found, Encoder(network, part)(window))
    assert list(rolling(frames[:32])) == list(Encoder(network, part)(frames[:32]))
