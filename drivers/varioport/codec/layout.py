"""Where the parts of a frame lie, and raw numbers to physical values and back."""

from dataclasses import dataclass
from itertools import groupby
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from drivers.source import Marker, Samples
from drivers.varioport.profile import FORMAT_BYTES, Profile

Bytes = NDArray[np.uint8]
Raw = NDArray[np.float64]  # exact for every format


@dataclass(frozen=True)
class _Run:
    """Neighbouring channels of one format."""

    format: str
    begin: int  # byte within the frame
    channels: slice


class FrameLayout:
    """The places of a profile's parts within a frame.

    Parameters
    ----------
    profile : Profile
        What the frame looks like.

    Attributes
    ----------
    counter : slice or None
        Bytes of the counter.
    checksum : slice
        Bytes of the checksum, empty where there is none.
    """

    def __init__(self, profile: Profile) -> None:
        self._order: Literal[">", "<"] = ">" if profile.byte_order == "big" else "<"
        place = len(profile.sync)
        self.counter: slice | None = None
        if profile.counter is not None:
            self.counter = slice(place, place + profile.counter.bytes)
            place += profile.counter.bytes
        self._runs = []
        first = 0
        for kind, group in groupby(profile.channels, key=lambda channel: channel.format):
            size = len(list(group))
            self._runs.append(_Run(kind, place, slice(first, first + size)))
            first += size
            place += size * FORMAT_BYTES[kind]
        self.checksum = slice(place, profile.frame_bytes)
        self._marker = profile.marker_index
        self._columns = first
        self._signal = [i for i in range(first) if i != self._marker]
        self._offset = np.array([profile.channels[i].offset for i in self._signal])
        scale = [profile.channels[i].scale for i in self._signal]
        self._scale = np.array(scale, np.float32)

    def unsigned(self, frames: Bytes, part: slice) -> NDArray[np.uint32]:
        """Read the unsigned number in `part` of each frame, of up to 4 bytes."""
        value = np.zeros(len(frames), np.uint32)
        places = range(part.start, part.stop)
        for place in places if self._order == ">" else reversed(places):
            value = value << np.uint32(8) | frames[:, place]
        return value

    def put_unsigned(self, frames: Bytes, part: slice, values: NDArray[np.uint32]) -> None:
        """Write `values` into `part` of each frame."""
        places = range(part.start, part.stop)
        for place in reversed(places) if self._order == ">" else places:
            frames[:, place] = values & np.uint32(0xFF)
            values = values >> np.uint32(8)

    def decode(self, frames: Bytes) -> tuple[Samples, NDArray[np.int64]]:
        """Turn frames into physical values and marker values.

        The value is ``float32(raw - offset) * float32(scale)`` with one rounding after
        the other, which is what readers of files compute from the same counts: the same
        bits come out.

        Parameters
        ----------
        frames : ndarray of uint8, shape (n, frame bytes)
            Whole frames.

        Returns
        -------
        samples : ndarray of float32, shape (n, signal channels)
            Physical values.
        markers : ndarray of int64, shape (n,)
            Raw values of the marker; zeros where the profile has none.
        """
        frames = np.ascontiguousarray(frames)
        columns = [self._read(frames, run) for run in self._runs]
        raw = columns[0] if len(columns) == 1 else np.concatenate(columns, axis=1)
        if self._marker is None:
            markers = np.zeros(len(frames), np.int64)
        else:
            markers = raw[:, self._marker].astype(np.int64)
        return (raw[:, self._signal] - self._offset).astype(np.float32) * self._scale, markers

    def encode(self, frames: Bytes, samples: Samples, markers: NDArray[np.integer] | None) -> int:
        """Write physical values and marker values into frames.

        Parameters
        ----------
        frames : ndarray of uint8, shape (n, frame bytes)
            Written to.
        samples : ndarray of float32, shape (n, signal channels)
            Physical values; the nearest count is taken.
        markers : ndarray of int, shape (n,), optional
            Raw values of the marker; None is zeros.

        Returns
        -------
        int
            Values that did not fit and became the nearest one that does.
        """
        raw = np.zeros((len(frames), self._columns))
        raw[:, self._signal] = samples.astype(np.float64) / self._scale + self._offset
        if self._marker is not None and markers is not None:
            raw[:, self._marker] = markers
        return sum(self._write(frames, run, raw[:, run.channels]) for run in self._runs)

    def _read(self, frames: Bytes, run: _Run) -> NDArray[np.generic]:
        size = FORMAT_BYTES[run.format]
        count = run.channels.stop - run.channels.start
        if size != 3:
            return np.ndarray(
                (len(frames), count),
                self._dtype(run.format),
                frames,
                run.begin,
                (frames.shape[1], size),
            )
        # 24 bits are the upper ones of 32, whose sign then is theirs
        wide = np.zeros((len(frames), count, 4), np.uint8)
        upper = slice(0, 3) if self._order == ">" else slice(1, 4)
        part = frames[:, run.begin : run.begin + size * count]
        wide[:, :, upper] = part.reshape(len(frames), count, 3)
        kind = run.format.replace("24", "32")
        return wide.reshape(len(frames), count * 4).view(self._dtype(kind)) >> 8

    def _write(self, frames: Bytes, run: _Run, raw: Raw) -> int:
        size = FORMAT_BYTES[run.format]
        part = frames[:, run.begin : run.begin + size * raw.shape[1]]
        if run.format == "float32":
            part[:] = raw.astype(self._dtype("float32")).view(np.uint8)
            return 0
        bits = 8 * size
        lowest = 0 if run.format.startswith("u") else -(2 ** (bits - 1))
        counts = np.rint(raw)
        fitting = np.clip(counts, lowest, lowest + 2**bits - 1)
        integers = fitting.astype(np.int64).astype(f"{self._order}i8").reshape(-1, 1)
        octets = integers.view(np.uint8).reshape(len(frames), raw.shape[1], 8)
        kept = octets[:, :, -size:] if self._order == ">" else octets[:, :, :size]
        part[:] = kept.reshape(part.shape)
        return int(np.count_nonzero(fitting != counts))

    def _dtype(self, kind: str) -> np.dtype[np.generic]:
        return np.dtype(kind).newbyteorder(self._order)


class MarkerEvents:
    """Finds the events in the values of a marker: runs of an equal value other than 0."""

    def __init__(self) -> None:
        self._last = 0

    def find(self, values: NDArray[np.int64]) -> tuple[Marker, ...]:
        """Return the events that begin in `values`, which follow those of the last call."""
        if not len(values):
            return ()
        if self._last == values[0] and (values == values[0]).all():
            return ()  # as almost always
        changed = np.flatnonzero(np.diff(values, prepend=self._last))
        self._last = int(values[-1])
        return tuple(Marker(int(i), str(values[i])) for i in changed if values[i])
