"""Estimates as rows of numbers, for files and streams that hold nothing else."""

import math
from dataclasses import dataclass

from models.bundle import Bundle
from streamer.engine.answers import Answer, Estimate


@dataclass(frozen=True)
class EstimateColumns:
    """What each number of a row is.

    Attributes
    ----------
    modes, speakers : tuple of str
        Classes of the bundle; empty where it has no such classifier.
    """

    modes: tuple[str, ...]
    speakers: tuple[str, ...]

    @classmethod
    def of(cls, bundle: Bundle) -> "EstimateColumns":
        """Return the columns of a bundle's estimates."""
        modes = () if bundle.mode is None else tuple(bundle.mode.labels)
        return cls(modes, () if bundle.speaker is None else tuple(bundle.speaker.labels))

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the columns: ``speech``, ``mode: audible``, ``speaker: 101``, and so on."""
        return (
            "speech",
            *(f"mode: {label}" for label in self.modes),
            *(f"speaker: {label}" for label in self.speakers),
        )

    def row(self, estimate: Estimate) -> list[float]:
        """Return the probabilities, NaN where there is no answer yet."""
        return [
            estimate.speech,
            *_probabilities(estimate.mode, self.modes),
            *_probabilities(estimate.speaker, self.speakers),
        ]


def _probabilities(answer: Answer | None, labels: tuple[str, ...]) -> list[float]:
    if answer is None:
        return [math.nan] * len(labels)
    return [answer.probabilities[label] for label in labels]
