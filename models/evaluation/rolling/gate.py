"""The activity gate of a session, and what it does at rest."""

from collections.abc import Sequence
from dataclasses import dataclass

from models.signal.operator import Array
from models.signal.td_features import TDSettings
from models.training.activity import TrainedActivity, false_activations
from models.training.examples import Utterance


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


def gate_figures(
    gate: TrainedActivity,
    chosen: Sequence[Utterance],
    speech: Sequence[Array],
    features: TDSettings,
) -> GateFigures:
    """Measure a gate on the test utterances among those chosen, whose speech is given."""
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
