"""Ideas that were tried in place of what `streamer train` makes."""

from collections.abc import Sequence

import numpy as np
from torch import Tensor, nn
from torch.nn import functional

from models.signal.operator import Array
from models.training.causal import CausalConvolution, CausalSettings, Remembering
from models.training.examples import Speech

_PAST = 5  # frames that the recurrent body sees at once


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
            like.new_zeros(batch, self._columns, _PAST),
            like.new_zeros(2, batch, self._width),
        ]

    def forward(self, x: Tensor, states: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """Take frames (batch, n, columns) and the states before them; return both of now."""
        hidden, past = self.first(self.input_dropout(x.transpose(1, 2)), states[0])
        hidden = self.dropout(functional.gelu(hidden).transpose(1, 2))
        hidden, memory = self.units(hidden, states[1])
        return self.dropout(hidden), [past, memory]


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
