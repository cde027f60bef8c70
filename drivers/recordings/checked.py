"""What holds for the recordings of every format, whoever wrote the file and its reader."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import numpy as np

from drivers.errors import RecordingError
from drivers.outside.names import clean
from drivers.outside.settings import MOST_SECONDS
from drivers.recordings.recording import Recording
from drivers.selection import find_columns
from drivers.source import Channel, Marker, Samples
from drivers.units import unique_labels

LEAST_RATE_HZ, MOST_RATE_HZ = 1.0, 1e6
MOST_CHANNELS = 1024
MOST_PEAK = 16.0
"""Full scales of speech: a float may exceed one a little, and counts exceed it by far."""

_MOST_LETTERS = 4096  # of a marker, which may hold data of the program that wrote it


@contextmanager
def one_line(thing: str) -> Iterator[None]:
    """Put what the system says of a file into the error of a recording.

    Parameters
    ----------
    thing : str
        The file, for the error.

    Raises
    ------
    RecordingError
        It cannot be read, or not in the memory that there is.
    """
    try:
        yield
    except OSError as error:
        raise RecordingError(thing, value=error.strerror or error) from error
    except MemoryError:
        raise RecordingError(thing, value="it needs more memory than there is") from None


class CheckedRecordings:
    """Recordings of a file: bounded, of clean names, with the channels that are chosen.

    Parameters
    ----------
    read : callable
        Gives the recordings, as `Format.read` does.
    thing : str
        The file, for errors.
    channels : sequence of str, optional
        Labels of the channels to take, in this order.

    Raises
    ------
    RecordingError
        As `read`.
    """

    def __init__(
        self,
        read: Callable[[], Iterable[Recording]],
        thing: str,
        channels: Sequence[str] | None = None,
    ) -> None:
        self._thing, self._labels = thing, channels
        with one_line(thing):
            self._recordings = read()

    def __iter__(self) -> Iterator[Recording]:
        """Read one by one, as often as it is asked for."""
        used: set[str] = set()
        with one_line(self._thing):
            for recording in self._recordings:
                one = self._selected(checked(recording, self._thing))
                name, times = one.name, 1
                while name in used:
                    times += 1
                    name = f"{one.name}-{times}"
                used.add(name)
                yield one if times == 1 else replace(one, name=name)

    def _selected(self, recording: Recording) -> Recording:
        if self._labels is None:
            return recording
        columns = find_columns([c.label for c in recording.channels], self._labels, self._thing)
        lead_in_uv = recording.lead_in_uv
        return replace(
            recording,
            emg_uv=recording.emg_uv[:, columns],
            channels=tuple(recording.channels[column] for column in columns),
            lead_in_uv=None if lead_in_uv is None else lead_in_uv[:, columns],
        )


def checked(recording: Recording, thing: str) -> Recording:
    """Refuse what no recording can be, and clean what others wrote.

    Parameters
    ----------
    recording : Recording
        As its reader gives it.
    thing : str
        The file, for errors.

    Returns
    -------
    Recording
        With a bounded rate and number of channels, and texts of one line each. Infinite samples
        are lost ones; speech that is on no scale, and markers and phones at no time, are left
        out, which its notes say.

    Raises
    ------
    RecordingError
        The rate or the number of channels is out of bounds.
    """
    _bounded_rate(recording.rate_hz, "sampling rate", thing)
    if recording.audio_rate_hz is not None:
        _bounded_rate(recording.audio_rate_hz, "sampling rate of the speech", thing)
    if not 1 <= len(recording.channels) <= MOST_CHANNELS:
        raise RecordingError(
            f"channels of {thing}", value=len(recording.channels), allowed=f"1 to {MOST_CHANNELS}"
        )
    labels = unique_labels([clean(channel.label) for channel in recording.channels])
    recording = _possible(recording)
    return replace(
        recording,
        name=clean(recording.name),
        channels=tuple(
            Channel(label, clean(channel.unit), clean(channel.type))
            for label, channel in zip(labels, recording.channels, strict=True)
        ),
        markers=tuple(
            Marker(marker.index, clean(marker.label, _MOST_LETTERS)) for marker in recording.markers
        ),
        speaker=_clean(recording.speaker),
        session=_clean(recording.session),
    )


def _possible(recording: Recording) -> Recording:
    """Leave out what no recording can have, which no format could write again."""
    most = MOST_SECONDS * recording.rate_hz
    markers = tuple(one for one in recording.markers if abs(one.index) < most)
    phones = tuple(one for one in recording.phones if 0 <= one.start_s <= one.end_s < MOST_SECONDS)
    left_out = {
        "markers at no time": len(recording.markers) - len(markers),
        "phones at no time": len(recording.phones) - len(phones),
    }
    audio = recording.audio
    # NaN is within no bounds
    if audio is not None and not np.abs(audio).max(initial=0.0) <= MOST_PEAK:
        left_out["natural speech that is on no scale, or not finite"] = 1
        audio = None
    notes = [
        f"{recording.name}: left out: {what}" + f" ({count})" * (count > 1)
        for what, count in left_out.items()
        if count
    ]
    lead_in_uv = recording.lead_in_uv
    return replace(
        recording,
        emg_uv=_without_infinity(recording.emg_uv),
        lead_in_uv=None if lead_in_uv is None else _without_infinity(lead_in_uv),
        markers=markers,
        phones=phones,
        audio=audio,
        audio_rate_hz=None if audio is None else recording.audio_rate_hz,
        notes=(*recording.notes, *notes),
    )


def _without_infinity(emg_uv: Samples) -> Samples:
    infinite = np.isinf(emg_uv)
    return np.where(infinite, np.float32(np.nan), emg_uv) if infinite.any() else emg_uv


def _clean(text: str | None) -> str | None:
    return None if text is None else clean(text)


def _bounded_rate(rate_hz: float, what: str, thing: str) -> None:
    if not (math.isfinite(rate_hz) and LEAST_RATE_HZ <= rate_hz <= MOST_RATE_HZ):
        raise RecordingError(
            f"{what} of {thing}",
            value=f"{rate_hz:g} Hz",
            allowed=f"{LEAST_RATE_HZ:g} to {MOST_RATE_HZ:g} Hz",
        )
