"""The converter's causal network: frames one after the other in, speech parameters out.

What it remembers of the past is in named states, so that it runs frame by frame as it does
over a whole utterance. It is shared by recording sessions, each of which has a layer of its own
before and behind it: electrodes never sit twice in the same place.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from drivers.errors import StreamerError
from models.signal.operator import Array
from models.training.examples import Speech

_LEAST_SCALE = 1e-3  # of a feature; those of live channels vary by 0.1 to 1


@dataclass(frozen=True)
class CausalSettings:
    """How the network is built and trained.

    Attributes
    ----------
    width : int
        Channels of every hidden layer.
    blocks : int
        Residual blocks; block b looks back over 2 * 2^b frames more.
    first_taps : int
        Frames that the first layer sees at once.
    future : int
        Frames that the network has heard beyond the one that it describes.
    lead_ms : float
        How far ahead of the EMG frame the described speech frame lies.
    base_epochs, base_cap : int
        Passes over all sessions, and utterances of a session in one of them at the most: a
        session of five hundred must not drown those of forty.
    least_steps : int
        Of the first part: few sessions are passed over more often.
    epochs : int
        Passes over the session itself, after that.
    base_batch, batch : int
        Utterances in a step, all of one session, in the two parts.
    base_rate, rate : float
        Peaks of the learning rate in the two parts (one-cycle).
    dropout, input_dropout : float
        Of the hidden layers and of the features.
    seed : int
        Of the initial weights and the order of the utterances.
    """

    width: int = 192
    blocks: int = 4
    first_taps: int = 5
    future: int = 0
    lead_ms: float = 0.0
    base_epochs: int = 20
    base_cap: int = 150
    least_steps: int = 2000
    epochs: int = 8
    base_batch: int = 2
    batch: int = 1
    base_rate: float = 2e-3
    rate: float = 3e-4
    dropout: float = 0.3
    input_dropout: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what cannot be trained."""
        for name in ("lead_ms", "future", "base_epochs", "least_steps"):
            if not getattr(self, name) >= 0:
                raise StreamerError(
                    f"{name} of the converter", value=getattr(self, name), allowed=">= 0"
                )
        for name in ("width", "blocks", "first_taps", "base_cap", "epochs", "base_batch", "batch"):
            if getattr(self, name) < 1:
                raise StreamerError(
                    f"{name} of the converter", value=getattr(self, name), allowed=">= 1"
                )


class CausalConvolution(nn.Module):
    """A convolution over time that sees the past only; zeros lie before the epoch.

    Written as one product of the frames that it sees, side by side, with a matrix: ONNX Runtime
    keeps that matrix in the order of its use, and its result for a frame does not depend on
    how many others are computed with it, to the last bit.

    Parameters
    ----------
    columns, width : int
        Channels in and out.
    taps : int
        Frames that it sees.
    dilation : int
        Distance of these.
    """

    def __init__(self, columns: int, width: int, taps: int, dilation: int = 1) -> None:
        super().__init__()
        self.linear = nn.Linear(taps * columns, width)
        self.places = [tap * dilation for tap in range(taps - 1)]  # the last is the frame itself
        self.past = (taps - 1) * dilation

    def forward(self, x: Tensor, past: Tensor) -> tuple[Tensor, Tensor]:
        """Take frames (..., n, columns) and the last `past` before them; return those of now."""
        # Counted from the end, places do not depend on how many frames come: a graph of constants.
        extended = torch.cat((past, x), dim=-2)
        seen = [extended[..., place : place - self.past, :] for place in self.places]
        seen.append(x)
        after = extended[..., -self.past :, :] if self.past else past
        return self.linear(torch.cat(seen, dim=-1)), after


class Mixer(nn.Linear):
    """The end of a residual block: a product that is added to what the block began with."""

    def forward(self, change: Tensor, before: Tensor) -> Tensor:  # type: ignore[override]
        """Take what the block made of frames (..., n, width), and the frames before it."""
        return before + super().forward(change)


