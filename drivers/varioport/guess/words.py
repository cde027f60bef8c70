"""The format of the channels, from how smoothly their values would move.

A wrong word width or byte order makes a signal jump: each way of cutting the bytes into
words is priced by the bits that its differences from frame to frame need, and words that
look like noise cost extra, because a byte that is noise is the lower part of something.
"""

from collections import Counter as Multiset
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_NOISE = 0.2  # mean step as a share of the range; 1/3 is noise
_NOISE_BITS = 4.0
_KEPT = 0.95  # steps beyond this quantile may come from damage
_RESTING = 0.95
_FLOAT_BITS = 24.0  # as integers, changes of sign and exponent need more
_FLOAT_SHARE = 0.97
_LEAST_FLOAT = 1e-6

Bytes = NDArray[np.uint8]


class Word(NamedTuple):
    """One value of a frame.

    Attributes
    ----------
    format : str
        As in `ProfileChannel.format`.
    resting : bool
        It is 0 nearly always, as a marker is.
    noisy : bool
        It jumps like noise: the guess may be wrong.
    level : float
        Its median.
    """

    format: str
    resting: bool
    noisy: bool
    level: float


class Words(NamedTuple):
    """All values of a frame.

    Attributes
    ----------
    words : tuple of Word
        In their order.
    big_endian : bool
        Byte order.
    bits : float
        Price: what a frame needs when the frame before is known.
    order_margin : float
        How many bits more the other byte order needs; inf where it was given.
    """

    words: tuple[Word, ...]
    big_endian: bool
    bits: float
    order_margin: float


def find_words(frames: Bytes, follows: NDArray[np.bool_], big_endian: bool | None) -> Words | None:
    """Cut a frame's channel bytes into words of one width, and a marker of its own width.

    Parameters
    ----------
    frames : ndarray of uint8, shape (n, bytes)
        The channels' part of frames.
    follows : ndarray of bool, shape (n,)
        The frame directly follows the one in the row above.
    big_endian : bool or None
        Byte order where it is known.

    Returns
    -------
    Words or None
        The cheapest way; None where no width fits.
    """
    orders = (True, False) if big_endian is None else (big_endian,)
    best: dict[bool, Words] = {}
    for order in orders:
        for widths in _ways(frames):
            words, bits = _cut(frames, follows, widths, order)
            if order not in best or bits < best[order].bits:
                best[order] = Words(words, order, bits, np.inf)
    if not best:
        return None
    found = min(best.values(), key=lambda words: words.bits)
    found = found._replace(words=_agree(found.words))
    if len(best) > 1:
        found = found._replace(order_margin=max(w.bits for w in best.values()) - found.bits)
    return found


def _agree(words: tuple[Word, ...]) -> tuple[Word, ...]:
    """Let the signals of one width be signed or unsigned as most of them are."""
    kinds = Multiset(word.format for word in words if not word.resting)
    marker = max((k for k, word in enumerate(words) if word.resting), default=None)
    agreed = []
    for k, word in enumerate(words):
        other = word.format[1:] if word.format[0] == "u" else f"u{word.format}"
        if k == marker or kinds[other] <= kinds[word.format]:
            agreed.append(word)
            continue
        span = 2 ** int(word.format.lstrip("uint"))
        level = word.level % span
        if not other.startswith("u") and level >= span // 2:
            level -= span
        agreed.append(word._replace(format=other, level=level))
    return tuple(agreed)


def _ways(frames: Bytes) -> list[list[int]]:
    """Widths of the words: all equal, or the last one, a resting marker, differs."""
    size = frames.shape[1]
    ways = [[width] * (size // width) for width in (1, 2, 3, 4) if size % width == 0]
    for marker in (1, 2, 4):
        if marker < size and _rests(frames[:, size - marker :].max(1)):
            for width in (1, 2, 3, 4):
                if width != marker and (size - marker) % width == 0:
                    ways.append([width] * ((size - marker) // width) + [marker])
    return ways


def _rests(values: NDArray[np.generic]) -> bool:
    return float(np.mean(values == 0)) >= _RESTING


def _cut(
    frames: Bytes, follows: NDArray[np.bool_], widths: list[int], big_endian: bool
) -> tuple[tuple[Word, ...], float]:
    pairs = np.flatnonzero(follows)
    begin = 0
    words, bits = [], 0.0
    for width in widths:
        word, price = _price(frames[:, begin : begin + width], pairs, big_endian)
        words.append(word)
        bits += price
        begin += width
    return tuple(words), bits


def _price(part: Bytes, pairs: NDArray[np.int64], big_endian: bool) -> tuple[Word, float]:
    width = part.shape[1]
    span = 256**width
    weights = 256 ** np.arange(width, dtype=np.int64)
    unsigned = part @ (weights[::-1] if big_endian else weights)
    signed = np.where(unsigned >= span // 2, unsigned - span, unsigned)
    resting = _rests(unsigned)
    steps = {}
    for kind, values in (("int", signed), ("uint", unsigned)):
        moved = np.sort(np.abs(values[pairs] - values[pairs - 1]))
        moved = moved[: max(1, int(_KEPT * len(moved)))]
        steps[kind] = float(moved.mean())
    if steps["int"] == steps["uint"]:  # never crosses the end of either range
        middle = abs(float(np.median(unsigned)) / span - 0.5) < 0.1
        kind = "uint" if middle else "int"
    else:
        kind = min(steps, key=lambda name: steps[name])
    if resting:
        kind = "uint"
    level = float(np.median(signed if kind == "int" else unsigned))
    noisy = steps[kind] > _NOISE * span
    price = float(np.log2(1 + 2 * steps[kind])) + _NOISE_BITS * noisy
    if width == 4 and not resting and price > _FLOAT_BITS and _looks_like_float(part, big_endian):
        return Word("float32", False, False, 0.0), _FLOAT_BITS
    return Word(f"{kind}{8 * width}", resting, noisy, level), price


def _looks_like_float(part: Bytes, big_endian: bool) -> bool:
    """Say whether nearly all values have the size of a measured one."""
    values = np.ascontiguousarray(part).view(">f4" if big_endian else "<f4")[:, 0]
    with np.errstate(invalid="ignore"):
        size = np.abs(values)
        plausible = (values == 0) | ((size > _LEAST_FLOAT) & (size < 1 / _LEAST_FLOAT))
    return bool(plausible.mean() >= _FLOAT_SHARE)
