"""The voice of a replay at full speed is that of a live session, sample by sample."""

import numpy as np
import pytest

from drivers.recordings.emg_uka.corpus import EmgUkaCorpus
from drivers.recordings.recording import Recording
from drivers.source import Chunk
from models.bundle import Bundle, packaged_bundle
from streamer.engine.pipeline import Pipeline, PipelineSettings


@pytest.fixture(scope="module")
def recording(request: pytest.FixtureRequest) -> Recording:
    corpus = EmgUkaCorpus(request.config.rootpath / "drivers/simulator/packaged")
    return next(iter(corpus.recordings()))


def voice(recording: Recording, size: int) -> list[np.ndarray]:
    """Run a recording in chunks through the models of the package."""
    pipeline = Pipeline(Bundle.open(packaged_bundle()), PipelineSettings(), 0.1)
    emg_uv = recording.emg_uv
    parts = [(first, emg_uv[first : first + size]) for first in range(0, len(emg_uv), size)]
    chunks = [Chunk(part, 0, first, 0.0, 0.0) for first, part in parts]
    outputs = [output for chunk in chunks for output in pipeline.process(chunk)]
    outputs += pipeline.finish()
    return [
        np.concatenate([block.samples for output in outputs for block in output.blocks]),
        np.concatenate([output.made.activity for output in outputs]),
        np.concatenate([output.made.mel_cepstrum for output in outputs]),
    ]


@pytest.mark.parametrize("size", [1, 7, 300, 10**6])
def test_chunks_of_any_size_give_the_same_bits(recording: Recording, size: int) -> None:
    """What is measured offline would not be what is heard."""
    for live, other in zip(voice(recording, 6), voice(recording, size), strict=True):
        np.testing.assert_array_equal(live, other)
