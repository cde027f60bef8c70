"""A recurrent sequence-to-sequence autoencoder of spectrograms, in the manner of auDeep.

Freitag et al. (2017); Amiriparian et al. (2017), "Sequence to sequence autoencoders for
unsupervised representation learning from audio"; sizes as Diener et al. (2020), section 5.1.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.utils.rnn import (
    PackedSequence,
    pack_padded_sequence,
    pad_packed_sequence,
    pad_sequence,
)

Spectrogram = NDArray[np.float32]

_LARGEST_GRADIENT = 2.0  # of an element, as auDeep
_BATCH_AT_REST = 64


@dataclass(frozen=True)
class AutoencoderSettings:
    """How an autoencoder is built and trained; the sizes are the paper's.

    Attributes
    ----------
    layers, hidden : int
        GRU layers of encoder and decoder, and their width.
    epochs : int
        In all.
    batch : int
        Utterances in a step.
    learning_rate : float
        Of Adam.
    dropout : float
        Of the inputs and outputs of all layers.
    seed : int
        Of the initial weights and the order of the utterances.
    """

    layers: int = 2
    hidden: int = 256
    epochs: int = 64
    batch: int = 256
    learning_rate: float = 1e-3
    dropout: float = 0.2
    seed: int = 0


class Autoencoder(nn.Module):
    """Read a spectrogram frame by frame, and write it again from what was kept of it.

    The decoder runs both ways, each way through layers of its own, and is shown the frames that
    it has passed, as in auDeep (teacher forcing); neither way sees the frame that it writes.

    Parameters
    ----------
    bands : int
        Of the spectrograms.
    settings : AutoencoderSettings
        Layers.
    """

    def __init__(self, bands: int, settings: AutoencoderSettings) -> None:
        super().__init__()
        layers, hidden = settings.layers, settings.hidden
        between = settings.dropout if layers > 1 else 0.0
        self.drop = nn.Dropout(settings.dropout)
        self.encoder = nn.GRU(bands, hidden, layers, batch_first=True, dropout=between)
        self.link = nn.Linear(layers * hidden, 2 * layers * hidden)
        self.forwards = nn.GRU(bands, hidden, layers, batch_first=True, dropout=between)
        self.backwards = nn.GRU(bands, hidden, layers, batch_first=True, dropout=between)
        self.out = nn.Linear(2 * hidden, bands)

    def representation(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Return what is kept of spectrograms (n, frames, bands): (n, 2 layers hidden).

        Parameters
        ----------
        x : Tensor
            Padded at their ends, with anything.
        lengths : Tensor of int
            Frames of each, on the CPU.

        Returns
        -------
        Tensor
            The final states of all layers, through a linear layer and tanh.
        """
        _, states = self.encoder(_packed(self.drop(x), lengths))
        kept: Tensor = torch.tanh(self.link(states.transpose(0, 1).flatten(1)))
        return kept

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Return the spectrograms as they are written again; padding is not to be looked at."""
        kept = self.representation(x, lengths)
        states = kept.view(len(x), 2, self.encoder.num_layers, self.encoder.hidden_size)
        ahead, back = states.permute(1, 2, 0, 3).contiguous()
        reverse = _reversing(lengths, x.shape[1]).to(x.device)
        x_reversed = _take(x, reverse)
        # auDeep reverses the target; with both ways in the decoder that only swaps their names.
        written = self._decode(self.forwards, x, ahead, lengths)
        written_back = self._decode(self.backwards, x_reversed, back, lengths)
        both = torch.cat((written, _take(written_back, reverse)), dim=2)
        result: Tensor = torch.tanh(self.out(self.drop(both)))
        return result

    def _decode(self, decoder: nn.GRU, x: Tensor, state: Tensor, lengths: Tensor) -> Tensor:
        """Run one way: frame k is written having seen those before it."""
        passed = nn.functional.pad(x[:, :-1], (0, 0, 1, 0))
        outputs, _ = decoder(_packed(self.drop(passed), lengths), state)
        padded, _ = pad_packed_sequence(outputs, batch_first=True, total_length=x.shape[1])
        return padded


def reconstruction_error(x: Tensor, written: Tensor, lengths: Tensor) -> Tensor:
    """Return the root mean square error of the frames that are no padding."""
    real = (torch.arange(x.shape[1]) < lengths[:, None]).to(x.device)
    return (x - written)[real].square().mean().sqrt()


@dataclass(frozen=True, eq=False)
class Training:
    """A training as far as it has come; it can go on from here.

    Attributes
    ----------
    arrays : dict of str to ndarray
        Weights, and the optimiser's moments.
    losses : list of float
        Mean reconstruction error of each epoch so far.
    """

    arrays: dict[str, NDArray[Any]]
    losses: list[float]


def train_on(
    spectrograms: Sequence[Spectrogram],
    settings: AutoencoderSettings,
    epochs: int,
    before: Training | None = None,
    device: str = "cpu",
) -> Training:
    """Train for some epochs, from the beginning or from where another call has come.

    Parameters
    ----------
    spectrograms : sequence of ndarray, shape (frames, bands)
        Utterances, in -1 ... 1; one or more, of one frame or more.
    settings : AutoencoderSettings
        Network and training.
    epochs : int
        How many.
    before : Training, optional
        What there is already.
    device : str
        Of PyTorch.

    Returns
    -------
    Training
        The same whether its epochs came of one call or of several.
    """
    done = len(before.losses) if before else 0
    torch.manual_seed(settings.seed)
    network = Autoencoder(spectrograms[0].shape[1], settings).to(device).train()
    optimizer = torch.optim.Adam(network.parameters(), settings.learning_rate)
    if before:
        _restore(network, before.arrays, optimizer)
    losses = []
    for epoch in range(done, done + epochs):
        # An epoch's draws are its own, so that it does not matter which call it belongs to.
        torch.manual_seed(settings.seed + 1 + epoch)
        order = np.random.default_rng((settings.seed, epoch)).permutation(len(spectrograms))
        total = 0.0
        for start in range(0, len(order), settings.batch):
            chosen = [spectrograms[k] for k in order[start : start + settings.batch]]
            x, lengths = _padded(chosen, device)
            loss = reconstruction_error(x, network(x, lengths), lengths)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_value_(network.parameters(), _LARGEST_GRADIENT)
            optimizer.step()
            total += float(loss.detach()) * len(chosen)
        losses.append(total / len(order))
    return Training(_arrays(network, optimizer), (before.losses if before else []) + losses)


def represent(
    spectrograms: Sequence[Spectrogram],
    settings: AutoencoderSettings,
    training: Training,
    device: str = "cpu",
) -> Spectrogram:
    """Return what a trained autoencoder keeps of each spectrogram.

    Parameters
    ----------
    spectrograms : sequence of ndarray, shape (frames, bands)
        Utterances, in -1 ... 1.
    settings : AutoencoderSettings
        Network.
    training : Training
        Its weights.
    device : str
        Of PyTorch.

    Returns
    -------
    ndarray of float32, shape (n, 2 * layers * hidden)
        One row an utterance.
    """
    network = Autoencoder(spectrograms[0].shape[1], settings).to(device).eval()
    _restore(network, training.arrays)
    rows = []
    with torch.no_grad():
        for start in range(0, len(spectrograms), _BATCH_AT_REST):
            x, lengths = _padded(spectrograms[start : start + _BATCH_AT_REST], device)
            rows.append(network.representation(x, lengths).cpu().numpy())
    return np.concatenate(rows)


def _padded(spectrograms: Sequence[Spectrogram], device: str) -> tuple[Tensor, Tensor]:
    lengths = torch.tensor([len(one) for one in spectrograms])
    x = pad_sequence([torch.from_numpy(one) for one in spectrograms], batch_first=True)
    return x.to(device), lengths


def _packed(x: Tensor, lengths: Tensor) -> PackedSequence:
    return pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)


def _reversing(lengths: Tensor, frames: int) -> Tensor:
    """Return where each frame goes when utterances are turned round and padding stays."""
    at = torch.arange(frames).expand(len(lengths), -1)
    turned = lengths[:, None] - 1 - at
    return torch.where(turned >= 0, turned, at)


def _take(x: Tensor, at: Tensor) -> Tensor:
    return x.gather(1, at[:, :, None].expand(-1, -1, x.shape[2]))


def _arrays(network: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, NDArray[Any]]:
    weights = {f"weight {name}": one for name, one in network.state_dict().items()}
    moments = {
        f"{what} {number}": one
        for number, state in optimizer.state_dict()["state"].items()
        for what, one in state.items()
    }
    return {name: one.cpu().numpy().copy() for name, one in (weights | moments).items()}


def _restore(
    network: nn.Module,
    arrays: dict[str, NDArray[Any]],
    optimizer: torch.optim.Optimizer | None = None,
) -> None:
    # Arrays that come from another process may be read-only, which PyTorch does not like.
    weights = {
        name.removeprefix("weight "): torch.from_numpy(np.array(one))
        for name, one in arrays.items()
        if name.startswith("weight ")
    }
    network.load_state_dict(weights)
    if optimizer is None:
        return
    state: dict[int, dict[str, Tensor]] = {}
    for name, one in arrays.items():
        what, _, number = name.partition(" ")
        if what != "weight":
            state.setdefault(int(number), {})[what] = torch.from_numpy(np.array(one))
    optimizer.load_state_dict(optimizer.state_dict() | {"state": state})
