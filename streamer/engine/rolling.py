"""One classifier while an epoch goes on: over a sliding window, or from the speech in it."""

from typing import Protocol

import numpy as np

from models.classifier import WindowClassifier
from models.evidence import EvidenceClassifier
from models.signal.operator import Array
from streamer.engine.answers import Answer
from streamer.engine.decision import Decision, EstimateSettings

Heard = tuple[Array, Array, Array]
"""DC-free samples, TD frames, and the probability of speech of each frame."""


class Recent:
    """The latest EMG since the operators were reset.

    Parameters
    ----------
    frames : int
        How many of them.
    rate_hz : float
        Sampling rate of the EMG.
    shift_s : float
        Shift of the frames.
    """

    def __init__(self, frames: int, rate_hz: float, shift_s: float) -> None:
        self._longest = frames
        self._step = shift_s * rate_hz
        self.clear()

    def clear(self) -> None:
        """Forget it all."""
        self._parts: list[Heard] = []
        self._dropped_frames = 0
        self._dropped_samples = 0

    def add(self, heard: Heard) -> None:
        """Take what comes next."""
        self._parts.append(heard)

    @property
    def activity(self) -> Array:
        """Probability of speech of the frames, once trimmed."""
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

    def window(self, frames: int) -> Heard:
        """Return samples, frames and activity of the last frames, cut as in training."""
        samples, all_frames, activity = self._parts[0]
        end = self._dropped_frames + len(all_frames)
        first = max(self._dropped_frames, end - frames)
        begin, stop = (round(k * self._step) - self._dropped_samples for k in (first, end))
        return samples[begin:stop], all_frames[-frames:], activity[-frames:]


class Rolling(Protocol):
    """What `Estimator` does with a classifier."""

    window_s: float
    """EMG that it wants to find in `Recent`."""

    implausible: int
    """Answers that could not be right, and were left out."""

    def hear(self, heard: Heard) -> None:
        """Take the EMG that comes next."""

    def answer(self, recent: Recent) -> Answer | None:
        """Say what it is now; None before there is enough."""

    def whole(self, heard: Heard) -> Answer | None:
        """Say what the whole utterance was."""

    def interrupt(self) -> None:
        """Learn that the operators were reset: what comes next does not follow what came."""

    def reset(self) -> None:
        """Forget the epoch."""


class OverWindow:
    """A classifier over its sliding window: all EMG of it, rest included, as in its training.

    Parameters
    ----------
    classifier : WindowClassifier
        The classifier.
    settings : EstimateSettings
        When to say what.
    threshold : float
        Probability from which on a frame counts as speech.
    shift_s : float
        Shift of the frames.
    """

    def __init__(
        self,
        classifier: WindowClassifier,
        settings: EstimateSettings,
        threshold: float,
        shift_s: float,
    ) -> None:
        self.window_s = classifier.window_s
        self._classifier, self._settings = classifier, settings
        self._threshold, self._shift_s = threshold, shift_s
        self._shortest = round(settings.shortest_s / shift_s)
        self._frames = round(classifier.window_s / shift_s)
        self._decision = Decision(classifier.labels, settings)
        self.implausible = 0

    def hear(self, heard: Heard) -> None:
        """Leave it to `Recent`."""

    def answer(self, recent: Recent) -> Answer | None:
        """Say what it is now; None before there is enough."""
        samples, frames, activity = recent.window(self._frames)
        if len(frames) < min(self._shortest, self._frames):
            return None
        vector = self._classifier.features(samples, frames)
        return self._said(self._classifier.probabilities(vector), activity, self._decision)

    def whole(self, heard: Heard) -> Answer | None:
        """Say what the whole utterance was."""
        samples, frames, activity = heard
        if len(frames) * self._shift_s < self._settings.shortest_s:
            return None
        decision = Decision(self._classifier.labels, self._settings)
        return self._said(self._classifier.utterance(samples, frames), activity, decision)

    def _said(self, probabilities: Array, activity: Array, decision: Decision) -> Answer | None:
        if not np.isfinite(probabilities).all():
            self.implausible += 1
            return None
        share = float((activity >= self._threshold).mean())
        return decision.answer(probabilities, share, round(len(activity) * self._shift_s, 6))

    def interrupt(self) -> None:
        """Leave it to `Recent`."""

    def reset(self) -> None:
        """Forget the epoch."""
        self._decision.reset()


class OverSpeech:
    """A classifier of speech: of the latest while the epoch goes on, of all at its end.

    Parameters
    ----------
    classifier : EvidenceClassifier
        The classifier.
    settings, threshold, shift_s
        As for `OverWindow`.
    """

    def __init__(
        self,
        classifier: EvidenceClassifier,
        settings: EstimateSettings,
        threshold: float,
        shift_s: float,
    ) -> None:
        self.window_s = classifier.window_s
        self._labels, self._settings, self._threshold = classifier.labels, settings, threshold
        self._frames = round(classifier.window_s / shift_s)
        self._shortest = round(settings.shortest_s / shift_s)
        self._listener = classifier.listen(threshold, settings.longest_s)
        self._decision = Decision(classifier.labels, settings)
        self._coming: list[Heard] = []
        self.implausible = 0

    def hear(self, heard: Heard) -> None:
        """Take the EMG that comes next."""
        self._coming.append(heard)

    def answer(self, recent: Recent) -> Answer | None:
        """Say what it is now; after `shortest_s` without speech, that there is none."""
        _, _, activity = recent.window(self._frames)
        self._listen()
        said, seconds = self._listener.now(), self._listener.recent_s
        return self._said(said, seconds, activity, self._decision)

    def whole(self, heard: Heard) -> Answer | None:
        """Say what the whole utterance was."""
        self._listen()
        said, seconds = self._listener.whole(), self._listener.all_s
        return self._said(said, seconds, heard[2], Decision(self._labels, self._settings))

    def _listen(self) -> None:
        """Listen to what came since the last time: to all of it at once it costs little more."""
        if self._coming:
            samples, _, activity = (np.concatenate(p) for p in zip(*self._coming, strict=True))
            self._listener.process(samples, activity)
            self._coming.clear()

    def _said(
        self, probabilities: Array | None, seconds: float, activity: Array, decision: Decision
    ) -> Answer | None:
        if probabilities is None and len(activity) >= self._shortest:
            equal = np.full(len(self._labels), 1 / len(self._labels))
            return decision.answer(equal, 0.0, round(seconds, 6))
        if probabilities is None:
            return None
        if not np.isfinite(probabilities).all():
            self.implausible += 1
            return None
        share = float((activity >= self._threshold).mean())
        return decision.answer(probabilities, share, round(seconds, 6))

    def interrupt(self) -> None:
        """Listen anew; what was said before counts for the whole."""
        self._listen()
        self._listener.interrupt()

    def reset(self) -> None:
        """Forget the epoch."""
        self._decision.reset()
        self._coming.clear()
        self._listener.reset()


def rolling(
    classifier: WindowClassifier | EvidenceClassifier,
    settings: EstimateSettings,
    threshold: float,
    shift_s: float,
) -> Rolling:
    """Return what follows an epoch with a classifier; parameters as for `OverWindow`."""
    if isinstance(classifier, EvidenceClassifier):
        return OverSpeech(classifier, settings, threshold, shift_s)
    return OverWindow(classifier, settings, threshold, shift_s)
