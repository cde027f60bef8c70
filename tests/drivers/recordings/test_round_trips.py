"""Real recordings through every format and back."""

from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from drivers.recordings.emg_uka import EmgUkaCorpus
from drivers.recordings.info import describe
from drivers.recordings.registry import read_recordings, write_recordings

CORPUS = Path(__file__).parents[3] / "data" / "emg-uka"
UV_PER_COUNT = 0.033
# microvolts by which the EMG may differ
TOLERANCE = {
    ".xdf": 0.0,
    ".npz": 0.0,
    ".csv": 0.0,
    ".tsv": 0.0,
    ".edf": UV_PER_COUNT / 2,
    ".bdf": UV_PER_COUNT / 100,
}
TEXTS = "name rate_hz channels transcript mode speaker session split recorded_at".split()

pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(not CORPUS.is_dir(), reason=f"no EMG-UKA corpus in {CORPUS}"),
]


@pytest.fixture(scope="module")
def utterances():
    """One of each session and mode."""
    corpus = EmgUkaCorpus(CORPUS)
    chosen = [
        corpus.recordings(session, subset)
        for session in corpus.sessions
        for subset in corpus.subsets(session)
        if subset.startswith("test")
    ]
    return [next(iter(series)) for series in chosen]


@pytest.mark.parametrize("suffix", TOLERANCE)
def test_the_corpus_comes_back(suffix, utterances, tmp_path):
    """A converted corpus must train the same model."""
    for utterance in utterances:
        path = tmp_path / f"{utterance.name}{suffix}"
        notes = write_recordings(path, [utterance])
        (read,) = read_recordings(path)
        assert read.emg_uv.shape == utterance.emg_uv.shape
        assert np.abs(read.emg_uv - utterance.emg_uv).max() <= TOLERANCE[suffix]
        for key in TEXTS:
            assert getattr(read, key) == getattr(utterance, key), key
        assert [p.label for p in read.phones] == [p.label for p in utterance.phones]
        for key in ("audio", "lead_in_uv"):
            expected = getattr(utterance, key)
            if getattr(read, key) is None:
                assert key == "lead_in_uv" or any("audio" in note for note in notes)
            else:
                np.testing.assert_array_equal(getattr(read, key), expected)


@pytest.mark.parametrize("suffix", [".npz", ".xdf"])
def test_a_series_comes_back(suffix, tmp_path):
    """Formats that hold many keep their order."""
    series = list(islice(EmgUkaCorpus(CORPUS).recordings(), 5))
    write_recordings(tmp_path / f"a{suffix}", series)
    read = list(read_recordings(tmp_path / f"a{suffix}"))
    assert [r.name for r in read] == [r.name for r in series]
    for one, other in zip(read, series, strict=True):
        np.testing.assert_array_equal(one.emg_uv, other.emg_uv)


def test_what_the_corpus_holds():
    """Counts that the corpus' documentation gives, in a few seconds."""
    info = describe(CORPUS)
    assert info.recordings == int(info.details["utterances named"])
    assert sum(info.modes.values()) == info.recordings == info.audio
    assert info.signals == 1
