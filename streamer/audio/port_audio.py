"""PortAudio, by calls that always return.

Behind PortAudio is a sound server, and one that hangs lets every call hang. All calls go through
one thread here, and are given up after a time; all errors are ours.
"""

import atexit
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import TypeVar

from drivers.errors import StreamerError
from streamer.audio.library_thread import LibraryThread, UnansweredError

T = TypeVar("T")

OPEN_S = 10.0
"""Longest wait for a card to be listed or opened: some are not ready for seconds."""

STOP_S = 2.0
"""Longest wait for a card to play what it has."""

_library = LibraryThread("PortAudio")


class AudioError(StreamerError):
    """There is no way to the loudspeaker."""


def on_its_thread(
    job: Callable[[], T],
    within_s: float,
    undo: Callable[[T], object] = lambda _: None,
    wanted: int | str | None = None,
) -> T:
    """Do something with PortAudio on the thread that is there for it.

    Parameters
    ----------
    job : callable
        Does it, such as making a `CardStream` of one of `cards_now`.
    within_s : float
        How long to wait.
    undo : callable, optional
        Takes the result if it comes later.
    wanted : int or str or None
        Card that it is about, for people.

    Returns
    -------
    object
        What `job` returns.

    Raises
    ------
    AudioError
        There is no PortAudio, no such card, it cannot be opened, or it does not answer.
    """
    card = "default sound card" if wanted is None else "sound card"
    try:
        with _standard_error_kept():
            return _library.call(job, within_s, undo)
    except UnansweredError:
        raise AudioError(
            f"the system's sound does not answer within {within_s:g} s",
            way_out="restart the sound server (PulseAudio, PipeWire), or unplug the card",
        ) from None
    except StreamerError:
        raise
    except Exception as error:  # whatever a foreign library raises
        raise AudioError(
            f"{card} cannot be opened ({error})",
            value=wanted,
            way_out="`streamer devices` lists those there are",
        ) from None


def begin_on_its_thread(job: Callable[[], object]) -> None:
    """Do something with PortAudio on its thread, later; from PortAudio's callback, too."""
    _library.begin(job)


@contextmanager
def _standard_error_kept() -> Iterator[None]:
    """Keep standard error: sounddevice sends it nowhere for as long as PortAudio starts.

    With a sound server that hangs, all that the program says would be lost from then on.
    """
    try:
        kept = os.dup(2)
    except OSError:  # there is none
        yield
        return
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def sounddevice_module() -> ModuleType:
    """Import sounddevice, which needs PortAudio; on PortAudio's thread."""
    try:
        import sounddevice
    except OSError:  # not an ImportError: the Python part is there
        raise AudioError(
            "PortAudio is not installed, so there is no loudspeaker",
            way_out="on Debian and Ubuntu: apt-get install libportaudio2",
        ) from None
    # It would wait for the sound server, in C, when the program ends. What is open goes with it.
    if (handler := getattr(sounddevice, "_exit_handler", None)) is not None:
        atexit.unregister(handler)
    module: ModuleType = sounddevice
    return module
