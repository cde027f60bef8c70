"""A real Dask cluster of separate processes on this machine."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

pytest.importorskip("torch")
distributed = pytest.importorskip("distributed")

from drivers.errors import StreamerError  # noqa: E402
from models.evaluation import workers  # noqa: E402
from models.evaluation.material import Material  # noqa: E402
from models.evaluation.settings import EvaluationSettings  # noqa: E402
from models.evaluation.study import Study, fingerprint_of  # noqa: E402

pytestmark = [
    pytest.mark.system,
    pytest.mark.timeout(400),  # three processes import torch, on however few cores
    # Sockets and event loops that dask leaves to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

ARGUMENTS = [(session, seed) for session in ("002-001", "008-001") for seed in (0, 1)]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a scheduler with two workers, which find the toy jobs."""
    folder = tmp_path_factory.mktemp("dask")
    file = folder / "scheduler.json"
    environment = os.environ | {
        "PYTHONPATH": str(Path(__file__).parent),
        "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "0",  # three by default
    }
    common = ["--scheduler-file", str(file), "--no-dashboard"]
    commands = [
        ["scheduler", "--host", "127.0.0.1", "--port", "0", *common],
        *[
            ["worker", "--nthreads", "1", "--local-directory", str(folder / name), *common]
            for name in ("one", "two")
        ],
    ]
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "dask", *command],
            env=environment,
            cwd=Path(__file__).parents[3],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        for command in commands
    ]
    try:
        while not file.exists() or not file.read_text().endswith("}"):
            assert processes[0].poll() is None
            time.sleep(0.05)
        address = json.loads(file.read_text())["address"]
        yield address
    finally:
        for process in processes:  # a nanny whose worker just starts again does not end by itself
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.fixture
def study(
    small_corpus: Path, tmp_path: Path, cluster: str, monkeypatch: pytest.MonkeyPatch
) -> Study:
    monkeypatch.setattr(workers, "WAIT_S", 100.0)  # its processes have this machine's cores alone
    with workers.connected(cluster) as client:
        client.wait_for_workers(2, timeout=200)  # of another test they may have been killed
    material = Material.of(small_corpus)
    return Study(material, EvaluationSettings(), tmp_path / "cache", cluster=cluster)


def test_a_cluster_finds_what_one_machine_finds(
    study: Study, toy_jobs: ModuleType, tmp_path: Path
) -> None:
    """Whoever has a cluster would report other figures."""
    kept: list[int] = []
    study.progress = lambda what, done, total: kept.append(len(list(study.cache.rglob("*.kept"))))
    there = study.run("x", toy_jobs.project, ARGUMENTS)
    assert kept == [0, 1, 2, 3, 4]  # each as it comes
    here = Study(study.material, study.settings, tmp_path / "here")
    assert [one.tobytes() for one in there] == [
        one.tobytes() for one in here.run("x", toy_jobs.project, ARGUMENTS)
    ]
    folder = tmp_path / "begun"
    folder.mkdir()
    processes = set(study.run("x", toy_jobs.process, [(folder, number) for number in range(6)]))
    assert len(processes) == 2
    assert os.getpid() not in processes


def test_a_mistake_on_a_worker_is_one_line(
    study: Study, toy_jobs: ModuleType, tmp_path: Path
) -> None:
    """It would be a traceback through three programs."""
    with pytest.raises(StreamerError, match="^the first thing: got 1$"):
        study.run("x", toy_jobs.failing, [(tmp_path, 1)])


def test_workers_without_the_corpus_say_so(
    study: Study, toy_jobs: ModuleType, small_corpus: Path, tmp_path: Path
) -> None:
    """Each job would fail with a path, and nobody would know on which machine."""
    corpus = shutil.copytree(small_corpus, tmp_path / "corpus")
    study.material = Material.of(corpus)
    fingerprint_of(study.material)  # what lies here, before it is taken away from the worker
    (corpus / "Subsets/train.audible").write_text("emg_002-001: emg_002-001-0100\n")
    with pytest.raises(StreamerError, match="corpus .* on the worker .*: got other files"):
        study.run("x", toy_jobs.doubled, [(1,)])
    shutil.rmtree(corpus)
    with pytest.raises(StreamerError, match="at the same path on every worker"):
        study.run("x", toy_jobs.doubled, [(1,)])


def test_a_job_that_kills_its_workers_is_given_up(study: Study, toy_jobs: ModuleType) -> None:
    """joblib alone would wait for ever."""
    with pytest.raises(StreamerError, match="the cluster gave a job up: got KilledWorker"):
        study.run("x", toy_jobs.dying, [(1,)])


class Threaded:
    """A client of a cluster whose second worker runs four jobs at once."""

    def __init__(self, address: str, timeout: float) -> None:
        self.address = address

    def __enter__(self) -> "Threaded":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def wait_for_workers(self, count: int, timeout: float) -> None:
        pass

    def nthreads(self) -> dict[str, int]:
        return {"one": 1, "other": 4}


def test_workers_of_several_threads_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs of one process share random numbers: a seed would find something else each time."""
    monkeypatch.setattr(distributed, "Client", Threaded)
    with (
        pytest.raises(StreamerError, match="threads of a worker of tcp://here: got 4") as caught,
        workers.connected("tcp://here"),
    ):
        pass
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "head", "http://head"])
def test_no_such_cluster_is_one_line(
    study: Study, toy_jobs: ModuleType, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mistyped address would be a page of asyncio."""
    monkeypatch.setattr(workers, "WAIT_S", 0.5)
    study.cluster = address
    with pytest.raises(StreamerError, match=f"cluster {address} cannot be reached") as caught:
        study.run("x", toy_jobs.doubled, [(1,)])
    assert "\n" not in str(caught.value)
