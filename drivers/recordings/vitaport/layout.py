"""The headers of Vitaport II files; everything is big-endian."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from drivers.errors import RecordingError
from drivers.outside.names import clean

SYNC = 0x4AFC
CLOCK_HZ = 76800.0
SECTOR_BYTES = 512  # raw headers and recordings begin at multiples of it
CONVERTED, RAW = 6, 7
_OLDER = 2  # Vitaport I

FILE_HEADER = np.dtype(
    [
        ("sync", ">u2"),
        ("header_length", ">u2"),
        ("channel_table", ">u2"),
        ("type", "u1"),
        ("channels", "u1"),
        ("data_length", ">u4"),
        ("hour_minute_second", "u1", 3),
        ("reserved", "u1"),
        ("day_month_year", "u1", 3),
        ("system_version", "u1"),
        ("scan_divisor", ">u2"),
        ("channel_header_length", ">u2"),
        ("software", ">u2"),
        ("hardware", ">u2"),
        ("recorder", ">u4"),
        ("timer", ">u2"),
        ("flags", ">u2"),
    ]
)

CHANNEL_HEADER = np.dtype(
    [
        ("name", "V6"),
        ("unit", "V4"),
        ("data_type", "u1"),
        ("more_bytes", "u1"),
        ("scan_factor", "u1"),
        ("filter_mask", "u1"),
        ("store_factor", "u1"),
        ("reserved_1", "u1"),
        ("mul", ">u2"),
        ("offset", ">u2"),
        ("div", ">u2"),
        ("reserved_2", ">u2"),
        ("begin", ">u4"),
        ("length", ">u4"),
        ("reserved_3", ">u2"),
        ("flags", "u1"),
        ("high_pass", "u1"),
        ("amplification", ">u2"),
        ("low_pass", ">u2"),
    ]
)

_CHECKSUM_BYTES = 2
# 131 is what a Varioport gives its battery
_SIGNED, _UNSIGNED, _MARKER = (0,), (4, 5, 131), (130, 154)


class HeaderCutError(RecordingError):
    """The file ends within a header."""


@dataclass(frozen=True)
class ChannelHeader:
    """One channel, as the file describes it.

    Attributes
    ----------
    label : str
        Its name, made unique within the file.
    unit : str
        As written, such as ``"uV"``.
    data_type : int
        0 signed, 4, 5 or 131 unsigned, 130 or 154 marker.
    width : int
        Bytes per sample.
    factor : int
        Scan factor times store factor: it has a sample at each such scan tick; 0 is none.
    mul, offset, div : int
        Physical value = (raw - offset) * mul / div.
    begin, length : int
        Its block in a converted file, in bytes from the end of the header.
    marker : bool
        Whether it holds events.
    """

    label: str
    unit: str
    data_type: int
    width: int
    factor: int
    mul: int
    offset: int
    div: int
    begin: int
    length: int
    marker: bool

    @property
    def used_offset(self) -> float:
        """The offset, or 0 where no sample of this width can be as large.

        Varioports give channels of 8 bits the middle of 16 bits.
        """
        return float(self.offset if self.offset < 256**self.width else 0)

    @property
    def dtype(self) -> np.dtype[np.integer] | None:
        """Of its samples; None where the layout knows no such type."""
        known = self.data_type in _SIGNED + _UNSIGNED + _MARKER
        if not known or self.width not in (1, 2):
            return None
        return np.dtype(f">{'i' if self.data_type in _SIGNED else 'u'}{self.width}")


@dataclass(frozen=True)
class Header:
    """The header of one recording.

    Attributes
    ----------
    raw : bool
        Multiplexed, as the device writes it; otherwise converted, block by block.
    length : int
        Bytes of the header.
    data_length : int
        As written; in raw files the bytes of the whole recording with its header.
    recorded_at : datetime or None
        Of the first sample, to the second; None where the file has no valid date. Years are
        written with two digits: 69 and later are of the last century, as in POSIX.
    divisor : int
        Of the clock: it ticks at 76800 Hz / divisor.
    software, hardware, system, recorder : int
        Versions, and the number of the device.
    checksum : int
        As written; how it is computed is not public.
    channels : tuple of ChannelHeader
        In the order of the file.
    """

    raw: bool
    length: int
    data_length: int
    recorded_at: datetime | None
    divisor: int
    software: int
    hardware: int
    system: int
    recorder: int
    checksum: int
    channels: tuple[ChannelHeader, ...]

    def rate_hz(self, channel: ChannelHeader) -> float:
        """Return the sampling rate of a channel that has a factor."""
        return CLOCK_HZ / self.divisor / channel.factor


def looks_like_vitaport(path: Path, head: bytes) -> bool:
    """Say whether a file begins as Vitaport files do.

    Parameters
    ----------
    path : Path
        Not looked at.
    head : bytes
        The beginning of the file.
    """
    return (
        len(head) >= 8
        and int.from_bytes(head[:2], "big") == SYNC
        and head[6] in (_OLDER, CONVERTED, RAW)
    )


def parse_header(data: NDArray[np.uint8], where: str) -> Header:
    """Read the header of a recording.

    Parameters
    ----------
    data : ndarray of uint8, shape (n,)
        From the header on.
    where : str
        Names the file in errors.

    Returns
    -------
    Header
        Checked as far as it contradicts itself.

    Raises
    ------
    RecordingError
        It is no such header, or one that is cut or contradicts itself.
    """
    _need(data, FILE_HEADER.itemsize, where)
    fields = data[: FILE_HEADER.itemsize].view(FILE_HEADER)[0]
    if fields["sync"] != SYNC:
        raise RecordingError(
            f"sync word of {where}", value=f"{int(fields['sync']):#06x}", allowed=f"{SYNC:#06x}"
        )
    count, length = int(fields["channels"]), int(fields["header_length"])
    raw = _is_raw(int(fields["type"]), length, count, where)
    for name, field, right in (
        ("offset of the channel table", "channel_table", FILE_HEADER.itemsize),
        ("length of a channel header", "channel_header_length", CHANNEL_HEADER.itemsize),
    ):
        if fields[field] != right:
            raise RecordingError(f"{name} in {where}", value=fields[field], allowed=right)
    if not count or not fields["scan_divisor"]:
        raise RecordingError(
            f"header of {where}",
            value=f"{count} channels, scan divisor {fields['scan_divisor']}",
            allowed="1 or more of both",
        )
    _need(data, length, where)
    table_end = FILE_HEADER.itemsize + count * CHANNEL_HEADER.itemsize
    table = data[FILE_HEADER.itemsize : table_end].view(CHANNEL_HEADER)
    return Header(
        raw=raw,
        length=length,
        data_length=int(fields["data_length"]),
        recorded_at=_recorded_at(fields["day_month_year"], fields["hour_minute_second"]),
        divisor=int(fields["scan_divisor"]),
        software=int(fields["software"]),
        hardware=int(fields["hardware"]),
        system=int(fields["system_version"]),
        recorder=int(fields["recorder"]),
        checksum=int.from_bytes(data[table_end : table_end + _CHECKSUM_BYTES].tobytes(), "big"),
        channels=_channels(table),
    )


def _need(data: NDArray[np.uint8], length: int, where: str) -> None:
    if len(data) < length:
        raise HeaderCutError(
            f"header of {where}",
            value=f"cut after {len(data)} bytes",
            allowed=f"{length} bytes",
            way_out="copy the file again",
        )


def _is_raw(kind: int, length: int, channels: int, where: str) -> bool:
    """Tell raw from converted by type and header length, which have to agree."""
    least = FILE_HEADER.itemsize + channels * CHANNEL_HEADER.itemsize + _CHECKSUM_BYTES
    if kind == CONVERTED and length == least:
        return False
    if kind == RAW and length >= least and length % SECTOR_BYTES == 0:
        return True
    raise RecordingError(
        f"kind of {where}",
        value=f"type {kind} with a header of {length} bytes and {channels} channels",
        allowed=f"type {CONVERTED} (converted) with {least} bytes, or type {RAW} (raw) with a"
        f" multiple of {SECTOR_BYTES} that holds as many",
        way_out="convert it anew with the recorder's own program",
    )


def _recorded_at(
    day_month_year: NDArray[np.uint8], hour_minute_second: NDArray[np.uint8]
) -> datetime | None:
    """Read date and time, a decimal digit in each half of a byte."""
    written = [f"{int(byte):02x}" for byte in (*day_month_year, *hour_minute_second)]
    try:
        return datetime.strptime(" ".join(written), "%d %m %y %H %M %S")
    except ValueError:
        return None


def _channels(table: NDArray[np.void]) -> tuple[ChannelHeader, ...]:
    labels: list[str] = []
    channels = []
    for number, fields in enumerate(table, 1):
        name = _text(fields["name"])
        label = name or f"channel {number}"
        while label in labels:
            label += f" ({number})"
        labels.append(label)
        data_type = int(fields["data_type"])
        channels.append(
            ChannelHeader(
                label=label,
                unit=_text(fields["unit"]),
                data_type=data_type,
                width=int(fields["more_bytes"]) + 1,
                factor=int(fields["scan_factor"]) * int(fields["store_factor"]),
                mul=int(fields["mul"]),
                offset=int(fields["offset"]),
                div=int(fields["div"]),
                begin=int(fields["begin"]),
                length=int(fields["length"]),
                marker=data_type in _MARKER or name.upper() == "MARKER",
            )
        )
    return tuple(channels)


def _text(field: np.void) -> str:
    """Read a name that ends with zeros or blanks."""
    # A micro sign of Windows among the characters of DOS.
    written = field.tobytes().split(b"\0")[0].replace(b"\xb5", b"\xe6")
    return clean(written.decode("cp437"))
