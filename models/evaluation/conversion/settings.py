"""What the conversion experiment trains, by its size."""

from dataclasses import dataclass, field, replace

from models.evaluation.settings import EvaluationSettings, Size
from models.signal.stacking import StackingSettings
from models.training.causal import CausalSettings
from models.training.network import ConverterSettings

LOOK_AHEAD = 15
"""Frames after the one that is described: those of the paper's TD-15."""


@dataclass(frozen=True)
class ConversionSettings:
    """Networks.

    Attributes
    ----------
    causal : CausalSettings
        Without look-ahead: what `streamer train` makes.
    symmetric : CausalSettings
        The same, having heard 150 ms more.
    paper : ConverterSettings
        The paper's: session-dependent, TD-15, bottleneck shape.
    """

    causal: CausalSettings = field(default_factory=CausalSettings)
    symmetric: CausalSettings = field(default_factory=lambda: CausalSettings(future=LOOK_AHEAD))
    paper: ConverterSettings = field(
        default_factory=lambda: ConverterSettings(stacking=StackingSettings(15, LOOK_AHEAD))
    )


def conversion_settings(settings: EvaluationSettings) -> ConversionSettings:
    """Return the networks of a size.

    Parameters
    ----------
    settings : EvaluationSettings
        Size and seed.

    Returns
    -------
    ConversionSettings
        ``quick`` has tiny ones that see the data once or twice; ``default`` spares the paper's
        network on sessions of more than two hundred utterances some epochs.
    """
    sized = _sized(settings.size)
    seed = settings.seed
    return ConversionSettings(
        replace(sized.causal, seed=seed),
        replace(sized.symmetric, seed=seed),
        replace(sized.paper, seed=seed),
    )


def _sized(size: Size) -> ConversionSettings:
    usual = ConversionSettings()
    if size == "full":
        return usual
    if size == "default":
        return replace(usual, paper=replace(usual.paper, frames_seen=1_000_000))
    tiny = {"width": 32, "base_epochs": 1, "base_cap": 20, "least_steps": 0, "epochs": 1}
    return ConversionSettings(
        replace(usual.causal, **tiny),
        replace(usual.symmetric, **tiny),
        replace(usual.paper, widths=(64, 32, 64), epochs=2),
    )
