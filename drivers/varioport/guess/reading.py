"""Where frames begin, and what is where in them: the cheapest reading wins."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drivers.errors import SourceError
from drivers.varioport.guess.alignment import FEWEST_FRAMES, Path
from drivers.varioport.guess.columns import (
    FoundChecksum,
    FoundCounter,
    constant_columns,
    find_checksums,
    find_counter,
)
from drivers.varioport.guess.words import Words, find_words
from drivers.varioport.profile import CHECKSUM_BYTES

_MOST_SYNC = 16  # bytes


@dataclass(frozen=True, eq=False)
class Reading:
    """Where the parts of a frame lie.

    Attributes
    ----------
    frames : ndarray of uint8, shape (n, length)
        Whole frames.
    follows : ndarray of bool, shape (n,)
        The frame directly follows the one in the row above.
    sync : bytes
        Empty where there is none.
    counter : FoundCounter or None
        Right behind the sync.
    stray : bool
        Something counts elsewhere, where no profile has a counter.
    words : Words
        The channels.
    checksum : FoundChecksum or None
        At the end.
    """

    frames: NDArray[np.uint8]
    follows: NDArray[np.bool_]
    sync: bytes
    counter: FoundCounter | None
    stray: bool
    words: Words
    checksum: FoundChecksum | None


def find_reading(path: Path) -> Reading:
    """Find out where frames begin and what is where in them.

    Parameters
    ----------
    path : Path
        The stream.

    Returns
    -------
    Reading
        The cheapest one.

    Raises
    ------
    SourceError
        There is none that a profile describes.
    """
    readings = []
    checksums = find_checksums(path)
    for checksum in checksums:
        if checksum.unchecked == 0:
            readings += _readings(path, checksum.end, checksum)
    if not readings:
        # One that a profile cannot describe still tells where frames begin.
        ends = {c.end for c in checksums} or set(range(path.length))
        for first in sorted(ends):
            readings += _readings(path, first, None)
        if not readings:
            readings = _headerless(path)
    if not readings:
        raise refusal(
            f"frames of {path.length} bytes, but neither sync bytes nor a resting marker",
            "what a profile describes: sync first, or 16-bit words with a marker",
            "capture longer, with fewer losses, with rest and with contractions",
        )
    return min(readings, key=_price)


def _price(reading: Reading) -> tuple[int, float]:
    """Order readings: the fewest words of noise, then the fewest bits, the longest sync."""
    noisy = sum(word.noisy for word in reading.words.words)
    return noisy, reading.words.bits - 1e-3 * len(reading.sync)


def _readings(path: Path, first: int, checksum: FoundChecksum | None) -> list[Reading]:
    """Read frames that begin here with a sync, in all plausible ways."""
    frames, follows = path.frames(first)
    if len(frames) < FEWEST_FRAMES // 2:
        return []
    constants = constant_columns(frames)
    before = constants[-1] if checksum is None else -1
    # A marker that rests lies right before a sync, but does not begin with it.
    if constants[0] <= 0 or before > 0:
        return []
    found = counter = find_counter(frames, follows)
    run = int(np.argmax(np.append(constants, -1) < 0))  # constant bytes at the beginning
    if counter is not None:
        run = min(run, counter.first)
        if counter.first != run:
            counter = None
    lengths = [run] if counter is not None else range(1, min(run, _MOST_SYNC) + 1)
    end = path.length - (0 if checksum is None else CHECKSUM_BYTES[checksum.kind])
    readings = []
    for sync_length in lengths:
        begin = sync_length + (0 if counter is None else counter.bytes)
        order = _order(counter, checksum)
        words = find_words(frames[:, begin:end], follows, order) if begin < end else None
        if words is not None:
            sync = bytes(constants[:sync_length].astype(np.uint8))
            stray = found is not None and counter is None
            readings.append(Reading(frames, follows, sync, counter, stray, words, checksum))
    return readings


def _headerless(path: Path) -> list[Reading]:
    """Read frames as 16-bit words that end with a resting marker."""
    if path.length % 2 or path.length < 4:
        return []
    readings = []
    for first in range(path.length):
        frames, follows = path.frames(first)
        if len(frames) < FEWEST_FRAMES // 2 or find_counter(frames, follows) is not None:
            continue
        words = find_words(frames, follows, None)
        if words is None or not words.words[-1].resting or words.words[0].resting:
            continue
        if all(word.format in ("int16", "uint16") for word in words.words):
            readings.append(Reading(frames, follows, b"", None, False, words, None))
    return readings


def _order(counter: FoundCounter | None, checksum: FoundChecksum | None) -> bool | None:
    """Byte order as counter and checksum have it."""
    if counter is not None and counter.big_endian is not None:
        return counter.big_endian
    return None if checksum is None else checksum.big_endian


def refusal(value: str, allowed: str | None, way_out: str) -> SourceError:
    """Make the error of a capture from which nothing can be guessed.

    Parameters
    ----------
    value : str
        What it shows.
    allowed : str or None
        What it would have to show.
    way_out : str
        What to do.

    Returns
    -------
    SourceError
        To be raised.
    """
    return SourceError("guess from the capture", value=value, allowed=allowed, way_out=way_out)
