"""Corpora of noise that follows the sound, as those that training is tested on."""

import importlib
import importlib.util
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import ModuleType

import pytest

Sizes = Mapping[str, Mapping[str, int]]  # utterances by session and subset
WriteCorpus = Callable[[Path, Sizes], Path]


@pytest.fixture(scope="session")
def write_corpus() -> WriteCorpus:
    """Write a corpus in which every utterance of a session says something else."""
    file = Path(__file__).parents[1] / "training/conftest.py"
    spec = importlib.util.spec_from_file_location("training_conftest", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    def write(root: Path, sizes: Sizes) -> Path:
        module.write_corpus(root, sizes)
        for session in sizes:
            transcripts = sorted((root / "Transcripts" / session.replace("-", "/")).glob("*"))
            for number, transcript in enumerate(transcripts):
                transcript.write_text(f"AH {number}\n")
        return root

    return write


@pytest.fixture(autouse=True)
def one_core() -> Iterator[None]:
    """Small products only spin on more."""
    threadpoolctl = pytest.importorskip("threadpoolctl")
    with threadpoolctl.threadpool_limits(1):
        yield


SMALL: Sizes = {
    "002-001": {"train.audible": 2, "train.silent": 1, "test.audible": 1},
    "008-001": {"train.audible": 2, "test.audible": 1},
}


@pytest.fixture(scope="session")
def small_corpus(
    share: Callable[[str, Callable[[Path], object]], Path], write_corpus: WriteCorpus
) -> Path:
    """Two speakers, a session each. Do not write into it."""
    return share("small", lambda path: write_corpus(path / "corpus", SMALL)) / "corpus"


@pytest.fixture
def toy_jobs(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Jobs in a module of its own, which workers find, too."""
    pytest.importorskip("torch")
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    return importlib.import_module("toy_jobs")


@pytest.fixture
def toy_experiments(toy_jobs: ModuleType, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Two experiments in place of the real ones: `first` and `second`."""
    from models.evaluation import experiments

    monkeypatch.setattr(experiments, "EXPERIMENTS", ("first", "second"))
    monkeypatch.setattr(experiments, "experiment", lambda name: getattr(toy_jobs, name))
    return toy_jobs
