"""What a bundle says about itself: all that inference needs and training decided."""

from collections.abc import Sequence
from math import prod
from typing import Annotated, Any, Final, Literal, Self

import numpy as np
from pydantic import ConfigDict, Field, model_validator

from drivers.outside.settings import MOST_SEED, Checked, Name
from models.bounds import check_size
from models.signal.conditioning import ConditioningSettings
from models.signal.log_bands import LogBandSettings
from models.signal.stacking import StackingSettings
from models.signal.stand_in import StandIn
from models.signal.td_features import FEATURES, TDSettings
from models.speech.analysis import SpeechSettings

FORMAT: Final = "streamer bundle"
VERSION: Final = 2
"""Since 2, the gate may be part of the converter's graph, and this have a form for one frame."""


FileName = Annotated[str, Field(max_length=255)]
Probability = Annotated[float, Field(ge=0, le=1)]
WindowSeconds = Annotated[float, Field(ge=0.01, le=60)]

Labels = tuple[Name, ...]


class SignalPart(Checked):
    """The EMG that the models were trained on."""

    rate_hz: float = Field(ge=10, le=100_000)
    channels: Labels = Field(min_length=1, max_length=256)
    unit: Literal["uV"] = "uV"


class ConverterPart(Checked):
    """EMG features to speech parameters."""

    file: FileName
    frame_file: FileName | None = Field(
        default=None,
        description="The same for one frame alone, in fewer steps, where it remembers.",
    )
    bands: LogBandSettings | None = Field(
        default=None, description="What it sees beside the TD features of a frame."
    )
    stacking: StackingSettings
    states: dict[str, tuple[Annotated[int, Field(ge=1, le=2**24)], ...]] = Field(
        default={},
        max_length=1000,
        description="What the graph remembers: shapes by name, zero at reset.",
    )
    ahead: int = Field(
        default=0,
        ge=0,
        le=1000,
        description="Frames that a graph with states needs before its first prediction.",
    )
    lead_ms: float = Field(
        ge=0, le=1000, description="How far ahead of the EMG frame the speech frame lies."
    )
    f0_coding: Literal["log"] = "log"
    voicing_threshold: Probability = 0.5
    level_db: float = Field(
        ge=-200, le=200, description="Gain that training applied to the natural speech."
    )


class ActivityPart(Checked):
    """Speech against rest, frame by frame."""

    file: FileName = Field(description="The converter's, where its graph has the gate in it.")
    stacking: StackingSettings = Field(description="It looks back, never ahead.")
    threshold: Probability = Field(
        description="Probability from which on a frame counts as speech."
    )


_Level = Annotated[float, Field(ge=-1e8, le=1e8)]
_Product = Annotated[float, Field(ge=-1e16, le=1e16)]  # of two of them


class StandInPart(Checked):
    """What the models see of a channel that fails, by what costs least on held-out utterances."""

    kind: Literal["others", "mean", "rest"] = Field(
        description="What the other channels let expect, or the channel's level: its mean over "
        "everything, or at rest."
    )
    level: tuple[tuple[_Level, ...], ...] = Field(
        description="Of each feature in each channel; the features of the bands come last."
    )
    covariance: tuple[tuple[tuple[_Product, ...], ...], ...] | None = Field(
        default=None, description="Of each feature between channels, of the kind 'others'."
    )

    @model_validator(mode="after")
    def _covariance_where_it_is_used(self) -> Self:
        if (self.kind == "others") != (self.covariance is not None):
            raise ValueError("the kind 'others' and a covariance belong together")
        return self

    def build(self, channels: int, blocks: Sequence[int]) -> StandIn:
        """Build the operator; arguments as for `StandIn`."""
        covariance = None if self.covariance is None else np.array(self.covariance)
        return StandIn(channels, blocks, np.array(self.level), covariance)

    def fits(self, features: int, channels: int) -> bool:
        """Say whether it is of so many features in so many channels."""
        rows = [self.level, *(() if self.covariance is None else self.covariance)]
        sizes = [features, *(() if self.covariance is None else [channels] * features)]
        return [len(row) for row in rows] == sizes and all(
            len(values) == channels for row in rows for values in row
        )


FeatureSet = Literal["td_statistics", "band_statistics", "speaker", "embedding", "evidence"]


class EncoderPart(Checked):
    """Slices of frames to embeddings, the features of a classifier."""

    file: FileName
    slice_frames: int = Field(ge=1, le=6000)
    slice_shift: int = Field(
        ge=1, le=6000, description="Frames from one slice of a window to the next."
    )


SpeakerMethod = Literal["evidence", "lda", "forest", "embedding"]
"""Speaker classifiers that training knows; their names in a bundle."""


class ClassifierPart(Checked):
    """A classifier of windows of EMG, or of speech as it adds up."""

    name: Name = Field(default="lda", description="Tells it from others of the same classes.")
    file: FileName
    encoder: EncoderPart | None = Field(default=None, description="Of the set 'embedding'.")
    labels: Labels = Field(min_length=2, max_length=1000)
    features: tuple[FeatureSet, ...] = Field(min_length=1, max_length=5)
    bands: LogBandSettings | None = Field(default=None, description="Of the set 'evidence'.")
    window_s: WindowSeconds = Field(
        description="Sliding window of an estimate while it rolls: of EMG, of 'evidence' of "
        "speech.",
    )
    calibration: Name

    @model_validator(mode="after")
    def _labels_differ(self) -> Self:
        if len(set(self.labels)) < len(self.labels):
            raise ValueError("two labels are the same")
        return self

    @model_validator(mode="after")
    def _encoder_for_embeddings(self) -> Self:
        if ("embedding" in self.features) != (self.encoder is not None):
            raise ValueError("features 'embedding' and an encoder belong together")
        if "evidence" in self.features and len(self.features) > 1:
            raise ValueError("features 'evidence' go with no others")
        if ("evidence" in self.features) != (self.bands is not None):
            raise ValueError("features 'evidence' and bands belong together")
        return self


