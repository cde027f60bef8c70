"""What an XDF file really holds, found without believing what it claims.

pyxdf allocates whatever a chunk says that it needs. So every chunk is measured against
the file first, down to each sample, and only sound ones are handed on. After damage the
scan goes on behind the next boundary.
"""

import math
import struct
import xml.etree.ElementTree as ET
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from drivers.errors import RecordingError
from drivers.outside.texts import open_regular
from drivers.recordings.checked import one_line
from drivers.recordings.xdf.container import BOUNDARY, DTYPES, MAGIC, STRING, Tag
from drivers.recordings.xdf.heads import StreamHead, file_header, stream_head

NO_STREAM = -1
_FEW = 16  # samples that are faster looked at one by one
_HAS_STREAM = (Tag.STREAM_HEADER, Tag.SAMPLES, Tag.CLOCK_OFFSET, Tag.STREAM_FOOTER)


class Span(NamedTuple):
    """Where a sound chunk lies.

    Attributes
    ----------
    tag : int
        Its kind.
    stream : int
        Number of its stream, `NO_STREAM` for none: 0 is a number, too.
    begin, content, end : int
        Offsets of its first byte, of what follows the stream's number, and of its end.
    samples : int
        Number of samples in it.
    damage_before : bool
        Bytes right before it could not be read.
    """

    tag: int
    stream: int
    begin: int
    content: int
    end: int
    samples: int
    damage_before: bool


@dataclass
class Scan:
    """A file's sound part.

    Attributes
    ----------
    data : bytes
        The file.
    spans : list of Span
        Sound chunks of streams, in the file's order.
    heads : dict of int to StreamHead
        By the stream's number.
    refused : list of str
        Streams that cannot be read, and why.
    created : datetime or None
        From the file header.
    about : Element or None
        The file header.
    skipped_bytes : int
        What could not be read.
    cut_off : bool
        The file ends within a chunk.
    """

    data: bytes
    spans: list[Span] = field(default_factory=list)
    heads: dict[int, StreamHead] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    created: datetime | None = None
    about: ET.Element | None = None
    skipped_bytes: int = 0
    cut_off: bool = False


def scan(path: Path) -> Scan:
    """Find the sound chunks of a file.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    Scan
        What it holds.

    Raises
    ------
    RecordingError
        It cannot be opened, or is no XDF file.
    """
    thing = f"XDF file {path}"
    with one_line(thing), open_regular(path, thing, RecordingError) as file:
        data = file.read()
    if not data.startswith(MAGIC):
        raise RecordingError(
            f"XDF file {path}", value=f"it begins with {data[:4]!r}", allowed=repr(MAGIC)
        )
    result = Scan(data)
    ignored: set[int] = set()
    position, damage = len(MAGIC), False
    while position < len(data):
        span = _chunk(data, position, damage)
        if span is not None and span.stream != NO_STREAM and span.tag != Tag.STREAM_HEADER:
            if span.stream not in result.heads:
                if span.stream not in ignored:  # its header was damaged
                    result.skipped_bytes += span.end - span.begin
                    damage = True
                position = span.end
                continue
            checked = _checked(data, span, result.heads[span.stream])
            if checked is None and _followed(data, span.end):
                result.skipped_bytes += span.end - span.begin
                position, damage = span.end, True
                continue
            span = checked
        if span is None:
            found = data.find(BOUNDARY, position + 1)
            behind = len(data) if found < 0 else found + len(BOUNDARY)
            result.cut_off |= found < 0
            result.skipped_bytes += behind - position
            position, damage = behind, True
            continue
        position = span.end
        if span.tag == Tag.FILE_HEADER:
            result.about, result.created = file_header(data[span.content : span.end])
        elif span.tag == Tag.STREAM_HEADER and span.stream not in result.heads:
            head = stream_head(data[span.content : span.end])
            if isinstance(head, str):
                result.refused.append(f"stream {span.stream} ({head})")
                ignored.add(span.stream)
                continue
            result.heads[span.stream] = head
            result.spans.append(span)
        elif span.stream != NO_STREAM and span.tag != Tag.STREAM_HEADER:
            result.spans.append(span)
            damage = False
    return result


