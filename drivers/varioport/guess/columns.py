"""The bytes of a frame that are no signal: what stays, what counts, what checks."""

from typing import NamedTuple, cast, get_args

import numpy as np
from numpy.typing import NDArray

from drivers.varioport.codec.checksum import Checksum
from drivers.varioport.guess.alignment import Path
from drivers.varioport.profile import CHECKSUM_BYTES, ChecksumKind

_CONSTANT = 0.95
_COUNTS = 0.9
_CARRIES = 0.6  # they are few, and some of them damaged
_CHECKS = 0.6  # of the frames: the others may be damaged
_SCREENED = 64
_CHECKED = 1000
_MOST_UNCHECKED = 4  # bytes at the beginning

Bytes = NDArray[np.uint8]


def constant_columns(frames: Bytes) -> NDArray[np.int64]:
    """Find the bytes that hardly ever change.

    Parameters
    ----------
    frames : ndarray of uint8, shape (n, length)
        Frames.

    Returns
    -------
    ndarray of int64, shape (length,)
        Their values; -1 where a byte changes.
    """
    values = np.array([np.bincount(column, minlength=256).argmax() for column in frames.T])
    return np.where((frames == values).mean(0) >= _CONSTANT, values, -1)


class FoundCounter(NamedTuple):
    """A counter.

    Attributes
    ----------
    first : int
        Column of its first byte.
    bytes : int
        Its length.
    step : int
        From frame to frame.
    big_endian : bool or None
        None where one byte has no order.
    carries : int
        Carries from its lowest byte that were seen.
    assumed : int
        Of its upper bytes: never changed in the capture.
    """

    first: int
    bytes: int
    step: int
    big_endian: bool | None
    carries: int
    assumed: int


def find_counter(frames: Bytes, follows: NDArray[np.bool_]) -> FoundCounter | None:
    """Find the bytes that count the frames.

    Parameters
    ----------
    frames : ndarray of uint8, shape (n, length)
        Frames; the counter does not lie across their ends.
    follows : ndarray of bool, shape (n,)
        The frame directly follows the one in the row above.

    Returns
    -------
    FoundCounter or None
        None where nothing counts.
    """
    pairs = np.flatnonzero(follows)
    before, after = frames[pairs - 1], frames[pairs]
    grown = after - before  # modulo 256
    for column in range(frames.shape[1]):
        step = int(np.bincount(grown[:, column], minlength=256).argmax())
        regular = grown[:, column] == step
        if step and regular.mean() >= _COUNTS:
            return _extend(frames, before[regular], grown[regular], column, step)
    return None


def _extend(frames: Bytes, before: Bytes, grown: Bytes, column: int, step: int) -> FoundCounter:
    """Add the bytes to which the lowest one carries."""
    length = frames.shape[1]
    carry = before[:, column].astype(int) + step > 255
    for big_endian, direction in ((True, -1), (False, 1)):
        top = column
        due = carry
        while 0 <= top + direction < length and abs(top - column) < 3 and due.any():
            upper = grown[:, top + direction]
            if (upper == due).mean() < _COUNTS or (upper[due] == 1).mean() < _CARRIES:
                break
            top += direction
            due = due & (before[:, top] == 255)
        found = abs(top - column) + 1
        if found == 1:
            continue
        size, assumed = found, 0
        rest = [top + direction * k for k in range(1, 5 - found)]
        if found > 2 or all(
            0 <= k < length and (frames[:, k] == 0).mean() > _CONSTANT for k in rest
        ):
            size, assumed = 4, 4 - found
        first = column - (size - 1) if big_endian else column
        return FoundCounter(first, size, step, big_endian, int(carry.sum()), assumed)
    return FoundCounter(column, 1, step, None, int(carry.sum()), 0)


class FoundChecksum(NamedTuple):
    """A checksum.

    Attributes
    ----------
    kind : str
        As in `Profile.checksum`.
    end : int
        The place of the path at which the next frame begins.
    big_endian : bool or None
        None where one byte has no order.
    unchecked : int
        Bytes at the frame's beginning that it leaves out.
    share : float
        Of the frames that pass.
    """

    kind: ChecksumKind
    end: int
    big_endian: bool | None
    unchecked: int
    share: float


def find_checksums(path: Path) -> list[FoundChecksum]:
    """Find the checksum, and with it where frames begin.

    Parameters
    ----------
    path : Path
        The stream.

    Returns
    -------
    list of FoundChecksum
        All that fit, the best ones first. The exclusive or of all bytes fits wherever
        frames are said to begin.
    """
    found: list[FoundChecksum] = []
    cut = [path.frames(first)[0][:_CHECKED] for first in range(path.length)]
    for unchecked in range(_MOST_UNCHECKED + 1):
        for kind in get_args(ChecksumKind):
            size = CHECKSUM_BYTES[kind]
            if size and path.length - size - unchecked > 1:
                found += _try(cut, cast(ChecksumKind, kind), unchecked)
        if found:
            break
    return sorted(found, key=lambda f: -f.share)


def _try(cut: list[Bytes], kind: ChecksumKind, unchecked: int) -> list[FoundChecksum]:
    length, size = len(cut), CHECKSUM_BYTES[kind]
    checksum = Checksum(kind, length - size - unchecked)
    found = []
    for first, frames in enumerate(cut):
        tail = frames[:, length - size :]
        if not len(frames) or len(np.unique(tail[:, -1])) < 8:
            continue
        for big_endian in (True, False) if size > 1 else (None,):
            weights = 256 ** np.arange(size, dtype=np.int64)
            if big_endian:
                weights = weights[::-1]
            told = tail @ weights
            if _passing(checksum, frames[:_SCREENED], told[:_SCREENED], unchecked) < _CHECKS:
                continue
            share = _passing(checksum, frames, told, unchecked)
            if share >= _CHECKS:
                found.append(FoundChecksum(kind, first, big_endian, unchecked, share))
    return found


def _passing(checksum: Checksum, frames: Bytes, told: NDArray[np.int64], unchecked: int) -> float:
    message = frames[:, unchecked : frames.shape[1] - checksum.bytes]
    return float(np.mean(checksum.of(message) == told))
