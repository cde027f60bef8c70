"""A faulty line between a device and this host: damages frames and counts what it did.

No clock and no port: bytes in, bytes out. Each kind of fault draws from a generator of its
own, byte by byte and frame by frame: the same seed gives the same damage however the
frames are handed over, and one kind of fault does not move another. All that was done is
counted in `Injected`, so that what a driver reports can be compared with the truth.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from drivers.varioport.emulator.faults.settings import Faults


@dataclass
class Injected:
    """What was really done; the truth that a driver's counters are compared with.

    Attributes
    ----------
    frames : int
        Frames that the device acquired and counted, sent or not.
    gap_frames : int
        Of these: what the recording behind the emulator already lacked.
    stalled_frames, unplugged_frames : int
        Of these: never sent, for these reasons.
    late_frames : int
        Frames that came late, all at once.
    duplicated_frames : int
        Frames that were sent twice.
    whole_frames : int
        Frames of which a whole copy went out.
    lost_frames : int
        Frames without a whole copy between whole ones of the same connection: what a
        perfect driver reports as lost. What is lost at the ends it cannot know.
    lost_bytes, garbage_bytes, flipped_bits : int
        Faults on the line.
    half_frames : int
        Connections that began within a frame.
    unplugs : int
        Times the port was taken away.
    unread_bytes : int
        Bytes sent while nobody had the port open.
    overflow_bytes : int
        Bytes that the port could not hold, because its reader was too slow.
    unsent_markers : int
        Markers that the profile has no channel for, or that another one hides.
    missing_values : int
        Single values that the recording behind the emulator lacks; sent as 0 uV.
    """

    frames: int = 0
    gap_frames: int = 0
    stalled_frames: int = 0
    unplugged_frames: int = 0
    late_frames: int = 0
    duplicated_frames: int = 0
    whole_frames: int = 0
    lost_frames: int = 0
    lost_bytes: int = 0
    garbage_bytes: int = 0
    flipped_bits: int = 0
    half_frames: int = 0
    unplugs: int = 0
    unread_bytes: int = 0
    overflow_bytes: int = 0
    unsent_markers: int = 0
    missing_values: int = 0


class Damaged(NamedTuple):
    """Frames as they leave the line.

    Attributes
    ----------
    data : bytes
        All that arrives.
    ends : ndarray of int64, shape (frames,)
        Bytes of `data` up to the end of each frame; of one sent twice, of the second copy.
    whole : ndarray of bool, shape (frames,)
        A whole copy of the frame is within.
    """

    data: bytes
    ends: NDArray[np.int64]
    whole: NDArray[np.bool_]


class FaultyLine:
    """Damages frames on their way; pure in its seed.

    Parameters
    ----------
    faults : Faults
        Those of bytes and frames are applied; times are the emulator's business.
    injected : Injected, optional
        Where to count.
    """

    def __init__(self, faults: Faults, injected: Injected | None = None) -> None:
        self._faults = faults
        self.injected = Injected() if injected is None else injected
        seeds = np.random.SeedSequence(faults.seed).spawn(4)
        self._lose, self._insert, self._flip, self._repeat = map(np.random.default_rng, seeds)
        self.connect()

    def connect(self) -> None:
        """Begin a connection: what was lost before it is not missed in it."""
        self._cut = self._faults.half_frame
        self._missing: int | None = None  # since the last whole frame

    def send(self, frames: Sequence[bytes]) -> bytes:
        """Damage frames that then all arrive, see `damage` and `count`.

        Parameters
        ----------
        frames : sequence of bytes
            What the device sends.

        Returns
        -------
        bytes
            What arrives.
        """
        damaged = self.damage(frames)
        self.count(damaged.whole)
        return damaged.data

    def damage(self, frames: Sequence[bytes]) -> Damaged:
        """Damage frames.

        Parameters
        ----------
        frames : sequence of bytes
            What the device sends.

        Returns
        -------
        Damaged
            What arrives, and which frames of it are whole.
        """
        if not frames:
            return Damaged(b"", np.zeros(0, np.int64), np.zeros(0, np.bool_))
        faults, injected = self._faults, self.injected
        twice = self._repeat.random(len(frames)) < faults.duplicates
        injected.duplicated_frames += int(twice.sum())
        of_frame = np.repeat(np.arange(len(frames)), 1 + twice)
        sent = [frames[k] for k in of_frame.tolist()]
        if self._cut:
            sent[0] = sent[0][len(sent[0]) // 2 :]
            injected.half_frames += 1
        size = np.array([len(frame) for frame in sent])
        data = np.frombuffer(b"".join(sent), np.uint8)

        flips = _share(self._flip.random(len(data)), faults.flipped_bits, 8)
        kept = self._lose.random(len(data)) >= faults.lost_bytes
        garbage = _share(self._insert.random(len(data)), faults.garbage_bytes, 256)
        flipped, inserted = flips >= 0, garbage >= 0
        injected.flipped_bits += int(flipped.sum())
        injected.lost_bytes += int((~kept).sum())
        injected.garbage_bytes += int(inserted.sum())

        data = np.where(flipped, data ^ (1 << np.maximum(flips, 0)), data).astype(np.uint8)
        # Two places for each byte: the garbage before it and itself.
        places = np.stack([garbage.astype(np.uint8), data], 1)
        arrived = places[np.stack([inserted, kept], 1)].tobytes()
        ends = np.cumsum(kept.astype(np.int64) + inserted)[np.cumsum(size) - 1]

        touched = flipped | ~kept | inserted
        copy_touched = np.add.reduceat(touched, np.cumsum(size) - size) > 0
        copy_touched[0] |= self._cut
        self._cut = False
        whole_copy = ~copy_touched
        # Garbage before a frame does no harm, and damage may undo damage.
        for k in np.flatnonzero(copy_touched):
            begin = ends[k - 1] if k else 0
            whole_copy[k] = frames[int(of_frame[k])] in arrived[begin : ends[k]]
        whole = np.zeros(len(frames), np.bool_)
        np.logical_or.at(whole, of_frame, whole_copy)
        last_copy = np.append(of_frame[1:] != of_frame[:-1], True)
        return Damaged(arrived, ends[last_copy], whole)

    def count(self, whole: NDArray[np.bool_]) -> None:
        """Count the frames that arrived whole, and those lost between them.

        Parameters
        ----------
        whole : ndarray of bool, shape (frames,)
            Of the device's next frames, in their order, those never sent included.
        """
        arrived = np.flatnonzero(whole)
        self.injected.whole_frames += len(arrived)
        if not len(arrived):
            if self._missing is not None:
                self._missing += len(whole)
            return
        first, last = int(arrived[0]), int(arrived[-1])
        if self._missing is not None:
            self.injected.lost_frames += self._missing + first
        self.injected.lost_frames += last - first + 1 - len(arrived)
        self._missing = len(whole) - 1 - last


def _share(drawn: NDArray[np.float64], probability: float, values: int) -> NDArray[np.int64]:
    """Of uniform draws, turn those below `probability` into values 0 ... n - 1, others to -1."""
    if probability == 0:
        return np.full(len(drawn), -1)
    chosen = np.floor(drawn / probability * values).astype(np.int64)
    return np.where(drawn < probability, np.minimum(chosen, values - 1), -1)
