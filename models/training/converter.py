"""Training of the converter in PyTorch: on one recording session, from scratch."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from drivers.errors import RecordingError
from models.evaluation.metrics.distortion import mel_cepstral_distortion
from models.frame_models import SpeechFrames
from models.signal.operator import Array
from models.signal.td_features import TDSettings
from models.training.examples import Speech, hold_out, stack
from models.training.network import ConverterNetwork, ConverterSettings
from models.training.progress import Progress

_LEAST_SCALE = 1e-3  # of a feature; those of live channels vary by 0.1 to 1


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

    def convert(self, stacked: Array) -> SpeechFrames:
        """Convert stacked features, shape (n, columns), as the exported graph does."""
        with torch.no_grad():
            mel_cepstrum, log_f0, voicing = self.network(torch.tensor(stacked, dtype=torch.float32))
        return SpeechFrames(
            mel_cepstrum.numpy().astype(np.float64),
            np.exp(log_f0.numpy().astype(np.float64)[:, 0]),
            voicing.numpy()[:, 0] >= 0.5,
        )


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
