"""The causal network as it goes live: one stream, the gate with it, in few steps."""

from copy import deepcopy
from itertools import islice
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.training.causal import Body, CausalConvolution, CausalNetwork, Head, Mixer
from models.training.classifiers import Discriminant

Past = tuple[Tensor, ...]
"""Pieces of what a layer remembers, shapes (1, numbers), the oldest first."""


class OneStream(nn.Module):
    """A trained network without a batch, the scales of its session folded into its layers.

    Live, most of what a frame costs is to run a graph at all, then the number of its nodes, not
    their work: ten milliseconds later nothing of it is left in the caches. So the gate's three
    nodes, in its own double precision, are in the same graph, and for one frame alone there is a
    form with half of the nodes. Both forms say the same and remember the same.

    Parameters
    ----------
    network : CausalNetwork
        With a `Body`, and a `Head` as it is.
    gate : Discriminant
        Of stacked features, to rest and speech.
    alone : bool
        Take one frame at a time, as they come live, instead of any number.
    """

    def __init__(self, network: CausalNetwork, gate: Discriminant, *, alone: bool) -> None:
        super().__init__()
        layer, body, head = network.layer, network.body, network.head
        assert isinstance(body, Body)
        assert type(head) is Head
        form = _OnOneFrame if alone else _OnRows
        first, *others = [cast(CausalConvolution, one) for one in body.layers]
        layers = [form(first), *(form(_with_constant(one)) for one in others)]
        self._sizes = [one.sizes for one in layers]
        self.body: nn.Module = deepcopy(body)
        self.body.layers = nn.ModuleList(layers)
        self.body.mixers = nn.ModuleList(_Adding(cast(Mixer, one)) for one in body.mixers)
        self.enter = nn.Linear(network.columns, network.columns)
        self.head = nn.Linear(head.in_features, head.out_features)
        # Not folded in: the difference of two large terms would be all rounding.
        self.register_buffer("mean", layer.mean)
        self.mean: Tensor
        for name, value in gate.folded().items():
            self.register_buffer(f"gate_{name}", torch.tensor(value))
        self.gate_weights: Tensor
        self.gate_bias: Tensor
        self.gate_members: Tensor
        scale = torch.cat((layer.target_scale, torch.ones(1)))  # the logit of voicing has none
        mean = torch.cat((layer.target_mean, torch.zeros(1)))
        with torch.no_grad():
            self.enter.weight.copy_((layer.mix / layer.scale[:, None]).T)
            self.enter.bias.copy_(layer.shift)
            self.head.weight.copy_(scale[:, None] * head.weight)
            self.head.bias.copy_(scale * (head.bias + layer.offset) + mean)
        self.eval()

    def start(self) -> Tensor:
        """Return the past at the beginning of an epoch, shape (1, numbers)."""
        return self.mean.new_zeros(1, sum(map(sum, self._sizes)))

    def forward(self, features: Tensor, context: Tensor, past: Tensor) -> tuple[Tensor, ...]:
        """Go on with the next frames, as `CausalNetwork` does.

        Parameters
        ----------
        features : Tensor, shape (n, columns)
            The next frames.
        context : Tensor of float64, shape (n, features)
            The same stacked for the gate.
        past : Tensor, shape (1, numbers)
            As returned for the frames before, or `start`.

        Returns
        -------
        mel_cepstrum, log_f0, voicing : Tensor, shapes (n, order + 1), (n, 1), (n, 1)
            Of each frame.
        probabilities : Tensor of float64, shape (n, 2)
            Of rest and speech.
        past : Tensor
            After the last one.
        """
        pieces = iter(torch.split(past, [size for sizes in self._sizes for size in sizes], dim=1))
        before = [tuple(islice(pieces, len(sizes))) for sizes in self._sizes]
        hidden, after = self.body(self.enter(features - self.mean), before)
        # Split, which the graph has already: a kind of node that is not there is not cold either.
        outputs = self.head(hidden)
        mel_cepstrum, log_f0, voicing = torch.split(outputs, [outputs.shape[1] - 2, 1, 1], dim=1)
        logits = torch.addmm(self.gate_bias, context, self.gate_weights)
        return (
            mel_cepstrum,
            log_f0,
            torch.sigmoid(voicing),
            torch.softmax(logits, dim=1) @ self.gate_members,
            torch.cat([piece for pieces in after for piece in pieces], dim=1),
        )


class _OnRows(nn.Module):
    """A convolution that takes any number of frames, its past in one piece."""

    def __init__(self, convolution: CausalConvolution) -> None:
        super().__init__()
        self.convolution = convolution
        self.columns = convolution.linear.in_features // (len(convolution.places) + 1)
        self.sizes = [convolution.past * self.columns]

    def forward(self, x: Tensor, past: Past) -> tuple[Tensor, Past]:
        rows = past[0].reshape(self.convolution.past, self.columns)
        hidden, after = self.convolution(x, rows)
        return hidden, (after.reshape(1, -1),)


class _OnOneFrame(nn.Module):
    """A convolution that takes one frame, its past in pieces: what it sees, and what lies between.

    The next past is all but the oldest frame, and this one: nothing has to be cut.
    """

    def __init__(self, convolution: CausalConvolution) -> None:
        super().__init__()
        self.linear = convolution.linear
        taps = len(convolution.places)
        columns = convolution.linear.in_features // (taps + 1)
        between = convolution.past // max(taps, 1) - 1
        self.each = 2 if between > 0 else 1
        self.sizes = [columns, between * columns][: self.each] * taps

    def forward(self, x: Tensor, past: Past) -> tuple[Tensor, Past]:
        hidden = self.linear(torch.cat((*past[:: self.each], x), dim=1))
        return hidden, (*past, x)[1:]


def _with_constant(convolution: CausalConvolution) -> CausalConvolution:
    """Return a block's convolution with one channel more, which is 1 whatever it sees."""
    convolution = deepcopy(convolution)
    known = convolution.linear
    convolution.linear = nn.Linear(known.in_features, known.out_features + 1)
    with torch.no_grad():
        convolution.linear.weight.copy_(functional.pad(known.weight, (0, 0, 0, 1)))
        convolution.linear.bias.copy_(functional.pad(known.bias, (0, 1), value=1.0))
    return convolution


class _Adding(nn.Module):
    """The end of a block whose bias comes by the constant channel.

    ONNX Runtime multiplies and adds in one step, but adds one thing only: what the block began
    with.
    """

    def __init__(self, mixer: Mixer) -> None:
        super().__init__()
        bias = mixer.bias[:, None] / functional.gelu(torch.ones(1))
        self.register_buffer("weight", torch.cat((mixer.weight, bias), dim=1).T.contiguous())
        self.weight: Tensor

    def forward(self, change: Tensor, before: Tensor) -> Tensor:
        return torch.addmm(before, change, self.weight)
