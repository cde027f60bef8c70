"""Where the pipeline stands in an epoch."""

from dataclasses import dataclass

from models.signal.operator import Array


@dataclass
class Epoch:
    """Where the epoch and its segment, the EMG since a start or a long gap, stand.

    Attributes
    ----------
    number : int
        As the source counts.
    seen : int
        EMG samples so far, lost ones included.
    done : int
        EMG samples so far that went into the operators or were given up.
    lost : int
        EMG samples so far that were lost.
    emitted : int
        Audio samples so far.
    first : int
        First EMG sample of the segment.
    voice : int
        Where the vocoder's first sample of the segment lies in the epoch's audio.
    frames : int
        EMG frames of the segment so far.
    last_row : ndarray or None
        Last EMG sample of the segment.
    new : bool
        The segment has had no output yet.
    """

    number: int
    seen: int = 0
    done: int = 0
    lost: int = 0
    emitted: int = 0
    first: int = 0
    voice: int = 0
    frames: int = 0
    last_row: Array | None = None
    new: bool = True
