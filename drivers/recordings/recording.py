"""What a file holds, in memory."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from drivers.source import Channel, Marker, Provenance, Samples

SpeakingMode = Literal["audible", "whispered", "silent"]
Split = Literal["train", "test"]


@dataclass(frozen=True)
class Segment:
    """A labelled stretch of an utterance, such as a phone.

    Attributes
    ----------
    start_s, end_s : float
        Seconds from the recording's first sample, end exclusive.
    label : str
        The phone; ``"SIL"`` is silence.
    """

    start_s: float
    end_s: float
    label: str


@dataclass(frozen=True, eq=False)
class Recording:
    """EMG and all that was recorded with it.

    EMG and audio start at the same instant.

    Attributes
    ----------
    name : str
        Of the utterance or file, unique in its series: ``"002-001-0100"``.
    emg_uv : ndarray of float32, shape (n, channels)
        EMG in microvolts, as recorded: nothing is filtered or removed. A row of NaN is a
        sample that is known to be lost, so that row n is always n / `rate_hz` seconds
        after the first; a reader never fills it with anything else.
    rate_hz : float
        Sampling rate of the EMG.
    channels : tuple of Channel
        In the order of the columns.
    lead_in_uv : ndarray of float32, shape (m, channels), optional
        EMG right before `emg_uv`, for filters to settle on.
    markers : tuple of Marker
        Events.
    audio : ndarray of float32, shape (samples,), optional
        Parallel speech, full scale is 1.
    audio_rate_hz : float, optional
        Sampling rate of `audio`.
    transcript, mode, speaker, session, split : str, optional
        What was said, how, by whom, in which recording session, for which use.
    phones : tuple of Segment
        Phone alignment; empty where there is none.
    provenance : Provenance, optional
        How far it is proven that this is EMG of a person; None where nobody knows.
    recorded_at : datetime, optional
        Of the first sample; without a time zone where the file says none.
    notes : tuple of str
        What a person should know of how it was read, a line each: channels that are no EMG,
        units that were overruled, a rate that is not the nominal one. Shown, never written.
    """

    name: str
    emg_uv: Samples
    rate_hz: float
    channels: tuple[Channel, ...]
    lead_in_uv: Samples | None = None
    markers: tuple[Marker, ...] = ()
    audio: NDArray[np.float32] | None = None
    audio_rate_hz: float | None = None
    transcript: str | None = None
    mode: SpeakingMode | None = None
    speaker: str | None = None
    session: str | None = None
    split: Split | None = None
    phones: tuple[Segment, ...] = ()
    provenance: Provenance | None = None
    recorded_at: datetime | None = None
    notes: tuple[str, ...] = ()

    @property
    def duration_s(self) -> float:
        """Length of the EMG in seconds."""
        return len(self.emg_uv) / self.rate_hz
