"""Which streams of a foreign file are the EMG."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from drivers.errors import RecordingError
from drivers.recordings.checked import LEAST_RATE_HZ
from drivers.recordings.xdf.channels import channels_of
from drivers.recordings.xdf.container import STRING
from drivers.recordings.xdf.heads import StreamHead, field_of, named, there
from drivers.recordings.xdf.own import role
from drivers.units import InMicrovolts

_WAYS = "a name, id=ID, id=NUMBER, type=TYPE"


@dataclass(frozen=True)
class Chosen:
    """Streams that are read as EMG.

    Attributes
    ----------
    channels : dict of int to InMicrovolts
        By the stream's number.
    unreadable : dict of int to str
        Others of the same kind, and why they are left out.
    """

    channels: dict[int, InMicrovolts]
    unreadable: dict[int, str]


def choose(
    heads: Mapping[int, StreamHead],
    file: str,
    stream: str | None,
    unit: str | None,
    refused: Sequence[str] = (),
) -> Chosen:
    """Choose the streams of EMG.

    Parameters
    ----------
    heads : mapping of int to StreamHead
        By the stream's number.
    file : str
        For errors.
    stream : str or None
        As after ``lsl:``: a name, ``id=ID``, ``type=TYPE`` or ``name=NAME``. None takes all of
        type EMG.
    unit : str or None
        Of the EMG; overrules what the streams say.
    refused : sequence of str
        Streams whose headers cannot be read, and why: one of them may be what is missed.

    Returns
    -------
    Chosen
        One or more; those that cannot be read do not count where another one can.

    Raises
    ------
    RecordingError
        There is none, none that can be read, or several of the name or id that was chosen.
    """
    foreign = {number: head for number, head in heads.items() if role(head) is None}
    found = named(foreign, "type=EMG" if stream is None else stream)
    if not found:
        streams = "; ".join([there(foreign), *refused] if foreign or not refused else refused)
        if stream is None:
            way_out = f"say which one it is: --set recordings.stream=, then {_WAYS}"
            raise RecordingError(
                f"EMG in {file}",
                value=f"streams {streams}" if foreign else streams,
                allowed="a stream of type EMG",
                way_out=way_out if foreign else None,
            )
        raise RecordingError(
            f"recordings.stream for {file}", value=stream, allowed=streams, way_out=f"give {_WAYS}"
        )
    channels: dict[int, InMicrovolts] = {}
    errors: dict[int, RecordingError] = {}
    for number, head in found.items():
        try:
            channels[number] = _readable(head, unit)
        except RecordingError as error:
            errors[number] = error
    if not channels:
        raise next(iter(errors.values()))
    if stream is not None and len(channels) > 1 and field_of(stream)[0] != "type":
        raise RecordingError(
            f"recordings.stream for {file}",
            value=f"{stream}, {len(channels)} times",
            allowed=there({number: found[number] for number in channels}),
            way_out=f"say which one: {_WAYS}",
        )
    why = {
        number: f"got {error.value}; allowed: {error.allowed}" for number, error in errors.items()
    }
    return Chosen(channels, why)


def _readable(head: StreamHead, unit: str | None) -> InMicrovolts:
    if head.format == STRING or not head.rate_hz:
        raise RecordingError(
            f"stream {head}", value="events", allowed="a signal with a nominal rate"
        )
    if head.rate_hz < LEAST_RATE_HZ:
        raise RecordingError(
            f"nominal rate of stream {head}", value=head.rate_hz, allowed="1 Hz or more"
        )
    return channels_of(head, f"stream '{head.name}'", unit)
