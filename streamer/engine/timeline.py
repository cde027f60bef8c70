"""What comes out of the pipeline, placed on the timeline of its epoch."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from streamer.engine.chain import Made

Kind = Literal["voice", "lead_in", "gap"]


@dataclass(frozen=True, eq=False)
class AudioBlock:
    """Successive samples of the voice.

    Attributes
    ----------
    samples : ndarray of float32, shape (n,)
        Full scale is 1.
    first_index : int
        Number of the first sample in its epoch: EMG time ``first_index / 16000`` s. Blocks
        of an epoch follow each other; predicted frames and the last fade can reach beyond
        the epoch's EMG.
    kind : str
        ``"voice"``; ``"lead_in"``: silence before an epoch's first predicted frame;
        ``"gap"``: the voice's end and silence where EMG was lost.
    played : ndarray of float32
        What the loudspeaker gets of it: up to a sample more or less, where the clock of the
        sound card wants it; else the very same array.
    """

    samples: NDArray[np.float32]
    first_index: int
    kind: Kind
    played: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Output:
    """What a stretch of one epoch's EMG gave.

    Attributes
    ----------
    epoch : int
        As the source counts.
    first_index, end_index : int
        EMG samples of the epoch that it stands for, end exclusive.
    audio_length : int
        Audio samples of the epoch that its EMG up to `end_index` stands for.
    lost_samples : int
        EMG samples of the epoch so far to do without: missing, or invalid.
    new_segment : bool
        The operators were reset right before: an epoch's start, or the end of a long gap.
    ended : bool
        The epoch's last output.
    made : Made
        Signals and timing; interpolated samples included, none of a long gap.
    blocks : tuple of AudioBlock
        The voice.
    frame_times_s : tuple of float
        When the last sample that each frame waits for was acquired, on the source's clock.
    time_s : float
        When the sample before `end_index` was acquired, on the same clock.
    """

    epoch: int
    first_index: int
    end_index: int
    audio_length: int
    lost_samples: int
    new_segment: bool
    ended: bool
    made: Made
    blocks: tuple[AudioBlock, ...]
    frame_times_s: tuple[float, ...]
    time_s: float
