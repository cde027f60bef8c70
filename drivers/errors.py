"""The errors that a user can meet.

One root class. Every error names the thing, the value it has, what is allowed
and the way out, in one line; the command line prints that line and nothing else.
"""

from drivers.outside.names import shown

_MOST = 1000  # letters of each part: a path may be long, a list of labels endless


class StreamerError(Exception):
    """Root of all errors that a user's input, files or devices can cause.

    Parameters
    ----------
    thing : str
        What is wrong, as a user would name it: ``"sampling rate of talk.xdf"``.
    value : object, optional
        The value found.
    allowed : object, optional
        What would be right.
    way_out : str, optional
        What to do about it.

    Attributes
    ----------
    exit_code : int
        Of the command that ends with it.
    """

    exit_code = 1

    def __init__(
        self,
        thing: str,
        *,
        value: object = None,
        allowed: object = None,
        way_out: str | None = None,
    ) -> None:
        self.thing = thing
        self.value = value
        self.allowed = allowed
        self.way_out = way_out
        line = shown(thing, _MOST)
        if value is not None:
            line += f": got {shown(value)}"
        if allowed is not None:
            line += f"; allowed: {shown(allowed, _MOST)}"
        if way_out is not None:
            line += f"; {shown(way_out, _MOST)}"
        super().__init__(line)


class SourceError(StreamerError):
    """A source cannot be opened or read."""


class RecordingError(StreamerError):
    """A file is no recording, or its content is damaged."""


class SignalMismatchError(StreamerError):
    """A signal's rate or channels do not fit what is asked of it."""
