"""The causal network as it goes live: one stream, in as few steps as it can be."""

import torch
from torch import Tensor, nn

from models.training.causal import Body, CausalNetwork, Head


class OneStream(nn.Module):
    """A trained network without a batch, the scales of its session folded into its layers.

    Live, half of what a frame costs goes to the number of the graph's nodes, not to their work:
    ten milliseconds later nothing of it is left in the caches.

    Parameters
    ----------
    network : CausalNetwork
        With a `Body`, which is shared, and a `Head` as it is.
    """

    def __init__(self, network: CausalNetwork) -> None:
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

    def forward(self, features: Tensor, *states: Tensor) -> tuple[Tensor, ...]:
        """Go on with the next frames, as `CausalNetwork` does.

        Parameters
        ----------
        features : Tensor, shape (n, columns)
            The next frames.
        *states : Tensor, shape (past, columns or width)
            As returned for the frames before, or `start`.

        Returns
        -------
        mel_cepstrum, log_f0, voicing : Tensor, shapes (n, order + 1), (n, 1), (n, 1)
            Of each frame.
        *states : Tensor
            After the last one.
        """
        hidden, after = self.body(self.enter(features - self.mean), states)
        outputs = self.head(hidden)
        return (outputs[:, :-2], outputs[:, -2:-1], torch.sigmoid(outputs[:, -1:]), *after)
