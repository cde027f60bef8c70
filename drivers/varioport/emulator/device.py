"""A device that is not there: any source as a Varioport on a pseudo terminal.

The device goes by its own clock: it acquires, counts and sends one frame after the other,
whether somebody reads or not. What the port cannot take is lost, as on a real one.

Markers travel as pulses in the profile's marker channel, `PULSE_S` long and non-zero. A
marker whose label is a number from 1 to 127 has that value; the others are numbered 1, 2,
... 127, 1, ...: a device has no room for names.

A profile with start bytes makes a device that is silent until it receives them, in each
connection anew, and silent again after its stop bytes.
"""

import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from drivers.clock import Clock, PerfClock
from drivers.errors import SignalMismatchError
from drivers.source import Chunk, Marker, Source, SourceInfo, SourceState
from drivers.varioport.codec import make_encoder
from drivers.varioport.emulator.faults import Faults, FaultyLine, Injected, Pause
from drivers.varioport.emulator.pty import DEFAULT_LINK, PseudoPort
from drivers.varioport.profile import Profile

PULSE_S = 0.01
"""Length of a marker's pulse."""

_MOST_VALUES = 127  # fits the smallest marker channel, int8
_PATIENCE_S = 0.1  # how long a request to stop may go unheard
_GAP_BLOCK = 600  # samples


