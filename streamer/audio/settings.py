"""How the voice is played."""

from typing import Annotated

from pydantic import Field, StrictStr

from drivers.outside.settings import Settings


class AudioSettings(Settings):
    """How the voice is played."""

    enabled: bool = Field(default=True, description="Play the voice on a sound card")
    device: Annotated[int, Field(ge=0, le=9999)] | StrictStr | None = Field(
        default=None,
        description="Sound card by number or part of its name; null is the system's own choice, "
        "or none where there is no card",
    )
    buffer_ms: float = Field(
        default=10.0,
        gt=0,
        le=1000,
        description="Reserve: audio still in the buffer when more comes, lateness that nobody "
        "hears, paid for in latency",
    )
    buffer_most_ms: float = Field(
        default=60.0,
        ge=0,
        le=1000,
        description="What the reserve may grow to, by itself, where the buffer runs dry twice in a "
        "minute; 0 keeps it as it is",
    )
    block_ms: float = Field(
        default=5.0, ge=1, le=100, description="Audio that the sound card takes at a time"
    )
    limit_ms: float = Field(
        default=80.0,
        ge=1,
        le=10_000,
        description="Audio that may wait when more comes; beyond it the oldest is left out",
    )
    device_latency_ms: float = Field(
        default=10.0, ge=1, le=1000, description="Latency to ask the sound card for"
    )
    device_latency_most_ms: float = Field(
        default=80.0,
        ge=0,
        le=1000,
        description="What to ask for at most: where the card runs dry twice in a minute, it is "
        "opened again with twice the latency; 0 keeps it as it is",
    )
    drift_control: bool = Field(
        default=True,
        description="Follow the clock of the sound card: a sample more or less in a hop, "
        "such that neither delay nor holes build up",
    )
