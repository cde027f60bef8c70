"""Replay against its absolute schedule."""

import numpy as np

from drivers.clock import Clock, PerfClock
from drivers.replay import ReplaySource
from streamer.bench.figure import Figure, Progress
from streamer.recordings import RecordingsSettings, Selection

_LATELY_S = 10.0


def schedule(seconds: float, progress: Progress, clock: Clock | None = None) -> list[Figure]:
    """Replay the recording in the package at speed 1, over and over.

    Parameters
    ----------
    seconds : float
        How long.
    progress : callable
        Told how far it is.
    clock : Clock, optional
        That it is held against; default is the machine's.

    Returns
    -------
    list of Figure
        How late chunks were.
    """
    clock = clock or PerfClock()
    source = ReplaySource(Selection(RecordingsSettings()).recordings, clock=clock, loop=True)
    late_ms: list[float] = []
    samples = 0
    with source:
        started_s = clock.now_s()
        while (passed_s := clock.now_s() - started_s) < seconds:
            chunk = source.read(0.1)
            if chunk is not None:
                # The schedule is reckoned here, not taken from the source's own time stamps.
                samples += chunk.gap_before + len(chunk.samples)
                passed_s = clock.now_s() - started_s
                late_ms.append(1000 * (passed_s - samples / source.info.rate_hz))
            progress("replay at speed 1", round(passed_s), round(seconds))
    lately_s = min(_LATELY_S, seconds)
    lately = late_ms[-max(1, round(len(late_ms) * lately_s / seconds)) :]
    return [
        Figure(
            "replay_off_ms",
            abs(float(np.median(lately))),
            "ms",
            2.0,
            f"off the schedule at the end of {seconds:g} s, median of the last {lately_s:g} s",
        ),
        Figure("replay_late_p99_ms", float(np.percentile(late_ms, 99)), "ms", None, "p99 of all"),
        Figure("replay_late_max_ms", max(late_ms), "ms", None, "latest chunk"),
    ]
