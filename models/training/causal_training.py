"""Training of the causal converter: on all sessions first, then on the one that is to speak."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np
import torch
from torch import Tensor, nn

from drivers.errors import RecordingError, StreamerError
from models.frame_models import SpeechFrames
from models.signal.operator import Array
from models.training.augmentation import FASTEST, augmented
from models.training.causal import (
    Base,
    Body,
    CausalNetwork,
    CausalSettings,
    Head,
    Remembering,
    SessionLayer,
    mean_over,
)
from models.training.examples import Parallel, Speech
from models.training.progress import Progress
from models.training.threads import short_products

_CLIP = 1.0  # norm of a step's gradient
_LEVEL_SCALE = 1.5  # nepers: spread of c0, which counts in the loss as the others' small terms
_SMALL = 0.05  # weight of level, F0 and voicing beside the distortion


@dataclass(frozen=True, eq=False)
class _Batch:
    features: Tensor  # (batch, n, columns)
    mel_cepstrum: Tensor  # (batch, n, order + 1), less the session's mean
    log_f0: Tensor  # (batch, n), scaled
    voiced: Tensor  # (batch, n)
    counts: Tensor  # (batch, n): 0 behind the end of an utterance


@dataclass(frozen=True)
class Variant:
    """What the search for a converter tries in place of what is there.

    Attributes
    ----------
    body : callable
        Makes the shared network of the number of columns and the settings.
    changed : callable
        Changes an utterance each time it is learned from: features, speech and a generator of
        random numbers in, features and speech out.
    head : callable
        Makes what follows the body, of the body's width and the number of outputs.
    """

    body: Callable[[int, CausalSettings], Remembering] = Body
    changed: Callable[[Array, Speech, np.random.Generator], tuple[Array, Speech]] = augmented
    head: Callable[[int, int], Head] = Head


USUAL = Variant()


def train_base(
    sessions: Mapping[str, Parallel],
    settings: CausalSettings,
    shift_s: float,
    progress: Progress,
    device: str = "cpu",
    variant: Variant = USUAL,
) -> Base:
    """Train one network on several sessions, each with a layer of its own.

    Parameters
    ----------
    sessions : mapping of str to Parallel
        Training utterances by session.
    settings : CausalSettings
        Network and training.
    shift_s : float
        From one frame to the next.
    progress : callable
        Told after each epoch.
    device : str
        Of PyTorch.
    variant : Variant
        Of network and data.

    Returns
    -------
    Base
        For `train_session` to start from.

    Raises
    ------
    RecordingError
        An utterance is too short.
    """
    for one in sessions.values():
        _check_lengths(one, settings, shift_s)
    torch.manual_seed(settings.seed)
    layers = {name: SessionLayer(one.frames, one.speech) for name, one in sessions.items()}
    columns = next(iter(sessions.values())).frames[0].shape[1]
    outputs = next(iter(sessions.values())).speech[0].mel_cepstrum.shape[1] + 2
    body, head = variant.body(columns, settings), variant.head(settings.width, outputs)
    networks = {name: CausalNetwork(layer, body, head) for name, layer in layers.items()}
    steps = sum(
        -(-min(settings.base_cap, len(one)) // settings.base_batch) for one in sessions.values()
    )
    epochs = max(settings.base_epochs, -(-settings.least_steps // steps))
    plan = _Plan(epochs, settings.base_rate, settings.base_batch, settings.base_cap)
    what = "learning from all sessions"
    _fit(
        networks, sessions, settings, plan, shift_s, lambda done: progress(what, done, epochs),
        device, variant,
    )  # fmt: skip
    shared = nn.ModuleDict({"body": body, "head": head})
    return Base(settings, _arrays(shared), {name: _arrays(layer) for name, layer in layers.items()})


def train_session(
    session: str,
    parallel: Parallel,
    base: Base,
    settings: CausalSettings,
    shift_s: float,
    progress: Progress,
    device: str = "cpu",
    variant: Variant = USUAL,
) -> CausalNetwork:
    """Train the network of one session.

    Parameters
    ----------
    session : str
        Its name; `base` may know it.
    parallel : Parallel
        Its training utterances.
    base : Base
        Where to start from.
    settings, shift_s, progress, device, variant
        As for `train_base`.

    Returns
    -------
    CausalNetwork
        In evaluation mode, on the CPU.

    Raises
    ------
    RecordingError
        With no utterance, or one that is too short.
    """
    if not len(parallel):
        raise RecordingError("training utterances with audio", value=0, allowed="1 or more")
    _check_lengths(parallel, settings, shift_s)
    torch.manual_seed(settings.seed + 1)
    network = network_from(session, parallel, base, settings, variant)
    plan = _Plan(settings.epochs, settings.rate, settings.batch, len(parallel))
    what = "learning from the session"
    _fit(
        {session: network}, {session: parallel}, settings, plan, shift_s,
        lambda done: progress(what, done, settings.epochs), device, variant,
    )  # fmt: skip
    return network.cpu().eval()


def network_from(
    session: str, parallel: Parallel, base: Base, settings: CausalSettings, variant: Variant
) -> CausalNetwork:
    """Return the network that a base has for a session, before it learns from it by itself.

    Parameters
    ----------
    session, parallel, base, settings, variant
        As for `train_session`.

    Returns
    -------
    CausalNetwork
        In evaluation mode.

    Raises
    ------
    StreamerError
        The base has parts of another network.
    """
    columns = parallel.frames[0].shape[1]
    outputs = parallel.speech[0].mel_cepstrum.shape[1] + 2
    layer = SessionLayer(parallel.frames, parallel.speech)
    shared = nn.ModuleDict(
        {"body": variant.body(columns, settings), "head": variant.head(settings.width, outputs)}
    )
    try:
        shared.load_state_dict(_tensors(base.shared))
        if session in base.layers:
            layer.load_state_dict(_tensors(base.layers[session]))
    except RuntimeError:
        raise StreamerError(
            "parts of the base",
            value="of another network",
            allowed="those that `streamer train` writes",
            way_out="name another train.base, or remove it, and it is trained anew",
        ) from None
    body, head = shared["body"], shared["head"]
    assert isinstance(body, Remembering)
    assert isinstance(head, Head)
    return CausalNetwork(layer, body, head).eval()


def convert(network: CausalNetwork, frames: Array, ahead: int = 0) -> SpeechFrames:
    """Convert a whole utterance, as the streaming converter does frame by frame.

    Parameters
    ----------
    network : CausalNetwork
        On the CPU.
    frames : ndarray, shape (n, columns)
        EMG features.
    ahead : int
        `CausalSettings.future`: so many frames are heard before the first is described; the
        last one is held at the end.

    Returns
    -------
    SpeechFrames
        As many as there are EMG frames.
    """
    heard = np.concatenate((frames, np.repeat(frames[-1:], ahead, axis=0)))
    with torch.no_grad():
        x = torch.tensor(heard, dtype=torch.float32)
        mel_cepstrum, log_f0, voicing, *_ = network(x, *network.body.start())
    return SpeechFrames(
        mel_cepstrum.numpy().astype(np.float64)[ahead:],
        np.exp(log_f0.numpy().astype(np.float64)[ahead:, 0]),
        voicing.numpy()[ahead:, 0] >= 0.5,
    )


@dataclass(frozen=True)
class _Plan:
    epochs: int
    rate: float
    batch: int
    cap: int  # utterances of a session in an epoch


def _fit(
    networks: Mapping[str, CausalNetwork],
    sessions: Mapping[str, Parallel],
    settings: CausalSettings,
    plan: _Plan,
    shift_s: float,
    progress: Callable[[int], None],
    device: str,
    variant: Variant,
) -> None:
    """Train networks that share weights, a batch of one session after the other's."""
    rng = np.random.default_rng(settings.seed)
    offset = _offset(settings, shift_s)
    shared = nn.ModuleDict({str(k): one for k, one in enumerate(networks.values())}).to(device)
    shared.train()
    parameters = list(shared.parameters())  # each once, though the networks share them
    optimizer = torch.optim.AdamW(parameters, plan.rate)
    steps = sum(-(-min(plan.cap, len(one)) // plan.batch) for one in sessions.values())
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, plan.rate, total_steps=plan.epochs * steps + 1
    )
    for epoch in range(plan.epochs):
        for name, numbers in _order(sessions, plan, rng):
            network, parallel = networks[name], sessions[name]
            pairs = [variant.changed(parallel.frames[k], parallel.speech[k], rng) for k in numbers]
            batch = _batch(network.layer, pairs, offset, device)
            with short_products():
                loss = _loss(network, batch)
                optimizer.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(parameters, _CLIP)
            optimizer.step()
            schedule.step()
        progress(epoch + 1)


def _offset(settings: CausalSettings, shift_s: float) -> int:
    """Return how many frames the described speech lies ahead of the latest EMG frame."""
    return round(settings.lead_ms / 1000 / shift_s) - settings.future


def _check_lengths(parallel: Parallel, settings: CausalSettings, shift_s: float) -> None:
    """Refuse utterances that are too short to learn from, and name the first."""
    least = ceil((abs(_offset(settings, shift_s)) + 2) * FASTEST)
    for number, (frames, speech) in enumerate(zip(parallel.frames, parallel.speech, strict=True)):
        if min(len(frames), len(speech.mel_cepstrum)) < least:
            name = f" {parallel.names[number]}" if parallel.names else ""
            raise RecordingError(
                f"length of training utterance{name}",
                value=f"{len(frames)} frames of EMG, {len(speech.mel_cepstrum)} of speech",
                allowed=f"{least} of each or more",
                way_out="take it out of the files in Subsets, or lessen lead and future",
            )


def _order(
    sessions: Mapping[str, Parallel], plan: _Plan, rng: np.random.Generator
) -> list[tuple[str, list[int]]]:
    """Return one epoch's batches in random order, each of one session."""
    batches = []
    for name, parallel in sessions.items():
        order = rng.permutation(len(parallel))[: plan.cap].tolist()
        batches += [(name, order[k : k + plan.batch]) for k in range(0, len(order), plan.batch)]
    return [batches[k] for k in rng.permutation(len(batches))]


def _batch(
    layer: SessionLayer, pairs: Sequence[tuple[Array, Speech]], offset: int, device: str
) -> _Batch:
    """Pair EMG frame k with speech frame k + offset, where there is one."""
    rows = [_aligned(frames, speech, offset) for frames, speech in pairs]
    longest = max(len(x) for x, *_ in rows)

    def padded(column: int) -> Tensor:
        parts = [torch.tensor(one[column], dtype=torch.float32) for one in rows]
        return torch.stack(
            [
                torch.cat((part, part.new_zeros(longest - len(part), *part.shape[1:])))
                for part in parts
            ]
        ).to(device)

    return _Batch(
        padded(0),
        padded(1) - layer.target_mean[:-1],
        (padded(2) - layer.target_mean[-1]) / layer.target_scale[-1],
        padded(3),
        padded(4),
    )


def _aligned(
    frames: Array, speech: Speech, offset: int
) -> tuple[Array, Array, Array, Array, Array]:
    """Return frames, targets and which of them count; what is heard before counts as past."""
    numbers = np.arange(len(frames)) + offset
    counts = (numbers >= 0) & (numbers < len(speech.mel_cepstrum))
    last = int(np.flatnonzero(counts)[-1]) + 1 if counts.any() else 0
    if not last:
        raise RecordingError(
            "length of a training utterance",
            value=f"{len(frames)} frames of EMG, {len(speech.mel_cepstrum)} of speech",
            allowed=f"more than {abs(offset)} of each",
            way_out="leave it out, or lessen lead and future",
        )
    at = np.clip(numbers[:last], 0, len(speech.mel_cepstrum) - 1)
    return (
        frames[:last],
        speech.mel_cepstrum[at],
        speech.log_f0[at],
        speech.voiced[at].astype(np.float64),
        counts[:last].astype(np.float64),
    )


def _loss(network: CausalNetwork, batch: _Batch) -> Tensor:
    """MCD in nepers, and small terms for level, F0 where voiced, and voicing."""
    hidden, offset = network.hidden(batch.features), network.layer.offset
    outputs = network.head(hidden) + offset
    wanted, voiced = batch.mel_cepstrum, batch.voiced
    level = mean_over(((outputs[..., 0] - wanted[..., 0]) / _LEVEL_SCALE) ** 2, batch.counts)
    f0 = mean_over((outputs[..., -2] - batch.log_f0) ** 2 * voiced, batch.counts)
    entropy = nn.functional.binary_cross_entropy_with_logits
    voicing = mean_over(entropy(outputs[..., -1], voiced, reduction="none"), batch.counts)
    distortion = network.head.distortion(hidden, wanted - offset[:-2], batch.counts)
    return distortion + _SMALL * (level + f0 + voicing)


def _arrays(module: nn.Module) -> dict[str, Array]:
    return {name: value.detach().cpu().numpy() for name, value in module.state_dict().items()}


def _tensors(arrays: Mapping[str, Array]) -> dict[str, Tensor]:
    return {name: torch.tensor(value) for name, value in arrays.items()}
