"""The XDF container: what its writer and its scanner agree on.

A file is ``XDF:`` and chunks, each ``[bytes of length][length][tag][content]``; the
length counts tag and content. Little-endian throughout. Source: XDF specification 1.0,
https://github.com/sccn/xdf/wiki/Specifications.
"""

import struct
from enum import IntEnum
from typing import Any

import numpy as np

MAGIC = b"XDF:"
BOUNDARY = bytes.fromhex("43a546dccbf5410fb30ed5467383cbe4")
"""Content of a boundary chunk, for readers that have lost their way."""

STRING = "string"
DTYPES: dict[str, np.dtype[Any]] = {
    "int8": np.dtype("<i1"),
    "int16": np.dtype("<i2"),
    "int32": np.dtype("<i4"),
    "int64": np.dtype("<i8"),
    "float32": np.dtype("<f4"),
    "double64": np.dtype("<f8"),
}


class Tag(IntEnum):
    """Kinds of chunk."""

    FILE_HEADER = 1
    STREAM_HEADER = 2
    SAMPLES = 3
    CLOCK_OFFSET = 4
    BOUNDARY = 5
    STREAM_FOOTER = 6


def length(value: int) -> bytes:
    """Encode a length: the number of its bytes, then itself.

    Parameters
    ----------
    value : int
        0 or more.

    Returns
    -------
    bytes
        2, 5 or 9 of them.
    """
    if value < 1 << 8:
        return struct.pack("<BB", 1, value)
    if value < 1 << 32:
        return struct.pack("<BI", 4, value)
    return struct.pack("<BQ", 8, value)


def chunk(tag: Tag, content: bytes, stream: int | None = None) -> bytes:
    """Encode a chunk.

    Parameters
    ----------
    tag : Tag
        Its kind.
    content : bytes
        What it holds.
    stream : int, optional
        Number of the stream that it belongs to.

    Returns
    -------
    bytes
        As it lies in the file.
    """
    head = struct.pack("<H", tag) if stream is None else struct.pack("<HI", tag, stream)
    return length(len(head) + len(content)) + head + content
