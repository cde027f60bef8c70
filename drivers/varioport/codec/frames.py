"""What a decoder hands out, and the contract of every decoder."""

from dataclasses import dataclass
from typing import Protocol

from drivers.source import Marker, Samples


@dataclass(frozen=True, eq=False)
class Frames:
    """Samples that follow each other without a loss.

    Attributes
    ----------
    samples : ndarray of float32, shape (n, signal channels)
        Physical values, n of 1 or more.
    markers : tuple of Marker
        Their index is the row in `samples`. An event is a run of an equal value other
        than 0; it lies at the first sample of the run and its label is the value.
    lost_before : int
        Samples lost right before these; none before the first ones after a reset.
    lost_estimated : bool
        `lost_before` does not come from a counter but from skipped bytes or from time.
    end : int
        Number of bytes pushed since the reset, up to and including the last byte of the
        last sample: relates samples to the arrival of their bytes.
    """

    samples: Samples
    markers: tuple[Marker, ...]
    lost_before: int
    lost_estimated: bool
    end: int


@dataclass
class DecoderCounts:
    """What happened since the reset.

    Attributes
    ----------
    frames : int
        Handed out.
    lost_frames : int
        Lost between them: the sum of all `Frames.lost_before`.
    skipped_bytes : int
        Belonged to no frame: neither to one handed out nor to a repeated one.
    checksum_errors : int
        Places that began like a frame and failed its checksum.
    resynchronisations : int
        Times that good frames were found again after skipped bytes.
    repeated_frames : int
        Came once more and were dropped.
    alignment_losses : int
        Times that the place where frames begin was lost.
    """

    frames: int = 0
    lost_frames: int = 0
    skipped_bytes: int = 0
    checksum_errors: int = 0
    resynchronisations: int = 0
    repeated_frames: int = 0
    alignment_losses: int = 0


class Decoder(Protocol):
    """Turns bytes into frames; the same bytes give the same frames in whatever pieces."""

    @property
    def counts(self) -> DecoderCounts:
        """What happened since the reset."""

    @property
    def confidence(self) -> float:
        """How sure it is at this moment of where frames begin: 0 not at all, 1 quite."""

    @property
    def hold_back_frames(self) -> int:
        """Frames that must follow one before it is handed out: latency."""

    def push(self, data: bytes, frames_passed: float | None = None) -> list[Frames]:
        """Take bytes, return what is complete and proven.

        Parameters
        ----------
        data : bytes
            Any number of them.
        frames_passed : float, optional
            How many frames the device has sampled since the previous push by the
            caller's clock: seconds between the arrivals times the rate. The bytes are
            taken for the latest that were sampled in this time. Not needed for a
            clean stream and not trusted against one: it decides only where frames are
            missing or `lose_alignment` was called, how many they are: for a counter the
            number of its wraps, without a counter all of it.
        """

    def lose_alignment(self) -> None:
        """Take note of a stall or of a known hole before the next bytes."""

    def reset(self) -> None:
        """Forget everything, counts included; the next byte is the first one."""
