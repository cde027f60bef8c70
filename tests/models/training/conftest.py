"""A corpus in the EMG-UKA layout made of noise that follows the sound, and a bundle from it."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from drivers.recordings.recording import Recording, Segment
from drivers.source import Channel
from models.manifest import Manifest, SpeakerMethod
from models.training.examples import SignalSettings

Array = NDArray[np.float64]
Sizes = Mapping[str, Mapping[str, int]]  # utterances by session and subset

USUAL = SignalSettings()
SECONDS = 1.2
REST_S = 0.3  # at both ends
SESSION = "002-001"
SIZES: Sizes = {
    SESSION: {"train.audible": 4, "train.silent": 3, "test.audible": 2, "test.silent": 2},
    "008-001": {"train.audible": 4, "test.audible": 2},
}
LOUDNESS_UV = {"audible": 60.0, "whispered": 40.0, "silent": 20.0}


def parallel(
    rng: np.random.Generator, level_uv: float = 60.0, tilt: float = 1.0
) -> tuple[Array, Array]:
    """Six channels of EMG with DC, and buzzing speech, both louder while a word lasts."""
    emg_s = np.arange(round(SECONDS * 600)) / 600
    audio_s = np.arange(round(SECONDS * 16000)) / 16000
    swell = rng.uniform(1, 3)

    def envelope(t: Array) -> Array:
        inside = (t >= REST_S) & (t < SECONDS - REST_S)
        return inside * (1 + 0.5 * np.sin(2 * np.pi * swell * t))

    gains = tilt ** np.arange(6)
    noise = rng.normal(size=(len(emg_s), 6)) * (3 + level_uv * envelope(emg_s))[:, np.newaxis]
    emg_uv = noise * gains + 100 * np.arange(-2, 4)
    buzz = 2 * (audio_s * (110 + 10 * swell) % 1) - 1
    audio = 0.1 * envelope(audio_s) * buzz + 1e-4 * rng.normal(size=len(audio_s))
    return emg_uv, audio


def write_corpus(root: Path, sizes: Sizes = SIZES) -> Path:
    """Write utterances of 1.2 s: rest, a word, rest."""
    rng = np.random.default_rng(5)
    lines: dict[str, list[str]] = {}
    for session, subsets in sizes.items():
        number = 100
        for subset, count in subsets.items():
            names = [f"{session}-{number + k:04d}" for k in range(count)]
            number += count
            lines.setdefault(subset, []).append(
                f"emg_{session}: " + " ".join(f"emg_{name}" for name in names)
            )
            for name in names:
                level_uv = LOUDNESS_UV[subset.split(".")[1]]
                tilt = 0.8 if session.startswith("002") else 1.2
                _write_utterance(root, name, *parallel(rng, level_uv, tilt))
    (root / "Subsets").mkdir()
    for subset, text in lines.items():
        (root / "Subsets" / subset).write_text("\n".join(text) + "\n")
    return root


def _write_utterance(root: Path, name: str, emg_uv: Array, audio: Array) -> None:
    speaker, session, number = name.split("-")
    before, audio_before = 120, 3200

    def path(folder: str, prefix: str, suffix: str) -> Path:
        file = root / folder / speaker / session
        file.mkdir(parents=True, exist_ok=True)
        return file / f"{prefix}_{speaker}_{session}_{number}.{suffix}"

    counts = np.zeros((before + len(emg_uv), 7), dtype="<i2")
    counts[before:, :6] = np.round(emg_uv / 0.033)
    counts[:before, :6] = counts[before, :6]
    counts.tofile(path("emg", "e07", "adc"))
    sound = np.concatenate((np.zeros(audio_before), audio))
    soundfile.write(path("audio", "a", "wav"), sound, 16000, subtype="PCM_16")
    path("offset", "offset", "txt").write_text(
        f"{audio_before} {len(sound) - 1}\n{before} {len(counts) - 1}\n"
    )
    last, first, end = (round(100 * s) for s in (REST_S, SECONDS - REST_S, SECONDS))
    path("Alignments", "phones", "txt").write_text(
        f"0 {last - 1} SIL\n{last} {first - 1} AA\n{first} {end - 1} SIL\n"
    )
    path("Transcripts", "transcript", "txt").write_text("AH\n")


MakeRecording = Callable[..., Recording]


@pytest.fixture
def make_recording() -> MakeRecording:
    """Make an utterance of the same kind; fields can be replaced."""

    def make(seed: int = 0, **more: object) -> Recording:
        rng = np.random.default_rng(seed)
        emg_uv, audio = parallel(rng)
        # Steps of 1/32 uV: adding a DC of some hundred microvolts loses nothing in float32.
        emg_uv = np.round(emg_uv * 32) / 32
        fields: dict[str, object] = {
            "name": "one",
            "emg_uv": emg_uv[60:].astype(np.float32),
            "lead_in_uv": emg_uv[:60].astype(np.float32),
            "rate_hz": 600.0,
            "channels": tuple(Channel(f"EMG{k + 1}") for k in range(6)),
            "audio": audio[1600:].astype(np.float32),
            "audio_rate_hz": 16000.0,
            "mode": "audible",
            "phones": (
                Segment(0.0, 0.2, "SIL"),
                Segment(0.2, 0.8, "AA"),
                Segment(0.8, 1.1, "SIL"),
            ),
        }
        return Recording(**(fields | more))  # type: ignore[arg-type]

    return make


@pytest.fixture(autouse=True)
def one_core() -> Iterator[None]:
    """Small products only spin on more."""
    threadpoolctl = pytest.importorskip("threadpoolctl")
    with threadpoolctl.threadpool_limits(1):
        yield


Share = Callable[[str, Callable[[Path], object]], Path]


@pytest.fixture(scope="session")
def corpus(share: Share) -> Path:
    """Two speakers; the first in two modes. Do not write into it."""
    return share("noise", lambda path: write_corpus(path / "corpus")) / "corpus"


@pytest.fixture
def write(tmp_path: Path) -> Callable[[Sizes], Path]:
    """Write a corpus of other sizes."""
    return lambda sizes: write_corpus(tmp_path / "corpus", sizes)


Train = Callable[..., Manifest]


@pytest.fixture(scope="session")
def train() -> Train:
    """Train a bundle with a network so small that it takes a second or two."""
    pytest.importorskip("torch")
    from threadpoolctl import threadpool_limits

    from models.signal.stacking import StackingSettings
    from models.training.causal import CausalSettings
    from models.training.embedding import EmbeddingSettings
    from models.training.network import ConverterSettings
    from models.training.settings import TrainingSettings
    from models.training.train import train_bundle

    converters: dict[str, CausalSettings | ConverterSettings] = {
        "causal": CausalSettings(width=16, blocks=2, base_epochs=2, least_steps=0, epochs=2),
        "feedforward": ConverterSettings(
            stacking=StackingSettings(past=2), widths=(16,), epochs=2, batch=64
        ),
    }
    embedding = EmbeddingSettings(layers=1, hidden=32, size=8, slices_seen=1280)

    def run(
        corpus: Path,
        session: str,
        out: Path,
        speakers: tuple[SpeakerMethod, ...] = ("lda",),
        kind: str = "causal",
        base: Path | None = None,
        signal: SignalSettings = USUAL,
        **more: object,
    ) -> Manifest:
        settings = TrainingSettings(
            signal=signal,
            converter=converters[kind],
            speakers=speakers,
            embedding=embedding,
            base=base,
        )
        with threadpool_limits(1):  # a session's fixture comes before `one_core`
            return train_bundle(corpus, session, out, settings, **more)  # type: ignore[arg-type]

    return run


@pytest.fixture(scope="session")
def bundle_path(corpus: Path, train: Train, share: Share) -> Path:
    """A bundle trained on that corpus. Do not write into it."""
    return share("trained", lambda path: train(corpus, SESSION, path / "bundle")) / "bundle"
