"""What stands in for a channel that fails: chosen by what it costs on held-out utterances."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.manifest import StandInPart
from models.signal.operator import Array
from models.signal.stand_in import columns_of
from models.training.examples import Utterance

_MOST_UTTERANCES = 20  # to measure on; each is converted for every channel and kind
_DIGITS = 6  # of a number in the manifest

Frames = Callable[[Utterance], Array]
Distortion = Callable[[Utterance, Array], float]


@dataclass(frozen=True)
class TrainedStandIn:
    """What stands in for a channel that fails, and what that costs.

    Attributes
    ----------
    part : StandInPart
        For the manifest.
    figures : dict of str to float
        Mean distortion with all channels, and with one replaced, by the kind of the stand-in.
    """

    part: StandInPart
    figures: dict[str, float]


def train_stand_in(
    learned: Sequence[Utterance],
    held_out: Sequence[Utterance],
    frames_of: Frames,
    blocks: Sequence[int],
    distortion: Distortion,
) -> TrainedStandIn:
    """Choose what models see of a channel that fails.

    Each channel in turn is replaced throughout the held-out utterances, in each way that there
    is. What gives the lowest distortion, in the mean over channels and utterances, is kept, and
    made once more of all utterances.

    Parameters
    ----------
    learned, held_out : sequence of Utterance
        Of the session: what the converter has learned from, and what it has not.
    frames_of : callable
        Returns the frames of an utterance as the converter sees them.
    blocks : sequence of int
        Features of a channel in each part of a frame, as `StandIn` takes them.
    distortion : callable
        Returns the mel-cepstral distortion in dB of an utterance that is converted from the
        given frames.

    Returns
    -------
    TrainedStandIn
        With what each kind costs.
    """
    channels = learned[0].emg.samples.shape[1]
    columns = columns_of(channels, blocks)
    held_out = held_out[:_MOST_UTTERANCES]

    def cost_db(part: StandInPart) -> float:
        stand_in = part.build(channels, blocks)
        return _mean(
            distortion(one, stand_in.process(frames, np.tile(failing, (len(frames), 1))))
            for one in held_out
            for frames in (frames_of(one),)
            for failing in np.eye(channels, dtype=np.bool_)
        )

    costs_db = {kind: cost_db(part) for kind, part in _parts(learned, frames_of, columns).items()}
    best = min(costs_db, key=lambda kind: costs_db[kind])
    figures = {"all_channels_mcd_db": _mean(distortion(one, frames_of(one)) for one in held_out)}
    figures |= {f"{kind}_mcd_db": cost for kind, cost in costs_db.items()}
    return TrainedStandIn(_parts([*learned, *held_out], frames_of, columns)[best], figures)


def _parts(
    utterances: Sequence[Utterance], frames_of: Frames, columns: NDArray[np.int64]
) -> dict[str, StandInPart]:
    """Return each kind of stand-in, made of these utterances; at rest only where some is."""
    values = np.concatenate([frames_of(one) for one in utterances])[:, columns]
    at_rest = np.concatenate([one.rest for one in utterances]) == 0
    mean = values.mean(axis=0)
    moved = values - mean
    covariance = np.einsum("nfc,nfd->fcd", moved, moved) / len(values)
    parts = {
        "others": StandInPart(kind="others", level=_rows(mean), covariance=_tables(covariance)),
        "mean": StandInPart(kind="mean", level=_rows(mean)),
    }
    if at_rest.any():
        parts["rest"] = StandInPart(kind="rest", level=_rows(values[at_rest].mean(axis=0)))
    return parts


def _rows(values: Array) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(float(f"{value:.{_DIGITS}g}") for value in row) for row in values)


def _tables(values: Array) -> tuple[tuple[tuple[float, ...], ...], ...]:
    return tuple(_rows(table) for table in values)


def _mean(values: Iterable[float]) -> float:
    return float(np.mean(list(values)))
