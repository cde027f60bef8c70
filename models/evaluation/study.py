"""Independent jobs: run in parallel, kept on disk, resumed after an interruption.

joblib does the work, in processes of this machine or on a running Dask cluster. What a job
returned is written here, one file a job, as soon as it comes back.
"""

import threading
import time
import traceback
import warnings
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from socket import gethostname
from typing import Any, TypeVar

import joblib

from drivers.errors import StreamerError
from drivers.outside.own_directory import own_directory
from models.evaluation.code import code_digest
from models.evaluation.kept import read_kept, write_kept
from models.evaluation.material import Material
from models.evaluation.settings import EvaluationSettings
from models.evaluation.workers import deaf_to_interrupts, on_workers
from models.training.progress import Progress
from models.training.threads import few_threads

T = TypeVar("T")

_ONE_AT_A_TIME = threading.Lock()


class JobError(RuntimeError):
    """A job failed for a reason that is no user's mistake; its traceback is the message."""


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
        Told what is being done; first, how much of it is there from before.
    job_seconds : float
        What all jobs so far took, those that are there from before included.
    jobs, kept_jobs : int
        How many there were, and how many of them were there from before.
    """

    material: Material
    settings: EvaluationSettings
    cache: Path
    workers: int = 1
    cluster: str | None = None
    progress: Progress = lambda what, done, total: None
    job_seconds: float = 0.0
    jobs: int = 0
    kept_jobs: int = 0

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
            arguments: its result is kept and never asked for again, unless the code, the corpus,
            the device or the arguments change.
        arguments : sequence of tuple
            Of plain types, frozen dataclasses and arrays.

        Returns
        -------
        list
            In the order of the arguments.

        Raises
        ------
        StreamerError
            A job's own, or because the workers cannot be used.
        JobError
            A job failed otherwise. Those that had begun are finished and kept before.
        """
        basis = (code_digest(function), fingerprint_of(self.material), self.material.device)
        name = f"{function.__module__.removeprefix('models.evaluation.')}.{function.__qualname__}"
        files = [self.cache / name / f"{joblib.hash((basis, one))}.kept" for one in arguments]
        with self._keeping():
            own_directory(self.cache / name)
        results: dict[int, T] = {}
        for number, file in enumerate(files):
            kept = read_kept(file)
            if kept is not None:
                results[number], seconds = kept
                self.job_seconds += seconds
        self.jobs += len(files)
        self.kept_jobs += len(results)
        self.progress(what, len(results), len(files))
        failures: dict[int, BaseException] = {}
        pending = [number for number in range(len(files)) if number not in results]
        with closing(self._work(function, arguments, pending, failures)) as work:
            for number, (result, seconds) in work:
                with self._keeping():
                    write_kept(files[number], (result, seconds))
                # From the file, so that a first run goes on with the very objects of a later
                # one: how they share parts decides what is asked for next, see `joblib.hash`.
                results[number] = (read_kept(files[number]) or (result,))[0]
                self.job_seconds += seconds
                self.progress(what, len(results), len(files))
        if failures:
            raise failures[min(failures)]
        return [results[number] for number in range(len(files))]

    @contextmanager
    def _keeping(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StreamerError(
                f"results cannot be kept in {self.cache}: {error.strerror or error}",
                way_out="make room there, then run the same command again",
            ) from error

    def _work(
        self,
        function: Callable[..., T],
        arguments: Sequence[tuple[Any, ...]],
        pending: Sequence[int],
        failures: dict[int, BaseException],
    ) -> Generator[tuple[int, tuple[T, float]], None, None]:
        """Yield what jobs return, in the order in which they end; collect what they raise."""
        if not pending:
            return
        there = None
        if self.cluster is not None:
            there = _There(code_digest(function), fingerprint_of(self.material))

        def jobs() -> Iterator[Any]:
            for number in pending:
                if failures:
                    return  # those that have begun are still worth keeping
                yield joblib.delayed(_job)(
                    number, function, self.material, arguments[number], there
                )

        with on_workers(self.workers, self.cluster):
            with deaf_to_interrupts():
                outcomes = joblib.Parallel(return_as="generator_unordered", batch_size=1)(jobs())
            with warnings.catch_warnings(), closing(outcomes):
                warnings.filterwarnings("ignore", r"\d+ tasks", UserWarning)  # of an early end
                # joblib starts a worker afresh that holds much memory: nothing is lost.
                warnings.filterwarnings("ignore", "A worker stopped", UserWarning)
                for number, result, error in outcomes:
                    if error is not None:
                        failures[number] = error
                    else:
                        yield number, result


@dataclass(frozen=True)
class _There:
    """What a worker on another machine must have too."""

    code: str
    corpus: str


def _job(
    number: int,
    function: Callable[..., T],
    material: Material,
    arguments: tuple[Any, ...],
    there: _There | None,
) -> tuple[int, tuple[T, float] | None, BaseException | None]:
    """Run one job on one core, whatever else the machine does: results must not depend on it."""
    began_s = time.perf_counter()
    try:
        # Threads of a process share random numbers and the number of cores.
        with _ONE_AT_A_TIME, few_threads(1):
            if there is not None:
                _check(function, material, there)
            result = function(material, *arguments)
    except StreamerError as error:
        return number, None, error
    except Exception:  # as text: not every exception survives the way back
        return number, None, JobError(f"{function.__name__}{arguments}\n{traceback.format_exc()}")
    return number, (result, time.perf_counter() - began_s), None


def _check(function: Callable[..., Any], material: Material, there: _There) -> None:
    host = gethostname()
    if not material.corpus.is_dir():
        raise StreamerError(
            f"corpus {material.corpus} on the worker {host}",
            value="no such directory",
            allowed="the corpus at the same path on every worker",
            way_out="mount it there, or copy it",
        )
    if fingerprint_of(material) != there.corpus:
        raise StreamerError(
            f"corpus {material.corpus} on the worker {host}",
            value="other files than here",
            way_out="copy the corpus anew, then start the worker again",
        )
    if code_digest(function) != there.code:
        raise StreamerError(
            f"streamer on the worker {host}",
            value="other code, or other versions of Python and the libraries, than here",
            way_out="install the same there, then start the worker again",
        )


@cache
def fingerprint_of(material: Material) -> str:
    """Return the corpus' fingerprint, reading its files once per process."""
    return material.fingerprint()
