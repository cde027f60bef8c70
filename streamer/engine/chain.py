"""The operators from EMG to speech, one behind the other."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from models.bundle import Bundle
from models.frame_models import SpeechFrames
from models.signal.operator import Array
from models.speech.vocoder import in_time
from streamer.engine.electrodes import RETURNS, WORKS, Codes
from streamer.engine.gate import Gate, GateSettings

Correction = Callable[[], int]
"""Asked right before hops are rendered: how many samples the last of them gets more."""


def no_correction() -> int:
    """Leave all hops as long as they are."""
    return 0


@dataclass(frozen=True, eq=False)
class Made:
    """What a chain made of some EMG.

    Attributes
    ----------
    samples : ndarray, shape (n, channels)
        DC-free EMG.
    frames : ndarray, shape (m, columns)
        EMG features.
    activity : ndarray, shape (m,)
        Probability of speech of each frame; 0 where the gate said nothing that can be right.
    mel_cepstrum : ndarray, shape (q, order + 1)
        What the converter predicted, before the gate; NaN where it cannot be right.
    audio : ndarray, shape (a,)
        The voice, in the time of the EMG.
    played : ndarray
        The same in the time of the sound card, a sample more or less in a corrected hop;
        the very same array where nothing was corrected.
    started_s : float
        When the work began, on ``perf_counter``.
    stage_s : tuple of float
        Time that features, inference and vocoder took.
    failing : ndarray of bool, shape (m, channels), or None
        Which channels fail in each frame, and were replaced; None where none does.
    """

    samples: Array
    frames: Array
    activity: Array
    mel_cepstrum: Array
    audio: Array
    played: Array
    started_s: float
    stage_s: tuple[float, float, float]
    failing: NDArray[np.bool_] | None = None


class Chain:
    """EMG without gaps in; speech, and what estimates rest on, out.

    Parameters
    ----------
    bundle : Bundle
        The models.
    gate : GateSettings
        Silence at rest.
    seed : int
        Of the vocoder's noise.
    correction : callable
        For a sound card's clock.
    """

    def __init__(
        self,
        bundle: Bundle,
        gate: GateSettings,
        seed: int,
        correction: Correction = no_correction,
    ) -> None:
        speech = bundle.manifest.speech
        self._rate_hz = bundle.manifest.signal.rate_hz
        self._hop = speech.hop
        self._correction = correction
        self._emg_frames = bundle.emg_frames()
        self._stand_in = bundle.stand_in()
        self._models = bundle.frame_models()
        self._gate = Gate(gate, bundle.manifest.activity.threshold, bundle.shift_s)
        self._vocoder = bundle.vocoder(seed)
        self._no_samples = np.empty((0, len(bundle.manifest.signal.channels)))
        self._no_speech = SpeechFrames(
            np.empty((0, speech.order + 1)), np.empty(0), np.empty(0, dtype=np.bool_)
        )
        self._waiting_gains = np.empty(0)
        self._given = 0
        self._received = self._frames = 0
        self._failing: NDArray[np.bool_] | None = None  # at the last sample

    def settle(self, lead_in: Array | None) -> None:
        """Begin: let the filters settle on the samples before, or on the first that comes."""
        self._emg_frames.settle(lead_in)
        self._received = self._frames = 0
        self._failing = None

    def process(self, rows: Array, codes: Codes | None = None) -> Made:
        """Take the next samples.

        Parameters
        ----------
        rows : ndarray, shape (n, channels)
            EMG in microvolts; finite.
        codes : Codes, optional
            Of the same samples: where a channel fails. One that returns may do so at the first
            sample only.

        Returns
        -------
        Made
            What they complete. The result does not depend on how rows are grouped, within
            what the converter promises.
        """
        started_s = time.perf_counter()
        if codes is not None and (returns := codes[0] == RETURNS).any():
            self._emg_frames.restart(returns, rows[0])
        samples, frames, joined = self._emg_frames.process(rows)
        failing = self._failing_frames(len(frames), len(rows), codes)
        frames, joined = self._replace(frames, joined, failing)
        featured_s = time.perf_counter()
        activity, speech = np.empty(0), self._no_speech
        if len(frames):
            activity, speech = self._models.process(frames, joined)
        inferred_s = time.perf_counter()
        more = self._correction() if len(speech) else 0
        played = self._render(activity, speech, more)
        audio = in_time(played, more, self._hop)
        self._given += len(audio)
        stamps_s = (started_s, featured_s, inferred_s)
        return _made(samples, frames, activity, speech, audio, played, stamps_s, failing)

    def flush(self, length: int) -> Made:
        """End: return what the operators still owe, fade the voice out, and reset.

        Parameters
        ----------
        length : int
            Audio samples that all EMG since `settle` stands for, from the vocoder's first.

        Returns
        -------
        Made
            Its audio ends at `length`, or a hop after the last frame where the predicted
            frames reach beyond it already: a voice is never cut off without a fade.
        """
        started_s = time.perf_counter()
        frames, joined = self._emg_frames.flush()
        failing = self._failing_frames(len(frames), 0, None)
        frames, joined = self._replace(frames, joined, failing)
        featured_s = time.perf_counter()
        activity, speech = self._models.process(frames, joined)
        speech = _joined(speech, self._models.flush())
        inferred_s = time.perf_counter()
        last = self._render(activity, speech, 0)
        tail = self._vocoder.finish(max(length, self._given + len(last) + self._hop))
        self._gate.reset()
        self._waiting_gains = np.empty(0)
        self._given = 0
        audio = np.concatenate((last, tail))
        stamps_s = (started_s, featured_s, inferred_s)
        none = self._no_samples
        return _made(none, frames, activity, speech, audio, audio, stamps_s, failing)

    def nothing(self) -> Made:
        """Return what comes of no EMG."""
        none, stamps_s = np.empty(0), (time.perf_counter(),) * 3
        frames = np.empty((0, self._emg_frames.columns))
        return _made(self._no_samples, frames, none, self._no_speech, none, none, stamps_s)

    def last_sample(self, frame: int) -> int:
        """Return the last sample since `settle` that a frame waits for."""
        grid = self._emg_frames.grid
        reach = grid.length / 2 + self._emg_frames.delay_s * self._rate_hz
        return round(grid.start(frame) + reach) - 1

    def counters(self) -> dict[str, int]:
        """Return what models and vocoder counted."""
        vocoder = {f"vocoder_{name}": n for name, n in asdict(self._vocoder.counts).items()}
        return {"implausible_frames": self._models.implausible_frames} | vocoder

    def _failing_frames(
        self, count: int, samples: int, codes: Codes | None
    ) -> NDArray[np.bool_] | None:
        """Say which channels fail at the last sample of each of the next frames.

        A channel that fails does so for half a second or more: longer than a frame sees.
        """
        first, self._frames = self._frames, self._frames + count
        received, self._received = self._received, self._received + samples
        if not samples:  # frames that an ending epoch still owes
            before = self._failing
            return None if before is None else np.repeat(before[np.newaxis], count, axis=0)
        self._failing = None
        if codes is None:
            return None
        failing = codes != WORKS
        self._failing = failing[-1]
        last = [self.last_sample(k) - received for k in range(first, first + count)]
        found: NDArray[np.bool_] = failing[last]
        return found

    def _replace(
        self, frames: Array, joined: Array, failing: NDArray[np.bool_] | None
    ) -> tuple[Array, Array]:
        """Replace the features of channels that fail."""
        if failing is None or not len(frames):
            return frames, joined
        joined = self._stand_in.process(joined, failing)
        return joined[:, : self._emg_frames.columns].copy(), joined

    def _render(self, activity: Array, speech: SpeechFrames, more: int) -> Array:
        """Make the voice of the frames that the converter completed, gated."""
        # The converter may look ahead: gains wait for its frames.
        gains = np.where(np.isnan(activity), 0.0, self._gate.process(activity))
        if len(self._waiting_gains):
            gains = np.concatenate((self._waiting_gains, gains))
        self._waiting_gains = gains[len(speech) :]
        return self._vocoder.process(
            speech.mel_cepstrum, speech.f0_hz, speech.voiced, gains[: len(speech)], more=more
        )


def _made(
    samples: Array,
    frames: Array,
    activity: Array,
    speech: SpeechFrames,
    audio: Array,
    played: Array,
    stamps_s: tuple[float, float, float],
    failing: NDArray[np.bool_] | None = None,
) -> Made:
    started_s, featured_s, inferred_s = stamps_s
    stage_s = (featured_s - started_s, inferred_s - featured_s, time.perf_counter() - inferred_s)
    activity = np.nan_to_num(activity)
    return Made(
        samples, frames, activity, speech.mel_cepstrum, audio, played, started_s, stage_s, failing
    )


def _joined(first: SpeechFrames, second: SpeechFrames) -> SpeechFrames:
    return SpeechFrames(
        np.concatenate((first.mel_cepstrum, second.mel_cepstrum)),
        np.concatenate((first.f0_hz, second.f0_hz)),
        np.concatenate((first.voiced, second.voiced)),
    )
