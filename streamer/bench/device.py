"""An emulated device in a process of its own, read by the driver in this one."""

import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from drivers.errors import StreamerError
from drivers.source import Chunk, Samples
from drivers.varioport.profile import Profile
from drivers.varioport.source import VarioportSource
from drivers.varioport.transport.port import SerialTransport
from streamer.bench.decoding import Truth
from streamer.bench.figure import Figure, Progress

_OUTAGE_S = 1.0
_PLUGGED_S = 2.0
_START_S = 30.0


class Device:
    """An emulated device that runs.

    Attributes
    ----------
    port : Path
        Where it is plugged in.
    injected : dict
        What it did, once it has ended.
    """

    def __init__(self, port: Path) -> None:
        self.port = port
        self.injected: dict[str, Any] = {}


@contextmanager
def device(profile: Profile, faults: Sequence[str] = ()) -> Iterator[Device]:
    """Run an emulated device on the recording in the package.

    Parameters
    ----------
    profile : Profile
        A built-in one.
    faults : sequence of str
        As ``--fault`` takes them.

    Yields
    ------
    Device
        Plugged in.
    """
    with tempfile.TemporaryDirectory() as folder:
        port = Path(folder) / "varioport"
        words = ["simulate", "--as", "varioport", "--port", str(port), "--json"]
        words += ["--set", f"simulate.profile={profile.name}"]
        for fault in faults:
            words += ["--fault", fault]
        process = subprocess.Popen(
            [sys.executable, "-m", "streamer", *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        found = Device(port)
        with process:
            try:
                _wait_for(port, process)
                yield found
                process.send_signal(signal.SIGINT)
                printed, said = process.communicate(timeout=_START_S)
                if process.returncode != 0:
                    raise StreamerError("emulated device", value=said)
                found.injected = json.loads(printed)["injected"]
            finally:
                process.kill()


def lost_bytes(
    profile: Profile, emg_uv: Samples, seconds: float, progress: Progress
) -> list[Figure]:
    """Lose 1 % of the bytes and compare what is delivered with what was sent.

    Parameters
    ----------
    profile : Profile
        A built-in one with a counter.
    emg_uv : ndarray of float32, shape (n, channels)
        The recording in the package, as it is played over and over.
    seconds : float
        How long.
    progress : callable
        Told how far it is.

    Returns
    -------
    list of Figure
        Wrong samples: values that were not sent, or in a place that miscounted losses moved.
    """
    truth = Truth(emg_uv, counted=True)
    with device(profile, ["lost-bytes=0.01"]) as found, _open(found, profile) as source:
        for chunk in _chunks(source, seconds, progress, "1 % of bytes lost"):
            truth.check(chunk.samples, chunk.gap_before)
        lost = source.health.lost_samples
    about = f"samples of {truth.samples} that were not sent there; {lost} counted as lost"
    return [Figure("lost_bytes_wrong", truth.wrong, "", 0, about)]


def replug(profile: Profile, emg_uv: Samples, cycles: int, progress: Progress) -> list[Figure]:
    """Pull the cable and plug it in again, over and over.

    Parameters
    ----------
    profile : Profile
        A built-in one with a counter.
    emg_uv : ndarray of float32, shape (n, channels)
        The recording in the package, as it is played over and over.
    cycles : int
        How often.
    progress : callable
        Told how far it is.

    Returns
    -------
    list of Figure
        Time from the device's return to the first sample, wrong samples, and by how much
        the reported gaps are wrong.
    """
    truth = Truth(emg_uv, counted=True)
    every_s = _PLUGGED_S + _OUTAGE_S
    resumed_s: list[float] = []
    gap_errors: list[float] = []
    previous: Chunk | None = None
    with device(profile, [f"unplug={every_s}:{_OUTAGE_S}"]) as found:
        with _open(found, profile) as source:
            until_s = time.perf_counter() + (cycles + 1) * every_s + 10
            while len(resumed_s) < cycles and time.perf_counter() < until_s:
                chunk = source.read(0.1)
                if chunk is None:
                    continue
                back = previous is not None and chunk.epoch != previous.epoch
                if previous is not None and back:
                    truth.begin()
                    resumed_s.append(chunk.received_s - previous.received_s - _OUTAGE_S)
                    gap_errors.append(_gap_error(previous, chunk, profile.rate_hz))
                    progress("pulled cables", len(resumed_s), cycles)
                truth.check(chunk.samples, 0 if back else chunk.gap_before)
                previous = chunk
    missed = cycles - len(resumed_s)
    return [
        Figure("replug_missed", missed, "", 0, f"times of {cycles} that it did not come back"),
        Figure("replug_resumed_s", max(resumed_s, default=np.inf), "s", 2.0, "longest return"),
        Figure("replug_resumed_p50_s", float(np.median(resumed_s)), "s", None, "median return"),
        Figure("replug_wrong", truth.wrong, "", 0, f"wrong samples of {truth.samples}"),
        Figure(
            "replug_gap_error_ms",
            1000 * max(gap_errors, default=np.inf),
            "ms",
            None,
            "largest error of a reported gap, against the times of its ends",
        ),
    ]


def _gap_error(before: Chunk, after: Chunk, rate_hz: float) -> float:
    passed_s = after.time_s - before.time_s - len(after.samples) / rate_hz
    return abs(passed_s - after.gap_before / rate_hz)


@contextmanager
def _open(found: Device, profile: Profile) -> Iterator[VarioportSource]:
    source = VarioportSource(SerialTransport(str(found.port), profile.baud_rate), profile)
    with source:
        yield source


def _chunks(
    source: VarioportSource, seconds: float, progress: Progress, what: str
) -> Iterator[Chunk]:
    started_s = time.perf_counter()
    while (passed_s := time.perf_counter() - started_s) < seconds:
        chunk = source.read(0.1)
        progress(what, round(passed_s), round(seconds))
        if chunk is not None:
            yield chunk


def _wait_for(port: Path, process: subprocess.Popen[str]) -> None:
    until_s = time.monotonic() + _START_S
    while not port.exists():
        if process.poll() is not None or time.monotonic() > until_s:
            process.kill()
            raise StreamerError("emulated device", value=process.communicate()[1] or "no answer")
        time.sleep(0.02)
