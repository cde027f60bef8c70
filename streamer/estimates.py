"""Who speaks and how, over a sliding window."""

from pydantic import BaseModel, ConfigDict, Field

NO_SPEECH = "no speech"
UNSURE = "unsure"


class EstimateSettings(BaseModel):
    """When to say what."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    update_ms: float = Field(default=100.0, gt=0, description="EMG time between two estimates")
    probability: float = Field(
        default=0.6, ge=0, le=1, description="Below it the answer is 'unsure'"
    )
    hysteresis: float = Field(
        default=0.1,
        ge=0,
        le=1,
        description="How far probabilities must move to change an answer that was given",
    )
    speech_share: float = Field(
        default=0.2,
        ge=0,
        le=1,
        description="Below this share of speech in the window the answer is 'no speech'",
    )
    shortest_s: float = Field(
        default=0.5, gt=0, description="EMG of an epoch before the first answer"
    )
    longest_s: float = Field(
        default=60.0, gt=0, description="EMG that an utterance's final answer rests on"
    )
