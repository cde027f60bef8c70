"""EMG and what belongs to it in a file of our own (see `session`)."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drivers.recordings.xdf.writer import XdfWriter
from drivers.source import Channel, Marker, Samples, SourceInfo

_NOTE = (
    "Lost samples are left out of the EMG, and the stream 'log' says how many they are: "
    "read with pyxdf.load_xdf(file, dejitter_timestamps=False), else they are smeared over "
    "their surroundings."
)
OFFSET_EVERY_S = 5.0
_OFFSET_JUMP_S = 0.02
TEXT = (Channel("label", "", "Markers"),)


def header(started_s: float) -> dict[str, dict[str, float | str]]:
    """Describe a file of our own in its header, for our reader and for people with others.

    Parameters
    ----------
    started_s : float
        The file's date and time on the session's clock.

    Returns
    -------
    dict
        Elements of the file header.
    """
    return {"streamer": {"started_s": float(started_s), "note": _NOTE}}


class EmgPart:
    """EMG and what belongs to it, on one sender's clock.

    Parameters
    ----------
    writer : XdfWriter
        The file.
    info : SourceInfo
        Of the EMG.
    part : int
        Number of the part, from 1.
    """

    def __init__(self, writer: XdfWriter, info: SourceInfo, part: int) -> None:
        self._writer, self._info, self._part = writer, info, part
        self._streams: dict[str, int] = {}
        self._offset: tuple[float, float] | None = None
        self._suffix = "" if part == 1 else f" {part}"
        name = info.name + self._suffix
        desc = {
            "acquisition": {"model": info.name, "provenance": info.provenance.value},
            "provenance": info.provenance.value,
            "markers": {"source_id": f"{info.source_id}-markers"},
            "synchronization": {"can_drop_samples": "true"},
        }
        self._add("emg", name, "EMG", info.channels, info.rate_hz, "float32", desc)
        self._add("markers", f"{name} markers", "Markers", TEXT, 0.0, "string", {})
        self._add("log", f"{name} log", "Markers", TEXT, 0.0, "string", {})

    def _add(
        self,
        role: str,
        name: str,
        kind: str,
        channels: Sequence[Channel],
        rate_hz: float,
        format: str,  # noqa: A002 - XDF's own term
        desc: Mapping[str, Any],
    ) -> int:
        source_id = self._info.source_id
        self._streams[role] = self._writer.add_stream(
            name,
            kind,
            channels,
            rate_hz,
            format,
            source_id=source_id if role == "emg" else f"{source_id}-{role.replace(' ', '-')}",
            desc={**desc, "streamer": {"role": role, "part": self._part}},
        )
        if self._offset is not None:
            self._writer.clock_offset(self._streams[role], *self._offset)
        return self._streams[role]

    def clock_offset(self, time_s: float, offset_s: float) -> None:
        """Note the offset to the session's clock.

        Parameters
        ----------
        time_s : float
            When, on the sender's clock.
        offset_s : float
            Session's time less sender's time.
        """
        self._offset = (time_s, offset_s)
        for stream in self._streams.values():
            self._writer.clock_offset(stream, time_s, offset_s)

    def jumped(self, offset_s: float) -> bool:
        """Say whether an offset cannot be that of the same clock."""
        return self._offset is not None and abs(offset_s - self._offset[1]) > _OFFSET_JUMP_S

    def offset_due(self, time_s: float, after_s: float = OFFSET_EVERY_S) -> bool:
        """Say whether the offset is to be noted again."""
        return self._offset is None or time_s - self._offset[0] >= after_s

    def log(self, line: str, time_s: float) -> None:
        """Note what happened, at `time_s` of the sender's clock."""
        self._writer.write(self._streams["log"], [line], time_s)

    def lead_in(self, samples: Samples, until_s: float) -> None:
        """Write the samples before an epoch, which begins at `until_s`."""
        role = "lead-in"
        if role not in self._streams:
            name = f"{self._info.name}{self._suffix} lead-in"
            info = self._info
            self._add(role, name, "EMG", info.channels, info.rate_hz, "float32", {})
        time_s = until_s - len(samples) / self._info.rate_hz
        self._writer.write(self._streams[role], samples, time_s)

    def markers(self, markers: Sequence[Marker], index: int, time_s: float) -> None:
        """Write events; sample `index` was or will be at `time_s`."""
        if markers:
            times_s = [time_s + (m.index - index) / self._info.rate_hz for m in markers]
            self._writer.write(self._streams["markers"], [m.label for m in markers], times_s)

    def emg(self, samples: Samples, time_s: float) -> None:
        """Write samples, the first of which is at `time_s`."""
        self._writer.write(self._streams["emg"], samples, time_s)

    def speech(self, samples: NDArray[np.float32], rate_hz: float, time_s: float) -> None:
        """Write natural speech, which was spoken from `time_s` on."""
        role = f"speech {rate_hz!r}"
        if role not in self._streams:
            channel = (Channel("speech", "", "Audio"),)
            name = f"{self._info.name}{self._suffix} speech"
            desc = {"speech": "natural, recorded with the EMG"}
            self._add(role, name, "Audio", channel, rate_hz, "float32", desc)
        step = round(rate_hz)  # a second each
        for begin in range(0, len(samples), step):
            piece = samples[begin : begin + step]
            self._writer.write(self._streams[role], piece, time_s + begin / rate_hz)

    def phones(self, lines: Sequence[str], times_s: Sequence[float]) -> None:
        """Write a phone alignment."""
        if "phones" not in self._streams:
            name = f"{self._info.name}{self._suffix} phones"
            self._add("phones", name, "Markers", TEXT, 0.0, "string", {})
        self._writer.write(self._streams["phones"], lines, times_s)
