"""Who speaks and how, while somebody speaks and over whole utterances."""

from collections import deque
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from models.bundle import Bundle
from streamer.engine.answers import Answer, Estimate
from streamer.engine.decision import UNSURE, EstimateSettings
from streamer.engine.rolling import Heard, Recent, rolling
from streamer.engine.timeline import Output

_FAILING_SHARE = 0.1  # of an utterance


class Estimator:
    """Outputs of the pipeline in, estimates out.

    Nothing that is said of an instant rests on what was before a reset of the operators. Who
    speaks and how is unsure while a channel fails, and until no window reaches back to that:
    on EMG-UKA, about half of the answers are wrong without one of the six channels.

    Parameters
    ----------
    bundle : Bundle
        Has the classifiers.
    settings : EstimateSettings
        When to say what.
    """

    def __init__(self, bundle: Bundle, settings: EstimateSettings) -> None:
        rate_hz, shift_s = bundle.manifest.signal.rate_hz, bundle.shift_s
        threshold = bundle.manifest.activity.threshold
        self._rate_hz = rate_hz
        self._block = settings.update_ms / 1000 * rate_hz
        self._now = max(1, round(settings.update_ms / 1000 / shift_s))
        self._mode, self._speaker = (
            None if one is None else rolling(one, settings, threshold, shift_s)
            for one in (bundle.mode, bundle.speaker)
        )
        self._all = [one for one in (self._mode, self._speaker) if one is not None]
        window_s = max((one.window_s for one in self._all), default=0.0)
        self._recent = Recent(round(window_s / shift_s) + self._now, rate_hz, shift_s)
        self._longest = round(settings.longest_s / shift_s)
        self._whole: deque[Heard] = deque()
        self._whole_frames = 0
        self._window = round(window_s / shift_s)
        self._frames = self._failing_frames = 0  # of the epoch
        self._failed: int | None = None  # last frame in which a channel failed

    @property
    def implausible(self) -> int:
        """Count the answers that could not be right, and were left out."""
        return sum(one.implausible for one in self._all)

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
        heard = (made.samples, made.frames, made.activity)
        if output.new_segment:
            self._recent.clear()
            for one in self._all:
                one.interrupt()
        self._recent.add(heard)
        trusted = heard
        if made.failing is not None:
            failing: NDArray[np.bool_] = np.any(made.failing, axis=1)
            self._take_failing(failing)
            trusted = (made.samples, made.frames, np.where(failing, 0.0, made.activity))
        self._frames += len(made.frames)
        for one in self._all:
            one.hear(trusted)
        self._whole.append(heard)
        self._whole_frames += len(made.frames)
        while self._whole_frames - len(self._whole[0][1]) >= self._longest:
            self._whole_frames -= len(self._whole.popleft()[1])
        number = round(output.end_index / self._block)
        if round(number * self._block) != output.end_index or not len(made.samples):
            return None
        self._recent.trim()
        speech = self._recent.activity[-self._now :]
        epoch_time_s = output.end_index / self._rate_hz
        mode, speaker = (
            None if one is None else one.answer(self._recent) for one in (self._mode, self._speaker)
        )
        if self._failed is not None and self._frames - self._failed <= self._window:
            mode, speaker = _unsure(mode), _unsure(speaker)
        return Estimate(
            time_s=round(start_s + epoch_time_s, 6),
            epoch=output.epoch,
            utterance=utterance,
            epoch_time_s=round(epoch_time_s, 6),
            speech=round(float(speech.mean()), 6) if len(speech) else 0.0,
            mode=mode,
            speaker=speaker,
        )

    def end(self) -> tuple[Answer | None, Answer | None]:
        """End the epoch.

        Returns
        -------
        mode, speaker : Answer or None
            Over the whole utterance, or its last `longest_s`; None where there is no
            classifier, or too little EMG.
        """
        samples, frames, activity = (
            np.concatenate(part) for part in zip(*self._whole, strict=True)
        )
        self._whole.clear()
        self._whole_frames = 0
        mode, speaker = (
            None if one is None else one.whole((samples, frames, activity))
            for one in (self._mode, self._speaker)
        )
        if self._failing_frames > _FAILING_SHARE * len(frames):
            mode, speaker = _unsure(mode), _unsure(speaker)
        self._frames = self._failing_frames = 0
        self._failed = None
        for one in self._all:
            one.reset()
        return mode, speaker

    def _take_failing(self, failing: NDArray[np.bool_]) -> None:
        """Take note of the frames of which a channel fails."""
        if failing.any():
            self._failed = self._frames + int(np.flatnonzero(failing)[-1])
            self._failing_frames += int(failing.sum())


def _unsure(answer: Answer | None) -> Answer | None:
    return None if answer is None else replace(answer, answer=UNSURE)
