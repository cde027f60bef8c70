"""Samples and synchronised time stamps, by pyxdf."""

import io
import logging
import struct
import xml.etree.ElementTree as ET
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyxdf
from numpy.typing import NDArray

from drivers.errors import RecordingError
from drivers.recordings.xdf.container import MAGIC, STRING, Tag, chunk, length
from drivers.recordings.xdf.elements import parse_xml
from drivers.recordings.xdf.scan import Scan, Span, decode
from drivers.stamps import are_times


@dataclass(frozen=True, eq=False)
class Loaded:
    """A stream's samples.

    Attributes
    ----------
    values : ndarray, shape (n, channels), or list of str
        As in the file; several strings of one sample are joined.
    times_s : ndarray of float64
        Synchronised time of each sample; of sound, of each chunk's first one. Not a number
        where the file says so.
    """

    values: Any
    times_s: NDArray[np.float64]

    @property
    def begin_s(self) -> float | None:
        """Time of the first sample that has one."""
        times_s = self.times_s[are_times(self.times_s)]
        return float(times_s[0]) if len(times_s) else None


def load(found: Scan, streams: Collection[int], sound: Collection[int]) -> dict[int, Loaded]:
    """Load streams.

    Parameters
    ----------
    found : Scan
        The file.
    streams : collection of int
        What pyxdf loads.
    sound : collection of int
        Streams of numbers at a high rate. pyxdf takes a microsecond for each sample, so
        it only synchronises one of each chunk, and their values are decoded at once.

    Returns
    -------
    dict of int to Loaded
        By the stream's number.

    Raises
    ------
    RecordingError
        pyxdf cannot read it after all.
    """
    pieces = [MAGIC]
    decoded: dict[int, list[NDArray[Any]]] = {stream: [] for stream in sound}
    last_s = dict.fromkeys(sound, 0.0)
    for span in found.spans:
        if span.stream in decoded and span.tag == Tag.SAMPLES:
            sound_values, begin_s, last_s[span.stream] = _sound(found, span, last_s[span.stream])
            decoded[span.stream].append(sound_values)
            row = b"\x08" + struct.pack("<d", begin_s) + bytes(sound_values[:1].nbytes)
            pieces.append(chunk(Tag.SAMPLES, length(1) + row, span.stream))
        elif span.stream not in (*streams, *decoded):
            continue
        elif span.tag == Tag.STREAM_HEADER:  # as it was understood, letters replaced
            pieces.append(_xml_chunk(Tag.STREAM_HEADER, found.heads[span.stream].info, span.stream))
        elif span.tag == Tag.STREAM_FOOTER:
            footer = _footer(found.data[span.content : span.end])
            if span.stream in streams and footer is not None:
                pieces.append(_xml_chunk(Tag.STREAM_FOOTER, footer, span.stream))
        else:
            pieces.append(found.data[span.begin : span.end])
    result = {}
    for stream in _pyxdf(b"".join(pieces)):
        number = stream["info"]["stream_id"]
        head = found.heads[number]
        values: Any = stream["time_series"]
        if number in decoded:
            empty = np.empty((0, head.channels), np.float32)
            values = np.concatenate(decoded[number] or [empty])
        elif head.format == STRING:
            values = [", ".join(filter(None, texts)) for texts in values]
        times_s = np.asarray(stream["time_stamps"], np.float64)
        result[number] = Loaded(values, times_s)
    return result


def _sound(found: Scan, span: Span, last_s: float) -> tuple[NDArray[Any], float, float]:
    """Return values, and the raw stamps of the first and the last one."""
    values, stamps = decode(found, span)
    stamps[~are_times(stamps)] = np.nan
    step_s = 1.0 / found.heads[span.stream].rate_hz
    begin_s = last_s + step_s if np.isnan(stamps[0]) else float(stamps[0])
    stamps[0] = begin_s
    known = int(np.flatnonzero(~np.isnan(stamps))[-1])
    return values, begin_s, float(stamps[known]) + (len(stamps) - 1 - known) * step_s


def _xml_chunk(tag: Tag, root: ET.Element, stream: int) -> bytes:
    return chunk(tag, ET.tostring(root, "utf-8"), stream)


def _footer(content: bytes) -> ET.Element | None:
    """Read a footer, None where pyxdf could not take it."""
    try:
        root = parse_xml(content)
        int(root.findtext("sample_count") or "")
    except ValueError:
        return None
    return root


def _pyxdf(data: bytes) -> list[dict[str, Any]]:
    with _quiet(), np.errstate(all="ignore"):
        try:
            return pyxdf.load_xdf(io.BytesIO(data), dejitter_timestamps=False)[0]  # type: ignore[no-any-return]
        except Exception as error:  # whatever it stumbles over, the file is to blame
            raise RecordingError(
                "XDF file", value=f"pyxdf cannot read it: {type(error).__name__} {error}"
            ) from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep pyxdf's log, which would run through the screen, to real failures."""
    log = logging.getLogger("pyxdf.pyxdf")
    level = log.level
    log.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        log.setLevel(level)
