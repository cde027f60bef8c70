"""A corpus in the EMG-UKA layout made of noise, and recordings made of ramps."""

import wave
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from drivers.recordings.recording import Recording
from drivers.source import Channel

SUBSETS = [f"{split}.{mode}" for split in ("train", "test") for mode in ("audible", "silent")]
EDGE = 40  # marker in the EMG
PULSE = 1000  # marker in the audio


@dataclass(frozen=True)
class Written:
    """What lies in an utterance's files."""

    emg_counts: NDArray[np.int16]
    speech_counts: NDArray[np.int16]
    emg_start: int
    audio_start: int
    seconds: float


@dataclass(frozen=True)
class WrittenCorpus:
    root: Path
    utterances: dict[str, Written]

    def path(self, folder: str, prefix: str, utterance: str, suffix: str) -> Path:
        speaker, session, number = utterance.split("-")
        name = f"{prefix}_{speaker}_{session}_{number}.{suffix}"
        return self.root / folder / speaker / session / name

    def emg(self, utterance: str) -> Path:
        return self.path("emg", "e07", utterance, "adc")

    def audio(self, utterance: str) -> Path:
        return self.path("audio", "a", utterance, "wav")

    def offset(self, utterance: str) -> Path:
        return self.path("offset", "offset", utterance, "txt")

    def phones(self, utterance: str) -> Path:
        return self.path("Alignments", "phones", utterance, "txt")

    def transcript(self, utterance: str) -> Path:
        return self.path("Transcripts", "transcript", utterance, "txt")


@pytest.fixture
def corpus(tmp_path: Path) -> WrittenCorpus:
    """Two sessions of two utterances in each of four subsets; a third one has no files."""
    root = tmp_path / "corpus"
    rng = np.random.default_rng(0)
    written: dict[str, Written] = {}
    lines: dict[str, list[str]] = {subset: [] for subset in SUBSETS}
    result = WrittenCorpus(root, written)
    for session in ("002-001", "008-002"):
        names = iter(f"{session}-{number:04d}" for number in range(100, 108))
        for subset in SUBSETS:
            # the files of the corpus are in no order
            chosen = [next(names), next(names)][::-1]
            lines[subset].append(f"emg_{session}: " + " ".join(f"emg_{name}" for name in chosen))
            for name in chosen:
                written[name] = _write_utterance(result, name, rng)
    for subset in SUBSETS:
        lines[subset].append(f"emg_006-001: emg_006-001-{SUBSETS.index(subset):04d}")
        lines[subset].append("emg_008-005:")
        (root / "Subsets").mkdir(exist_ok=True)
        (root / "Subsets" / subset).write_text("\n".join(lines[subset]) + "\n")
    return result


def _write_utterance(corpus: WrittenCorpus, name: str, rng: np.random.Generator) -> Written:
    seconds = 0.2
    emg_start, audio_start = EDGE + 120, PULSE + 3200
    n_emg, n_audio = round(seconds * 600), round(seconds * 16000)
    emg = rng.integers(-9000, 9000, (emg_start + n_emg, 7)).astype("<i2")
    emg[:, 6] = -32640
    emg[EDGE:, 6] = -32632
    audio = rng.integers(-3000, 3000, (audio_start + n_audio, 2)).astype("<i2")
    audio[PULSE, 1] = 30000
    for path in (
        corpus.emg(name),
        corpus.audio(name),
        corpus.offset(name),
        corpus.phones(name),
        corpus.transcript(name),
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
    emg.tofile(corpus.emg(name))
    with wave.open(str(corpus.audio(name)), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(16000)
        file.writeframes(audio.tobytes())
    corpus.offset(name).write_text(
        f"{audio_start} {audio_start + n_audio - 1}\n{emg_start} {emg_start + n_emg - 1}\n"
    )
    corpus.phones(name).write_text("0 4 SIL\n5 9 AA\n10 19 SIL\n")
    corpus.transcript(name).write_text("AH\n")
    return Written(emg, audio[:, 0], emg_start, audio_start, seconds)


MakeRecording = Callable[..., Recording]


@pytest.fixture
def make_recording() -> MakeRecording:
    """Make a recording whose samples all differ, from its first value on."""

    def make(
        samples: int,
        *,
        name: str = "a",
        channels: int = 2,
        rate_hz: float = 600.0,
        first: float = 0.0,
        **more: object,
    ) -> Recording:
        emg = first + np.arange(samples * channels, dtype=np.float32).reshape(samples, channels)
        return Recording(
            name=name,
            emg_uv=emg,
            rate_hz=rate_hz,
            channels=tuple(Channel(f"EMG{k + 1}") for k in range(channels)),
            **more,  # type: ignore[arg-type]
        )

    return make