class Emulator:
    """Feeds a pseudo terminal as the device would.

    It keeps the time itself: give it an unpaced source, such as a `ReplaySource` with
    ``speed=None`` and ``loop=True``. A source in real time works too, but it cannot run
    faster than it does, so a positive drift needs an unpaced one.

    Parameters
    ----------
    source : Source
        What the electrodes pick up; the emulator opens and closes it.
    profile : Profile
        How the device sends it.
    faults : Faults, optional
        What goes wrong; nothing unless told otherwise.
    link : Path
        Name of the port, see `PseudoPort`.
    clock : Clock, optional
        This host's clock.
    """

    def __init__(
        self,
        source: Source,
        profile: Profile,
        faults: Faults | None = None,
        *,
        link: Path = DEFAULT_LINK,
        clock: Clock | None = None,
    ) -> None:
        self._source = source
        self._profile = profile
        self._faults = Faults() if faults is None else faults
        self._clock = PerfClock() if clock is None else clock
        self._port = PseudoPort(link)
        first_count = self._faults.first_count
        if profile.counter is not None:
            first_count %= 256**profile.counter.bytes
        self._encoder = make_encoder(profile, first_count)
        self._line = FaultyLine(self._faults)
        self._pulses = MarkerPulses(profile.rate_hz)
        self._acquired_s: float | None = None  # first sample, on the source's clock
        self._started_s = 0.0  # the same on this host's
        self._opened_s: float | None = None  # when somebody had the port open first
        self._sending = not profile.start
        self._received = b""

    @property
    def link(self) -> Path:
        """Name of the port."""
        return self._port.link

    @property
    def injected(self) -> Injected:
        """What the device did and what went wrong so far, at any time."""
        return self._line.injected

    def open(self) -> None:
        """Open the source and plug the device in; it is silent until `run`.

        Raises
        ------
        SourceError
            The port cannot be made, or the source not be opened.
        SignalMismatchError
            The source's signal is not what the profile describes.
        """
        self._source.open()
        try:
            _check_signal(self._source.info, self._profile)
            self._port.plug()
        except BaseException:
            self._source.close()
            raise

    def run(self, stop: threading.Event | None = None) -> None:
        """Send until the source ends or `stop` is set.

        Parameters
        ----------
        stop : threading.Event, optional
            Ends the run within 0.1 s.
        """
        while stop is None or not stop.is_set():
            chunk = self._source.read(_PATIENCE_S)
            if chunk is not None:
                self._relay(chunk, stop)
            elif self._source.health.state is SourceState.DISCONNECTED:
                return

    def close(self) -> None:
        """Unplug the device and close the source; may be called twice."""
        self._port.unplug()
        self._source.close()

    def __enter__(self) -> Self:
        """Open."""
        self.open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close."""
        self.close()

    def _relay(self, chunk: Chunk, stop: threading.Event | None) -> None:
        """Send a chunk, frame by frame at its time."""
        if chunk.gap_before:
            self._pass_over(chunk.gap_before)
        rows = len(chunk.samples)
        if not rows:
            return
        markers, unsent = self._pulses.draw(chunk)
        if not any(channel.type == "MARKER" for channel in self._profile.channels):
            self.injected.unsent_markers += len(chunk.markers)
        else:
            self.injected.unsent_markers += unsent
        # A device has no word for a value that is missing.
        missing = np.isnan(chunk.samples)
        self.injected.missing_values += int(missing.sum())
        frames = self._encoder.encode(np.where(missing, np.float32(0), chunk.samples), markers)
        rate_hz = self._profile.rate_hz
        if self._acquired_s is None:
            self._acquired_s = chunk.time_s - rows / rate_hz
            self._started_s = self._clock.now_s()
        device_s = np.arange(self.injected.frames + 1, self.injected.frames + rows + 1) / rate_hz
        self.injected.frames += rows
        acquired_s = chunk.time_s - np.arange(rows)[::-1] / rate_hz - self._acquired_s
        # Not a rounding error apart: what is to go out together does.
        behind_s = np.round(acquired_s - device_s, 6)
        sent_s = self._sent_at(device_s) + behind_s
        due_s = self._started_s + sent_s / (1 + 1e-6 * self._faults.drift_ppm)
        begin = 0
        while begin < rows:
            if not self._wait_until(due_s[begin], stop):
                return
            end = int(np.searchsorted(due_s, self._clock.now_s(), "right"))
            end = max(end, begin + 1)
            self._send(frames[begin:end], device_s[begin:end])
            begin = end

    def _pass_over(self, lost: int) -> None:
        """Count the samples that the source lost, and send none."""
        width = sum(channel.type != "MARKER" for channel in self._profile.channels)
        left = lost
        while left:
            block = min(left, _GAP_BLOCK)
            self._encoder.encode(np.zeros((block, width), np.float32), np.zeros(block, np.int64))
            left -= block
        self._pulses.stop()
        self._line.count(np.zeros(lost, np.bool_))
        self.injected.gap_frames += lost
        self.injected.frames += lost

    def _sent_at(self, device_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """When the frames acquired at these times leave, on the device's clock."""
        sent_s = device_s
        late = self._faults.late
        if late is not None:
            held = late.covers(device_s)
            self.injected.late_frames += int(held.sum())
            number, _ = late.locate(device_s)
            sent_s = np.where(held, number * late.every_s + late.lasting_s, sent_s)
        if self._faults.burst_ms:
            burst_s = self._faults.burst_ms / 1000
            sent_s = np.ceil(np.round(sent_s / burst_s, 9)) * burst_s
        return sent_s

    def _wait_until(self, due_s: float, stop: threading.Event | None) -> bool:
        """Wait; False when it is time to stop."""
        while (now_s := self._clock.now_s()) < due_s:
            if stop is not None and stop.is_set():
                return False
            self._clock.sleep_until(min(due_s, now_s + _PATIENCE_S))
        return True

    def _send(self, frames: Sequence[bytes], device_s: NDArray[np.float64]) -> None:
        """Send frames that are due, or lose them as the faults will have it."""
        never = np.zeros(len(frames), np.bool_)
        gone = never if self._faults.unplug is None else self._gone(device_s, self._faults.unplug)
        silent = never if self._faults.stall is None else self._faults.stall.covers(device_s)
        fate = np.where(gone, 2, np.where(silent, 1, 0))
        edges = [0, *(np.flatnonzero(np.diff(fate)) + 1).tolist(), len(frames)]
        for begin, end in zip(edges, edges[1:], strict=False):
            if gone[begin]:
                self._unplug()
                self.injected.unplugged_frames += end - begin
                continue
            self._plug()
            if silent[begin]:
                self._line.count(never[begin:end])
                self.injected.stalled_frames += end - begin
            else:
                self._write(frames[begin:end])

    def _gone(self, device_s: NDArray[np.float64], unplug: Pause) -> NDArray[np.bool_]:
        """Say at which times the port is gone: never before somebody had it open."""
        if self._opened_s is None and self._port.is_open:
            self._opened_s = float(device_s[0])
        if self._opened_s is None:
            return np.zeros(len(device_s), np.bool_)
        return unplug.covers(device_s - self._opened_s)

    def _write(self, frames: Sequence[bytes]) -> None:
        self._obey()
        if not self._sending:
            self._line.connect()
            return
        if not self._port.is_open:
            self._line.connect()
            self.injected.unread_bytes += sum(map(len, frames))
            self._port.write(b"")  # takes away what a reader left
            return
        damaged = self._line.damage(frames)
        sent = self._port.write(damaged.data)
        self.injected.overflow_bytes += len(damaged.data) - sent
        self._line.count(damaged.whole & (damaged.ends <= sent))

    def _obey(self) -> None:
        """Start or stop as the host says."""
        start, stop = self._profile.start, self._profile.stop
        self._received += self._port.read()
        if not (start or stop):
            self._received = b""
            return
        started = self._received.rfind(start) if start else -1
        stopped = self._received.rfind(stop) if stop else -1
        if started != stopped:
            self._sending = started > stopped
        if started >= 0 or stopped >= 0:
            self._received = b""
        # The rest of a command may be still to come.
        self._received = self._received[-max(len(start), len(stop)) :]

    def _plug(self) -> None:
        if not self._port.is_plugged:
            self._port.plug()
            self._line.connect()
            self._sending = not self._profile.start
            self._received = b""

    def _unplug(self) -> None:
        if self._port.is_plugged:
            self._port.unplug()
            self.injected.unplugs += 1


