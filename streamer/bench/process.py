"""A session in a process of its own, and how it performed there."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drivers.errors import StreamerError
from streamer.bench.figure import Progress
from streamer.config import Config, ReplaySettings, Speed, write_config
from streamer.results.outputs import RunDirectory

PERFORMANCE = "performance.json"

_WARM_UP_S = 1.0
_PATIENCE_S = 120.0  # to start, and to end


@dataclass(frozen=True, eq=False)
class Performance:
    """How a session performed.

    Attributes
    ----------
    directory : RunDirectory
        Its outputs.
    summary, latency : dict
        ``summary.json`` and ``latency.json``.
    epochs : list of dict
        When each was acquired: ``epoch``, ``utterance``, ``started_s``, ``last_s``,
        ``samples``, ``lost_samples``.
    course : dict of str to ndarray, shape (m,)
        ``time_s``, ``cpu_s``, ``rss_mb``, ``fill_ms``, ``underruns``, every half second.
    peak_rss_mb : float
        The most memory that the process ever had.
    """

    directory: RunDirectory
    summary: dict[str, Any]
    latency: dict[str, Any]
    epochs: list[dict[str, Any]]
    course: dict[str, NDArray[np.float64]]
    peak_rss_mb: float

    @classmethod
    def read(cls, path: Path) -> "Performance":
        """Read what a session left."""
        directory = RunDirectory(path)
        content = json.loads((path / PERFORMANCE).read_text())
        return cls(
            directory,
            json.loads(directory.summary.read_text()),
            json.loads(directory.latency.read_text()),
            content["epochs"],
            {name: np.array(values, float) for name, values in content["course"].items()},
            content["peak_rss_mb"],
        )

    def since_start_s(self) -> NDArray[np.float64]:
        """Return the times of the course since the first sample."""
        return self.course["time_s"] - float(self.epochs[0]["started_s"])

    def cpu_share(self) -> float:
        """Return the share of one core that the process took, after the first second."""
        kept = self.since_start_s() >= _WARM_UP_S
        times_s, cpu_s = self.course["time_s"][kept], self.course["cpu_s"][kept]
        if len(times_s) < 2:
            return float("inf")
        return float((cpu_s[-1] - cpu_s[0]) / (times_s[-1] - times_s[0]))

    def underruns(self) -> int:
        """Return the underruns after the first second."""
        early = self.course["underruns"][self.since_start_s() <= _WARM_UP_S]
        return int(self.summary["underruns"] - (early[-1] if len(early) else 0))

    def growth_mb(self, after_s: float) -> float:
        """Return by how much the memory grew after a warm-up: end against its beginning."""
        rss_mb = self.course["rss_mb"][self.since_start_s() >= after_s]
        if len(rss_mb) < 2:
            return float("inf")
        part = max(1, len(rss_mb) // 10)
        return float(np.median(rss_mb[-part:]) - np.median(rss_mb[:part]))


def replaying(
    config: Config, seconds: float | None, *, speed: Speed = 1.0, loop: bool = False
) -> Config:
    """Return settings of a replay, whatever else the file that they come from was written for.

    Parameters
    ----------
    config : Config
        All settings; a live source among them is left out.
    seconds : float or None
        EMG after which it ends; None for all there is.
    speed : float or str
        Of the replay.
    loop : bool
        Over and over.

    Returns
    -------
    Config
        As a run takes it.
    """
    return config.model_copy(
        update={
            "live": config.live.model_copy(update={"source": None}),
            "replay": ReplaySettings(speed=speed, loop=loop),
            "session": config.session.model_copy(update={"duration_s": seconds}),
        }
    )


def perform(
    config: Config,
    path: Path,
    what: str,
    seconds: float | None,
    progress: Progress,
    environment: Mapping[str, str] | None = None,
    core: int | None = None,
) -> Performance:
    """Run a session in a process of its own.

    Parameters
    ----------
    config : Config
        All settings.
    path : Path
        Of its outputs; must not exist.
    what : str
        For people.
    seconds : float or None
        How long it takes at the pace of life; None where it is as fast as it can be.
    progress : callable
        Told how far it is.
    environment : mapping of str to str, optional
        Of the process.
    core : int, optional
        The only one that it may use.

    Returns
    -------
    Performance
        Of the session.

    Raises
    ------
    StreamerError
        It failed.
    """
    file, log = path.with_suffix(".yaml"), path.with_suffix(".log")
    write_config(config, file)
    with log.open("w") as errors, only_on(core):
        process = subprocess.Popen(
            [sys.executable, "-m", "streamer.bench.worker", str(file), str(path)],
            env=None if environment is None else dict(environment),
            stdout=subprocess.DEVNULL,
            stderr=errors,
            start_new_session=True,  # Ctrl-C is for the bench alone
        )
    total = 1 if seconds is None else max(1, round(seconds))
    started_s = time.monotonic()
    with process:
        try:
            while process.poll() is None:
                passed_s = time.monotonic() - started_s
                progress(what, min(total - 1, int(passed_s)) if seconds else 0, total)
                if seconds is not None and passed_s > seconds + _PATIENCE_S:
                    raise StreamerError(what, value=f"no end after {passed_s:.0f} s")
                time.sleep(0.2)
        finally:
            process.kill()
    if process.returncode:
        said = log.read_text().strip()
        raise StreamerError(what, value=said.rpartition("\n")[2] or "it failed")
    progress(what, total, total)
    return Performance.read(path)


@contextmanager
def only_on(core: int | None) -> Iterator[None]:
    """Let a process that is started meanwhile use one core only; None changes nothing."""
    if core is None or not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def last_core() -> int:
    """Return the number of the last core that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return max(os.sched_getaffinity(0))
    return (os.cpu_count() or 1) - 1