def decode(found: Scan, span: Span) -> tuple[NDArray[np.generic], NDArray[np.float64]]:
    """Decode a chunk of numbers.

    Parameters
    ----------
    found : Scan
        The file.
    span : Span
        One of its chunks of samples.

    Returns
    -------
    values : ndarray, shape (samples, channels)
        In the stream's format.
    stamps : ndarray of float64, shape (samples,)
        As in the file, NaN where there is none.
    """
    head = found.heads[span.stream]
    dtype = DTYPES[head.format]
    size = head.channels * dtype.itemsize
    begin, end = _sample_count(found.data, span.content, span.end)[1], span.end
    starts = _starts(found.data, begin, end, span.samples, size)
    assert starts is not None, "the scan has checked it"
    positions, stamped = starts
    raw = np.frombuffer(found.data, np.uint8)
    columns = positions[:, np.newaxis]
    values = raw[columns + np.arange(size)].view(dtype)
    stamps = np.full(span.samples, np.nan)
    stamp_bytes = raw[columns[stamped] - 8 + np.arange(8)]
    stamps[stamped] = stamp_bytes.view("<f8")[:, 0]
    return values, stamps


def _chunk(data: bytes, begin: int, damage: bool) -> Span | None:
    """Measure the chunk at `begin`; None where there is none."""
    size_bytes = data[begin]
    if size_bytes not in (1, 4, 8) or begin + 1 + size_bytes > len(data):
        return None
    body = begin + 1 + size_bytes
    end = body + int.from_bytes(data[begin + 1 : body], "little")
    if end > len(data) or end < body + 2:
        return None
    tag = int.from_bytes(data[body : body + 2], "little")
    if tag not in _HAS_STREAM:
        return Span(tag, NO_STREAM, begin, body + 2, end, 0, damage)
    if end < body + 6:
        return None
    stream = int.from_bytes(data[body + 2 : body + 6], "little")
    return Span(tag, stream, begin, body + 6, end, 0, damage)


def _followed(data: bytes, end: int) -> bool:
    """Say whether a chunk's length seems right: another one begins at its end."""
    after = _chunk(data, end, False) if end < len(data) else None
    return after is not None and after.tag in set(Tag)


def _checked(data: bytes, span: Span, head: StreamHead) -> Span | None:
    """Look into a chunk of a stream; None where it is not sound."""
    if span.tag == Tag.CLOCK_OFFSET:
        if span.end - span.content != 16:
            return None
        sound = all(map(math.isfinite, struct.unpack_from("<dd", data, span.content)))
        return span if sound else None
    if span.tag == Tag.STREAM_FOOTER:
        return span
    samples, begin = _sample_count(data, span.content, span.end)
    if head.format == STRING:
        sound = _strings_fit(data, begin, span.end, samples, head.channels)
    else:
        size = head.channels * DTYPES[head.format].itemsize
        sound = _starts(data, begin, span.end, samples, size) is not None
    return span._replace(samples=samples) if sound else None


def _sample_count(data: bytes, begin: int, end: int) -> tuple[int, int]:
    """Return a length and where it ends; -1 samples if it is none."""
    if begin >= end or data[begin] not in (1, 4, 8):
        return -1, begin
    behind = begin + 1 + data[begin]
    return int.from_bytes(data[begin + 1 : behind], "little"), behind


def _starts(
    data: bytes, begin: int, end: int, samples: int, size: int
) -> tuple[NDArray[np.int64], NDArray[np.bool_]] | None:
    """Find each sample's values, and whether a time stamp is before them."""
    total = end - begin
    if not 0 < samples <= total // (1 + size):
        return None
    # As writers do it: a stamp on the first sample, on each, on none.
    for first, others in ((8, 0), (8, 8), (0, 0)):
        if samples < _FEW or total != samples * (1 + size + others) + first - others:
            continue
        positions = begin + 1 + first + np.arange(samples) * (1 + size + others)
        flags = np.frombuffer(data, np.uint8)[positions[1:] - 1 - others]
        if data[begin] == first and np.all(flags == others):
            has_stamp = np.full(samples, others == 8)
            has_stamp[0] = first == 8
            return positions, has_stamp
    positions = np.empty(samples, np.int64)
    has_stamp = np.empty(samples, np.bool_)
    position = begin
    for k in range(samples):
        if position >= end or data[position] not in (0, 8):
            return None
        has_stamp[k] = data[position] == 8
        position += 1 + data[position]
        positions[k] = position
        position += size
    return (positions, has_stamp) if position == end else None


def _strings_fit(data: bytes, begin: int, end: int, samples: int, channels: int) -> bool:
    """Say whether a chunk of strings ends where its last string does."""
    if not 0 < samples <= (end - begin) // (1 + 2 * channels):
        return False
    position = begin
    for _ in range(samples):
        if position >= end or data[position] not in (0, 8):
            return False
        position += 1 + data[position]
        for _ in range(channels):
            size, position = _sample_count(data, position, end)
            if size < 0:
                return False
            position += size
    return position == end
