"""Samples and descriptions as bytes of an XDF file."""

import re
import struct
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drivers.recordings.xdf.container import DTYPES, length

_NOT_IN_XML = re.compile("[^\\t\\n\\r\\x20-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")

Description = Mapping[str, Any]
"""Nested elements: a value is a text, a number, another one, or a list of these."""


def rows(samples: Any, name: str, channels: int, form: str) -> NDArray[np.uint8]:
    """Encode numbers.

    Parameters
    ----------
    samples : array_like, shape (n, channels), or (n,) of one channel
        That fit into the format without a loss, rounding apart.
    name : str
        Of the stream, for the error.
    channels : int
        Of the stream.
    form : str
        Its format.

    Returns
    -------
    ndarray of uint8, shape (n, bytes)
        Bytes of each sample.
    """
    dtype = DTYPES[form]
    values = np.asarray(samples)
    # Rounding is right for float32, wrapping around never is.
    values = values.astype(dtype, casting="same_kind" if dtype.kind == "f" else "safe")
    if values.ndim == 1 and channels == 1:
        values = values[:, np.newaxis]
    if values.ndim != 2 or values.shape[1] != channels:
        raise ValueError(f"{name} has {channels} channels, not {values.shape}")
    values = np.ascontiguousarray(values)
    return values.view(np.uint8).reshape(len(values), channels * dtype.itemsize)


def string(text: str) -> bytes:
    """Encode a text with its length before it."""
    data = text.encode("utf-8", "replace")
    return length(len(data)) + data


def stamped(rows: NDArray[np.uint8] | list[bytes], stamps: NDArray[np.float64]) -> bytes:
    """Put each sample's time stamp, or its absence, before it.

    Parameters
    ----------
    rows : ndarray of uint8, shape (n, bytes), or list of bytes
        What `rows` or `string` made of the samples.
    stamps : ndarray of float64, shape () or (n,)
        Of the first sample, or of each.

    Returns
    -------
    bytes
        As they lie in a chunk.
    """
    if isinstance(rows, list):
        all_stamps = stamps.reshape(-1).tolist()
        prefixes = [b"\x08" + struct.pack("<d", stamp) for stamp in all_stamps]
        prefixes += [b"\x00"] * (len(rows) - len(prefixes))
        return b"".join(p + row for p, row in zip(prefixes, rows, strict=True))
    n, size = rows.shape
    if stamps.ndim:
        each = np.empty((n, 9 + size), np.uint8)
        each[:, 0] = 8
        each[:, 1:9] = stamps.astype("<f8").reshape(n, 1).view(np.uint8)
        each[:, 9:] = rows
        return each.tobytes()
    deduced = np.zeros((n, 1 + size), np.uint8)
    deduced[:, 1:] = rows
    return b"\x08" + struct.pack("<d", float(stamps)) + deduced.tobytes()[1:]


def xml(value: Description) -> bytes:
    """Encode the description of a file or a stream, or a footer."""
    return bytes(ET.tostring(_element("info", value), encoding="utf-8", xml_declaration=True))


def _element(tag: str, value: Any) -> ET.Element:
    element = ET.Element(tag)
    if isinstance(value, Mapping):
        for key, child in value.items():
            children = child if isinstance(child, list | tuple) else [child]
            element.extend(_element(key, each) for each in children)
    elif value is not None:
        element.text = _allowed(str(value))
    return element


def _allowed(text: str) -> str:
    return _NOT_IN_XML.sub("\ufffd", text)
