"""The two threads of a session: one reads the source, one computes."""

import threading
from collections.abc import Sequence
from itertools import count

from drivers.clock import Clock
from drivers.source import Chunk
from streamer.engine.reader import Ended, read_all
from streamer.session.channels import select
from streamer.session.compute import Compute
from streamer.session.parts import Parts
from streamer.session.workers import Workers


def drive(
    parts: Parts,
    columns: Sequence[int],
    *,
    duration_s: float | None,
    clock: Clock | None,
    stop: threading.Event,
) -> tuple[Ended, BaseException | None]:
    """Read and compute until the end.

    Parameters
    ----------
    parts : Parts
        Of the session, ready; its ring is closed in the end.
    columns : sequence of int
        Of the source, for the models. The sinks get all of them.
    duration_s : float, optional
        EMG to read.
    clock : Clock, optional
        The session's; None where time is virtual.
    stop : threading.Event
        Ends it properly.

    Returns
    -------
    str
        What ended it.
    BaseException or None
        The first error of either thread, which ended both.
    """
    workers = Workers(parts.ring.close, lambda: step)
    compute = Compute(
        parts.pipeline,
        parts.trace,
        parts.buffer,
        parts.observer,
        parts.background,
        parts.drift,
    )
    ended: Ended = "source"
    step: int | None = None  # of computing

    def take(chunk: Chunk | None) -> None:
        parts.watch.look(chunk)
        if chunk is None:
            return
        parts.ring.put(select(chunk, columns))
        for sink in parts.sinks:
            sink.take(chunk, parts.source.health.clock_offset_s)

    def read() -> None:
        nonlocal ended
        try:
            ended = read_all(
                parts.source,
                take,
                duration_s=duration_s,
                clock=clock,
                stopped=lambda: stop.is_set() or workers.failed.is_set(),
            )
        finally:
            parts.ring.close()
            parts.watch.finish()

    def work() -> None:
        nonlocal step
        for number in count():
            step = None
            chunk = parts.ring.get()
            step = number
            if chunk is None:
                break
            compute.take(chunk)
        compute.finish()

    workers.run({"reader": read, "compute": work}, interrupt=stop.set)
    return ended, workers.error
