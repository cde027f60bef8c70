"""Standard output and error of a command, whatever they are: closed, full, gone, or in ASCII.

What cannot be printed does not end a session, nor a training: its files matter more. It is
reported in the end.
"""

import errno
import io
import os
import sys
from typing import Any, BinaryIO, TextIO


class Output(io.RawIOBase):
    """What can be written to, and fails at the end only.

    Parameters
    ----------
    raw : RawIOBase or BinaryIO
        Takes the bytes; after its first error no more.
    failure : OSError, optional
        It has failed already.

    Attributes
    ----------
    failure : OSError or None
        The first error.
    replaced : TextIO or None
        Kept, since it would close what it writes to.
    """

    replaced: TextIO | None = None

    def __init__(self, raw: io.RawIOBase | BinaryIO, failure: OSError | None = None) -> None:
        self.failure = failure
        self._raw = raw

    def writable(self) -> bool:
        """Return True."""
        return True

    def write(self, content: Any) -> int | None:
        """Write as much as can be written, or take note of why that is nothing."""
        if self.failure is None:
            try:
                return self._raw.write(content)
            except BlockingIOError:  # nothing at the moment
                raise
            except OSError as error:
                self.failure = error
        return len(content)

    def fileno(self) -> int:
        """Return the descriptor."""
        return self._raw.fileno()

    def isatty(self) -> bool:
        """Say whether a person reads it."""
        return self._raw.isatty()


def guard_streams() -> Output:
    """Replace standard output and error: an error of theirs is raised nowhere.

    A letter that the terminal's encoding does not have is printed as ``?``.

    Returns
    -------
    Output
        Standard output; its `failure` is to be reported in the end.
    """
    reserved = _reserve_descriptors()
    sys.stdout, output = _guarded(sys.stdout, 1 in reserved)
    sys.stderr, _ = _guarded(sys.stderr, 2 in reserved)
    return output


def _reserve_descriptors() -> set[int]:
    """Open the null device for each standard stream that is closed.

    Otherwise the next file that is opened would be standard output for a library that prints.
    """
    closed = set()
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            closed.add(os.open(os.devnull, os.O_RDWR))  # takes the lowest number that is free
    return closed


def _guarded(stream: TextIO | None, closed: bool) -> tuple[TextIO, Output]:
    if stream is None or closed:
        raw: io.RawIOBase = open(os.devnull, "wb", buffering=0)  # noqa: SIM115 - for good
        output = Output(raw, OSError(errno.EBADF, "it is closed"))
        encoding, by_line, at_once = "utf-8", False, False
    else:
        stream.flush()
        buffer: Any = stream.buffer  # without one of its own where Python was told not to buffer
        output = Output(getattr(buffer, "raw", buffer))
        output.replaced = stream
        encoding = stream.encoding
        by_line, at_once = (
            getattr(stream, name, False) for name in ("line_buffering", "write_through")
        )
    text = io.TextIOWrapper(
        io.BufferedWriter(output),
        encoding,
        errors="replace",
        line_buffering=by_line,
        write_through=at_once,
    )
    return text, output
