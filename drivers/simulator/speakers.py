"""Who speaks, in which recording session and how: all drawn from the seed.

The parameters of a speaker depend on the seed and the speaker alone, those of a session
on the seed and the session: a small corpus and a large one with the same seed hold the
same people.
"""

import zlib
from dataclasses import dataclass, replace

import numpy as np

from drivers.recordings.recording import SpeakingMode
from drivers.simulator.emg import N_SITES, SITE_GAINS_UV, Anatomy, Electrodes
from drivers.simulator.muscles import MUSCLES, Articulation
from drivers.simulator.speech import Voice

VOICES: tuple[Voice, ...] = (
    Voice((82, 120), (98, 97, 98, 98, 98, 100), 158),
    Voice((150, 215), (116, 119, 118, 117, 116, 112), 168),
    Voice((104, 150), (106, 103, 107, 105, 105, 102), 148),
    Voice((190, 260), (120, 125, 124, 122, 120, 115), 160),
    Voice((70, 104), (93, 93, 94, 95, 96, 98), 150),
)

# The offset belongs to the amplifier: it is about the same in all sessions.
_OFFSET_UV = np.array([-66.0, -268.0, 114.0, 267.0, 402.0, 86.0])
_BASELINE_UV = np.array([18.0, 6.0, 16.0, 16.0, 18.0, 8.0])
_ARTEFACT_UV = np.array([20.0, 3.0, 10.0, 10.0, 14.0, 3.0])
_DRIFT_UV = np.array([0.5, 0.5, 0.5, 0.45, 0.6, 0.35])

# A whisperer's neck works less and the mouth more, to be understood; without hearing oneself
# one forms sounds with more onset and less force, and more slowly.
_MODE_ARTICULATION: dict[SpeakingMode, Articulation] = {
    "audible": Articulation(),
    "whispered": Articulation(effort=1.15, jaw=1.1, lips=1.05, phonation=0.1, phasic=0.9),
    "silent": Articulation(effort=0.6, jaw=0.85, lips=1.3, tongue=1.05, phonation=0.0, phasic=2.0),
}
_MODE_PACE: dict[SpeakingMode, float] = {"audible": 1.0, "whispered": 0.97, "silent": 0.92}


@dataclass(frozen=True, eq=False)
class Speaker:
    """One simulated speaker.

    Attributes
    ----------
    name : str
        Three digits.
    voice : Voice
        How it sounds.
    anatomy : Anatomy
        How the face and neck conduct.
    """

    name: str
    voice: Voice
    anatomy: Anatomy


@dataclass(frozen=True, eq=False)
class Session:
    """One recording session.

    Attributes
    ----------
    name : str
        Speaker and number: ``"101-001"``.
    speaker : Speaker
        Who speaks.
    electrodes : Electrodes
        How they sit today.
    speech_rms, room_rms : float
        Levels of audible speech and of the room on the microphone; full scale is 1.
    """

    name: str
    speaker: Speaker
    electrodes: Electrodes
    speech_rms: float
    room_rms: float


@dataclass(frozen=True)
class Manner:
    """How one utterance is spoken.

    Attributes
    ----------
    articulation : Articulation
        What the muscles do.
    pace : float
        Speed against the voice's own.
    """

    articulation: Articulation
    pace: float


def generator(seed: int, *names: str) -> np.random.Generator:
    """Return a random generator that depends on a seed and on what it is for.

    Parameters
    ----------
    seed : int
        Of the corpus.
    *names : str
        What is drawn, from the general to the particular.

    Returns
    -------
    numpy.random.Generator
        Independent of those for other names.
    """
    return np.random.default_rng([seed, *(zlib.crc32(name.encode()) for name in names)])


def make_speaker(seed: int, index: int) -> Speaker:
    """Draw a speaker.

    Parameters
    ----------
    seed : int
        Of the corpus.
    index : int
        From 0, below ``len(VOICES)``.

    Returns
    -------
    Speaker
        Number 0 is ``"101"``.
    """
    name = f"{101 + index}"
    rng = generator(seed, "speaker", name)
    gains = SITE_GAINS_UV * rng.lognormal(0.0, 0.35, SITE_GAINS_UV.shape)
    gains *= rng.lognormal(0.0, 0.15, (N_SITES, 1))
    low_hz = 65.0 * rng.lognormal(0.0, 0.2, len(MUSCLES))
    high_hz = 140.0 * rng.lognormal(0.0, 0.15, len(MUSCLES))
    return Speaker(name, VOICES[index], Anatomy(gains, low_hz, high_hz))


def make_session(seed: int, speaker: Speaker, number: int) -> Session:
    """Draw a recording session of a speaker.

    Parameters
    ----------
    seed : int
        Of the corpus.
    speaker : Speaker
        Who speaks.
    number : int
        From 1.

    Returns
    -------
    Session
        Number 1 of speaker 101 is ``"101-001"``.
    """
    name = f"{speaker.name}-{number:03d}"
    rng = generator(seed, "session", name)
    electrodes = Electrodes(
        gains=rng.lognormal(0.0, 0.08, SITE_GAINS_UV.shape) * rng.lognormal(0, 0.06, (N_SITES, 1)),
        baseline_uv=_BASELINE_UV * rng.lognormal(0.0, 0.15, N_SITES),
        artefact_uv=_ARTEFACT_UV * rng.lognormal(0.0, 0.15, N_SITES),
        hum_uv=rng.lognormal(0.7, 0.4) * rng.lognormal(0.0, 0.3, N_SITES),
        drift_uv=_DRIFT_UV * rng.lognormal(0.0, 0.2, N_SITES),
        offset_uv=_OFFSET_UV + rng.normal(0.0, 4.0, N_SITES),
        hum_phase=rng.uniform(0, 2 * np.pi, N_SITES),
    )
    speech_rms = float(rng.lognormal(np.log(0.035), 0.4))
    return Session(name, speaker, electrodes, speech_rms, room_rms=speech_rms / 40)


def make_manner(seed: int, session: Session, mode: SpeakingMode, sentence: str) -> Manner:
    """Draw how an utterance is spoken: the mode, the speaker's habit in it, the moment.

    Parameters
    ----------
    seed : int
        Of the corpus.
    session : Session
        When.
    mode : {"audible", "whispered", "silent"}
        Speaking mode.
    sentence : str
        What is said.

    Returns
    -------
    Manner
        The same at every call.
    """
    habit = generator(seed, "habit", session.speaker.name, mode)
    day = generator(seed, "habit", session.name, mode)
    moment = generator(seed, "manner", session.name, mode, sentence)
    basis = _MODE_ARTICULATION[mode]
    factors = (
        habit.lognormal(0.0, 0.05, 5) * day.lognormal(0.0, 0.02, 5) * moment.lognormal(0, 0.04, 5)
    )
    articulation = replace(
        basis,
        effort=basis.effort * factors[0],
        jaw=basis.jaw * factors[1],
        lips=basis.lips * factors[2],
        tongue=basis.tongue * factors[3],
        phasic=basis.phasic * factors[4],
        lead_s=basis.lead_s + moment.normal(0.0, 0.003),
    )
    spread = 0.06 if mode == "silent" else 0.03
    return Manner(articulation, _MODE_PACE[mode] * float(moment.lognormal(0.0, spread)))
