"""From probabilities to what is said."""

import numpy as np
from pydantic import Field

from drivers.outside.settings import Settings
from models.signal.operator import Array
from streamer.engine.answers import Answer

NO_SPEECH = "no speech"
UNSURE = "unsure"


class EstimateSettings(Settings):
    """When to say what."""

    update_ms: float = Field(
        default=100.0, ge=10, le=60_000, description="EMG time from one estimate to the next"
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
        default=0.5,
        ge=0.1,
        le=3600,
        description="EMG before the first answer of a classifier of windows; one of evidence "
        "answers after 0.1 s of speech",
    )
    longest_s: float = Field(
        default=60.0,
        ge=0.1,
        le=3600,
        description="EMG that an utterance's own answer rests on at most",
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
