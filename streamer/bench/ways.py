"""The same recording through every way in gives the same features."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from drivers.recordings.recording import Recording
from drivers.recordings.registry import read_recordings, write_recordings
from drivers.replay import ReplaySource
from drivers.source import Samples, Source, SourceState
from drivers.varioport.profile import Profile
from models.bundle import Bundle, packaged_bundle
from models.signal.operator import Array
from streamer.bench.decoding import find
from streamer.bench.device import device
from streamer.bench.figure import Figure, Progress
from streamer.recordings import RecordingsSettings, Selection

_PATIENCE_S = 60.0
_DEVICE_S = 3.0
_FORMATS = ("xdf", "npz", "csv")


def ways(profiles: Iterable[Profile], progress: Progress) -> list[Figure]:
    """Bring the first utterance in the package in through every way.

    Parameters
    ----------
    profiles : iterable of Profile
        Of the emulated devices.
    progress : callable
        Told how far it is.

    Returns
    -------
    list of Figure
        For each way the largest difference of a feature from those of the recording, from
        the way's first sample on.
    """
    bundle = Bundle.open(packaged_bundle())
    recordings = tuple(Selection(RecordingsSettings()).recordings)
    one = recordings[0]
    everything = np.concatenate([recording.emg_uv for recording in recordings])
    figures = []
    jobs: list[tuple[str, Callable[[], list[Samples]], Samples]] = [
        ("replay", lambda: _through_replay([one]), one.emg_uv),
        *((f"file_{suffix}", _through_file(one, suffix), one.emg_uv) for suffix in _FORMATS),
        ("lsl", lambda: _through_lsl(one), one.emg_uv),
        *((f"varioport_{p.name}", _through_device(p), everything) for p in profiles),
    ]
    for number, (name, bring, sent) in enumerate(jobs, 1):
        pieces = bring()
        expected = round(_DEVICE_S * bundle.manifest.signal.rate_hz)
        difference, frames = _difference(bundle, pieces, sent, min(expected, len(sent)))
        about = f"largest difference of a feature over {frames} frames, by way of {name}"
        figures.append(Figure(f"same_{name}", difference, "", 0.0, about))
        progress("ways in", number, len(jobs))
    return figures


def _difference(
    bundle: Bundle, pieces: list[Samples], sent: Samples, least: int
) -> tuple[float, int]:
    """Compare features of what came with those of what was sent, from the same sample on.

    It is infinite where fewer than `least` samples came, or others than were sent.
    """
    length = sum(map(len, pieces))
    begin = find(np.concatenate(pieces), sent) if pieces else None
    if begin is None or length < least:
        return float("inf"), 0
    expected = _features(bundle, [sent[(begin + np.arange(length)) % len(sent)]])
    came = _features(bundle, pieces)
    if came.shape != expected.shape or not len(came):
        return float("inf"), len(came)
    return float(np.abs(came - expected).max()), len(came)


def _features(bundle: Bundle, pieces: list[Samples]) -> Array:
    emg_frames = bundle.emg_frames()
    emg_frames.settle(None)
    return np.concatenate([emg_frames.process(piece.astype(np.float64))[1] for piece in pieces])


def _read(source: Source, seconds: float | None = None) -> list[Samples]:
    """Read an open source up to its end, its first gap, or so many seconds of EMG."""
    pieces: list[Samples] = []
    left = float("inf") if seconds is None else seconds * source.info.rate_hz
    until_s = time.perf_counter() + _PATIENCE_S
    while left > 0 and time.perf_counter() < until_s:
        chunk = source.read(0.1)
        if chunk is None:
            if source.health.state is SourceState.DISCONNECTED:
                break
            continue
        if pieces and (chunk.gap_before or chunk.first_index == 0):
            break
        pieces.append(chunk.samples)
        left -= len(chunk.samples)
    return pieces


def _through_replay(recordings: Iterable[Recording]) -> list[Samples]:
    with ReplaySource(recordings, speed=None) as source:
        return _read(source)


def _through_file(one: Recording, suffix: str) -> Callable[[], list[Samples]]:
    def bring() -> list[Samples]:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / f"one.{suffix}"
            write_recordings(file, [one])
            return _through_replay(tuple(read_recordings(file)))

    return bring


def _through_lsl(one: Recording) -> list[Samples]:
    from drivers.lsl import LslSource  # fails where there is no liblsl

    name = f"streamer-bench-{os.getpid()}"
    with _publisher(name, one.name), LslSource(name, timeout_s=_PATIENCE_S) as source:
        return _read(source)


@contextmanager
def _publisher(name: str, utterance: str) -> Iterator[None]:
    words = ["simulate", "--name", name, "--once", "--utterance", utterance]
    process = subprocess.Popen(
        [sys.executable, "-m", "streamer", *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    with process:
        try:
            yield
        finally:
            process.kill()


def _through_device(profile: Profile) -> Callable[[], list[Samples]]:
    def bring() -> list[Samples]:
        with device(profile) as source:
            return _read(source, _DEVICE_S)

    return bring
