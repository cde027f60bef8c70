"""The converter's network and its settings.

Diener et al. (2020), section 3: stacked TD features, three hidden layers in the shape of a
bottleneck, the first 1024 wide; it predicts the mel-cepstrum and F0 of one frame.
"""

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from drivers.errors import StreamerError
from models.signal.operator import Array
from models.signal.stacking import StackingSettings


@dataclass(frozen=True)
class ConverterSettings:
    """How the converter is built and trained.

    Attributes
    ----------
    stacking : StackingSettings
        Context of a frame; the default looks back only.
    lead_ms : float
        How far ahead of the EMG frame the predicted speech frame lies.
    widths : tuple of int
        Hidden layers.
    epochs : int
        At the most; the best number is found on held-out training utterances.
    frames_seen : int
        Frames to train on at the most, all epochs together: with more data fewer epochs do.
    batch : int
        Frames in a step.
    learning_rate : float
        Its peak; it rises and falls over the epochs (one-cycle).
    dropout, input_dropout : float
        Of the hidden layers and of the features: 40 utterances are few.
    seed : int
        Of the initial weights and the order of the frames.
    """

    stacking: StackingSettings = field(default_factory=StackingSettings)
    lead_ms: float = 0.0
    widths: tuple[int, ...] = (1024, 256, 1024)
    epochs: int = 30
    frames_seen: int = 3_000_000
    batch: int = 256
    learning_rate: float = 1e-3
    dropout: float = 0.4
    input_dropout: float = 0.2
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what cannot be trained."""
        if not self.lead_ms >= 0:
            raise StreamerError("lead of the converter", value=self.lead_ms, allowed=">= 0 ms")
        for name in ("epochs", "frames_seen", "batch"):
            if getattr(self, name) < 1:
                raise StreamerError(
                    f"{name} of the training", value=getattr(self, name), allowed=">= 1"
                )


class ConverterNetwork(nn.Module):
    """Stacked features in, speech parameters out; the scalers are part of it.

    Parameters
    ----------
    mean, scale : ndarray, shape (columns,)
        Of the stacked features.
    target_mean, target_scale : ndarray, shape (order + 2,)
        Of the mel-cepstrum and, last, of log F0.
    settings : ConverterSettings
        Layers.
    """

    def __init__(
        self,
        mean: Array,
        scale: Array,
        target_mean: Array,
        target_scale: Array,
        settings: ConverterSettings,
    ) -> None:
        super().__init__()
        self.mean = nn.Buffer(torch.tensor(mean, dtype=torch.float32))
        self.scale = nn.Buffer(torch.tensor(scale, dtype=torch.float32))
        self.target_mean = nn.Buffer(torch.tensor(target_mean, dtype=torch.float32))
        self.target_scale = nn.Buffer(torch.tensor(target_scale, dtype=torch.float32))
        layers: list[nn.Module] = [nn.Dropout(settings.input_dropout)]
        width = len(mean)
        for next_width in settings.widths:
            layers += [nn.Linear(width, next_width), nn.ReLU(), nn.Dropout(settings.dropout)]
            width = next_width
        self.body = nn.Sequential(*layers)
        self.regression = nn.Linear(width, len(target_mean))
        self.voicing = nn.Linear(width, 1)

    def raw(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Return scaled targets and the logit of voicing: what the losses look at."""
        hidden = self.body((features - self.mean) / self.scale)
        return self.regression(hidden), self.voicing(hidden)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return mel-cepstrum, log F0 and the probability of voicing."""
        scaled, logit = self.raw(features)
        targets = scaled * self.target_scale + self.target_mean
        return targets[:, :-1], targets[:, -1:], torch.sigmoid(logit)
