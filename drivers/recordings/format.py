"""What a file format has to offer; the registry knows all of them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from drivers.recordings.recording import Recording

HEAD_BYTES = 4096


@dataclass(frozen=True)
class Choices:
    """What a person says of a file: where it does not say it, or says it wrongly.

    The settings of the same names begin with ``recordings.``; None is as the file says.

    Attributes
    ----------
    stream : str or None
        Which signal is the EMG: its name, ``id=ID``, ``type=TYPE`` or ``name=NAME``, as for
        ``lsl:``. For files that hold several.
    channels : tuple of str or None
        Labels of the channels to take, in this order. For files of any format.
    unit : str or None
        Of the EMG; it overrules what the file says (see `drivers.units`).
    emg_scale_uv : float or None
        Microvolts per count, for formats whose devices differ in it.
    """

    stream: str | None = None
    channels: tuple[str, ...] | None = None
    unit: str | None = None
    emg_scale_uv: float | None = None


AS_WRITTEN = Choices()
"""Nothing is chosen."""


@dataclass(frozen=True)
class Format:
    """One kind of file, or of directory, that holds recordings.

    Attributes
    ----------
    name : str
        For people: ``"XDF"``.
    suffixes : tuple of str
        Lower case with the dot; the first one is what a new file gets.
    recognises : callable
        Says from a path and the first `HEAD_BYTES` bytes (empty for a directory) whether
        it is one; must not trust the suffix where the content tells.
    read : callable
        Gives the recordings, in their order; they can be iterated more than once. Raises
        `RecordingError` in one line for anything that is wrong with the file. Called with the
        path, and with those keywords of `takes` that a person has chosen.
    write : callable or None
        Makes a new file, refusing one that exists; returns a line for each thing that the
        format could not hold. None where the format is only read.
    details : callable or None
        What is worth knowing beside the recordings, such as the device: a dict of str. Called
        as `read` is, but without the scale, which changes none of it.
    takes : frozenset of str
        Which of ``stream``, ``unit`` and ``emg_scale_uv`` (see `Choices`) a person can say of
        such a file; ``may_be_empty`` where `read` refuses a file without a sample, unless it is
        called with this keyword and True.
    """

    name: str
    suffixes: tuple[str, ...]
    recognises: Callable[[Path, bytes], bool]
    read: Callable[..., Iterable[Recording]]
    write: Callable[[Path, Sequence[Recording]], list[str]] | None = None
    details: Callable[..., dict[str, str]] | None = None
    takes: frozenset[str] = frozenset()
