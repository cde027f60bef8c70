"""What a bundle says about itself: all that inference needs and training decided."""

from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from models.signal.conditioning import ConditioningSettings
from models.signal.stacking import StackingSettings
from models.signal.td_features import TDSettings
from models.speech.analysis import SpeechSettings

FORMAT: Final = "streamer bundle"
VERSION: Final = 1


class Part(BaseModel):
    """A part of the manifest; unknown keys and infinite numbers are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class SignalPart(Part):
    """The EMG that the models were trained on."""

    rate_hz: float = Field(gt=0)
    channels: tuple[str, ...] = Field(min_length=1)
    unit: Literal["uV"] = "uV"


class ConverterPart(Part):
    """EMG features to speech parameters."""

    file: str
    stacking: StackingSettings
    lead_ms: float = Field(
        ge=0, description="How far ahead of the EMG frame the speech frame lies."
    )
    f0_coding: Literal["log"] = "log"
    voicing_threshold: float = 0.5
    level_db: float = Field(description="Gain that training applied to the natural speech.")


class ActivityPart(Part):
    """Speech against rest, frame by frame."""

    file: str
    stacking: StackingSettings
    threshold: float = Field(description="Probability from which on a frame counts as speech.")


FeatureSet = Literal["td_statistics", "band_statistics", "speaker"]


class ClassifierPart(Part):
    """A classifier of windows."""

    file: str
    labels: tuple[str, ...] = Field(min_length=2)
    features: tuple[FeatureSet, ...] = Field(min_length=1)
    window_s: float = Field(gt=0, description="Sliding window of an estimate while it rolls.")
    calibration: str


class Provenance(Part):
    """Where the models come from."""

    created: str
    seed: int
    converter_data: dict[str, Any]
    classifier_data: dict[str, Any]
    versions: dict[str, str]


class Manifest(Part):
    """The whole of ``manifest.json``."""

    format: Literal["streamer bundle"] = FORMAT
    version: Literal[1] = VERSION
    name: str
    signal: SignalPart
    conditioning: ConditioningSettings
    features: TDSettings
    speech: SpeechSettings
    converter: ConverterPart
    activity: ActivityPart
    mode: ClassifierPart | None = None
    speaker: ClassifierPart | None = None
    provenance: Provenance
    figures: dict[str, Any]
