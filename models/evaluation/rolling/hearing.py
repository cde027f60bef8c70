"""An utterance as a listener meets it: update by update, speech apart from rest."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from drivers.recordings.emg_uka.files import RATE_HZ
from models.evaluation.metrics.courses import speech_heard
from models.evidence import LEAST_FRAMES, WINDOW_S
from models.signal.band_profile import band_profiles, profile_columns
from models.signal.operator import Array
from models.signal.td_features import TDFeatures, TDSettings
from models.training.evidence import evidence_bands, evidence_examples
from models.training.examples import Utterance

UPDATE_S: Final = 0.1
"""From one estimate of a session to the next, as `streamer replay` has it by default."""


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
        Frames with speech among them, in seconds, `WINDOW_S` at the most, and last in the whole
        utterance: all of it where there is next to none.
    profiles : ndarray, shape (updates + 1, columns)
        What `band_profiles` says of the latest `WINDOW_S` of them, and last of all; nan before
        there is a tenth of a second.
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
    starts = np.round(np.arange(samples) * features.shift_s * RATE_HZ)
    done = starts + round(TDFeatures(features, RATE_HZ, 1).reach_s * RATE_HZ)
    return np.asarray(np.searchsorted(done, updates, side="right"), dtype=np.int64)


def hear(
    one: Utterance, speech: Array, threshold: float, features: TDSettings, notch: bool
) -> Observed:
    """Follow an utterance.

    Parameters
    ----------
    one : Utterance
        With one frame or more.
    speech : ndarray, shape (frames,)
        Probability of speech of each frame.
    threshold : float
        From which on a frame counts as speech.
    features : TDSettings
        Grid of the frames.
    notch : bool
        Remove the hum before the speaker is told.

    Returns
    -------
    Observed
        The utterance.
    """
    frames = frames_at_updates(len(one.emg.samples), features)
    shift_s = features.shift_s
    ahead = np.concatenate(([0], frames))
    mean = [speech[a:b].mean() if b > a else 0.0 for a, b in zip(ahead, frames, strict=False)]
    spoken = np.flatnonzero(speech >= threshold)
    heard = np.searchsorted(spoken, frames)
    if len(spoken) < LEAST_FRAMES:
        spoken = np.arange(len(speech))
    bands = evidence_bands(one.emg.samples, RATE_HZ, notch=notch)
    channels = one.emg.samples.shape[1]
    spoken = spoken[spoken < len(bands)]
    ends = np.append(heard, len(spoken))
    enough = ends >= min(LEAST_FRAMES, len(spoken))
    rows = bands[spoken]
    columns = profile_columns(channels, bands.shape[1] // channels)
    profiles = np.full((len(ends), columns), np.nan)
    moments = ends[:-1][enough[:-1]]
    profiles[:-1][enough[:-1]] = band_profiles(
        rows, channels, moments, round(WINDOW_S / features.shift_s)
    )
    if enough[-1]:
        profiles[-1] = band_profiles(rows, channels, ends[-1:])[0]
    examples, example_s = evidence_examples(rows, channels, shift_s)
    return Observed(
        one.name,
        one.session,
        one.speaker,
        one.mode,
        one.split,
        np.arange(1, len(frames) + 1, dtype=np.float64) * UPDATE_S,
        speech_heard(mean, UPDATE_S),
        frames,
        np.append(np.minimum(ends[:-1] * shift_s, WINDOW_S), ends[-1] * shift_s),
        profiles.astype(np.float32),
        examples.astype(np.float32),
        example_s,
    )
