"""Files in the layout of Vitaport II, written byte by byte: no real one is public."""

import struct
from dataclasses import dataclass, field
from types import SimpleNamespace

import numpy as np
import pytest

HEADER = struct.Struct(">HHHBBI3sB3sBHHHHIHH")
CHANNEL = struct.Struct(">6s4sBBBBBBHHHHIIHBBHH")


@dataclass
class WrittenChannel:
    """A channel of a file; `counts` are its raw values."""

    name: bytes
    counts: list[int] = field(default_factory=list)
    unit: bytes = b"uV"
    data_type: int = 5
    width: int = 2
    scan: int = 1
    store: int = 1
    mul: int = 1297
    offset: int = 32767
    div: int = 10000

    @property
    def factor(self) -> int:
        return self.scan * self.store

    @property
    def stored(self) -> list[bytes]:
        signed = self.data_type == 0
        return [int(c).to_bytes(self.width, "big", signed=signed) for c in self.counts]

    @property
    def physical(self) -> np.ndarray:
        return (np.array(self.counts, float) - self.offset) * self.mul / self.div

    def header(self, begin: int, length: int) -> bytes:
        return CHANNEL.pack(
            self.name, self.unit, self.data_type, self.width - 1, self.scan, 0, self.store, 0,
            self.mul, self.offset, self.div, 0, begin, length, 1000, 1, 0, 1, 0,
        )  # fmt: skip


def head(channels, kind, header_length, data_length, /, **changes) -> bytes:
    fields = {
        "sync": 0x4AFC,
        "header_length": header_length,
        "table": 36,
        "kind": kind,
        "channels": len(channels),
        "data_length": data_length,
        "time": bytes([0x13, 0x45, 0x59]),
        "reserved": 0,
        "date": bytes([0x24, 0x12, 0x13]),
        "system": 56,
        "divisor": 128,
        "channel_header": 40,
        "software": 311,
        "hardware": 1286,
        "recorder": 4711,
        "timer": 0,
        "flags": 512,
    }
    return HEADER.pack(*(fields | changes).values())


def table(label: bytes, times_ms, entries: int) -> bytes:
    filled = [*times_ms, *[0xFFFFFFFF] * (entries - len(times_ms))]
    return struct.pack(">6sI", label, 4 * entries) + struct.pack(f">{entries}I", *filled)


def converted(channels, /, *, tables: bytes = b"", **changes) -> bytes:
    """One block for each channel, tables behind them."""
    blocks = [b"".join(channel.stored) for channel in channels]
    begins = np.cumsum([0, *map(len, blocks)])
    header_length = 38 + 40 * len(channels)
    result = head(channels, 6, header_length, header_length + int(begins[-1]), **changes)
    for channel, begin, block in zip(channels, begins, blocks, strict=False):
        result += channel.header(int(begin), len(block))
    return result + b"\xab\xcd" + b"".join(blocks) + tables


def raw(channels, ticks: int, /, *, header_length: int = 512, **changes) -> bytes:
    """Each channel at its ticks; the data length holds the header, as the devices write it."""
    waiting = [iter(channel.stored) for channel in channels]
    body = b"".join(
        next(waiting[k])
        for tick in range(ticks)
        for k, channel in enumerate(channels)
        if tick % channel.factor == 0
    )
    result = head(channels, 7, header_length, header_length + len(body), **changes)
    result += b"".join(channel.header(0, 0) for channel in channels)
    return result.ljust(header_length, b"\0") + body


def padded(recording: bytes) -> bytes:
    """Fill the last sector."""
    return recording + bytes(-len(recording) % 512)


@pytest.fixture
def vitaport() -> SimpleNamespace:
    """Give what writes files in the layout of Vitaport II."""
    return SimpleNamespace(
        Channel=WrittenChannel, converted=converted, raw=raw, table=table, padded=padded
    )


@pytest.fixture
def six_channels() -> list[WrittenChannel]:
    """Six channels of EMG at 600 Hz with noise that uses all 16 bits."""
    rng = np.random.default_rng(5)
    return [
        WrittenChannel(b"EMG%d" % (k + 1), rng.integers(0, 65536, 300).tolist()) for k in range(6)
    ]
