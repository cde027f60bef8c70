"""Sessions as a listener meets them: update by update, with a gate that tells speech from rest."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

import joblib
import numpy as np
from numpy.typing import NDArray

from drivers.errors import RecordingError
from drivers.recordings.emg_uka.files import RATE_HZ
from models.evaluation.code import code_digest
from models.evaluation.material import Material
from models.evaluation.metrics.courses import speech_heard
from models.signal.band_profile import band_profiles
from models.signal.filters import NotchSettings, SosFilter
from models.signal.framing import FrameGrid
from models.signal.log_bands import LogBands, LogBandSettings
from models.signal.operator import Array
from models.signal.smoothing import DoubleMovingAverage
from models.signal.td_features import TDSettings
from models.training.activity import STACKING, TrainedActivity, false_activations, train_activity
from models.training.examples import SignalSettings, Utterance, stack

UPDATE_S: Final = 0.1
"""From one estimate of a session to the next, as `streamer replay` has it by default."""

WINDOWS_S: Final = (0.2, 0.4, 0.8, 1.6)
"""Speech in the windows that the speaker is learned from."""

START_S: Final = 0.5
"""Speech from the start of one of them to the next."""

_LEAST_FRAMES = 10  # with speech, before anything is said
_GATE_UTTERANCES = 120  # that a gate learns from at most: more say the same again


@dataclass(frozen=True, eq=False)
class Observed:
    """An utterance as it is heard.

    Attributes
    ----------
    name, session, speaker, mode, split : str
        Where it belongs.
    time_s, heard_s : ndarray, shape (updates,)
        EMG and speech so far at each update; see `models.evaluation.metrics.courses`.
    frames : ndarray of int, shape (updates,)
        Frames that an update can rest on.
    speech_s : ndarray, shape (updates + 1,)
        Frames with speech among them, in seconds, and last in the whole utterance: all of it
        where there is next to none.
    profiles : ndarray, shape (updates + 1, columns)
        What `band_profiles` says of them; nan before there is a tenth of a second.
    examples : ndarray, shape (windows, columns)
        Profiles of shorter stretches of the speech, to learn from.
    example_s : ndarray, shape (windows,)
        Their lengths.
    """

    name: str
    session: str
    speaker: str
    mode: str
    split: str
    time_s: Array
    heard_s: Array
    frames: NDArray[np.int64]
    speech_s: Array
    profiles: NDArray[np.float32]
    examples: NDArray[np.float32]
    example_s: Array


@dataclass(frozen=True)
class GateFigures:
    """What a session's activity gate does at rest.

    Attributes
    ----------
    false_activations, rest_s : float
        On test utterances, which it has not learned from: how often a stretch of rest was
        taken for speech, and how much rest there was.
    missed_speech : float or None
        Part of the frames with speech in them that it took for rest.
    cross_validated_per_min : float
        False activations in a minute of rest of training utterances that a fold had not seen.
    """

    false_activations: int
    rest_s: float
    missed_speech: float | None
    cross_validated_per_min: float


@dataclass(frozen=True)
class ObservedSession:
    """A session as it is heard.

    Attributes
    ----------
    name, speaker : str
        Which.
    utterances : tuple of Observed
        All, or one of so many.
    gate : GateFigures or None
        None where the session's training utterances hold no speech or no rest to learn from:
        everything counts as speech then.
    """

    name: str
    speaker: str
    utterances: tuple[Observed, ...]
    gate: GateFigures | None


@dataclass(frozen=True)
class Heard:
    """What an experiment must know of a session to plan.

    Attributes
    ----------
    name, speaker : str
        Which.
    modes : tuple of str
        Of its training utterances; empty where it has none.
    gate : GateFigures or None
        As in `ObservedSession`.
    """

    name: str
    speaker: str
    modes: tuple[str, ...]
    gate: GateFigures | None


def listen(material: Material, name: str, every: int, notch: bool) -> Heard:
    """Observe a session, for other jobs to find it in the store.

    Parameters
    ----------
    material, name, every, notch
        As for `observed`.

    Returns
    -------
    Heard
        The session without what was heard.
    """
    session = observed(material, name, every, notch)
    modes = {one.mode for one in session.utterances if one.split == "train"}
    return Heard(name, session.speaker, tuple(sorted(modes)), session.gate)


def observed(material: Material, name: str, every: int, notch: bool) -> ObservedSession:
    """Return an observed session, from memory or from the store where it is there.

    Parameters
    ----------
    material : Material
        The corpus.
    name : str
        Of the session.
    every : int
        One of so many utterances of each subset is taken.
    notch : bool
        Remove the hum before the speaker is told.

    Returns
    -------
    ObservedSession
        The session.
    """
    return _kept(material.corpus, material, name, every, notch)


@lru_cache(maxsize=256)
def _kept(corpus: Path, material: Material, name: str, every: int, notch: bool) -> ObservedSession:
    if material.store is None:
        return observe(material, name, every, notch)
    memory = joblib.Memory(material.store, verbose=0)
    found: ObservedSession = memory.cache(_observe, ignore=["material"])(
        material, str(corpus), name, every, notch, code_digest(observe)
    )
    return found


def _observe(
    material: Material, corpus: str, name: str, every: int, notch: bool, code: str
) -> ObservedSession:
    return observe(material, name, every, notch)


def observe(material: Material, name: str, every: int, notch: bool) -> ObservedSession:
    """Train a session's gate on its training subsets, and listen to its utterances.

    Parameters
    ----------
    material, name, every, notch
        As for `observed`.

    Returns
    -------
    ObservedSession
        The session.
    """
    session = material.session(name)
    chosen = [
        one
        for split in ("train", "test")
        for mode in session.modes
        for one in session.subset(split, mode)[::every]
        if len(one.emg.frames)
    ]
    features = SignalSettings().features
    gate = _gate([one for one in chosen if one.split == "train"], features)
    speech = [_speech(gate, one, features) for one in chosen]
    threshold = 0.0 if gate is None else gate.threshold
    return ObservedSession(
        name,
        session.speaker,
        tuple(
            _listen(one, probability, threshold, features, notch)
            for one, probability in zip(chosen, speech, strict=True)
        ),
        None if gate is None else _figures(gate, chosen, speech, features),
    )


def frames_at_updates(samples: int, features: TDSettings) -> NDArray[np.int64]:
    """Return how many TD frames a session has at each of its updates.

    Parameters
    ----------
    samples : int
        Of the utterance.
    features : TDSettings
        Grid of the frames.

    Returns
    -------
    ndarray of int, shape (updates,)
        A frame is there once the smoothing has reached its end.
    """
    step = UPDATE_S * RATE_HZ
    updates = np.round(np.arange(1, int(samples / step) + 1) * step)
    grid = FrameGrid(RATE_HZ, features.frame_s, features.shift_s)
    smoothing_s = DoubleMovingAverage(features.taps, RATE_HZ, 1).delay_s
    starts = np.round(np.arange(samples) * features.shift_s * RATE_HZ)
    done = starts + grid.length + round(smoothing_s * RATE_HZ)
    return np.asarray(np.searchsorted(done, updates, side="right"), dtype=np.int64)


def _gate(utterances: Sequence[Utterance], features: TDSettings) -> TrainedActivity | None:
    some = utterances[:: 1 + (len(utterances) - 1) // _GATE_UTTERANCES]
    try:
        return train_activity([one.emg.frames for one in some], [u.rest for u in some], features)
    except RecordingError:
        return None


def _speech(gate: TrainedActivity | None, one: Utterance, features: TDSettings) -> Array:
    if gate is None:
        return np.ones(len(one.emg.frames))
    stacked = stack(one.emg.frames, STACKING, features)
    probability: Array = gate.pipeline.predict_proba(stacked)[:, 1]
    return probability


def _figures(
    gate: TrainedActivity,
    chosen: Sequence[Utterance],
    speech: Sequence[Array],
    features: TDSettings,
) -> GateFigures:
    tested = [
        (probability >= gate.threshold, one.rest)
        for one, probability in zip(chosen, speech, strict=True)
        if one.split == "test"
    ]
    spoken = [active[labels == 1] for active, labels in tested]
    frames = sum(len(one) for one in spoken)
    return GateFigures(
        sum(false_activations(active, labels) for active, labels in tested),
        float(sum((labels == 0).sum() for _, labels in tested) * features.shift_s),
        1 - sum(float(one.sum()) for one in spoken) / frames if frames else None,
        gate.false_activations_per_min,
    )


def _listen(
    one: Utterance, speech: Array, threshold: float, features: TDSettings, notch: bool
) -> Observed:
    frames = frames_at_updates(len(one.emg.samples), features)
    shift_s = features.shift_s
    ahead = np.concatenate(([0], frames))
    mean = [speech[a:b].mean() if b > a else 0.0 for a, b in zip(ahead, frames, strict=False)]
    spoken = np.flatnonzero(speech >= threshold)
    heard = np.searchsorted(spoken, frames)
    if len(spoken) < _LEAST_FRAMES:
        spoken = np.arange(len(speech))
    bands = _bands(one.emg.samples, notch)
    channels = one.emg.samples.shape[1]
    spoken = spoken[spoken < len(bands)]
    ends = np.append(heard, len(spoken))
    enough = ends >= min(_LEAST_FRAMES, len(spoken))
    rows = bands[spoken]
    profiles = np.full((len(ends), band_profiles(rows, channels, [1]).shape[1]), np.nan)
    profiles[enough] = band_profiles(rows, channels, ends[enough])
    examples, example_s = _examples(rows, channels, shift_s)
    return Observed(
        one.name,
        one.session,
        one.speaker,
        one.mode,
        one.split,
        np.arange(1, len(frames) + 1, dtype=np.float64) * UPDATE_S,
        speech_heard(mean, UPDATE_S),
        frames,
        ends * shift_s,
        profiles.astype(np.float32),
        examples.astype(np.float32),
        example_s,
    )


def _bands(samples: Array, notch: bool) -> Array:
    channels = samples.shape[1]
    if notch:
        samples = SosFilter(NotchSettings().sections(RATE_HZ), channels).process(samples)
    return LogBands(LogBandSettings(), RATE_HZ, channels).process(samples)


def _examples(rows: Array, channels: int, shift_s: float) -> tuple[Array, Array]:
    """Describe stretches of several lengths, from every half second of speech on."""
    lengths = [round(one / shift_s) for one in WINDOWS_S]
    profiles, seconds = [], []
    for start in range(0, max(1, len(rows) - lengths[0]), round(START_S / shift_s)):
        stretch = rows[start : start + lengths[-1]]
        ends = np.unique(np.minimum(lengths, len(stretch)))
        profiles.append(band_profiles(stretch, channels, ends))
        seconds.append(ends * shift_s)
    return np.concatenate(profiles), np.concatenate(seconds)
