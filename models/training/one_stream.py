"""The causal network as it goes live: one stream, the gate with it, in few steps."""

import torch
from torch import Tensor, nn

from models.training.causal import Body, CausalNetwork, Head
from models.training.classifiers import Discriminant


class OneStream(nn.Module):
    """A trained network without a batch, the scales of its session folded into its layers.

    Live, most of what a frame costs is to run a graph at all, then the number of its nodes, not
    their work: ten milliseconds later nothing of it is left in the caches. So the gate's three
    nodes, in its own double precision, are in the same graph.

    Parameters
    ----------
    network : CausalNetwork
        With a `Body`, which is shared, and a `Head` as it is.
    gate : Discriminant
        Of stacked features, to rest and speech.
    """

    def __init__(self, network: CausalNetwork, gate: Discriminant) -> None:
        super().__init__()
        layer, body, head = network.layer, network.body, network.head
        assert isinstance(body, Body)
        assert type(head) is Head
        self.body = body
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

    def start(self) -> dict[str, Tensor]:
        """Return the states at the beginning of an epoch, by their names in the graph."""
        return {f"past{k}": state[0] for k, state in enumerate(self.body.start())}

    def forward(self, features: Tensor, context: Tensor, *states: Tensor) -> tuple[Tensor, ...]:
        """Go on with the next frames, as `CausalNetwork` does.

        Parameters
        ----------
        features : Tensor, shape (n, columns)
            The next frames.
        context : Tensor of float64, shape (n, features)
            The same stacked for the gate.
        *states : Tensor, shape (past, columns or width)
            As returned for the frames before, or `start`.

        Returns
        -------
        mel_cepstrum, log_f0, voicing : Tensor, shapes (n, order + 1), (n, 1), (n, 1)
            Of each frame.
        probabilities : Tensor of float64, shape (n, 2)
            Of rest and speech.
        *states : Tensor
            After the last one.
        """
        hidden, after = self.body(self.enter(features - self.mean), states)
        outputs = self.head(hidden)
        logits = torch.addmm(self.gate_bias, context, self.gate_weights)
        return (
            outputs[:, :-2],
            outputs[:, -2:-1],
            torch.sigmoid(outputs[:, -1:]),
            torch.softmax(logits, dim=1) @ self.gate_members,
            *after,
        )