Utterances = Annotated[int, Field(ge=0, le=10**9)]


class ConverterData(Checked):
    """What the converter learned from; what is not used has no type, and is only shown."""

    model_config = ConfigDict(extra="allow")

    session: Name | None = Field(default=None, description="Recording session of the voice.")


class ClassifierData(Checked):
    """What the classifiers learned from, likewise."""

    model_config = ConfigDict(extra="allow")

    mode: dict[Name, Utterances] = Field(default={}, description="Utterances by session.")


class Provenance(Checked):
    """Where the models come from."""

    created: Name
    seed: int = Field(ge=0, le=MOST_SEED)
    converter_data: ConverterData
    classifier_data: ClassifierData
    versions: dict[Name, Name]


class Manifest(Checked):
    """The whole of ``manifest.json``."""

    format: Literal["streamer bundle"] = FORMAT
    version: Literal[1, 2] = VERSION
    name: Name
    signal: SignalPart
    conditioning: ConditioningSettings
    features: TDSettings
    speech: SpeechSettings
    converter: ConverterPart
    activity: ActivityPart
    stand_in: StandInPart | None = Field(
        default=None,
        description="None in bundles from before: then it is the mean of the other channels.",
    )
    mode: ClassifierPart | None = None
    speaker: ClassifierPart | None = None
    other_speakers: tuple[ClassifierPart, ...] = Field(
        default=(),
        max_length=100,
        description="Speaker classifiers that run when they are asked for.",
    )
    provenance: Provenance
    figures: dict[str, Any]

    @property
    def speakers(self) -> dict[str, ClassifierPart]:
        """All speaker classifiers by name, the one that runs by itself first."""
        first = () if self.speaker is None else (self.speaker,)
        return {part.name: part for part in (*first, *self.other_speakers)}

    @model_validator(mode="after")
    def _gate_and_forms_as_the_version_has_them(self) -> Self:
        inside = self.activity.file == self.converter.file
        if self.version == 1 and (inside or self.converter.frame_file is not None):
            raise ValueError("version 1 has no gate in a converter and no frame_file")
        if inside and self.converter.stacking.future > 0:
            raise ValueError("a converter that waits for stacked frames cannot have the gate in it")
        if self.converter.frame_file is not None and not self.converter.states:
            raise ValueError("a frame_file is of a converter with states")
        if self.activity.stacking.future > 0:
            raise ValueError("the gate's stacking looks ahead")
        return self

    @model_validator(mode="after")
    def _stand_in_of_the_same_frames(self) -> Self:
        features, channels = sum(self.features_of_a_channel), len(self.signal.channels)
        if self.stand_in is not None and not self.stand_in.fits(features, channels):
            raise ValueError(
                f"stand_in is not of {features} features in each of {channels} channels"
            )
        return self

    @property
    def features_of_a_channel(self) -> tuple[int, ...]:
        """How many features of a channel each part of a frame has: TD features, then bands."""
        bands = self.converter.bands
        return (len(FEATURES), *(() if bands is None else (bands.bands,)))

    @model_validator(mode="after")
    def _evidence_where_it_can_be(self) -> Self:
        if self.mode is not None and self.mode.bands is not None:
            raise ValueError("features 'evidence' tell speakers only")
        shifts_s = {one.bands.shift_s for one in self.speakers.values() if one.bands is not None}
        if shifts_s - {self.features.shift_s}:
            raise ValueError("bands of a speaker classifier have another shift than the features")
        return self

    @model_validator(mode="after")
    def _speech_at_the_pace_of_the_frames(self) -> Self:
        hop_s = self.speech.hop / self.speech.rate_hz
        if abs(hop_s - self.features.shift_s) > 1e-9:
            raise ValueError(
                f"a hop of the speech lasts {hop_s:g} s, and frames of the EMG come every "
                f"{self.features.shift_s:g} s"
            )
        return self

    @model_validator(mode="after")
    def _sizes_that_follow(self) -> Self:
        """Refuse what is too much together, before anything of that size is made."""
        check_size("states of the converter", sum(map(prod, self.converter.states.values())))
        channels = len(self.signal.channels)
        for part in (*self.speakers.values(), *(() if self.mode is None else (self.mode,))):
            samples = part.window_s * self.signal.rate_hz
            check_size(f"values in a window of classifier {part.name}", samples * channels)
            if part.encoder is not None:
                slices = part.window_s / self.features.shift_s / part.encoder.slice_shift + 1
                columns = channels * len(FEATURES) * part.encoder.slice_frames
                check_size(f"values in the slices of classifier {part.name}", slices * columns)
        return self

    @model_validator(mode="after")
    def _one_of_a_name(self) -> Self:
        first = 0 if self.speaker is None else 1
        if len(self.speakers) < first + len(self.other_speakers):
            raise ValueError("two speaker classifiers have the same name")
        return self
