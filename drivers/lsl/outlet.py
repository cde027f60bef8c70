"""A source as an LSL stream."""

import threading
import time
from types import TracebackType
from typing import Self

from drivers.clock import Clock
from drivers.lsl.description import END, describe_source
from drivers.lsl.outlets import EventsOutlet
from drivers.lsl.sending import Feed
from drivers.source import Chunk, Source, SourceInfo, SourceState

# Markers and samples travel on two connections: a marker gets this much of a head start,
# so that a receiver knows of it before its sample arrives.
_HEAD_START_S = 0.01


class LslOutlet:
    """An EMG stream, float32 in microvolts, and a stream with its markers.

    Parameters
    ----------
    info : SourceInfo
        What is sent. `source_id` is the identity by which receivers recover the stream
        after a break, so it must be the same tomorrow.
    clock : Clock, optional
        The clock of `Chunk.time_s`, which has to run in real time.
    """

    def __init__(self, info: SourceInfo, *, clock: Clock | None = None) -> None:
        markers_id = f"{info.source_id}-markers"
        description = describe_source(info, markers_id)
        self._rate_hz = info.rate_hz
        self._markers = EventsOutlet(f"{info.name}-markers", markers_id, clock=clock)
        self._samples = Feed(description, clock)
        self._last_s: float | None = None

    def wait_for_consumer(self, timeout_s: float) -> bool:
        """Wait until somebody listens to samples and markers.

        Parameters
        ----------
        timeout_s : float
            How long at most.

        Returns
        -------
        bool
            Somebody does.
        """
        deadline_s = time.monotonic() + timeout_s
        while not (self._samples.heard and self._markers.heard):
            if time.monotonic() >= deadline_s:
                return False
            time.sleep(0.01)
        return True

    def push(self, chunk: Chunk) -> None:
        """Send samples and markers, stamped with their own times.

        Parameters
        ----------
        chunk : Chunk
            Lost samples before it show as a jump of the stamps.
        """
        last = chunk.first_index + len(chunk.samples) - 1
        for marker in chunk.markers:
            marker_s = chunk.time_s - (last - marker.index) / self._rate_hz
            self._markers.push(marker.label, marker_s)
        if chunk.markers:
            time.sleep(_HEAD_START_S)
        self._last_s = chunk.time_s
        self._samples.push(chunk.samples, chunk.time_s)

    def close(self) -> None:
        """Mark the end, let the last samples go out and take the streams away."""
        if self._last_s is not None:
            self._markers.push(END, self._last_s)
            self._last_s = None
        self._samples.close()
        self._markers.close()

    def __enter__(self) -> Self:
        """Nothing to do: the stream is there as soon as it is made."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close."""
        self.close()


def publish(source: Source, outlet: LslOutlet, stop: threading.Event | None = None) -> None:
    """Relay a source until it ends or `stop` is set.

    Parameters
    ----------
    source : Source
        Open; in real time, because the stream's nominal rate is that of its info.
    outlet : LslOutlet
        Made for this source's info. It stays open: closing it marks the end.
    stop : threading.Event, optional
        Ends the relay within 0.1 s.
    """
    while stop is None or not stop.is_set():
        chunk = source.read(0.1)
        if chunk is not None:
            outlet.push(chunk)
        elif source.health.state is SourceState.DISCONNECTED:
            return
