"""How much a bench measures."""

from pydantic import BaseModel, ConfigDict, Field


class DriversBench(BaseModel):
    """How much is measured."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    frames: int = Field(default=1_000_000, ge=1, description="Damaged frames for each codec")
    lossy_s: float = Field(default=30.0, gt=0, description="Of a device that loses 1 % of bytes")
    cycles: int = Field(default=10, ge=1, description="Of pulling the cable")
    replay_s: float = Field(default=60.0, gt=0, description="Of replay at speed 1")
