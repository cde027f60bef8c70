"""All that training decides beside the data."""

from dataclasses import dataclass, field
from pathlib import Path

from models.manifest import SpeakerMethod
from models.speech.analysis import SpeechSettings
from models.training.causal import CausalSettings
from models.training.embedding import EmbeddingSettings
from models.training.examples import SignalSettings
from models.training.network import ConverterSettings

EMBEDDING = EmbeddingSettings(slices_seen=50_000)
"""Minutes for each of the two encoders; windows of utterances that they had not learned from
were told apart as well as those that they had (nine sessions of EMG-UKA)."""


@dataclass(frozen=True)
class TrainingSettings:
    """All that training decides beside the data.

    Attributes
    ----------
    signal : SignalSettings
        Filters and features.
    speech : SpeechSettings
        Analysis of the natural speech.
    converter : CausalSettings or ConverterSettings
        The converter: one that remembers, or the paper's.
    others : bool
        Let the first kind learn from all sessions of the corpus before its own.
    base : Path, optional
        File for what it learns from all of them: read where it is there, else written.
    speakers : tuple of str
        How speakers are told apart; the first is what runs unless another one is asked for.
    embedding : EmbeddingSettings
        Networks of the speaker classifier ``embedding``.
    """

    signal: SignalSettings = field(default_factory=SignalSettings)
    speech: SpeechSettings = field(default_factory=SpeechSettings)
    converter: CausalSettings | ConverterSettings = field(default_factory=CausalSettings)
    others: bool = True
    base: Path | None = None
    speakers: tuple[SpeakerMethod, ...] = ("evidence", "lda")
    embedding: EmbeddingSettings = field(default_factory=lambda: EMBEDDING)
