"""What markers say of a session: where utterances begin and end within it.

A label begins a stretch where it is one of

* ``utterance NAME``: up to the next such one, or a bare ``end`` or ``utterance end``;
* ``begin NAME``, ``start NAME``, ``NAME begin`` or ``NAME start``: up to ``end`` or ``stop``
  with the same name, or to a bare ``end`` or ``stop``.

An ``utterance NAME`` at the first sample of an epoch names the epoch instead, to its end: over LSL
each one begins an epoch.

Words are separated by a space, ``_``, ``-``, ``:`` or ``/``; capitals do not matter in them.
Whatever begins ends with its epoch at the latest, where it is an ``utterance``; one with a name
that never ends is a marker and no stretch.
"""

import re
from collections.abc import Iterable, Mapping

import soundfile

from drivers.source import UTTERANCE
from streamer.results.outputs import OutputError, RunDirectory
from streamer.results.summary import Event, Stretch

MOST_MARKERS = 10_000
"""That a session keeps; a recording keeps all."""

_BEGIN = re.compile(
    r"(?:begin|start)[ _:/-]+(?P<name>.+)|(?P<first>.+?)[ _:/-]+(?:begin|start)", re.IGNORECASE
)
_END = re.compile(
    r"(?:end|stop)[ _:/-]+(?P<name>.+)|(?P<first>.+?)[ _:/-]+(?:end|stop)", re.IGNORECASE
)
_END_OF_ALL = re.compile(r"(?:utterance[ _:/-]+)?(?:end|stop)", re.IGNORECASE)

Interval = tuple[str, float, float]
"""Name, start and end in seconds."""


def find_stretches(markers: Iterable[Event], ends_s: Mapping[int, float]) -> list[Interval]:
    """Find the stretches that markers enclose.

    Parameters
    ----------
    markers : iterable of Event
        In the order of time, epoch by epoch.
    ends_s : mapping of int to float
        Where each epoch ends, in the same time.

    Returns
    -------
    list of (str, float, float)
        Name, start and end; in the order of their starts.
    """
    found: list[Interval] = []
    begun: dict[str, float] = {}
    epoch: int | None = None
    running: tuple[str, float] | None = None  # since `utterance NAME`

    def end_running(time_s: float) -> None:
        nonlocal running
        if running is not None:
            found.append((*running, time_s))
            running = None

    for marker in markers:
        if marker.epoch != epoch:
            if epoch is not None:
                end_running(ends_s[epoch])
            epoch, begun = marker.epoch, {}
        label = marker.label
        if _END_OF_ALL.fullmatch(label):
            end_running(marker.time_s)
            found += [(one, start_s, marker.time_s) for one, start_s in begun.items()]
            begun = {}
        elif label.startswith(UTTERANCE):
            end_running(marker.time_s)
            running = label.removeprefix(UTTERANCE), marker.time_s
        elif match := _END.fullmatch(label):
            name = match["name"] or match["first"]
            if name in begun:
                found.append((name, begun.pop(name), marker.time_s))
        elif match := _BEGIN.fullmatch(label):
            begun[match["name"] or match["first"]] = marker.time_s
    if epoch is not None:
        end_running(ends_s[epoch])
    return sorted((one for one in found if one[2] > one[1]), key=lambda one: one[1])


def cut_stretches(
    directory: RunDirectory, intervals: Iterable[Interval]
) -> tuple[list[Stretch], list[str]]:
    """Write a WAV of each stretch.

    Parameters
    ----------
    directory : RunDirectory
        With its ``audio.wav``, complete.
    intervals : iterable of (str, float, float)
        From `find_stretches`.

    Returns
    -------
    stretches : list of Stretch
        In the same order; those that could be written.
    failures : list of str
        A line for what could not.
    """
    stretches: list[Stretch] = []
    for name, start_s, end_s in intervals:
        try:
            path = directory.utterance(name)
            with soundfile.SoundFile(directory.audio) as audio:
                audio.seek(min(round(start_s * audio.samplerate), audio.frames))
                voice = audio.read(round((end_s - start_s) * audio.samplerate), dtype="int16")
                soundfile.write(path, voice, audio.samplerate, subtype="PCM_16")
        except (OSError, OutputError, soundfile.SoundFileError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            return stretches, [f"utterances are incomplete, they cannot be written: {reason}"]
        stretches.append(Stretch(name, str(path), start_s, end_s - start_s))
    return stretches, []
