"""Which converters are tried: features, what they have heard, and how far ahead they speak."""

from dataclasses import dataclass, replace
from typing import Final

from models.evaluation.search import SHORTER
from models.evaluation.search.jobs import Idea
from models.evaluation.settings import EvaluationSettings
from models.signal.td_features import TDFeatures
from models.speech.analysis import DEFAULT as SPEECH
from models.training.causal import CausalSettings
from models.training.examples import LOW_DELAY, SignalSettings

RATE_HZ: Final = 600.0

LIVE: Final = replace(CausalSettings(), lead_ms=40.0, width=128)
"""The converter for a live voice: with `LOW_DELAY`, what ``configs/live.yaml`` trains.

A third less to compute than with the usual 192 channels. On held-out training sentences of three
sessions and with half of the steps, that cost 0.01 dB; 160 channels in three blocks cost 0.04,
192 in two 0.07, 128 in three 0.08.
"""


@dataclass(frozen=True)
class Point:
    """A converter of the sweep.

    Attributes
    ----------
    series : str
        Points of one series are joined in the picture.
    idea : Idea
        What is trained.
    """

    series: str
    idea: Idea

    @property
    def algorithmic_ms(self) -> float:
        """From an EMG instant to its sound, were computing and buffers free."""
        return algorithmic_ms(self.idea.signal, self.idea.settings)


def algorithmic_ms(signal: SignalSettings, settings: CausalSettings) -> float:
    """Return the algorithmic latency, as a bundle computes it of its manifest.

    Parameters
    ----------
    signal : SignalSettings
        Features.
    settings : CausalSettings
        Future and lead.

    Returns
    -------
    float
        Milliseconds; negative where speech is predicted before its EMG.
    """
    reach_s = TDFeatures(signal.features, RATE_HZ, 1).reach_s
    hop_s, centre_s = SPEECH.hop / SPEECH.rate_hz, SPEECH.centre / SPEECH.rate_hz
    waits_s = reach_s - centre_s + hop_s + settings.future * signal.features.shift_s
    return 1000 * waits_s - settings.lead_ms


def points_of(settings: EvaluationSettings) -> list[Point]:
    """Return the sweep.

    Parameters
    ----------
    settings : EvaluationSettings
        Size and seed.

    Returns
    -------
    list of Point
        Three of them at size ``quick``.
    """
    usual = replace(CausalSettings(), seed=settings.seed)
    if settings.size == "default":
        epochs, base_epochs = max(1, usual.epochs // SHORTER), usual.base_epochs // SHORTER
        usual = replace(usual, base_epochs=base_epochs, least_steps=0, epochs=epochs)
    if settings.size == "quick":
        tiny = {"width": 16, "base_epochs": 1, "base_cap": 10, "least_steps": 0, "epochs": 1}
        usual = replace(usual, **tiny)
        return [
            _point("usual features", SignalSettings(), usual, 0),
            _point("low-delay features", LOW_DELAY, usual, 0),
            _point("low-delay features", LOW_DELAY, usual, 40),
        ]
    several = "low-delay features, several leads together"
    return [
        _point("usual features", SignalSettings(), replace(usual, future=10), 0),
        *(_point("usual features", SignalSettings(), usual, lead_ms) for lead_ms in (0, 60)),
        *(_point("low-delay features", LOW_DELAY, usual, ms) for ms in (0, 20, 40, 60)),
        *(_point(several, LOW_DELAY, usual, ms, "several leads") for ms in (40,)),
    ]


def _point(
    series: str,
    signal: SignalSettings,
    settings: CausalSettings,
    lead_ms: float,
    variant: str = "usual",
) -> Point:
    future_ms = 1000 * settings.future * signal.features.shift_s
    name = f"{series}, {future_ms:g} ms heard ahead" if settings.future else series
    named = f"{name}, lead {lead_ms:g} ms"
    return Point(
        series, Idea(named, replace(settings, lead_ms=lead_ms), variant=variant, signal=signal)
    )
