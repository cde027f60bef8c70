"""What a file format has to offer; the registry knows all of them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from drivers.recordings.recording import Recording

HEAD_BYTES = 4096


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
        `RecordingError` in one line for anything that is wrong with the file.
    write : callable or None
        Makes a new file, refusing one that exists; returns a line for each thing that the
        format could not hold. None where the format is only read.
    details : callable or None
        What is worth knowing beside the recordings, such as the device: a dict of str.
    read_scaled : callable or None
        Reads with so many microvolts per count of the EMG; None where the file's own scale is
        the only one.
    """

    name: str
    suffixes: tuple[str, ...]
    recognises: Callable[[Path, bytes], bool]
    read: Callable[[Path], Iterable[Recording]]
    write: Callable[[Path, Sequence[Recording]], list[str]] | None = None
    details: Callable[[Path], dict[str, str]] | None = None
    read_scaled: Callable[[Path, float], Iterable[Recording]] | None = None
