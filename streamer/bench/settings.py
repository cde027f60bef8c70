"""How much a bench measures."""

from pydantic import Field

from drivers.outside.settings import Settings

_MOST_BENCH_S = 100_000.0  # a day


class DriversBench(Settings):
    """Of the drivers."""

    frames: int = Field(
        default=1_000_000, ge=1, le=10**9, description="Damaged frames for each codec"
    )
    lossy_s: float = Field(
        default=30.0, gt=0, le=_MOST_BENCH_S, description="Of a device that loses 1 % of bytes"
    )
    cycles: int = Field(default=10, ge=1, le=10_000, description="Of pulling the cable")
    replay_s: float = Field(
        default=60.0, gt=0, le=_MOST_BENCH_S, description="Of replay at speed 1"
    )


class EngineBench(Settings):
    """Of the engine."""

    seconds: float = Field(default=60.0, ge=2, le=_MOST_BENCH_S, description="EMG at either pace")


class AcousticBench(Settings):
    """Of the sound."""

    seconds: float | None = Field(
        default=None,
        ge=5,
        le=_MOST_BENCH_S,
        description="EMG of the replay; null is all that is chosen",
    )
    bursts: int = Field(default=12, ge=0, le=1000, description="Injected, for the reaction time")


class SoakBench(Settings):
    """Of the long run."""

    seconds: float = Field(
        default=600.0, ge=20, le=_MOST_BENCH_S, description="EMG at the pace of life"
    )
    kills: int = Field(
        default=10, ge=0, le=10_000, description="Times that the source is gone for 1 s"
    )
