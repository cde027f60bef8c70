"""Recordings as the numbers that models learn from.

The features come out of the very operators that run live, fed one utterance at a time
and settled as in a replay.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from drivers.errors import RecordingError
from drivers.recordings.recording import Recording
from models.signal.conditioning import ConditioningSettings
from models.signal.emg_frames import EmgFrames
from models.signal.log_bands import LogBandSettings
from models.signal.operator import Array
from models.signal.stacking import Stacking, StackingSettings
from models.signal.td_features import TDSettings
from models.speech.analysis import SpeechSettings, mel_cepstrum, pitch

BANDS = LogBandSettings(window_s=0.053, bands=4, floor_uv=TDSettings().floor_uv)
"""Twice a frame is the shortest window that tells four bands apart; the floor is that of the TD
features."""


@dataclass(frozen=True)
class SignalSettings:
    """The signal chain from raw EMG to frames, as it stands in a manifest.

    Attributes
    ----------
    conditioning : ConditioningSettings
        Filters.
    features : TDSettings
        Frames.
    bands : LogBandSettings
        What a converter sees beside them.
    """

    conditioning: ConditioningSettings = ConditioningSettings()
    features: TDSettings = TDSettings()
    bands: LogBandSettings = BANDS


LOW_DELAY = SignalSettings(
    features=TDSettings(frame_s=0.020, smoothing="past"), bands=replace(BANDS, frame_s=0.020)
)
"""Frames that are shorter and whose smoothing waits for nothing: 20 ms sooner than the usual
ones, and whole multiples of the shift, so that none waits for a chunk of that length."""


@dataclass(frozen=True, eq=False)
class Emg:
    """One utterance's EMG as models see it.

    Attributes
    ----------
    samples : ndarray, shape (n, channels)
        DC-free EMG in microvolts.
    frames : ndarray, shape (m, columns)
        TD features.
    bands : ndarray, shape (m, more columns), optional
        Log energies in bands of the same frames.
    """

    samples: Array
    frames: Array
    bands: Array | None = None

    @property
    def joined(self) -> Array:
        """All that is known of each frame, as `models.signal.emg_frames` puts it together."""
        if self.bands is None:
            return self.frames
        return np.concatenate((self.frames, self.bands), axis=1)


@dataclass(frozen=True, eq=False)
class Speech:
    """One utterance's speech parameters.

    Attributes
    ----------
    mel_cepstrum : ndarray, shape (n, order + 1)
        Of the speech at its recorded level.
    log_f0 : ndarray, shape (n,)
        Natural logarithm of F0 in Hz, interpolated linearly where unvoiced; 0 throughout
        when nothing is voiced.
    voiced : ndarray of bool, shape (n,)
        Voicing.
    """

    mel_cepstrum: Array
    log_f0: Array
    voiced: NDArray[np.bool_]


def emg_of(recording: Recording, settings: SignalSettings) -> Emg:
    """Run a recording through the front end.

    Parameters
    ----------
    recording : Recording
        An utterance.
    settings : SignalSettings
        The chain.

    Returns
    -------
    Emg
        All its frames.
    """
    channels = recording.emg_uv.shape[1]
    front = EmgFrames(
        settings.conditioning, settings.features, settings.bands, recording.rate_hz, channels
    )
    lead_in = recording.lead_in_uv
    front.settle(None if lead_in is None else lead_in.astype(np.float64))
    samples, _, joined = front.process(recording.emg_uv.astype(np.float64))
    joined = np.concatenate((joined, front.flush()[1]))
    return Emg(samples, joined[:, : front.columns].copy(), joined[:, front.columns :].copy())


def speech_of(recording: Recording, settings: SpeechSettings) -> Speech:
    """Analyse the natural speech of a recording.

    Parameters
    ----------
    recording : Recording
        An utterance with audio.
    settings : SpeechSettings
        The analysis.

    Returns
    -------
    Speech
        Its parameters.

    Raises
    ------
    RecordingError
        Without audio, or with audio of another rate.
    """
    if recording.audio is None or recording.audio_rate_hz != settings.rate_hz:
        raise RecordingError(
            f"audio of {recording.name}",
            value="none" if recording.audio is None else f"{recording.audio_rate_hz:g} Hz",
            allowed=f"speech at {settings.rate_hz} Hz",
            way_out="leave the utterance out, or resample its audio",
        )
    f0_hz = pitch(recording.audio, settings)
    voiced = f0_hz > 0
    log_f0 = np.zeros(len(f0_hz))
    if voiced.any():
        at = np.flatnonzero(voiced)
        log_f0 = np.interp(np.arange(len(f0_hz)), at, np.log(f0_hz[at]))
    return Speech(mel_cepstrum(recording.audio, settings), log_f0, voiced)


@dataclass(frozen=True, eq=False)
class Utterance:
    """An utterance as models and experiments see it.

    Attributes
    ----------
    name : str
        ``"002-001-0100"``.
    session, speaker, mode, split : str
        Where it belongs: ``"002-001"``, ``"002"``, ``"audible"``, ``"train"``.
    transcript : str or None
        What was said.
    emg : Emg
        Samples and frames.
    rest : ndarray, shape (frames,)
        Labels of `rest_and_speech`.
    speech : Speech or None
        The parallel speech; None where there is none, or where it was not asked for.
    """

    name: str
    session: str
    speaker: str
    mode: str
    split: str
    transcript: str | None
    emg: Emg
    rest: Array
    speech: Speech | None = None


def utterance_of(
    recording: Recording, signal: SignalSettings, speech: SpeechSettings | None = None
) -> Utterance:
    """Analyse a recording.

    Parameters
    ----------
    recording : Recording
        An utterance of a corpus.
    signal : SignalSettings
        Filters and features.
    speech : SpeechSettings, optional
        Also analyse its sound, where it has one, in this way.

    Returns
    -------
    Utterance
        Unknown speakers, modes and so on are called ``"unknown"``.
    """
    emg = emg_of(recording, signal)
    sound = speech is not None and recording.audio is not None
    return Utterance(
        name=recording.name,
        session=recording.session or "unknown",
        speaker=recording.speaker or "unknown",
        mode=recording.mode or "unknown",
        split=recording.split or "unknown",
        transcript=recording.transcript,
        emg=emg,
        rest=rest_and_speech(recording, len(emg.frames), signal.features),
        speech=speech_of(recording, speech) if sound and speech is not None else None,
    )


@dataclass(frozen=True, eq=False)
class Parallel:
    """EMG frames and the speech that belongs to them, utterance by utterance.

    Attributes
    ----------
    frames : sequence of ndarray, shape (n, columns)
        EMG features.
    speech : sequence of Speech
        Frame k belongs to EMG frame k.
    names : sequence of str
        Of the utterances, for errors; may be empty.
    """

    frames: Sequence[Array]
    speech: Sequence[Speech]
    names: Sequence[str] = ()

    def __len__(self) -> int:
        """Count the utterances."""
        return len(self.frames)


def parallel(utterances: Iterable[Utterance]) -> Parallel:
    """Return what a converter learns from: the utterances that have sound."""
    pairs = [(one, one.speech) for one in utterances if one.speech is not None]
    return Parallel(
        [one.emg.joined for one, _ in pairs],
        [speech for _, speech in pairs],
        [one.name for one, _ in pairs],
    )


def level_db(recordings: Iterable[Recording], target_dbfs: float) -> float:
    """Return the gain that brings recordings to a common speech level.

    Levels of sessions differ by 28 dB; a listener should not have to turn the volume.

    Parameters
    ----------
    recordings : iterable of Recording
        Utterances with audio.
    target_dbfs : float
        Wanted RMS over all of them, full scale is 1.

    Returns
    -------
    float
        Gain in dB; 0 when all is digital silence.
    """
    power = [
        float(np.mean(r.audio.astype(np.float64) ** 2)) for r in recordings if r.audio is not None
    ]
    rms = np.sqrt(np.mean(power)) if power else 0.0
    return float(target_dbfs - 20 * np.log10(rms)) if rms > 0 else 0.0


def hold_out(count: int, every: int = 8) -> tuple[list[int], list[int]]:
    """Split a training set into utterances to learn from and to select the model on.

    Parameters
    ----------
    count : int
        Utterances of the training set.
    every : int
        One of so many is held out.

    Returns
    -------
    learn, select : list of int
        Numbers of the utterances; both are non-empty from two utterances on.
    """
    select = list(range(every // 2, count, every)) or [count - 1]
    return [i for i in range(count) if i not in set(select)], select


EDGE_S = 0.1
"""Rest at both ends of an utterance without audible speech."""

QUIET, LOUD = 0.25, 0.4
"""Between the level of the pauses (0) and of the loudest speech (1) of an utterance, in dB:
below the first a frame can be rest, above the second it can be speech."""


def rest_and_speech(recording: Recording, frames: int, settings: TDSettings) -> Array:
    """Label each frame as rest (0), speech (1) or unknown (nan).

    In audible speech a frame counts where alignment and sound agree: as rest where the
    phone is SIL and the sound quiet, as speech where it is another phone and the sound loud.
    The alignment alone will not do: in the multi-mode sessions of EMG-UKA it agrees with the
    sound's level little better than chance (area under the ROC curve 0.64-0.75, against
    0.95-0.98 elsewhere). In the other modes nothing is to be heard, and the corpus' authors rate
    silent alignments 0.2 of 5: there the utterance's edges are rest and its middle is speech.

    Parameters
    ----------
    recording : Recording
        An utterance.
    frames : int
        Number of its frames.
    settings : TDSettings
        Their grid.

    Returns
    -------
    ndarray, shape (frames,)
        Labels at the frames' centres.
    """
    centre_s = np.arange(frames, dtype=np.float64) * settings.shift_s + settings.frame_s / 2
    labels = np.full(frames, np.nan)
    if not frames:
        return labels
    if recording.mode == "audible" and recording.phones and recording.audio is not None:
        silent = np.zeros(frames, dtype=bool)
        for segment in recording.phones:
            if segment.label == "SIL":
                silent |= (centre_s >= segment.start_s) & (centre_s < segment.end_s)
        loudness = _loudness(recording, centre_s, settings.frame_s)
        labels[silent & (loudness < QUIET)] = 0.0
        labels[~silent & (loudness > LOUD)] = 1.0
        return labels
    end_s = frames * settings.shift_s
    labels[(centre_s < EDGE_S) | (centre_s > end_s - EDGE_S)] = 0.0
    labels[(centre_s > 0.3 * end_s) & (centre_s < 0.7 * end_s)] = 1.0
    return labels


def _loudness(recording: Recording, centre_s: Array, frame_s: float) -> Array:
    """Return each frame's level in dB, scaled to 0 in the pauses and 1 in the loudest speech."""
    assert recording.audio is not None
    assert recording.audio_rate_hz is not None
    power = np.concatenate(([0.0], np.cumsum(recording.audio.astype(np.float64) ** 2)))
    edges_s = np.stack((centre_s - frame_s / 2, centre_s + frame_s / 2))
    edges = np.clip(np.round(edges_s * recording.audio_rate_hz).astype(int), 0, len(power) - 1)
    level_db = 10 * np.log10(np.maximum(power[edges[1]] - power[edges[0]], 0.0) + 1e-9)
    low, high = np.percentile(level_db, (5, 95))
    loudness: Array = (level_db - low) / max(high - low, 1e-9)
    return loudness


def stack(frames: Array, stacking: StackingSettings, settings: TDSettings) -> Array:
    """Stack a whole utterance at once, with the operator that runs live.

    Parameters
    ----------
    frames : ndarray, shape (n, columns)
        TD features.
    stacking : StackingSettings
        The context.
    settings : TDSettings
        Their grid.

    Returns
    -------
    ndarray, shape (n, columns * (past + 1 + future))
        One row for each frame.
    """
    operator = Stacking(stacking, settings.shift_s, frames.shape[1])
    return np.concatenate((operator.process(frames), operator.flush()))
