"""The session that is measured, in a process of its own.

Run as a program: ``python -m streamer.bench.worker CONFIG DIRECTORY``. It runs what the
configuration says like `streamer replay` and `streamer live` do, without a screen, and leaves
``performance.json`` beside the run's outputs.
"""

import os
import resource
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from drivers.errors import StreamerError
from drivers.source import UTTERANCE, Chunk, Health, Source, SourceInfo
from models.bundle import Bundle, packaged_bundle
from streamer.bench.process import PERFORMANCE
from streamer.config import Config, load_config
from streamer.recordings import Selection, replay_source
from streamer.results.outputs import RunDirectory, write_json
from streamer.results.summary import Snapshot
from streamer.session import Session
from streamer.sources import live_source

_EVERY_S = 0.5
_PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 2**20


@dataclass
class EpochTime:
    """When an epoch was acquired.

    Attributes
    ----------
    epoch : int
        As the source counts.
    utterance : str
        Its name; empty where the source gives none.
    started_s : float
        Acquisition of its first sample, lost ones counted in, on ``perf_counter``.
    last_s : float
        Acquisition of its last sample.
    samples, lost_samples : int
        Delivered; lost before those.
    """

    epoch: int
    utterance: str
    started_s: float
    last_s: float = 0.0
    samples: int = 0
    lost_samples: int = 0


class Stamped:
    """A source that keeps when its epochs were acquired.

    Parameters
    ----------
    source : Source
        Any.

    Attributes
    ----------
    epochs : list of EpochTime
        So far.
    """

    def __init__(self, source: Source) -> None:
        self.epochs: list[EpochTime] = []
        self._source = source

    @property
    def info(self) -> SourceInfo:
        """As the source says."""
        return self._source.info

    @property
    def health(self) -> Health:
        """As the source says."""
        return self._source.health

    def open(self) -> None:
        """Open the source."""
        self._source.open()

    def close(self) -> None:
        """Close the source."""
        self._source.close()

    def read(self, timeout_s: float) -> Chunk | None:
        """Read the source."""
        chunk = self._source.read(timeout_s)
        if chunk is not None:
            self._stamp(chunk)
        return chunk

    def __enter__(self) -> Self:
        """Open."""
        self.open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close."""
        self.close()

    def _stamp(self, chunk: Chunk) -> None:
        if not self.epochs or self.epochs[-1].epoch != chunk.epoch:
            end = chunk.first_index + len(chunk.samples)
            started_s = chunk.time_s - (end - 1) / self.info.rate_hz
            names = [m.label.removeprefix(UTTERANCE) for m in chunk.markers if m.index == 0]
            self.epochs.append(EpochTime(chunk.epoch, names[0] if names else "", started_s))
        epoch = self.epochs[-1]
        epoch.last_s = chunk.time_s
        epoch.samples += len(chunk.samples)
        epoch.lost_samples += chunk.gap_before


@dataclass
class Course:
    """What a process needs and has, every half second."""

    time_s: list[float] = field(default_factory=list)
    cpu_s: list[float] = field(default_factory=list)
    rss_mb: list[float] = field(default_factory=list)
    fill_ms: list[float] = field(default_factory=list)
    underruns: list[int] = field(default_factory=list)

    def look(self, snapshot: Snapshot) -> None:
        """Take note of an instant."""
        self.time_s.append(time.perf_counter())
        self.cpu_s.append(time.process_time())
        self.rss_mb.append(_rss_mb())
        self.fill_ms.append(snapshot.fill_ms)
        self.underruns.append(snapshot.underruns)


def run(config: Config, directory: RunDirectory) -> None:
    """Run a session and write how it performed.

    Parameters
    ----------
    config : Config
        All settings.
    directory : RunDirectory
        Gets the outputs, and ``performance.json``.

    Raises
    ------
    StreamerError
        As `Session.run` does.
    """
    source = Stamped(_source(config))
    realtime = config.live.source is not None or config.replay.speed == 1
    bundle = Bundle.open(config.bundle or packaged_bundle(), config.models.speaker)
    opened, ended = threading.Event(), threading.Event()
    session = Session(
        source,
        bundle,
        directory,
        settings=config.session,
        pipeline=config.pipeline,
        estimates=config.estimates,
        audio=config.audio,
        outlets=config.outlets,
        realtime=realtime,
        opened=opened.set,
    )
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: session.stop())
    course = Course()
    looking = threading.Thread(
        target=_look, args=(course, session.snapshot, opened, ended), name="course", daemon=True
    )
    looking.start()
    try:
        session.run()
    finally:
        ended.set()
        opened.set()
        looking.join()
    performance: dict[str, Any] = {
        "epochs": [asdict(epoch) for epoch in source.epochs],
        "course": asdict(course),
        "peak_rss_mb": _peak_rss_mb(),
    }
    write_json(directory.path / PERFORMANCE, performance)


def _source(config: Config) -> Source:
    if config.live.source is not None:
        return live_source(config.live).source
    replay, recordings = config.replay, Selection(config.recordings).recordings
    return replay_source(recordings, replay.speed, loop=replay.loop, start_s=replay.start_s)


def _look(
    course: Course,
    snapshot: Callable[[], Snapshot],
    opened: threading.Event,
    ended: threading.Event,
) -> None:
    opened.wait()
    while not ended.wait(_EVERY_S):
        course.look(snapshot())


def _rss_mb() -> float:
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE_MB
    except OSError:  # where there is no /proc
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _peak_rss_mb() -> float:
    try:
        # What the system counts for `getrusage` includes the process that started this one.
        words = Path("/proc/self/status").read_text().split()
        return int(words[words.index("VmHWM:") + 1]) / 1024
    except (OSError, ValueError):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _main(config: str, directory: str) -> int:
    try:
        run(load_config(Path(config)), RunDirectory.create(Path(directory)))
    except StreamerError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(_main(*sys.argv[1:]))
