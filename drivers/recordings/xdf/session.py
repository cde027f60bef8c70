"""A source, written to an XDF file while it runs.

Streams of a file, each with ``desc/streamer/role`` and ``desc/streamer/part``:

======== ======== ===================================================================
role     type     holds
======== ======== ===================================================================
emg      EMG      samples as received, float32 microvolts; lost ones are left out
lead-in  EMG      `Chunk.lead_in`, stamped as the time right before the epoch
markers  Markers  `Chunk.markers`
log      Markers  what happened to the EMG, see below
voice    Audio    synthetic speech, int16
estimates Estimates what was estimated, double64
events   Markers  `SourceXdf.event`
======== ======== ===================================================================

A chunk of EMG carries one time stamp, that of its first sample on the sender's clock. The
clock offsets of emg, lead-in, markers and log give the session's time; the other streams
are in session's time. Where the sender's clock is set (its offset jumps by more than
20 ms), a new *part* begins, with streams of its own: one line through all the offsets
would be wrong for both.

Any reader of XDF finds the streams with their times on the session's clock. It must not
smooth the times (pyxdf: ``dejitter_timestamps=False``; it does by default): lost samples are
left out, and smoothing would spread the loss over what was received. The file header says so,
too.

The log holds these lines, each right before the chunk of EMG that it is about. It is this
order in the file that tells a reader what belongs together:

* ``epoch 3 from sample 0``: an epoch begins, or goes on in a new part;
* ``lost 12 samples``, ``lost 12 samples (estimated)``;
* ``end at sample 600``: the epoch is complete (converted recordings only);
* ``recording {...}``: what is known of the epoch, as JSON (converted recordings only).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from drivers.recordings.xdf.emg_part import OFFSET_EVERY_S, TEXT, EmgPart, header
from drivers.recordings.xdf.writer import XdfWriter
from drivers.source import Channel, Chunk, SourceInfo


class SourceXdf:
    """Records a session: EMG without models, or with voice and estimates.

    One thread at a time. When a call raises OSError the disk is full: the file holds
    everything up to then, is closed, and takes no more.

    Parameters
    ----------
    path : Path
        A new file.
    info : SourceInfo
        Of the source.
    started : datetime, optional
        The session's beginning; default is now.
    started_s : float
        The same instant on the session's clock, `Chunk.time_s`.

    Raises
    ------
    RecordingError
        The file exists, or cannot be made.
    """

    def __init__(
        self,
        path: Path,
        info: SourceInfo,
        *,
        started: datetime | None = None,
        started_s: float = 0.0,
    ) -> None:
        self._writer = XdfWriter(path, created=started, about=header(started_s))
        self._info = info
        self._part = EmgPart(self._writer, info, 1)
        self._parts = 1
        self._epoch: int | None = None
        self._next = 0
        self._time_s = self._offset_s = 0.0
        self._voice: int | None = None
        self._estimates: tuple[int, tuple[str, ...]] | None = None
        self._events: int | None = None

    @property
    def closed(self) -> bool:
        """Whether the file takes no more: after `close`, or since the disk is full."""
        return self._writer.closed

    @property
    def size_bytes(self) -> int:
        """Size of the file."""
        return self._writer.size_bytes

    def take(self, chunk: Chunk, clock_offset_s: float = 0.0) -> None:
        """Write EMG, with its markers, lead-in and losses.

        Parameters
        ----------
        chunk : Chunk
            The next one of the source.
        clock_offset_s : float
            `Health.clock_offset_s`: what was added to the sender's stamps.

        Raises
        ------
        OSError
            The disk is full.
        """
        samples = len(chunk.samples)
        time_s = chunk.time_s - clock_offset_s - (samples - 1) / self._info.rate_hz
        new_part = self._part.jumped(clock_offset_s)
        if new_part:
            self._parts += 1
            self._part = EmgPart(self._writer, self._info, self._parts)
        if self._part.offset_due(time_s):
            self._part.clock_offset(time_s, clock_offset_s)
        new_epoch = chunk.epoch != self._epoch
        if new_epoch:
            self._epoch, self._next = chunk.epoch, 0
            self._writer.boundary()
        if new_epoch or new_part:
            self._part.log(f"epoch {chunk.epoch} from sample {self._next}", time_s)
        if chunk.lead_in is not None:
            begin_s = time_s - chunk.first_index / self._info.rate_hz
            self._part.lead_in(chunk.lead_in, begin_s)
        lost = chunk.first_index - self._next
        if lost < 0:
            raise ValueError(f"sample {chunk.first_index} of epoch {chunk.epoch} comes twice")
        if lost:
            estimated = " (estimated)" if chunk.gap_estimated else ""
            self._part.log(f"lost {lost} samples{estimated}", time_s)
        self._part.markers(chunk.markers, chunk.first_index, time_s)
        self._part.emg(chunk.samples, time_s)
        self._next = chunk.first_index + samples
        self._time_s, self._offset_s = time_s, clock_offset_s

    def audio(
        self, samples: NDArray[np.float32], time_s: float, *, rate_hz: float = 16000.0
    ) -> None:
        """Write synthetic speech.

        Parameters
        ----------
        samples : ndarray of float32, shape (n,)
            Full scale is 1; what is beyond is clipped.
        time_s : float
            Time of the first sample on the session's clock.
        rate_hz : float
            Sampling rate; that of the first call counts.

        Raises
        ------
        OSError
            The disk is full.
        """
        if self._voice is None:
            self._voice = self._add(
                "voice",
                "Audio",
                (Channel("voice", "normalized", "Audio"),),
                rate_hz,
                "int16",
                {"speech": "synthetic, converted from the EMG"},
                time_s,
            )
        counts = np.rint(np.clip(samples, -1.0, 1.0) * 32767).astype(np.int16)
        self._writer.write(self._voice, counts, time_s)

    def estimates(self, values: ArrayLike, labels: Sequence[str], time_s: float) -> None:
        """Write what was estimated.

        Parameters
        ----------
        values : array_like of float, shape (n,)
            Such as probabilities.
        labels : sequence of str
            Their names, the same at each call.
        time_s : float
            Of the estimate, on the session's clock.

        Raises
        ------
        OSError
            The disk is full.
        """
        if self._estimates is None:
            channels = [Channel(label, "", "Estimate") for label in labels]
            stream = self._add("estimates", "Estimates", channels, 0.0, "double64", {}, time_s)
            self._estimates = stream, tuple(labels)
        stream, known = self._estimates
        if known != tuple(labels):
            raise ValueError(f"estimates of {labels} in a stream of {known}")
        self._writer.write(stream, np.atleast_2d(np.asarray(values, np.float64)), time_s)

    def event(self, label: str, time_s: float) -> None:
        """Write an event of the session, such as a stall.

        Parameters
        ----------
        label : str
            What happened.
        time_s : float
            When, on the session's clock.

        Raises
        ------
        OSError
            The disk is full.
        """
        if self._events is None:
            self._events = self._add("events", "Markers", TEXT, 0.0, "string", {}, time_s)
        self._writer.write(self._events, [label], time_s)

    def flush(self) -> None:
        """Wait until all is on the disk; may take long."""
        self._writer.flush()

    def close(self) -> None:
        """End the file; may be called twice.

        Raises
        ------
        OSError
            The disk is full. What was written before can be read.
        """
        if self.closed:
            return
        # A line through two offsets that are close to each other points anywhere.
        if self._epoch is not None and self._part.offset_due(self._time_s, OFFSET_EVERY_S / 2):
            self._part.clock_offset(self._time_s, self._offset_s)
        self._writer.close()

    def __enter__(self) -> Self:
        """Nothing to do: the file is open."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close."""
        self.close()

    def _add(
        self,
        role: str,
        kind: str,
        channels: Sequence[Channel],
        rate_hz: float,
        format: str,  # noqa: A002 - XDF's own term
        desc: Mapping[str, Any],
        time_s: float,
    ) -> int:
        """Begin a stream on the session's clock."""
        stream = self._writer.add_stream(
            f"{self._info.name} {role}",
            kind,
            channels,
            rate_hz,
            format,
            source_id=f"{self._info.source_id}-{role}",
            desc={**desc, "streamer": {"role": role, "part": 0}},
        )
        self._writer.clock_offset(stream, time_s, 0.0)
        return stream
