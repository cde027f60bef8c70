"""Where the samples of each channel lie, and the tables of events."""

import bisect
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from drivers.errors import RecordingError
from drivers.recordings.vitaport.layout import ChannelHeader, Header

Bytes = NDArray[np.uint8]
Counts = NDArray[np.integer]

_AT_ONCE = 1 << 18  # samples whose places are computed together
_TABLES = {b"MARKER": 100, b"MRK500": 500}  # and how many events they hold
_UNUSED_MS = 0xFFFFFFFF


def check_blocks(header: Header, where: str) -> None:
    """Refuse a converted file whose blocks overlap.

    Parameters
    ----------
    header : Header
        Of the file.
    where : str
        Names the file in errors.

    Raises
    ------
    RecordingError
        A byte would be a sample of two channels; so could a small file fill the memory.
    """
    blocks = sorted((c.begin, c.begin + c.length, c.label) for c in header.channels if c.length)
    for (_, end, first), (begin, _, second) in pairwise(blocks):
        if begin < end:
            raise RecordingError(
                f"data of channel {second} in {where}",
                value=f"from byte {begin} on",
                allowed=f"from byte {end} on, behind those of channel {first}",
                way_out="copy or convert the file again",
            )


def block(body: Bytes, channel: ChannelHeader) -> Counts | None:
    """Return a channel's samples in a converted file.

    Parameters
    ----------
    body : ndarray of uint8, shape (bytes,)
        All behind the header.
    channel : ChannelHeader
        Of a type that is known.

    Returns
    -------
    ndarray of int or None, shape (n,)
        As stored; None where the file ends before the channel does.
    """
    if channel.begin + channel.length > len(body):
        return None
    assert channel.dtype is not None
    used = channel.length // channel.width * channel.width
    return body[channel.begin : channel.begin + used].view(channel.dtype)


def whole_ticks(body_bytes: int, channels: Sequence[ChannelHeader]) -> int:
    """Return how many scan ticks a raw recording holds.

    Parameters
    ----------
    body_bytes : int
        Behind the header.
    channels : sequence of ChannelHeader
        All of the recording, each with a factor.

    Returns
    -------
    int
        Ticks of which every byte is there.
    """
    widths = _widths(channels)

    def needed(ticks: int) -> int:
        return sum(width * -(-ticks // factor) for factor, width in widths.items())

    most = min((body_bytes // width + 1) * factor for factor, width in widths.items())
    return bisect.bisect_right(range(most + 1), body_bytes, key=needed) - 1


def multiplexed(body: Bytes, channels: Sequence[ChannelHeader], number: int, ticks: int) -> Counts:
    """Return a channel's samples in a raw recording.

    At tick t each channel whose factor divides t gives its bytes, in the order of the
    channels.

    Parameters
    ----------
    body : ndarray of uint8, shape (bytes,)
        All behind the header.
    channels : sequence of ChannelHeader
        All of the recording, each with a factor.
    number : int
        Which channel, from 0; of a type that is known.
    ticks : int
        How many to read, see `whole_ticks`.

    Returns
    -------
    ndarray of int, shape (n,)
        As stored.
    """
    channel = channels[number]
    assert channel.dtype is not None
    all_widths, widths_before = _widths(channels), _widths(channels[:number])
    place = np.arange(channel.width)
    samples = -(-ticks // channel.factor)
    counts = np.empty(samples, channel.dtype)
    for first in range(0, samples, _AT_ONCE):
        tick = np.arange(first, min(first + _AT_ONCE, samples)) * channel.factor
        at = np.zeros_like(tick)
        for factor, width in all_widths.items():
            at += width * -(-tick // factor)  # of the ticks before
        for factor, width in widths_before.items():
            at += width * (tick % factor == 0)  # of this tick
        part = body[at[:, None] + place]
        counts[first : first + len(tick)] = part.view(channel.dtype)[:, 0]
    return counts


def table_events(body: Bytes, header: Header) -> list[tuple[str, int]]:
    """Return the events in the tables behind the blocks of a converted file.

    Parameters
    ----------
    body : ndarray of uint8, shape (bytes,)
        All behind the header.
    header : Header
        Of the file.

    Returns
    -------
    list of (str, int)
        Name of the table, and the time in milliseconds from the first sample.
    """
    tables = body.tobytes()
    at = max(channel.begin + channel.length for channel in header.channels)
    events: list[tuple[str, int]] = []
    while len(tables) >= at + 10 and tables[at : at + 1].isalpha():
        label, length = tables[at : at + 6], int.from_bytes(tables[at + 6 : at + 10], "big")
        at += 10
        if label in _TABLES:
            held = min(length, len(tables) - at) // 4
            times_ms = np.frombuffer(tables, ">u4", min(held, _TABLES[label]), offset=at)
            events += [(label.decode(), int(ms)) for ms in times_ms if ms != _UNUSED_MS]
        at += length
    return events


def _widths(channels: Sequence[ChannelHeader]) -> Counter[int]:
    """Return the bytes that come at each factor."""
    widths: Counter[int] = Counter()
    for channel in channels:
        widths[channel.factor] += channel.width
    return widths
