"""How much a bench measures."""

from pydantic import BaseModel, ConfigDict, Field


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class DriversBench(_Settings):
    """Of the drivers."""

    frames: int = Field(default=1_000_000, ge=1, description="Damaged frames for each codec")
    lossy_s: float = Field(default=30.0, gt=0, description="Of a device that loses 1 % of bytes")
    cycles: int = Field(default=10, ge=1, description="Of pulling the cable")
    replay_s: float = Field(default=60.0, gt=0, description="Of replay at speed 1")


class EngineBench(_Settings):
    """Of the engine."""

    seconds: float = Field(default=60.0, ge=2, description="EMG at either pace")


class AcousticBench(_Settings):
    """Of the sound."""

    seconds: float | None = Field(
        default=None, ge=5, description="EMG of the replay; null is all that is chosen"
    )
    bursts: int = Field(default=12, ge=0, description="Injected, for the reaction time")


class SoakBench(_Settings):
    """Of the long run."""

    seconds: float = Field(default=600.0, ge=20, description="EMG at the pace of life")
    kills: int = Field(default=10, ge=0, description="Times that the source is gone for 1 s")
