"""One simulated utterance: made, and written in the corpus' layout."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy
from numpy.typing import NDArray
from scipy.io import wavfile

from drivers.recordings.recording import Segment, SpeakingMode, Split
from drivers.simulator.emg import EMG_RATE_HZ, interference_emg, to_counts
from drivers.simulator.muscles import muscle_activations
from drivers.simulator.phones import SILENCE
from drivers.simulator.speakers import Session, generator, make_manner
from drivers.simulator.speech import AUDIO_RATE_HZ, Speech, synthesise

# Audible speech is 1. A microphone hears lips and breath in silent speech, too.
_LEVEL_OF_MODE: dict[SpeakingMode, float] = {"audible": 1.0, "whispered": 0.4, "silent": 0.04}

_FRAMES_HZ = 100  # of the alignments
_EMG_AFTER_EDGE = 120
_AUDIO_AFTER_PULSE = 3200
_MARKER_LOW = -32640
_MARKER_HIGH = -32632
_PULSE_SAMPLES = 480
_PULSE_DECAY_SAMPLES = 425.0  # the sound card does not pass a constant
_FULL_SCALE = 32767
_ROOM_COLOUR = 0.9


@dataclass(frozen=True, eq=False)
class Plan:
    """An utterance to be simulated.

    Attributes
    ----------
    seed : int
        Of the corpus.
    session : Session
        When, and who.
    mode : {"audible", "whispered", "silent"}
        Speaking mode.
    split : {"train", "test"}
        For which use.
    number : int
        Unique within the session.
    sentence : str
        What is said.
    """

    seed: int
    session: Session
    mode: SpeakingMode
    split: Split
    number: int
    sentence: str

    @property
    def name(self) -> str:
        """Session and number: ``"101-001-0100"``."""
        return f"{self.session.name}-{self.number:04d}"


@dataclass(frozen=True)
class _Timeline:
    """Where things are in the two files of an utterance, in samples.

    The utterance begins at `emg_start` and `audio_start`, which are the same instant,
    and lasts `n_frames` alignment frames; speech begins `speech_s` after that.
    """

    emg_start: int
    audio_start: int
    n_frames: int
    speech_s: float

    @property
    def n_emg(self) -> int:
        return self.n_frames * EMG_RATE_HZ // _FRAMES_HZ

    @property
    def n_audio(self) -> int:
        return self.n_frames * AUDIO_RATE_HZ // _FRAMES_HZ


def write_utterance(root: Path, plan: Plan) -> float:
    """Simulate an utterance and write its six files.

    Parameters
    ----------
    root : Path
        Of the corpus.
    plan : Plan
        What to simulate; the same plan gives the same files.

    Returns
    -------
    float
        Seconds between the offsets.
    """
    rng = generator(plan.seed, "utterance", plan.session.name, plan.mode, plan.sentence)
    manner = make_manner(plan.seed, plan.session, plan.mode, plan.sentence)
    speech = synthesise(
        plan.sentence,
        plan.session.speaker.voice,
        whispered=plan.mode != "audible",
        pace=manner.pace,
        seed=int(rng.integers(2**31)),
    )
    silence_s = rng.uniform(0.25, 0.4, 2)
    speech_s = len(speech.audio) / AUDIO_RATE_HZ
    timeline = _Timeline(
        emg_start=int(rng.integers(8, 134)) + _EMG_AFTER_EDGE,
        audio_start=int(rng.integers(300, 800)) + _AUDIO_AFTER_PULSE,
        n_frames=int(_FRAMES_HZ * (silence_s.sum() + speech_s)),
        speech_s=float(silence_s[0]),
    )
    time_s = (np.arange(timeline.emg_start + timeline.n_emg + 1) - timeline.emg_start) / EMG_RATE_HZ
    activations = muscle_activations(speech.phones, time_s - timeline.speech_s, manner.articulation)
    electrodes = plan.session.electrodes
    emg = interference_emg(activations, plan.session.speaker.anatomy, electrodes, rng)

    _write_emg(_path(root, "emg", "e07", plan, "adc"), to_counts(emg), timeline)
    audio = _microphone(speech, plan, timeline, rng)
    _write_audio(_path(root, "audio", "a", plan, "wav"), audio, timeline)
    _write_text(_path(root, "offset", "offset", plan, "txt"), _offsets(timeline))
    for kind, segments, silence in (
        ("phones", speech.phones, SILENCE),
        ("words", speech.words, "$"),
    ):
        lines = alignment(segments, timeline.speech_s, timeline.n_frames, silence)
        _write_text(_path(root, "Alignments", kind, plan, "txt"), lines)
    _write_text(_path(root, "Transcripts", "transcript", plan, "txt"), [plan.sentence.upper()])
    return timeline.n_frames / _FRAMES_HZ


def alignment(
    segments: tuple[Segment, ...], shift_s: float, n_frames: int, silence: str
) -> list[str]:
    """Write segments as the corpus does: 10 ms frames, inclusive, holes filled.

    Parameters
    ----------
    segments : tuple of Segment
        In order.
    shift_s : float
        Where their time axis begins in the utterance.
    n_frames : int
        Of the utterance.
    silence : str
        Label of what lies around and between them.

    Returns
    -------
    list of str
        ``"start end label"``; together they cover each frame once.
    """
    labels = [silence] * n_frames
    owners = [-1] * n_frames
    for number, segment in enumerate(segments):
        start = round(_FRAMES_HZ * (segment.start_s + shift_s))
        end = round(_FRAMES_HZ * (segment.end_s + shift_s))
        for frame in range(start, min(max(end, start + 1), n_frames)):
            labels[frame], owners[frame] = segment.label, number
    heads = [k for k in range(n_frames) if k == 0 or owners[k] != owners[k - 1]]
    return [
        f"{head} {following - 1} {labels[head]}"
        for head, following in zip(heads, [*heads[1:], n_frames], strict=True)
    ]


def _path(root: Path, kind: str, prefix: str, plan: Plan, suffix: str) -> Path:
    speaker, session = plan.session.name.split("-")
    folder = root / kind / speaker / session
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{prefix}_{speaker}_{session}_{plan.number:04d}.{suffix}"


def _write_text(path: Path, lines: list[str]) -> None:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="ascii")


def _offsets(timeline: _Timeline) -> list[str]:
    """Return first and last sample, inclusive, of audio and of EMG."""
    return [
        f"{timeline.audio_start} {timeline.audio_start + timeline.n_audio - 1}",
        f"{timeline.emg_start} {timeline.emg_start + timeline.n_emg - 1}",
    ]


def _write_emg(path: Path, counts: NDArray[np.int16], timeline: _Timeline) -> None:
    marker = np.full((len(counts), 1), _MARKER_LOW, np.int16)
    marker[timeline.emg_start - _EMG_AFTER_EDGE :] = _MARKER_HIGH
    path.write_bytes(np.hstack([counts, marker]).astype("<i2").tobytes())


def _microphone(
    speech: Speech, plan: Plan, timeline: _Timeline, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return what the microphone hears from the file's first sample to its last."""
    audio = plan.session.room_rms * _room_noise(timeline.audio_start + timeline.n_audio + 1, rng)
    level = plan.session.speech_rms * _LEVEL_OF_MODE[plan.mode]
    loudness = np.sqrt(np.mean(speech.audio.astype(np.float64) ** 2))
    start = timeline.audio_start + round(timeline.speech_s * AUDIO_RATE_HZ)
    stop = min(start + len(speech.audio), len(audio))
    audio[start:stop] += speech.audio[: stop - start] * (level / loudness)
    return audio


def _room_noise(n: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return noise of unit standard deviation that falls off towards high frequencies."""
    white = rng.standard_normal(n) * np.sqrt(1 - _ROOM_COLOUR**2)
    noise: NDArray[np.float64] = scipy.signal.lfilter([1.0], [1.0, -_ROOM_COLOUR], white)
    return noise


def _write_audio(path: Path, audio: NDArray[np.float64], timeline: _Timeline) -> None:
    """Write speech and, as channel 2, the marker's pulse as a sound card passes it."""
    pulse = np.zeros(len(audio))
    start = timeline.audio_start - _AUDIO_AFTER_PULSE
    for edge, sign in ((start, 1.0), (start + _PULSE_SAMPLES, -1.0)):
        pulse[edge:] += sign * np.exp(-np.arange(len(audio) - edge) / _PULSE_DECAY_SAMPLES)
    stereo = np.clip(np.stack([audio, pulse], axis=1), -1.0, 1.0)
    wavfile.write(path, AUDIO_RATE_HZ, np.round(stereo * _FULL_SCALE).astype(np.int16))
