"""What has to be fast on any machine, in half a minute: times that no test asserts.

A test that looks at a clock fails on a busy machine, whatever the code is like. Here the
same figures stand beside their bounds, for a person, and for CI to print.
"""

import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from drivers.clock import PerfClock
from drivers.errors import StreamerError
from drivers.source import Samples
from drivers.varioport.profile import load_profile
from streamer.bench.decoding import cost
from streamer.bench.device import replug
from streamer.bench.engine import engine
from streamer.bench.figure import Figure, Progress, Report
from streamer.bench.schedule import schedule
from streamer.bench.serial_port import reading
from streamer.bench.streams import streams
from streamer.config import Config
from streamer.recordings import RecordingsSettings, Selection

_STARTS = 5
_WAKES = 200
_DECODED_S = 10.0
_WRITES = 1000
_REPLAYED_S = 2.0
_CABLES = 1  # pulled
_STREAMED_S = 1.5
_RETURNS = 5
_PACED_S = 10.0


def check(config: Config, path: Path, progress: Progress) -> Report:
    """Measure everything that has a bound in time and can be measured in seconds.

    Parameters
    ----------
    config : Config
        Of the session whose cost is measured; how long it runs is fixed.
    path : Path
        Directory for all that comes of it.
    progress : callable
        Told how far it is.

    Returns
    -------
    Report
        All figures.
    """
    recordings = Selection(RecordingsSettings()).recordings
    emg_uv = np.concatenate([recording.emg_uv for recording in recordings])
    figures = [_start(progress), _wake(progress)]
    for name in ("framed", "multiplex"):
        figures.append(cost(load_profile(name), emg_uv, _DECODED_S))
        progress(f"decoding {name}", 1, 1)
    figures.append(reading(_WRITES, progress))
    figures += schedule(_REPLAYED_S, progress)
    pulled, why = _pull(emg_uv, progress)
    streamed, notes = streams(_STREAMED_S, _RETURNS, progress)
    figures += [*pulled, *streamed]
    short = config.bench.engine.model_copy(update={"seconds": _PACED_S})
    bench = config.bench.model_copy(update={"engine": short})
    session = engine(config.model_copy(update={"bench": bench}), path, progress)
    notes = [*why, *notes, *session.notes]
    return Report([*figures, *session.figures], session.values, notes, session.picture)


def _start(progress: Progress) -> Figure:
    """Start the command as a shell does."""
    took_s = []
    for number in range(1, _STARTS + 1):
        began_s = time.perf_counter()
        command = [sys.executable, "-m", "streamer", "--help"]
        done = subprocess.run(command, capture_output=True, check=False)
        took_s.append(time.perf_counter() - began_s if done.returncode == 0 else float("inf"))
        progress("starts of the command", number, _STARTS)
    about = f"`streamer --help`, median of {_STARTS}"
    return Figure("start_s", float(np.median(took_s)), "s", 0.3, about)


def _wake(progress: Progress) -> Figure:
    """Sleep as a replay does; what it wakes late, its samples come late."""
    clock, late_ms = PerfClock(), []
    for number in range(1, _WAKES + 1):
        due_s = clock.now_s() + 0.005
        clock.sleep_until(due_s)
        late_ms.append(1000 * (clock.now_s() - due_s))
        progress("wakes of the clock", number, _WAKES)
    about = f"the clock wakes late, p99 of {_WAKES} times"
    return Figure("wake_late_p99_ms", float(np.percentile(late_ms, 99)), "ms", 5.0, about)


def _pull(emg_uv: Samples, progress: Progress) -> tuple[list[Figure], list[str]]:
    """Pull the cable of an emulated device; a device that fails never came back."""
    try:
        return replug(load_profile("framed"), emg_uv, _CABLES, progress), []
    except StreamerError as error:
        never = Figure("replug_resumed_s", float("inf"), "s", 2.0, "longest return")
        return [never], [f"no cable was pulled: {error}"]
