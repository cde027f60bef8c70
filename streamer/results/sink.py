"""What a session hands out beside its own files."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from drivers.source import Chunk
from streamer.results.summary import Estimate


class Sink(Protocol):
    """Takes all that comes of a session, at once and by reference, and never raises.

    Times are on the session's clock. `take` and `event` are called on the thread that reads
    the source, `audio` and `estimate` on the one that writes the files.
    """

    name: str
    """Under which its counters appear."""

    def take(self, chunk: Chunk, clock_offset_s: float) -> None:
        """Take EMG as the source gave it; the offset is `Health.clock_offset_s`."""

    def audio(self, samples: NDArray[np.float32], time_s: float) -> None:
        """Take the voice; its first sample stands for the EMG of `time_s`."""

    def estimate(self, estimate: Estimate, time_s: float) -> None:
        """Take an estimate that rests on the EMG up to `time_s`."""

    def event(self, label: str, time_s: float) -> None:
        """Take what happened, for people."""

    def counters(self) -> dict[str, int]:
        """Return what was handed out and what was not."""

    def problems(self) -> list[str]:
        """Say in a line each what went wrong."""

    def close(self) -> None:
        """Hand out what waits, and end; may be called twice."""
