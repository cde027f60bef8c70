"""An emulated device in a process of its own, read by the driver in this one."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from drivers.errors import StreamerError
from drivers.source import Chunk, Samples
from drivers.varioport.profile import Profile
from drivers.varioport.source import VarioportSource
from drivers.varioport.transport.port import SerialTransport
from streamer.bench.decoding import Truth
from streamer.bench.figure import Figure, Progress

_LOST_BYTES = 0.01
_OUTAGE_S = 1.0
_PLUGGED_S = 2.0
_MORE_PERCENT = 7.0  # chance, and what is on its way at both ends
_PATIENCE_S = 60.0  # for a start, and for a return that may be late


@contextmanager
def device(profile: Profile, faults: Sequence[str] = ()) -> Iterator[VarioportSource]:
    """Run an emulated device on the recording in the package, and read it.

    Parameters
    ----------
    profile : Profile
        A built-in one.
    faults : sequence of str
        As ``--fault`` takes them.

    Yields
    ------
    VarioportSource
        Open on it.
    """
    with (
        emulated(profile, faults) as port,
        VarioportSource(SerialTransport(str(port), profile.baud_rate), profile) as source,
    ):
        yield source


@contextmanager
def emulated(profile: Profile, faults: Sequence[str] = ()) -> Iterator[Path]:
    """Run an emulated device on the recording in the package.

    Parameters
    ----------
    profile : Profile
        A built-in one.
    faults : sequence of str
        As ``--fault`` takes them.

    Yields
    ------
    Path
        Its serial port.
    """
    with tempfile.TemporaryDirectory() as folder:
        port = Path(folder) / "varioport"
        words = ["simulate", "--as", "varioport", "--port", str(port)]
        words += ["--set", f"simulate.profile={profile.name}"]
        for fault in faults:
            words += ["--fault", fault]
        process = subprocess.Popen(
            [sys.executable, "-m", "streamer", *words],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C is for the bench alone
        )
        with process:
            try:
                _wait_for(port, process)
                yield port
            finally:
                process.terminate()


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
        Wrong samples: values that were not sent, or in a place that miscounted losses moved;
        and how many samples did not come.
    """
    truth = Truth(emg_uv, counted=True)
    with device(profile, [f"lost-bytes={_LOST_BYTES}"]) as source:
        started_s = time.perf_counter()
        while (passed_s := time.perf_counter() - started_s) < seconds:
            chunk = source.read(0.1)
            if chunk is not None:
                truth.check(chunk.samples, chunk.gap_before)
            progress("1 % of bytes lost", round(passed_s), round(seconds))
        health = source.health
    hit = 100 * (1 - (1 - _LOST_BYTES) ** profile.frame_bytes)
    missing = 100 * (1 - health.samples / (seconds * profile.rate_hz))
    about = (
        f"samples of {truth.samples} that were not sent there, of a device that loses 1 % of its "
        f"bytes; {health.lost_samples} counted as lost"
    )
    return [
        Figure("lost_bytes_wrong", truth.wrong, "", 0, about),
        Figure(
            "lost_bytes_missing_percent",
            missing,
            "%",
            hit + _MORE_PERCENT,
            f"samples of {seconds:g} s that did not come; {hit:.1f} % of the frames are hit",
        ),
    ]


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
    gap_errors: list[int] = []
    previous: Chunk | None = None
    with device(profile, [f"unplug={every_s}:{_OUTAGE_S}"]) as source:
        until_s = time.perf_counter() + (cycles + 1) * every_s + _PATIENCE_S
        while len(resumed_s) < cycles and time.perf_counter() < until_s:
            chunk = source.read(0.1)
            if chunk is None:
                continue
            before = truth.place
            back = previous is not None and chunk.epoch != previous.epoch
            if back:
                truth.begin()
            truth.check(chunk.samples, chunk.gap_before)
            if previous is not None and back and before is not None and truth.place is not None:
                resumed_s.append(chunk.received_s - previous.received_s - _OUTAGE_S)
                # The device plays on: where it is now tells how much of it is missing.
                gap = (truth.place - len(chunk.samples) - before) % len(emg_uv)
                gap_errors.append(abs(chunk.gap_before - gap))
                progress("pulled cables", len(resumed_s), cycles)
            previous = chunk
    missed = cycles - len(resumed_s)
    return [
        Figure("replug_missed", missed, "", 0, f"times of {cycles} that it did not come back"),
        Figure("replug_resumed_s", max(resumed_s, default=np.inf), "s", 2.0, "longest return"),
        Figure("replug_wrong", truth.wrong, "", 0, f"wrong samples of {truth.samples}"),
        Figure(
            "replug_miscounted",
            max(gap_errors, default=np.inf),
            "",
            0,
            "samples by which a reported gap is wrong at the most: the device counts on",
        ),
    ]


def _wait_for(port: Path, process: subprocess.Popen[str]) -> None:
    until_s = time.monotonic() + _PATIENCE_S
    while not port.exists():
        if process.poll() is not None or time.monotonic() > until_s:
            process.kill()
            raise StreamerError("emulated device", value=process.communicate()[1] or "no answer")
        time.sleep(0.02)
