"""Training of the converter: the paper's bottleneck network, in PyTorch.

Diener et al. (2020), section 3: stacked TD features, three hidden layers in the shape of a
bottleneck, the first 1024 wide; it predicts the mel-cepstrum and F0 of one frame.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from drivers.errors import RecordingError, StreamerError
from models.evaluation.metrics import mel_cepstral_distortion
from models.signal.operator import Array
from models.signal.stacking import StackingSettings
from models.signal.td_features import TDSettings
from models.training.examples import Speech, hold_out, stack

Progress = Callable[[str, int, int], None]
"""Called as ``progress(what, done, total)``."""

_LEAST_SCALE = 1e-3  # of a feature; those of live channels vary by 0.1 to 1


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
    frames_seen: int = 1_500_000
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


@dataclass(frozen=True, eq=False)
class TrainedConverter:
    """A network and how it was found.

    Attributes
    ----------
    network : ConverterNetwork
        Trained on the whole training set, in evaluation mode.
    epochs : int
        After which the held-out utterances were converted best.
    held_out_mcd_db : float
        Mel-cepstral distortion on the held-out training utterances then, by a network
        that had not seen them.
    """

    network: ConverterNetwork
    epochs: int
    held_out_mcd_db: float


@dataclass(frozen=True, eq=False)
class _Pair:
    features: NDArray[np.float32]  # the large part of what training holds in memory
    targets: Array  # mel-cepstrum and log F0
    voiced: Array


def train_converter(
    frames: Sequence[Array],
    speech: Sequence[Speech],
    features: TDSettings,
    settings: ConverterSettings,
    progress: Progress,
) -> TrainedConverter:
    """Train on one recording session.

    First with some training utterances held out, to find the number of epochs; then on all.

    Parameters
    ----------
    frames : sequence of ndarray, shape (n, columns)
        TD features of each training utterance.
    speech : sequence of Speech
        Parallel speech at its final level.
    features : TDSettings
        Grid of the frames.
    settings : ConverterSettings
        Network and training.
    progress : callable
        Told after each epoch.

    Returns
    -------
    TrainedConverter
        The network and its held-out figure.

    Raises
    ------
    RecordingError
        With fewer than two utterances.
    """
    curve = held_out_distortion(frames, speech, features, settings, progress)
    best = int(np.argmin(curve))
    pairs = _pairs(frames, speech, features, settings)
    network, _ = _fit(
        pairs, [], _affordable(settings, pairs), best + 1,
        lambda done: progress("training", done, best + 1),
    )  # fmt: skip
    return TrainedConverter(network, best + 1, curve[best])


def held_out_distortion(
    frames: Sequence[Array],
    speech: Sequence[Speech],
    features: TDSettings,
    settings: ConverterSettings,
    progress: Progress,
) -> list[float]:
    """Train without some training utterances, and measure on these after each epoch.

    Parameters
    ----------
    frames, speech, features, settings, progress
        As for `train_converter`.

    Returns
    -------
    list of float
        Mean mel-cepstral distortion in dB of the held-out utterances after each epoch.

    Raises
    ------
    RecordingError
        With fewer than two utterances.
    """
    if len(frames) < 2:
        raise RecordingError(
            "training utterances with audio", value=len(frames), allowed="2 or more"
        )
    pairs = _pairs(frames, speech, features, settings)
    settings = _affordable(settings, pairs)
    learn, select = hold_out(len(pairs))
    _, curve = _fit(
        [pairs[i] for i in learn], [pairs[i] for i in select], settings, settings.epochs,
        lambda done: progress("finding the number of epochs", done, settings.epochs),
    )  # fmt: skip
    return curve


def _affordable(settings: ConverterSettings, pairs: Sequence[_Pair]) -> ConverterSettings:
    """Limit the epochs to the frames that may be seen."""
    frames = sum(len(pair.features) for pair in pairs)
    return replace(settings, epochs=max(1, min(settings.epochs, settings.frames_seen // frames)))


def _pairs(
    frames: Sequence[Array],
    speech: Sequence[Speech],
    features: TDSettings,
    settings: ConverterSettings,
) -> list[_Pair]:
    lead = round(settings.lead_ms / 1000 / features.shift_s)
    return [
        _pair(stack(one, settings.stacking, features), target, lead)
        for one, target in zip(frames, speech, strict=True)
    ]


def _pair(stacked: Array, speech: Speech, lead: int) -> _Pair:
    """Pair EMG frame k with speech frame k + lead."""
    n = min(len(stacked), len(speech.mel_cepstrum) - lead)
    if n < 1:
        raise RecordingError(
            "length of a training utterance",
            value=f"{len(stacked)} frames of EMG, {len(speech.mel_cepstrum)} of speech",
            allowed=f"1 or more of EMG, {lead + 1} or more of speech",
            way_out="leave it out, or lessen the lead",
        )
    target = slice(lead, lead + n)
    return _Pair(
        stacked[:n].astype(np.float32),
        np.column_stack((speech.mel_cepstrum[target], speech.log_f0[target])),
        speech.voiced[target].astype(np.float64),
    )


def _fit(
    pairs: Sequence[_Pair],
    held_out: Sequence[_Pair],
    settings: ConverterSettings,
    epochs: int,
    progress: Callable[[int], None],
) -> tuple[ConverterNetwork, list[float]]:
    """Train for `epochs` of the planned schedule; return the network and its held-out MCD."""
    torch.manual_seed(settings.seed)
    x = torch.from_numpy(np.concatenate([p.features for p in pairs]))
    y_raw = np.concatenate([p.targets for p in pairs])
    voiced = torch.tensor(np.concatenate([p.voiced for p in pairs]), dtype=torch.float32)
    mean, scale = x.mean(dim=0).numpy(), x.std(dim=0).numpy()
    # A feature that a dead channel never moved must not explode once the channel lives.
    scale = np.where(scale > _LEAST_SCALE, scale, 1.0)
    target_mean, target_scale = _target_scaling(y_raw, voiced.numpy() > 0)
    network = ConverterNetwork(mean, scale, target_mean, target_scale, settings)
    y = torch.tensor((y_raw - target_mean) / target_scale, dtype=torch.float32)
    optimizer = torch.optim.AdamW(network.parameters(), settings.learning_rate)
    steps = -(-len(x) // settings.batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, settings.learning_rate, total_steps=settings.epochs * steps + 1
    )
    curve = []
    for epoch in range(epochs):
        network.train()
        for batch in torch.split(torch.randperm(len(x)), settings.batch):
            loss = _loss(network, x[batch], y[batch], voiced[batch])
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
        network.eval()
        if held_out:
            curve.append(float(np.mean([_distortion(network, pair) for pair in held_out])))
        progress(epoch + 1)
    return network, curve


def _target_scaling(targets: Array, voiced: NDArray[np.bool_]) -> tuple[Array, Array]:
    """Return mean and scale of the targets; log F0 counts where it is voiced."""
    mean, scale = targets.mean(axis=0), targets.std(axis=0)
    if voiced.any():
        log_f0 = targets[voiced, -1]
        mean[-1], scale[-1] = log_f0.mean(), log_f0.std()
    return mean, scale + 1e-6


def _loss(network: ConverterNetwork, x: Tensor, y: Tensor, voiced: Tensor) -> Tensor:
    """MCD in nepers, and small terms for level, F0 where voiced, and voicing."""
    scaled, logit = network.raw(x)
    error = scaled - y
    cepstral = error[:, 1:-1] * network.target_scale[1:-1]
    distortion = torch.sqrt((cepstral**2).sum(dim=1) + 1e-3).mean()
    level = (error[:, 0] ** 2).mean()
    f0 = (error[:, -1] ** 2 * voiced).mean()
    voicing = nn.functional.binary_cross_entropy_with_logits(logit[:, 0], voiced)
    return distortion + 0.05 * level + 0.05 * f0 + 0.05 * voicing


def _distortion(network: ConverterNetwork, pair: _Pair) -> float:
    with torch.no_grad():
        predicted, _, _ = network(torch.from_numpy(pair.features))
    return mel_cepstral_distortion(predicted.numpy().astype(np.float64), pair.targets[:, :-1])
