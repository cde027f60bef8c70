"""What is said of who speaks, and how."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Answer:
    """What a classifier says about a stretch of EMG.

    Attributes
    ----------
    label : str
        The most probable class.
    answer : str
        What is said of it: a class, ``"unsure"`` or ``"no speech"``.
    probabilities : dict of str to float
        Of each class; they add up to 1 whatever the answer is.
    window_s : float
        EMG that the answer rests on; of evidence: speech.
    """

    label: str
    answer: str
    probabilities: dict[str, float]
    window_s: float

    @property
    def probability(self) -> float:
        """Of the most probable class."""
        return max(self.probabilities.values())


@dataclass(frozen=True)
class Estimate:
    """Who speaks, and how, at one instant: a line of ``estimates.jsonl``.

    Attributes
    ----------
    time_s : float
        EMG time from the session's start, without pauses between epochs: sample
        ``time_s * 16000`` of ``audio.wav``.
    epoch : int
        As the source counts.
    utterance : str
        Name of the epoch's utterance.
    epoch_time_s : float
        EMG time from the epoch's start.
    speech : float
        Probability that there is speech right now.
    mode, speaker : Answer or None
        None where the bundle has no such classifier, or too little EMG came yet.
    """

    time_s: float
    epoch: int
    utterance: str
    epoch_time_s: float
    speech: float
    mode: Answer | None
    speaker: Answer | None

    def as_dict(self) -> dict[str, Any]:
        """Return plain types, as they are written."""
        answers = {
            name: None if answer is None else dict(vars(answer))
            for name, answer in (("mode", self.mode), ("speaker", self.speaker))
        }
        return vars(self) | answers
