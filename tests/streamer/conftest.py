"""A bundle whose models are a few lines of numpy, and EMG to go with it."""

import subprocess
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from drivers.source import (
    UTTERANCE,
    Channel,
    Chunk,
    Health,
    Marker,
    Provenance,
    SourceInfo,
    SourceState,
)
from models.bundle import Bundle
from models.manifest import Manifest

RATE_HZ = 600.0
CHANNELS = 6
LABELS = tuple(f"EMG{n}" for n in range(1, CHANNELS + 1))

_WEIGHTS = np.random.default_rng(1).normal(0, 0.02, (5 * CHANNELS, 25))


Model = Callable[[NDArray[np.float64]], list[NDArray[np.float64]]]


def _loudness(features: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log power of the newest frame, mean over the channels."""
    newest = features[:, -5 * CHANNELS :].reshape(-1, CHANNELS, 5)
    loudness: NDArray[np.float64] = newest[:, :, 2].mean(axis=1)
    return loudness


class _Stream:
    """A model along a stream; with memory, half of each frame lives on in the next.

    One with memory has the gate in it, as those that are trained.
    """

    implausible = 0

    def __init__(self, model: Model, remembers: bool) -> None:
        self._model, self._remembers = model, remembers
        self._last = np.zeros(24)

    def process(self, *rows: NDArray[np.float64]) -> list[NDArray[np.float64]]:
        outputs = self._model(rows[0])
        if self._remembers:
            for row in outputs[0]:
                row[1:] += self._last / 2
                self._last = row[1:].copy()
            outputs += _speech(rows[1])
        return outputs

    def reset(self) -> None:
        self._last = np.zeros(24)


class _Streamed:
    """A model that can be asked for a stream."""

    def __init__(self, model: Model, states: dict[str, tuple[int, ...]] | None = None) -> None:
        self._model, self.states = model, states or {}

    def stream(self, *_: object) -> _Stream:
        return _Stream(self._model, bool(self.states))


def _convert(features: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """Mel-cepstra of the newest frame, loud ones voiced."""
    newest = features[:, -len(_WEIGHTS) :]
    voicing = 1 / (1 + np.exp(-5 * (_loudness(newest) - 3)))
    log_f0 = np.full((len(features), 1), np.log(120.0))
    mel_cepstrum = newest @ _WEIGHTS
    mel_cepstrum[:, 0] = -3.0
    return [mel_cepstrum, log_f0, voicing[:, np.newaxis]]


def _speech(features: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """Sure of speech well above 10 uV."""
    speech = 1 / (1 + np.exp(-10 * (_loudness(features) - np.log(10.0))))
    return [np.stack((1 - speech, speech), axis=1)]


def _loud(features: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """Between two classes by the first feature: mean absolute value of the first channel."""
    loud = 1 / (1 + np.exp(-4 * (features[:, 0] - np.log(60.0))))
    return [np.stack((1 - loud, loud), axis=1)]


def _loud_evidence(features: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """A second is worth two in log odds by the first band's mean; the last are the seconds."""
    mean = features[:, 0] / features[:, -1]
    loud = 1 / (1 + np.exp(-2 * np.sign(mean - np.log(28.0)) * features[:, -1]))
    return [np.stack((1 - loud, loud), axis=1)]


class ToyBundle(Bundle):
    """A bundle with these models instead of ONNX graphs."""

    def _load(self, name: str, frame_name: str | None = None, **_: object):  # type: ignore
        return {
            "activity": _Streamed(_speech),
            "converter": _Streamed(_convert),
            "remembering": _Streamed(_convert, {"last": (1, 25)}),
            "loud": _loud,
            "evidence": _loud_evidence,
        }[name]


def make_bundle(
    lead_ms: float = 0.0,
    future: int = 0,
    classifiers: bool = True,
    remembers: bool = False,
    evidence: bool = False,
) -> Bundle:
    """Make a toy bundle; its two classifiers tell loud EMG from soft one."""
    stacking = {"past": 0 if remembers else 2, "future": 0 if remembers else future}
    memory = {"states": {"last": (1, 25)}, "ahead": future} if remembers else {}
    classifier = {
        "file": "loud",
        "labels": ("soft", "loud"),
        "features": ("speaker",),
        "window_s": 1.0,
        "calibration": "none",
    }
    speaker = classifier
    if evidence:
        speaker = classifier | {"file": "evidence", "features": ("evidence",), "bands": {}}
    manifest = {
        "name": "toy",
        "signal": {"rate_hz": RATE_HZ, "channels": LABELS},
        "conditioning": {},
        "features": {},
        "speech": {},
        "converter": {
            "file": "remembering" if remembers else "converter",
            "stacking": stacking,
            **memory,
            "lead_ms": lead_ms,
            "level_db": 0.0,
        },
        "activity": {
            "file": "remembering" if remembers else "activity",
            "stacking": {"past": 0, "future": 0},
            "threshold": 0.5,
        },
        "mode": classifier if classifiers else None,
        "speaker": speaker if classifiers else None,
        "provenance": {
            "created": "2026-11-22",
            "seed": 0,
            "converter_data": {},
            "classifier_data": {},
            "versions": {},
        },
        "figures": {},
    }
    return ToyBundle(Path("toy"), Manifest.model_validate(manifest))


def make_emg(seconds: float, level_uv: float = 50.0, seed: int = 0) -> NDArray[np.float32]:
    """Make noise with an offset, as an electrode gives it."""
    noise = np.random.default_rng(seed).normal(0, level_uv, (round(seconds * RATE_HZ), CHANNELS))
    return (noise + 300).astype(np.float32)


def cut(
    emg: NDArray[np.float32],
    sizes: Sequence[int] = (6,),
    *,
    epoch: int = 0,
    name: str | None = None,
    start_s: float = 0.0,
) -> list[Chunk]:
    """Cut EMG into chunks of these sizes, again and again."""
    chunks: list[Chunk] = []
    first = 0
    while first < len(emg):
        part = emg[first : first + sizes[len(chunks) % len(sizes)]]
        time_s = start_s + (first + len(part)) / RATE_HZ
        markers = (Marker(0, UTTERANCE + name),) if name is not None and first == 0 else ()
        chunks.append(Chunk(part, epoch, first, time_s, time_s, markers=markers))
        first += len(part)
        if not len(part):
            sizes = [*sizes, 1]
    return chunks


class ScriptSource:
    """Gives chunks as fast as they are read; a None is a time-out, an exception is raised."""

    def __init__(
        self, script: Iterable[Chunk | None | Exception], labels: tuple[str, ...] = LABELS
    ) -> None:
        self.info = SourceInfo(
            "script",
            "script",
            tuple(Channel(label) for label in labels),
            RATE_HZ,
            Provenance.SIMULATED,
        )
        self.health = Health()
        self.closed = False
        self._script = script

    def open(self) -> None:
        self._left = iter(self._script)
        self.health.state = SourceState.STREAMING

    def read(self, timeout_s: float) -> Chunk | None:
        item = next(self._left, StopIteration)
        if item is StopIteration:
            self.health.state = SourceState.DISCONNECTED
            return None
        if isinstance(item, Exception):
            raise item
        assert item is None or isinstance(item, Chunk)
        if item is not None:
            self.health.samples += len(item.samples)
        return item

    def close(self) -> None:
        self.closed = True
        self.health.state = SourceState.DISCONNECTED


@pytest.fixture(scope="session")
def evidence_bundle() -> Bundle:
    """A toy bundle whose speaker classifier rests on all speech so far."""
    return make_bundle(evidence=True)


@pytest.fixture(scope="session")
def toy_bundle() -> Bundle:
    return make_bundle()


@pytest.fixture(scope="session")
def bundle_with() -> Callable[..., Bundle]:
    return make_bundle


@pytest.fixture(scope="session")
def emg() -> Callable[..., NDArray[np.float32]]:
    return make_emg


@pytest.fixture(scope="session")
def chunks_of() -> Callable[..., list[Chunk]]:
    return cut


@pytest.fixture(scope="session")
def script_source() -> type[ScriptSource]:
    return ScriptSource


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a disk that is full after a second or so of a session."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)]
    try:
        done = subprocess.run(mount, capture_output=True)
    except OSError:
        done = None
    if done is None or done.returncode:
        pytest.skip("a small disk can be mounted by root only")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)
