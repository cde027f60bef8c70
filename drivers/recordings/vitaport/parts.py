"""The recordings of a file: one in a converted file, one after the other in a raw one."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from drivers.errors import RecordingError
from drivers.outside.texts import open_regular
from drivers.recordings.checked import one_line
from drivers.recordings.vitaport.counts import (
    Bytes,
    Counts,
    block,
    check_blocks,
    multiplexed,
    whole_ticks,
)
from drivers.recordings.vitaport.layout import (
    SECTOR_BYTES,
    SYNC,
    Header,
    HeaderCutError,
    parse_header,
)


@dataclass(frozen=True, eq=False)
class Part:
    """One recording of a file, as bytes.

    Attributes
    ----------
    header : Header
        Its header.
    body : ndarray of uint8, shape (bytes,)
        What the file holds behind the header.
    missing : int
        Bytes that the header claims and the file does not hold.
    behind : int
        Bytes of the file from where the recording ends.
    """

    header: Header
    body: Bytes
    missing: int
    behind: int

    @property
    def cut(self) -> frozenset[str]:
        """Labels of the channels whose data are not there to the end."""
        if self.header.raw:
            return frozenset()
        held = len(self.body)
        return frozenset(c.label for c in self.header.channels if c.begin + c.length > held)

    def counts(self, number: int) -> Counts:
        """Return the samples of a channel that can be read, as stored.

        Parameters
        ----------
        number : int
            Of the channel, from 0; not one that is cut.
        """
        channels = self.header.channels
        if self.header.raw:
            return multiplexed(self.body, channels, number, whole_ticks(len(self.body), channels))
        counts = block(self.body, channels[number])
        assert counts is not None
        return counts


def read_parts(path: Path) -> list[Part]:
    """Find the recordings of a file.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    list of Part
        One or more; of raw files, one whose header is cut is none.

    Raises
    ------
    RecordingError
        It is no Vitaport file, or a header contradicts itself.
    """
    thing = f"Vitaport file {path}"
    with one_line(thing), open_regular(path, thing, RecordingError) as file:
        data = np.fromfile(file, np.uint8)
    header = parse_header(data, path.name)
    if not header.raw:
        check_blocks(header, path.name)
        body = data[header.length :]
        missing = max(c.begin + c.length for c in header.channels) - len(body)
        return [Part(header, body, max(0, missing), 0)]
    parts, start = [_raw_part(data, header, path.name)], 0
    while (
        found := _next_header(data, start + parts[-1].header.data_length, path.name)
    ) is not None:
        start, header = found
        parts.append(_raw_part(data[start:], header, path.name))
    return parts


def _raw_part(data: Bytes, header: Header, where: str) -> Part:
    if any(not channel.factor for channel in header.channels):
        raise RecordingError(
            f"scan and store factors of {where}",
            value=", ".join(c.label for c in header.channels if not c.factor) + " with 0",
            allowed="1 or more in a raw file, or no channel can be told from the next",
            way_out="convert it to type 6 with the recorder's own program",
        )
    if header.data_length < header.length:
        raise RecordingError(
            f"data length of {where}",
            value=f"{header.data_length} bytes",
            allowed=f"{header.length} bytes (the header) or more",
            way_out="convert it to type 6 with the recorder's own program",
        )
    body = data[header.length : header.data_length]
    missing = header.data_length - header.length - len(body)
    return Part(header, body, missing, max(0, len(data) - header.data_length))


def _next_header(data: Bytes, end: int, where: str) -> tuple[int, Header] | None:
    """Find the recording behind one that ends there; one whose header is cut is none."""
    boundary = -(-end // SECTOR_BYTES) * SECTOR_BYTES
    # Where a recording fills its last sector, another one may lie between.
    for start in (boundary, boundary + SECTOR_BYTES):
        if data[start : start + 2].tobytes() == SYNC.to_bytes(2, "big"):
            try:
                return start, parse_header(data[start:], where)
            except HeaderCutError:
                return None
    return None
