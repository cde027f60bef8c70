"""Who speaks and how, over a sliding window and over whole utterances."""

from collections import deque

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from models.bundle import Bundle
from models.classifier import WindowClassifier
from models.signal.operator import Array
from streamer.engine.answers import Answer, Estimate
from streamer.engine.timeline import Output

NO_SPEECH = "no speech"
UNSURE = "unsure"


class EstimateSettings(BaseModel):
    """When to say what."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    update_ms: float = Field(
        default=100.0, ge=10, description="EMG time from one estimate to the next"
    )
    probability: float = Field(
        default=0.5, ge=0, le=1, description="Below it the answer is 'unsure'"
    )
    hysteresis: float = Field(
        default=0.1,
        ge=0,
        le=1,
        description="How far a probability must move to change an answer that was given",
    )
    speech_share: float = Field(
        default=0.2,
        ge=0,
        le=1,
        description="Below this share of frames with speech the answer is 'no speech'",
    )
    shortest_s: float = Field(
        default=0.5, ge=0.1, description="EMG of an epoch before the first answer"
    )
    longest_s: float = Field(
        default=60.0, gt=0, description="EMG that an utterance's own answer rests on at most"
    )


class Decision:
    """From probabilities to an answer that does not flicker.

    Parameters
    ----------
    labels : tuple of str
        The classes.
    settings : EstimateSettings
        When to say what.
    """

    def __init__(self, labels: tuple[str, ...], settings: EstimateSettings) -> None:
        self._labels = labels
        self._settings = settings
        self._said: str | None = None

    def answer(self, probabilities: Array, share: float, window_s: float) -> Answer:
        """Take the next probabilities.

        Parameters
        ----------
        probabilities : ndarray, shape (labels,)
            Of each class.
        share : float
            Share of frames with speech in the window.
        window_s : float
            Length of the window.

        Returns
        -------
        Answer
            ``no speech`` below the share, ``unsure`` below the probability, else the
            most probable class. What was said last is given up only when it is beaten by the
            hysteresis.
        """
        self._said = self._choose(probabilities, share)
        label = self._labels[int(np.argmax(probabilities))]
        values = {
            label: round(float(p), 6) for label, p in zip(self._labels, probabilities, strict=True)
        }
        return Answer(label, self._said, values, window_s)

    def reset(self) -> None:
        """Forget what was said."""
        self._said = None

    def _choose(self, probabilities: Array, share: float) -> str:
        settings, slack = self._settings, self._settings.hysteresis
        if share < settings.speech_share + (slack if self._said == NO_SPEECH else 0):
            return NO_SPEECH
        best = int(np.argmax(probabilities))
        if self._said in self._labels:
            kept = float(probabilities[self._labels.index(self._said)])
            if kept >= settings.probability - slack and probabilities[best] - kept < slack:
                return self._said
        return self._labels[best] if probabilities[best] >= settings.probability else UNSURE


class Estimator:
    """Outputs of the pipeline in, estimates out.

    Each classifier sees all EMG of its window, rest included, as in its training. A window
    never reaches across a reset of the operators.

    Parameters
    ----------
    bundle : Bundle
        Has the classifiers.
    settings : EstimateSettings
        When to say what.
    """

    def __init__(self, bundle: Bundle, settings: EstimateSettings) -> None:
        self._settings = settings
        self._rate_hz = bundle.manifest.signal.rate_hz
        self._shift_s = bundle.shift_s
        self._block = settings.update_ms / 1000 * self._rate_hz
        self._now = max(1, round(settings.update_ms / 1000 / self._shift_s))
        self._classifiers = (bundle.mode, bundle.speaker)
        self._threshold = bundle.manifest.activity.threshold
        self._mode = _Rolling(bundle.mode, settings, self._threshold, self._shift_s)
        self._speaker = _Rolling(bundle.speaker, settings, self._threshold, self._shift_s)
        windows_s = [c.window_s for c in self._classifiers if c is not None]
        self._window = round(max(windows_s, default=0.0) / self._shift_s) + self._now
        self._longest = round(settings.longest_s / self._shift_s)
        self._recent = _Recent(self._window, self._rate_hz, self._shift_s)
        self._whole: deque[tuple[Array, Array, Array]] = deque()
        self._whole_frames = 0

    def push(self, output: Output, utterance: str, start_s: float) -> Estimate | None:
        """Take the pipeline's next output.

        Parameters
        ----------
        output : Output
            In the order they come.
        utterance : str
            Name of its utterance.
        start_s : float
            Where its epoch begins on the session's timeline.

        Returns
        -------
        Estimate or None
            One for each whole update.
        """
        made = output.made
        if output.new_segment:
            self._recent.clear()
        self._recent.add(made.samples, made.frames, made.activity)
        self._whole.append((made.samples, made.frames, made.activity))
        self._whole_frames += len(made.frames)
        while self._whole_frames - len(self._whole[0][1]) >= self._longest:
            self._whole_frames -= len(self._whole.popleft()[1])
        number = round(output.end_index / self._block)
        if round(number * self._block) != output.end_index or not len(made.samples):
            return None
        self._recent.trim()
        speech = self._recent.activity[-self._now :]
        epoch_time_s = output.end_index / self._rate_hz
        return Estimate(
            time_s=round(start_s + epoch_time_s, 6),
            epoch=output.epoch,
            utterance=utterance,
            epoch_time_s=round(epoch_time_s, 6),
            speech=round(float(speech.mean()), 6) if len(speech) else 0.0,
            mode=self._mode.answer(self._recent),
            speaker=self._speaker.answer(self._recent),
        )

    def end(self) -> tuple[Answer | None, Answer | None]:
        """End the epoch.

        Returns
        -------
        mode, speaker : Answer or None
            Over the whole utterance, or its last `longest_s`; None where there is no
            classifier, or less EMG than `shortest_s`.
        """
        parts = list(self._whole)
        self._whole.clear()
        self._whole_frames = 0
        self._mode.reset()
        self._speaker.reset()
        samples, frames, activity = (np.concatenate(part) for part in zip(*parts, strict=True))
        mode = self._over_all(self._classifiers[0], samples, frames, activity)
        return mode, self._over_all(self._classifiers[1], samples, frames, activity)

    def _over_all(
        self, classifier: WindowClassifier | None, samples: Array, frames: Array, activity: Array
    ) -> Answer | None:
        seconds = len(frames) * self._shift_s
        if classifier is None or seconds < self._settings.shortest_s:
            return None
        probabilities = classifier.utterance(samples, frames)
        if not np.isfinite(probabilities).all():
            return None
        share = float((activity >= self._threshold).mean())
        decision = Decision(classifier.labels, self._settings)
        return decision.answer(probabilities, share, round(seconds, 6))


class _Recent:
    """The latest EMG since the operators were reset."""

    def __init__(self, frames: int, rate_hz: float, shift_s: float) -> None:
        self._longest = frames
        self._step = shift_s * rate_hz
        self.clear()

    def clear(self) -> None:
        self._parts: list[tuple[Array, Array, Array]] = []
        self._dropped_frames = 0
        self._dropped_samples = 0

    def add(self, samples: Array, frames: Array, activity: Array) -> None:
        self._parts.append((samples, frames, activity))

    @property
    def activity(self) -> Array:
        return self._parts[0][2]

    def trim(self) -> None:
        """Put the parts together, and leave out what no window needs any more."""
        samples, frames, activity = (np.concatenate(p) for p in zip(*self._parts, strict=True))
        extra = max(0, len(frames) - self._longest)
        self._dropped_frames += extra
        first = round(self._dropped_frames * self._step)
        samples = samples[first - self._dropped_samples :]
        self._dropped_samples = first
        self._parts = [(samples, frames[extra:], activity[extra:])]

    def window(self, frames: int) -> tuple[Array, Array, Array]:
        """Return samples, frames and activity of the last frames, cut as in training."""
        samples, all_frames, activity = self._parts[0]
        end = self._dropped_frames + len(all_frames)
        first = max(self._dropped_frames, end - frames)
        begin, stop = (round(k * self._step) - self._dropped_samples for k in (first, end))
        return samples[begin:stop], all_frames[-frames:], activity[-frames:]


class _Rolling:
    """One classifier over its sliding window."""

    def __init__(
        self,
        classifier: WindowClassifier | None,
        settings: EstimateSettings,
        threshold: float,
        shift_s: float,
    ) -> None:
        self._classifier = classifier
        self._threshold = threshold
        self._shift_s = shift_s
        self._shortest = round(settings.shortest_s / shift_s)
        if classifier is not None:
            self._frames = round(classifier.window_s / shift_s)
            self._decision = Decision(classifier.labels, settings)

    def answer(self, recent: _Recent) -> Answer | None:
        if self._classifier is None:
            return None
        samples, frames, activity = recent.window(self._frames)
        if len(frames) < min(self._shortest, self._frames):
            return None
        vector = self._classifier.features(samples, frames)
        probabilities = self._classifier.probabilities(vector)
        if not np.isfinite(probabilities).all():
            return None
        window_s = round(len(frames) * self._shift_s, 6)
        share = float((activity >= self._threshold).mean())
        return self._decision.answer(probabilities, share, window_s)

    def reset(self) -> None:
        if self._classifier is not None:
            self._decision.reset()
