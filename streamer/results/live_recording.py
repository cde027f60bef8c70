"""EMG and all that comes of it in one XDF file, written while it comes."""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from drivers.recordings.xdf.session import SourceXdf
from drivers.source import Chunk, SourceInfo
from streamer.engine.answers import Estimate
from streamer.engine.background import Background
from streamer.engine.columns import EstimateColumns

_HELD_S = 60.0  # a disk that sleeps wakes sooner; of 6 channels at 600 Hz, this is 1 MB
_SAFE_S = 10.0  # what a power cut may cost


class LiveRecording:
    """A `Sink` that writes to a file, on a thread of its own.

    Whoever hands something over never waits for the disk. EMG that waits for a slow disk is
    bounded in seconds; what comes beyond that is left out and counted. A full disk ends the
    recording with one message, and nothing else: what was written stays readable.

    Parameters
    ----------
    path : Path
        A new file.
    info : SourceInfo
        Of the source.
    columns : EstimateColumns, optional
        Of the estimates; None where there will be none.
    audio_rate_hz : int
        Sampling rate of the voice.
    started_s : float
        Now, on the session's clock.
    realtime : bool
        Otherwise write at once, on the thread that hands over: nothing is left out.
    held_s : float
        EMG that may wait for the disk.
    tell : callable, optional
        Takes the line that says that the disk ended it, at once.

    Raises
    ------
    RecordingError
        The file exists, or cannot be made.
    """

    name = "recording"

    def __init__(
        self,
        path: Path,
        info: SourceInfo,
        *,
        columns: EstimateColumns | None = None,
        audio_rate_hz: int = 16000,
        started_s: float = 0.0,
        realtime: bool = True,
        held_s: float = _HELD_S,
        tell: Callable[[str], None] = lambda line: None,
    ) -> None:
        self._given_up = False
        self._tell = tell
        self._path = path
        self._columns = columns
        self._rate_hz = info.rate_hz
        self._audio_rate_hz = audio_rate_hz
        self._most = round(held_s * info.rate_hz)
        self._problem: str | None = None
        # Each is written by one thread: the reader's, the recording's, the observer's.
        self._given = self._left_out = 0
        self._done = self._written = 0
        self._results_left_out = 0
        self._lock = threading.Lock()  # without a thread of its own, two others write
        self._safe_s = time.monotonic()
        self._file = SourceXdf(path, info, started_s=started_s)
        self._background = Background(self._make_safe, inline=not realtime)
        self._background.start()

    @property
    def failed(self) -> bool:
        """Whether something other than a slow disk keeps the file from being whole."""
        return self._given_up or self.error is not None

    @property
    def error(self) -> BaseException | None:
        """What went wrong and is no matter of the disk."""
        return self._background.error

    def take(self, chunk: Chunk, clock_offset_s: float) -> None:
        """Take EMG as the source gave it."""
        n = len(chunk.samples)
        if self._behind:
            self._left_out += n
            for marker in chunk.markers:
                ago_s = (chunk.first_index + n - 1 - marker.index) / self._rate_hz
                self.event(marker.label, chunk.time_s - ago_s)
            return
        self._given += n
        self._background.submit(partial(self._take, chunk, clock_offset_s))

    def audio(self, samples: NDArray[np.float32], time_s: float) -> None:
        """Take the voice; its first sample stands for the EMG of `time_s`."""
        self._result(partial(self._file.audio, samples, time_s, rate_hz=self._audio_rate_hz))

    def estimate(self, estimate: Estimate, time_s: float) -> None:
        """Take an estimate that rests on the EMG up to `time_s`."""
        if self._columns is not None:
            row, labels = self._columns.row(estimate), self._columns.labels
            self._result(partial(self._file.estimates, row, labels, time_s))

    def event(self, label: str, time_s: float) -> None:
        """Take what happened, for people."""
        self._background.submit(partial(self._write, partial(self._file.event, label, time_s)))

    def counters(self) -> dict[str, int]:
        """Return what was written and what was not."""
        return {
            "samples": self._written,
            "left_out_samples": self._left_out,
            "unwritten_samples": self._done - self._written,
            "left_out_results": self._results_left_out,
        }

    def problems(self) -> list[str]:
        """Say in a line each what is missing from the file."""
        counted = (
            (self._left_out, "EMG samples"),
            (self._results_left_out, "stretches of voice or estimates"),
        )
        lines = [
            f"{count} {what} are missing from {self._path.name}: the disk is slow"
            for count, what in counted
            if count
        ]
        if self.error is not None:
            lines.append(f"{self._path.name} is incomplete: {self.error!r}")
        return lines if self._problem is None else [self._problem, *lines]

    def close(self) -> None:
        """Write what waits, and close the file; may be called twice."""
        self._background.close()
        self._write(self._file.close)

    @property
    def _behind(self) -> bool:
        return self._given - self._done >= self._most

    def _result(self, write: Callable[[], None]) -> None:
        if self._behind:
            self._results_left_out += 1
        else:
            self._background.submit(partial(self._write, write))

    def _take(self, chunk: Chunk, clock_offset_s: float) -> None:
        n = len(chunk.samples)
        self._write(partial(self._file.take, chunk, clock_offset_s))
        self._written += 0 if self._given_up else n
        self._done += n

    def _write(self, write: Callable[[], None]) -> None:
        with self._lock:
            if not self._given_up:
                try:
                    write()
                except OSError as error:
                    self._give_up(error)

    def _give_up(self, error: OSError) -> None:
        """End the recording; the writer has closed the file behind its last whole chunk."""
        self._given_up = True
        self._problem = (
            f"{self._path.name} ends after {self._written / self._rate_hz:.1f} s of EMG: "
            f"{error.strerror}; what it has can be read"
        )
        with suppress(OSError):
            self._file.close()
        self._tell(self._problem)

    def _make_safe(self) -> None:
        """Wait for the disk itself now and then: a system can fail too."""
        if time.monotonic() - self._safe_s >= _SAFE_S:
            self._write(self._file.flush)
            self._safe_s = time.monotonic()