class Remembering(nn.Module):
    """What a body has to do: frames and states in, hidden frames and states out."""

    def start(self, batch: int = 1) -> list[Tensor]:
        """Return the states at the beginning of an epoch, all zero, batch first."""
        raise NotImplementedError

    def forward(self, x: Tensor, states: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """Take frames (..., n, columns) and the states before them, of a batch or of one stream.

        Returns
        -------
        hidden : Tensor, shape (..., n, width)
            One for each frame.
        states : list of Tensor
            After the last one.
        """
        raise NotImplementedError


class Body(Remembering):
    """Residual dilated convolutions, as in Bai, Kolter and Koltun (2018), arXiv:1803.01271.

    Parameters
    ----------
    columns : int
        Features in a frame.
    settings : CausalSettings
        Size.
    """

    def __init__(self, columns: int, settings: CausalSettings) -> None:
        super().__init__()
        width = settings.width
        self.input_dropout = nn.Dropout(settings.input_dropout)
        self.dropout = nn.Dropout(settings.dropout)
        self.layers = nn.ModuleList(
            [CausalConvolution(columns, width, settings.first_taps)]
            + [CausalConvolution(width, width, 3, 2**b) for b in range(settings.blocks)]
        )
        self._pasts = [(columns, settings.first_taps - 1)]
        self._pasts += [(width, 2 * 2**b) for b in range(settings.blocks)]
        self.mixers = nn.ModuleList([Mixer(width, width) for _ in range(settings.blocks)])

    def start(self, batch: int = 1) -> list[Tensor]:
        """Return the states at the beginning of an epoch."""
        like = next(self.parameters())
        return [like.new_zeros(batch, past, columns) for columns, past in self._pasts]

    def forward(self, x: Tensor, states: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """Take frames (..., n, columns) and the states before them; return both of now."""
        after = []
        first, *blocks = self.layers
        hidden, state = first(self.input_dropout(x), states[0])
        hidden = functional.gelu(hidden)
        after.append(state)
        for layer, mixer, before in zip(blocks, self.mixers, states[1:], strict=True):
            change, state = layer(hidden, before)
            hidden = mixer(self.dropout(functional.gelu(change)), hidden)
            after.append(state)
        return self.dropout(hidden), after


class SessionLayer(nn.Module):
    """What belongs to one recording session: scales, and how its electrodes mix.

    Parameters
    ----------
    frames : sequence of ndarray, shape (n, columns)
        Features of its training utterances.
    speech : sequence of Speech
        Parallel speech.
    """

    def __init__(self, frames: Sequence[Array], speech: Sequence[Speech]) -> None:
        super().__init__()
        x = np.concatenate(frames)
        spread = x.std(axis=0)
        mel = np.concatenate([one.mel_cepstrum for one in speech])
        voiced = np.concatenate([one.voiced for one in speech])
        log_f0 = np.concatenate([one.log_f0 for one in speech])[voiced]
        # A feature that a dead channel never moved must not explode once the channel lives.
        scale = np.where(spread > _LEAST_SCALE, spread, 1.0)
        middle, span = (log_f0.mean(), log_f0.std() + 1e-6) if len(log_f0) else (0.0, 1.0)
        for name, value in (
            ("mean", x.mean(axis=0)),
            ("scale", scale),
            ("target_mean", np.append(mel.mean(axis=0), middle)),
            ("target_scale", np.append(np.ones(mel.shape[1]), span)),
        ):
            self.register_buffer(name, torch.tensor(value, dtype=torch.float32))
        self.mean: Tensor
        self.scale: Tensor
        self.target_mean: Tensor
        self.target_scale: Tensor
        self.mix = nn.Parameter(torch.eye(x.shape[1]))
        self.shift = nn.Parameter(torch.zeros(x.shape[1]))
        self.offset = nn.Parameter(torch.zeros(mel.shape[1] + 2))

    def enter(self, features: Tensor) -> Tensor:
        """Scale and mix features."""
        return ((features - self.mean) / self.scale) @ self.mix + self.shift


class Head(nn.Linear):
    """From hidden frames to mel-cepstrum, log F0 and the logit of voicing.

    Parameters
    ----------
    width, outputs : int
        Channels in and out.
    """

    def __init__(self, width: int, outputs: int) -> None:
        super().__init__(width, outputs)

    def distortion(self, hidden: Tensor, mel_cepstrum: Tensor, counts: Tensor) -> Tensor:
        """Return what is learned from: how far the mel-cepstrum said is from the one wanted.

        Parameters
        ----------
        hidden : Tensor, shape (batch, n, width)
            Hidden frames.
        mel_cepstrum : Tensor, shape (batch, n, order + 1)
            What they should say.
        counts : Tensor, shape (batch, n)
            0 for frames that do not count, else 1.

        Returns
        -------
        Tensor
            MCD in nepers but for its constant factor, mean over frames.
        """
        said = self(hidden)[..., : mel_cepstrum.shape[-1]]
        return mean_distortion(said - mel_cepstrum, counts)


def mean_distortion(error: Tensor, counts: Tensor) -> Tensor:
    """Return the mean norm of errors (batch, n, order + 1) without c0, over frames that count."""
    return mean_over(torch.sqrt((error[..., 1:] ** 2).sum(dim=-1) + 1e-3), counts)


def mean_over(values: Tensor, counts: Tensor) -> Tensor:
    """Return the mean of values (batch, n) over frames that count."""
    return (values * counts).sum() / counts.sum().clamp(min=1)


class CausalNetwork(nn.Module):
    """Features and states in, speech parameters and states out.

    Parameters
    ----------
    layer : SessionLayer
        Of the session that is spoken in.
    body : Remembering
        Shared.
    head : Head
        Shared; mel-cepstrum, log F0 and the logit of voicing.
    """

    def __init__(self, layer: SessionLayer, body: Remembering, head: Head) -> None:
        super().__init__()
        self.layer, self.body, self.head = layer, body, head

    @property
    def columns(self) -> int:
        """Features in a frame."""
        return len(self.layer.mean)

    def hidden(self, features: Tensor) -> Tensor:
        """Return the hidden frames of whole utterances (batch, n, columns)."""
        hidden: Tensor = self.body(self.layer.enter(features), self.body.start(len(features)))[0]
        return hidden

    def forward(self, features: Tensor, *states: Tensor) -> tuple[Tensor, ...]:
        """Go on with the next frames.

        Parameters
        ----------
        features : Tensor, shape (n, columns)
            The next frames.
        *states : Tensor
            As returned for the frames before, or `Body.start`.

        Returns
        -------
        mel_cepstrum, log_f0, voicing : Tensor, shapes (n, order + 1), (n, 1), (n, 1)
            Of each frame.
        *states : Tensor
            After the last one.
        """
        hidden, after = self.body(self.layer.enter(features)[None], states)
        outputs = self.head(hidden[0]) + self.layer.offset
        targets = outputs[:, :-1] * self.layer.target_scale + self.layer.target_mean
        return (targets[:, :-1], targets[:, -1:], torch.sigmoid(outputs[:, -1:]), *after)


@dataclass(frozen=True, eq=False)
class Base:
    """What was learned from all sessions.

    Attributes
    ----------
    settings : CausalSettings
        Of the network.
    shared : dict of str to ndarray
        Weights of body and head.
    layers : mapping of str to dict of str to ndarray
        Those of each session's own layer.
    """

    settings: CausalSettings
    shared: Mapping[str, Array]
    layers: Mapping[str, Mapping[str, Array]]
