"""Speaker embeddings: an acoustic encoder, and an EMG encoder that learns to agree with it.

Diener et al. (2020), section 4.3: the acoustic encoder learns by the softmax GE2E loss to tell
speakers by slices of speech; the EMG encoder learns to say of a slice of EMG what the acoustic
one says of the speech that runs beside it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from drivers.errors import RecordingError, StreamerError
from models.embedding import slices_of
from models.signal.operator import Array
from models.speech.analysis import SpeechSettings
from models.training.examples import Speech
from models.training.progress import Progress

_LEAST_SCALE = 1e-3  # of a feature; one that never moved in training must not explode
_LARGEST_GRADIENT = 3.0  # as Wan et al.
_BATCH_AT_REST = 512  # slices at once where nothing is learned


@dataclass(frozen=True)
class EmbeddingSettings:
    """How an encoder is built and trained; the sizes are the paper's.

    Attributes
    ----------
    slice_frames : int
        Frames of a slice.
    layers, hidden : int
        LSTM layers and their width.
    size : int
        Of the embedding.
    slice_shift : int
        Frames from one slice of an utterance to the next, where nothing is learned.
    slices_seen : int
        Slices to learn from, drawn at random.
    batch : int
        Slices in a step; the acoustic encoder's are shared equally by the speakers.
    learning_rate : float
        Its peak; it rises and falls over the steps (one-cycle).
    seed : int
        Of the initial weights and the slices drawn.
    """

    slice_frames: int = 32
    layers: int = 3
    hidden: int = 192
    size: int = 64
    slice_shift: int = 16
    slices_seen: int = 200_000
    batch: int = 64
    learning_rate: float = 2e-3
    seed: int = 0


class SpeakerEncoder(nn.Module):
    """Slices in, embeddings of length 1 out; the scaler is part of it.

    Parameters
    ----------
    mean, scale : ndarray, shape (columns,)
        Of a frame.
    settings : EmbeddingSettings
        Layers.
    """

    def __init__(self, mean: Array, scale: Array, settings: EmbeddingSettings) -> None:
        super().__init__()
        self.mean = nn.Buffer(torch.tensor(mean, dtype=torch.float32))
        self.scale = nn.Buffer(torch.tensor(scale, dtype=torch.float32))
        self.layers = nn.LSTM(len(mean), settings.hidden, settings.layers, batch_first=True)
        self.linear = nn.Linear(settings.hidden, settings.size)

    def forward(self, slices: Tensor) -> Tensor:
        """Return the embeddings (n, size) of slices (n, frames, columns)."""
        outputs, _ = self.layers((slices - self.mean) / self.scale)
        return nn.functional.normalize(self.linear(outputs[:, -1]), dim=1)


class SoftmaxGE2E(nn.Module):
    """The generalised end-to-end loss, softmax variant, of Wan et al. (2018), eq. 4-6, 8 and 9.

    An embedding shall be similar to the mean of its speaker's other embeddings, and not to the
    means of the other speakers; similarity is w cos + b, with w > 0 and b learned.
    """

    def __init__(self) -> None:
        super().__init__()
        self.log_weight = nn.Parameter(torch.tensor(10.0).log())
        self.bias = nn.Parameter(torch.tensor(-5.0))

    def forward(self, embeddings: Tensor) -> Tensor:
        """Return the mean loss of embeddings (speakers, slices, size): 2 or more of each."""
        speakers, slices, _ = embeddings.shape
        centroids = embeddings.mean(dim=1)
        others = (embeddings.sum(dim=1, keepdim=True) - embeddings) / (slices - 1)
        cosine = nn.functional.cosine_similarity(
            embeddings[:, :, None], centroids[None, None], dim=3
        )
        own = nn.functional.cosine_similarity(embeddings, others, dim=2)
        is_own = torch.eye(speakers, dtype=torch.bool, device=embeddings.device)[:, None]
        similarity = self.log_weight.exp() * torch.where(is_own, own[:, :, None], cosine)
        similarity = similarity + self.bias
        truth = torch.arange(speakers, device=embeddings.device).repeat_interleave(slices)
        return nn.functional.cross_entropy(similarity.flatten(0, 1), truth)


def acoustic_frames(speech: Speech, settings: SpeechSettings | None = None) -> Array:
    """Return what the acoustic encoder sees of an utterance.

    Parameters
    ----------
    speech : Speech
        Its parameters.
    settings : SpeechSettings, optional
        Of the analysis.

    Returns
    -------
    ndarray, shape (frames, order + 2)
        Mel-cepstrum and log F0. Where nothing is voiced, as in whispered speech, F0 is the
        middle of its range: a zero would widen the scale of log F0 tenfold.
    """
    settings = settings or SpeechSettings()
    middle = 0.5 * np.log(settings.f0_low_hz * settings.f0_high_hz)
    log_f0 = speech.log_f0 if speech.voiced.any() else np.full(len(speech.log_f0), middle)
    return np.column_stack((speech.mel_cepstrum, log_f0))


def train_acoustic_encoder(
    frames: Sequence[Array],
    speakers: Sequence[str],
    settings: EmbeddingSettings,
    device: str = "cpu",
    progress: Progress = lambda what, done, total: None,
) -> SpeakerEncoder:
    """Learn to tell speakers by slices of speech.

    Parameters
    ----------
    frames : sequence of ndarray, shape (n, columns)
        Utterances, as `acoustic_frames` returns them; those shorter than a slice are left out.
    speakers : sequence of str
        Of each.
    settings : EmbeddingSettings
        Network and training.
    device : str
        Of PyTorch.
    progress : callable
        Told what is being done.

    Returns
    -------
    SpeakerEncoder
        On the CPU, in evaluation mode.

    Raises
    ------
    StreamerError
        With fewer than two speakers.
    """
    chosen = [k for k, one in enumerate(frames) if len(one) >= settings.slice_frames]
    names = sorted({speakers[k] for k in chosen})
    if len(names) < 2:
        raise StreamerError(
            "speakers to learn embeddings from",
            value=len(names),
            allowed="2 or more, with speech",
            way_out="evaluate a corpus with more speakers",
        )
    by_speaker = [_Slices([frames[k] for k in chosen if speakers[k] == name]) for name in names]
    each = max(2, settings.batch // len(names))
    torch.manual_seed(settings.seed)
    rng = np.random.default_rng(settings.seed)
    encoder = SpeakerEncoder(*_scaling([frames[k] for k in chosen]), settings).to(device)
    ge2e = SoftmaxGE2E().to(device)

    def loss() -> Tensor:
        drawn = np.concatenate([one.draw(each, settings, rng)[0] for one in by_speaker])
        embeddings = encoder(torch.from_numpy(drawn).to(device))
        found: Tensor = ge2e(embeddings.unflatten(0, (len(names), each)))
        return found

    parameters = [*encoder.parameters(), *ge2e.parameters()]
    steps = max(1, settings.slices_seen // (each * len(names)))
    _descend(parameters, loss, steps, settings, lambda done: progress("speech", done, steps))
    return encoder.cpu().eval()


def train_emg_encoder(
    emg: Sequence[Array],
    speech: Sequence[Array],
    acoustic: SpeakerEncoder,
    settings: EmbeddingSettings,
    device: str = "cpu",
    progress: Progress = lambda what, done, total: None,
) -> SpeakerEncoder:
    """Learn to say of a slice of EMG what `acoustic` says of the speech beside it.

    Parameters
    ----------
    emg : sequence of ndarray, shape (n, columns)
        TD features of utterances; those shorter than a slice are left out.
    speech : sequence of ndarray, shape (m, acoustic columns)
        `acoustic_frames` of the same utterances, on the same grid.
    acoustic : SpeakerEncoder
        The teacher; it stays as it is.
    settings : EmbeddingSettings
        Network and training.
    device : str
        Of PyTorch.
    progress : callable
        Told what is being done.

    Returns
    -------
    SpeakerEncoder
        On the CPU, in evaluation mode. The loss is the squared distance of the embeddings.

    Raises
    ------
    RecordingError
        When no utterance is as long as a slice.
    """
    pairs = [(x[: len(y)], y[: len(x)]) for x, y in zip(emg, speech, strict=True)]
    pairs = [pair for pair in pairs if len(pair[0]) >= settings.slice_frames]
    if not pairs:
        raise RecordingError(
            "utterances with EMG and speech", value=0, allowed=f"{settings.slice_frames} frames"
        )
    slices = _Slices([x for x, _ in pairs], [y for _, y in pairs])
    torch.manual_seed(settings.seed)
    rng = np.random.default_rng(settings.seed)
    encoder = SpeakerEncoder(*_scaling([x for x, _ in pairs]), settings).to(device)
    teacher = acoustic.to(device)

    def loss() -> Tensor:
        x, y = (
            torch.from_numpy(one).to(device) for one in slices.draw(settings.batch, settings, rng)
        )
        with torch.no_grad():
            target = teacher(y)
        distance: Tensor = (encoder(x) - target).square().sum(dim=1).mean()
        return distance

    steps = max(1, settings.slices_seen // settings.batch)
    parameters = list(encoder.parameters())
    _descend(parameters, loss, steps, settings, lambda done: progress("EMG", done, steps))
    acoustic.cpu()
    return encoder.cpu().eval()


def utterance_embedding(
    encoder: SpeakerEncoder, frames: Array, settings: EmbeddingSettings
) -> Array:
    """Embed an utterance: the mean of its slices' embeddings, brought to length 1.

    Parameters
    ----------
    encoder : SpeakerEncoder
        On the CPU.
    frames : ndarray, shape (n, columns)
        One frame or more.
    settings : EmbeddingSettings
        As the encoder was trained with.

    Returns
    -------
    ndarray, shape (size,)
        The d-vector.
    """
    cut = slices_of(frames, settings.slice_frames, settings.slice_shift)
    slices = torch.tensor(cut, dtype=torch.float32)
    with torch.no_grad():
        parts = [encoder(batch) for batch in torch.split(slices, _BATCH_AT_REST)]
    mean: Array = torch.cat(parts).mean(dim=0).numpy().astype(np.float64)
    mean /= max(float(np.linalg.norm(mean)), 1e-12)
    return mean


class _Slices:
    """Utterances end to end, of which slices are drawn that lie within one."""

    def __init__(self, *views: Sequence[Array]) -> None:
        self._views = [np.concatenate(view).astype(np.float32) for view in views]
        lengths = np.array([len(one) for one in views[0]])
        self._lengths, self._firsts = lengths, np.cumsum(lengths) - lengths

    def draw(
        self, count: int, settings: EmbeddingSettings, rng: np.random.Generator
    ) -> list[np.ndarray[tuple[int, ...], np.dtype[np.float32]]]:
        """Draw slices, (count, slice_frames, columns) of each view; long utterances more often."""
        room = self._lengths - settings.slice_frames + 1
        which = rng.choice(len(room), size=count, p=room / room.sum())
        starts = self._firsts[which] + (rng.random(count) * room[which]).astype(int)
        at = starts[:, np.newaxis] + np.arange(settings.slice_frames)
        return [view[at] for view in self._views]


def _scaling(frames: Sequence[Array]) -> tuple[Array, Array]:
    every = np.concatenate(frames)
    scale = every.std(axis=0)
    return every.mean(axis=0), np.where(scale > _LEAST_SCALE, scale, 1.0)


def _descend(
    parameters: Sequence[nn.Parameter],
    loss: Callable[[], Tensor],
    steps: int,
    settings: EmbeddingSettings,
    progress: Callable[[int], None],
) -> None:
    optimizer = torch.optim.Adam(parameters, settings.learning_rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, settings.learning_rate, total_steps=steps + 1
    )
    for step in range(steps):
        optimizer.zero_grad()
        loss().backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(parameters, _LARGEST_GRADIENT)
        optimizer.step()
        schedule.step()
        progress(step + 1)
