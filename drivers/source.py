"""The contract between whatever delivers EMG and whatever uses it.

A session cannot tell a device from a replay: both are a `Source` that hands out
`Chunk`s. Time is carried with the data and never implied.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from types import TracebackType
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]


@dataclass(frozen=True)
class Channel:
    """One channel of a signal.

    Attributes
    ----------
    label : str
        Name of the channel, unique within its signal.
    unit : str
        Unit of the samples; EMG is always in microvolts (``"uV"``).
    type : str
        Kind of signal in XDF's terms: ``"EMG"``, ``"AUX"``.
    """

    label: str
    unit: str = "uV"
    type: str = "EMG"


@dataclass(frozen=True)
class Marker:
    """An event at one sample.

    Attributes
    ----------
    index : int
        Sample number within the epoch, lost samples counted in.
    label : str
        What happened. `UTTERANCE` + name starts an utterance of a replayed corpus.
    """

    index: int
    label: str


UTTERANCE = "utterance "


class Provenance(StrEnum):
    """How far the way from the skin to this source is proven."""

    VERIFIED = "verified"
    EMULATOR_ONLY = "emulator-only"
    GUESSED = "guessed"
    RECORDED = "recorded"
    SIMULATED = "simulated"


@dataclass(frozen=True)
class SourceInfo:
    """What a source delivers.

    Attributes
    ----------
    name : str
        Name for people.
    source_id : str
        Stable identity: the same device has the same one tomorrow.
    channels : tuple of Channel
        In the order of the columns of `Chunk.samples`.
    rate_hz : float
        Nominal sampling rate.
    provenance : Provenance
        How far the source is proven.
    """

    name: str
    source_id: str
    channels: tuple[Channel, ...]
    rate_hz: float
    provenance: Provenance


@dataclass(frozen=True, eq=False)
class Chunk:
    """Samples that follow each other without a loss.

    Attributes
    ----------
    samples : ndarray of float32, shape (n, channels)
        EMG in microvolts.
    epoch : int
        Grows with each (re)connection and with each utterance of a replayed corpus.
    first_index : int
        Number of the first sample, from 0 in each epoch, lost samples counted in, those of
        `gap_before` too: an epoch that follows an interruption begins at its `gap_before`.
    time_s : float
        Acquisition time of the last sample on the session's clock, never before that of an
        earlier chunk.
    received_s : float
        Arrival of the chunk at this host on the same clock.
    gap_before : int
        Samples lost right before this chunk; on the first chunk of an epoch, what would
        have come since the last sample of the epoch before.
    gap_estimated : bool
        The source has no counter, so `gap_before` is inferred from time.
    lead_in : ndarray of float32, shape (m, channels), optional
        Only on the first chunk of an epoch: samples acquired right before it that
        are no part of the stream, for filters to settle on.
    markers : tuple of Marker
        Events within this chunk, or in the gap before it.
    """

    samples: Samples
    epoch: int
    first_index: int
    time_s: float
    received_s: float
    gap_before: int = 0
    gap_estimated: bool = False
    lead_in: Samples | None = None
    markers: tuple[Marker, ...] = ()


class SourceState(StrEnum):
    """Where a source is in its life; after its end it is disconnected."""

    DISCONNECTED = "disconnected"
    CONNECTING = "connecting"
    STREAMING = "streaming"
    STALLED = "stalled"
    RECONNECTING = "reconnecting"


@dataclass
class Health:
    """Counters of a source; all of them reach the summary.

    Attributes
    ----------
    state : SourceState
        A source that is `DISCONNECTED` after `read` returned None has ended.
    samples : int
        Samples delivered.
    lost_samples : int
        Samples known or estimated to be lost: counted with the chunk that follows them; at
        `close`, those of a source that is silent or gone.
    gaps : int
        Runs of lost samples.
    reconnects : int
        Times the source came back.
    drift_ppm : float or None
        How much faster the source's clock runs than this host's; None where unknown.
    jitter_ms : float or None
        Spread of the arrivals behind the earliest possible ones (95 % of them are within).
    clock_offset_s : float
        Was added to the sender's time stamps to give `Chunk.time_s`; 0 where the times are
        this host's own.
    effective_rate_hz : float or None
        At which samples come, where it is certain that this is another rate than the nominal
        one (see `drivers.effective_rate`); what the nominal one promises is then no loss.
    extra : dict of str to int
        Counters that only this kind of source has.
    problems : list of str
        What a person must know of it, a line each.
    """

    state: SourceState = SourceState.DISCONNECTED
    samples: int = 0
    lost_samples: int = 0
    gaps: int = 0
    reconnects: int = 0
    drift_ppm: float | None = None
    jitter_ms: float | None = None
    clock_offset_s: float = 0.0
    effective_rate_hz: float | None = None
    extra: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def note(self, problem: str) -> None:
        """Add a problem, once."""
        if problem not in self.problems:
            self.problems.append(problem)


class Source(Protocol):
    """Where EMG comes from."""

    @property
    def info(self) -> SourceInfo:
        """What the source delivers; valid once it is open."""

    @property
    def health(self) -> Health:
        """State and counters, at any time."""

    def open(self) -> None:
        """Connect; raise `SourceError` when that is not possible."""

    def read(self, timeout_s: float) -> Chunk | None:
        """Return samples as soon as there are some, None after `timeout_s` without any.

        A source that has come to its end returns None at once and is `DISCONNECTED`.
        """

    def close(self) -> None:
        """Let go of the device; may be called twice."""

    def __enter__(self) -> Self:
        """Open."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close."""