class MarkerPulses:
    """Markers as pulses of a device's marker channel.

    Parameters
    ----------
    rate_hz : float
        Sampling rate.
    """

    def __init__(self, rate_hz: float) -> None:
        self._length = max(1, round(PULSE_S * rate_hz))
        self._numbered = 0
        self.stop()

    def stop(self) -> None:
        """End a pulse that is still on."""
        self._value = self._left = 0

    def draw(self, chunk: Chunk) -> tuple[NDArray[np.int64], int]:
        """Draw the pulses of the next chunk.

        Parameters
        ----------
        chunk : Chunk
            With its markers.

        Returns
        -------
        values : ndarray of int64, shape (n,)
            Of the marker channel, one for each sample; 0 between markers.
        unsent : int
            Markers that share their sample with a later one, and give way to it.
        """
        values = np.zeros(len(chunk.samples), np.int64)
        values[: self._left] = self._value
        self._left = max(0, self._left - len(values))
        unsent = 0
        last = -1
        for marker in sorted(chunk.markers, key=lambda m: m.index):
            row = max(0, marker.index - chunk.first_index)  # of one in a gap: behind it
            unsent += row == last
            last = row
            self._value = self._value_of(marker)
            values[row : row + self._length] = self._value
            values[row + self._length :] = 0
            self._left = max(0, row + self._length - len(values))
        return values, unsent

    def _value_of(self, marker: Marker) -> int:
        if marker.label.isdecimal() and 1 <= int(marker.label) <= _MOST_VALUES:
            return int(marker.label)
        self._numbered = self._numbered % _MOST_VALUES + 1
        return self._numbered


def _check_signal(info: SourceInfo, profile: Profile) -> None:
    """Refuse a source that is not what the profile's device measures."""
    described = [channel for channel in profile.channels if channel.type != "MARKER"]
    if (len(described), profile.rate_hz) == (len(info.channels), info.rate_hz):
        return
    raise SignalMismatchError(
        f"signal of {info.name}",
        value=f"{len(info.channels)} channels at {info.rate_hz:g} Hz",
        allowed=f"{len(described)} at {profile.rate_hz:g} Hz as in profile {profile.name}",
        way_out="choose another recording or profile",
    )
