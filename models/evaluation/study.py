"""Independent jobs: run in parallel, kept on disk, resumed after an interruption.

joblib does the work, in processes of this machine or on a running Dask cluster. What a job
returned is written here, one file a job, as soon as it comes back.
"""

import hashlib
import inspect
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import joblib

from drivers.errors import StreamerError
from models.evaluation.material import Material
from models.evaluation.settings import EvaluationSettings
from models.training.progress import Progress
from models.training.threads import few_threads

T = TypeVar("T")

_ROOT = Path(__file__).resolve().parents[2]
_BASIS = ("drivers/recordings", "models/signal", "models/speech", "models/training")
"""Code that any result depends on, beside the models' and the experiments' own modules."""


@dataclass
class Study:
    """An evaluation under way: what an experiment is given.

    Attributes
    ----------
    material : Material
        The corpus.
    settings : EvaluationSettings
        Size and seed.
    cache : Path
        Directory of the results that are there already.
    workers : int
        Processes at once; ignored on a cluster.
    cluster : str, optional
        Address of a Dask scheduler, ``"tcp://127.0.0.1:8786"``.
    progress : callable
        Told what is being done.
    """

    material: Material
    settings: EvaluationSettings
    cache: Path
    workers: int = 1
    cluster: str | None = None
    progress: Progress = lambda what, done, total: None
    job_seconds: float = 0.0

    def run(
        self, what: str, function: Callable[..., T], arguments: Sequence[tuple[Any, ...]]
    ) -> list[T]:
        """Call ``function(material, *arguments[i])`` for each i.

        Parameters
        ----------
        what : str
            For the progress bar.
        function : callable
            On the top level of a module, so that workers find it. It depends on nothing but its
            arguments: its result is kept and never asked for again, unless the code, the corpus
            or the arguments change.
        arguments : sequence of tuple
            Of plain types, frozen dataclasses and arrays.

        Returns
        -------
        list
            In the order of the arguments.
        """
        basis = (code_digest(function), self._corpus)
        files = [
            self.cache / function.__name__ / f"{joblib.hash((basis, one))}.pkl" for one in arguments
        ]
        results: dict[int, T] = {}
        for number, file in enumerate(files):
            kept = _read(file)
            if kept is not None:
                results[number], seconds = kept
                self.job_seconds += seconds
        pending = [number for number in range(len(files)) if number not in results]
        self.progress(what, len(results), len(files))
        if pending:
            with self._backend():
                jobs = joblib.Parallel(return_as="generator_unordered", batch_size=1)(
                    joblib.delayed(_job)(number, function, self.material, arguments[number])
                    for number in pending
                )
                for number, result, seconds in jobs:
                    _write(files[number], (result, seconds))
                    results[number] = result
                    self.job_seconds += seconds
                    self.progress(what, len(results), len(files))
        return [results[number] for number in range(len(files))]

    @property
    def _corpus(self) -> str:
        return _fingerprint(self.material)

    @contextmanager
    def _backend(self) -> Iterator[None]:
        if self.cluster is None:
            with joblib.parallel_config("loky", n_jobs=self.workers):
                yield
            return
        try:
            from distributed import Client
        except ModuleNotFoundError:
            raise StreamerError(
                "a cluster needs Dask, which is not installed",
                way_out="install the extra: pip install -e '.[cluster]'",
            ) from None
        try:
            client = Client(self.cluster, timeout=10)  # type: ignore[no-untyped-call]
        except (OSError, ValueError) as error:
            raise StreamerError(
                f"cluster {self.cluster} cannot be reached: {error}",
                way_out="start one: `dask scheduler`, and `dask worker ADDRESS` on each machine",
            ) from None
        with client, joblib.parallel_config("dask"):
            yield


def _job(
    number: int, function: Callable[..., T], material: Material, arguments: tuple[Any, ...]
) -> tuple[int, T, float]:
    """Run one job on one core, whatever else the machine does: results must not depend on it."""
    began_s = time.perf_counter()
    with few_threads(1):
        result = function(material, *arguments)
    return number, result, time.perf_counter() - began_s


def code_digest(function: Callable[..., Any]) -> str:
    """Tell the code that a result depends on from other code.

    Parameters
    ----------
    function : callable
        Of an experiment.

    Returns
    -------
    str
        Digest of the function's folder and of what all experiments stand on.
    """
    module = inspect.getmodule(function)
    assert module is not None
    assert module.__file__ is not None
    return _digest(Path(module.__file__).resolve().parent)


@cache
def _digest(folder: Path) -> str:
    files = {file for name in _BASIS for file in (_ROOT / name).rglob("*.py")}
    files |= set((_ROOT / "models").glob("*.py")) | set((_ROOT / "models/evaluation").glob("*.py"))
    files |= set((_ROOT / "models/evaluation/metrics").glob("*.py")) | set(folder.rglob("*.py"))
    digest = hashlib.sha256()
    for file in sorted(files):
        digest.update(file.read_bytes())
    return digest.hexdigest()


@cache
def _fingerprint(material: Material) -> str:
    return material.fingerprint()


def _read(file: Path) -> tuple[Any, float] | None:
    try:
        kept: tuple[Any, float] = joblib.load(file)
    except FileNotFoundError:
        return None
    except Exception:  # cut short, or of another version of some library
        return None
    return kept


def _write(file: Path, content: object) -> None:
    """Write whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(".part")
    joblib.dump(content, part)
    part.replace(file)
