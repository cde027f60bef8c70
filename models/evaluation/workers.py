"""Where jobs run: processes of this machine, or the workers of a Dask cluster."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import resource_tracker
from typing import Any

import joblib

from drivers.errors import StreamerError

WAIT_S = 10.0
"""For a scheduler to answer, and for its first worker."""

_LOOK_S = 1.0


@contextmanager
def on_workers(workers: int, cluster: str | None) -> Iterator[None]:
    """Let `joblib.Parallel` run here or on a cluster.

    Parameters
    ----------
    workers : int
        Processes of this machine.
    cluster : str or None
        Address of a Dask scheduler; then its workers do the work.

    Raises
    ------
    StreamerError
        The cluster cannot be used, or a worker died.
    """
    if cluster is not None:
        with connected(cluster) as client, joblib.parallel_config(_dask_backend(client)):
            yield
        return
    try:
        with joblib.parallel_config("loky", n_jobs=workers, initializer=_end_with_parent):
            yield
    except BrokenProcessPool:
        raise StreamerError(
            "a worker process died",
            value="most likely the machine ran out of memory",
            way_out="what is done is kept: run the same command with fewer --workers",
        ) from None


@contextmanager
def connected(cluster: str) -> Iterator[Any]:
    """Connect to a Dask cluster.

    Parameters
    ----------
    cluster : str
        Address of its scheduler, ``"tcp://127.0.0.1:8786"``.

    Yields
    ------
    distributed.Client
        With workers that run one job at a time.

    Raises
    ------
    StreamerError
        Dask is not installed, nobody answers, or there are no such workers.
    """
    try:
        from distributed import Client
    except ModuleNotFoundError:
        raise StreamerError(
            "a cluster needs Dask, which is not installed",
            way_out="install the extra: pip install -e '.[train,cluster]'",
        ) from None
    try:
        client = Client(cluster, timeout=WAIT_S)  # type: ignore[no-untyped-call]
    except (OSError, ValueError, ImportError) as error:
        raise StreamerError(
            f"cluster {cluster} cannot be reached",
            value=error,
            way_out="start one: `dask scheduler`, and `dask worker ADDRESS --nthreads 1` on "
            "each machine",
        ) from None
    with client:
        try:
            client.wait_for_workers(1, timeout=WAIT_S)
        except TimeoutError:
            raise StreamerError(
                f"cluster {cluster} has no worker",
                way_out=f"start some: `dask worker {cluster} --nworkers 2 --nthreads 1`",
            ) from None
        threads = max(client.nthreads().values())  # type: ignore[no-untyped-call]
        if threads > 1:
            raise StreamerError(
                f"threads of a worker of {cluster}",
                value=threads,
                allowed="1, for what is random depends on it",
                way_out=f"start them as `dask worker {cluster} --nworkers {threads} --nthreads 1`",
            )
        yield client


def device_of(wish: str, cluster: str | None) -> str:
    """Find PyTorch's device.

    Parameters
    ----------
    wish : str
        ``"auto"``, ``"cpu"`` or ``"cuda"``.
    cluster : str or None
        Whose workers must have it.

    Returns
    -------
    str
        ``"cpu"`` or ``"cuda"``.

    Raises
    ------
    StreamerError
        A GPU is wished for where there is none.
    """
    if wish == "cpu":
        return wish
    if cluster is None:
        there = _sees_gpu()
    else:
        with connected(cluster) as client:
            there = all(client.run(_sees_gpu).values())
    if there:
        return "cuda"
    if wish == "auto":
        return "cpu"
    raise StreamerError(
        "--device",
        value="cuda, but PyTorch sees no GPU" + ("" if cluster is None else " on every worker"),
        allowed="auto, cpu",
    )


@contextmanager
def deaf_to_interrupts() -> Iterator[None]:
    """Let processes that start in here not hear Ctrl-C, and this one a moment later.

    A terminal sends it to all of them. The workers would each print a traceback; they are
    ended by this process.
    """
    resource_tracker.ensure_running()  # until Python 3.12 it unblocks the signal as it starts
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _end_with_parent() -> None:
    """Let a worker process not outlive a parent that was killed: it would wait for ever."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_LOOK_S)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _sees_gpu() -> bool:
    import torch

    return torch.cuda.is_available()


def _dask_backend(client: Any) -> Any:
    """Make joblib's backend for Dask, such that it also tells of jobs that Dask gave up.

    joblib 1.6 calls back for results alone: for a job whose workers died again and again, or
    that no worker can unpickle, it would wait for ever.
    """
    from joblib._dask import DaskDistributedBackend

    class Backend(DaskDistributedBackend):  # type: ignore[misc]
        def submit(self, func: Any, callback: Callable[[Any], None]) -> Any:
            def failed(future: "Future[Any]") -> None:
                error = future.exception()
                if error is not None:
                    callback(error)

            future = super().submit(func, callback)
            future.add_done_callback(failed)
            return future

        def retrieve_result_callback(self, out: Any) -> Any:
            if isinstance(out, BaseException):
                raise _given_up(out) from out
            return super().retrieve_result_callback(out)

    return Backend(client=client)


def _given_up(error: BaseException) -> StreamerError:
    return StreamerError(
        "the cluster gave a job up",
        value=f"{type(error).__name__}: {error}",
        way_out="what is done is kept: see that scheduler and workers have installed what is "
        "installed here and do not run out of memory, then run the same command again",
    )
