"""Ideas that were tried in place of what `streamer train` makes."""

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from models.signal.operator import Array
from models.training.causal import (
    CausalConvolution,
    CausalSettings,
    Head,
    Remembering,
    mean_distortion,
    mean_over,
)
from models.training.examples import Speech

_PAST = 5  # frames that the recurrent body sees at once
_LEADS = (-4, 2, 4, 6)  # frames from the one that is said to the others that are predicted
_LEADS_WEIGHT = 0.5  # of all others' distortion
_COMPONENTS = 4
_NARROWEST = -4.0  # log of a component's standard deviation in nepers


class RecurrentBody(Remembering):
    """Two layers of gated recurrent units behind one convolution.

    Parameters
    ----------
    columns : int
        Features in a frame.
    settings : CausalSettings
        Width and dropout; `blocks` counts nothing here.
    """

    def __init__(self, columns: int, settings: CausalSettings) -> None:
        super().__init__()
        width = settings.width
        self.input_dropout = nn.Dropout(settings.input_dropout)
        self.dropout = nn.Dropout(settings.dropout)
        self.first = CausalConvolution(columns, width, _PAST + 1)
        self.units = nn.GRU(width, width, 2, batch_first=True, dropout=settings.dropout)
        self._columns, self._width = columns, width

    def start(self, batch: int = 1) -> list[Tensor]:
        """Return the states at the beginning of an epoch."""
        like = next(self.parameters())
        return [
            like.new_zeros(batch, _PAST, self._columns),
            like.new_zeros(2, batch, self._width),
        ]

    def forward(self, x: Tensor, states: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """Take frames (batch, n, columns) and the states before them; return both of now."""
        hidden, past = self.first(self.input_dropout(x), states[0])
        hidden = self.dropout(functional.gelu(hidden))
        hidden, memory = self.units(hidden, states[1])
        return self.dropout(hidden), [past, memory]


class SeveralLeads(Head):
    """Predicts speech before and after the frame that is said as well, in training alone.

    Parameters
    ----------
    width, outputs : int
        Channels in and out.
    """

    def __init__(self, width: int, outputs: int) -> None:
        super().__init__(width, outputs)
        self.others = nn.ModuleList([nn.Linear(width, outputs - 2) for _ in _LEADS])

    def distortion(self, hidden: Tensor, mel_cepstrum: Tensor, counts: Tensor) -> Tensor:
        """Return the distortion of what is said, and a share of that of the other leads."""
        own = super().distortion(hidden, mel_cepstrum, counts)
        others = [
            mean_distortion(
                _between(other(hidden), -lead) - _between(mel_cepstrum, lead),
                _between(counts, -lead) * _between(counts, lead),
            )
            for other, lead in zip(self.others, _LEADS, strict=True)
        ]
        return own + _LEADS_WEIGHT * torch.stack(others).mean()


def _between(frames: Tensor, lead: int) -> Tensor:
    """Leave out the first frames, or with a negative lead the last ones."""
    return frames[:, lead:] if lead >= 0 else frames[:, :lead]


class MixtureHead(Head):
    """A mixture of normal densities of the mel-cepstrum, of which the mean is said.

    Bishop (1994), "Mixture density networks". Components share their weights over all
    coefficients and have a standard deviation for each.

    Parameters
    ----------
    width, outputs : int
        Channels in and out.
    """

    def __init__(self, width: int, outputs: int) -> None:
        super().__init__(width, outputs)
        self._order = outputs - 2
        self.others = nn.Linear(width, (_COMPONENTS - 1) * self._order)
        self.spreads = nn.Linear(width, _COMPONENTS * self._order)
        self.choice = nn.Linear(width, _COMPONENTS)

    def forward(self, hidden: Tensor) -> Tensor:
        """Return the mixture's mean, log F0 and the logit of voicing."""
        outputs = super().forward(hidden)
        means = self._means(hidden, outputs)
        weights = torch.softmax(self.choice(hidden), dim=-1)
        mean = (weights[..., np.newaxis] * means).sum(dim=-2)
        return torch.cat((mean, outputs[..., -2:]), dim=-1)

    def distortion(self, hidden: Tensor, mel_cepstrum: Tensor, counts: Tensor) -> Tensor:
        """Return how improbable the mel-cepstrum is, in nats for each coefficient."""
        means = self._means(hidden, super().forward(hidden))
        shape = (*hidden.shape[:-1], _COMPONENTS, self._order)
        log_spread = self.spreads(hidden).reshape(shape).clamp(min=_NARROWEST)
        distance = (mel_cepstrum[..., np.newaxis, :] - means) / log_spread.exp()
        log_density = -0.5 * distance**2 - log_spread - 0.5 * math.log(2 * math.pi)
        log_weights = torch.log_softmax(self.choice(hidden), dim=-1)
        log_likelihood = torch.logsumexp(log_weights + log_density.sum(dim=-1), dim=-1)
        return mean_over(-log_likelihood, counts) / self._order

    def _means(self, hidden: Tensor, outputs: Tensor) -> Tensor:
        """Return the components' means (..., components, order + 1)."""
        others = self.others(hidden).reshape(*hidden.shape[:-1], _COMPONENTS - 1, self._order)
        return torch.cat((outputs[..., np.newaxis, : self._order], others), dim=-2)


def unchanged(frames: Array, speech: Speech, rng: np.random.Generator) -> tuple[Array, Speech]:
    """Leave an utterance as it was recorded.

    Parameters
    ----------
    frames, speech, rng
        As for `models.training.augmentation.augmented`.

    Returns
    -------
    frames, speech
        Themselves.
    """
    return frames, speech
