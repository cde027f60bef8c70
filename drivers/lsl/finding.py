"""Finding streams: all there are, or the one that is wanted."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from drivers.errors import SourceError
from drivers.lsl.description import check_numbers, read_description
from drivers.lsl.library import NO_ANSWER, one_line, pylsl
from drivers.lsl.naming import MOST, identity, is_exact, matching, predicate
from drivers.outside.names import clean

_ALL_S = 1.2  # for all to answer: liblsl asks known peers half a second after the network
_ANSWER_S = 1.0  # for a stream to describe itself


@dataclass(frozen=True)
class FoundStream:
    """A stream on the network.

    Attributes
    ----------
    name, type, source_id, hostname : str
        As the stream says, without what cannot be shown; `source_id` may be empty.
    channels : int
        Number of channels.
    rate_hz : float
        Nominal rate, 0 for events.
    problems : tuple of str
        What is wrong with it as a source of EMG, and what to do about it.
    """

    name: str
    type: str
    source_id: str
    hostname: str
    channels: int
    rate_hz: float
    problems: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Say it in a few words."""
        rate = f"{self.rate_hz:g} Hz" if self.rate_hz else "events"
        return f"'{self.name}' ({self.type}, {self.channels} channels, {rate})"


def find_streams(wait_s: float = 1.0) -> list[FoundStream]:
    """List the streams on the network, with what keeps a signal from being used.

    Parameters
    ----------
    wait_s : float
        How long to listen; below 0.5 s some may be missed. Signals are then asked for
        their metadata, all at once, which takes a second more only where one is dead.

    Returns
    -------
    list of FoundStream
        By name.
    """
    with one_line("LSL streams"):
        streams = pylsl.resolve_streams(wait_s)
    signals = [k for k, stream in enumerate(streams) if stream.nominal_srate() != 0]
    problems = _in_parallel([partial(_problem, streams[k]) for k in signals])
    found = [_found(stream) for stream in streams]
    for k, problem in zip(signals, problems, strict=True):
        told = [problem] if problem else []
        if not found[k].source_id:
            told.append("it has no source_id: after a break only its name tells who it is")
        found[k] = replace(found[k], problems=tuple(told))
    return sorted(found, key=lambda stream: (stream.name, stream.source_id))


def resolve(field: str, value: str, timeout_s: float, *, namesakes: bool = True) -> Any:
    """Find the one stream whose `field` is `value`.

    Parameters
    ----------
    field : str
        ``"name"``, ``"type"`` or ``"source_id"``, or several of them joined by `` or ``.
    value : str
        What it must be.
    timeout_s : float
        How long to look.
    namesakes : bool
        There may be others that are meant.

    Returns
    -------
    pylsl.StreamInfo
        Without its extended description.

    Raises
    ------
    SourceError
        There is none, or more than one; the line names the streams that there are.
    """
    thing = f"LSL stream with {field} '{value}'"
    with one_line(thing):
        found = _first(field, value, timeout_s)
        if found and namesakes:
            # The first to answer may have namesakes that are slower.
            later = pylsl.resolve_bypred(predicate(field, value), MOST, _ALL_S)
            found = matching(later, field, value) or found
        if len(found) == 1:
            return found[0]
        if found:
            raise SourceError(
                thing,
                value=f"{len(found)} of them",
                allowed="one",
                way_out=_choice(found),
            )
        there = ", ".join(str(_found(s)) for s in pylsl.resolve_streams(_ALL_S)) or "none at all"
    raise SourceError(
        thing,
        value=f"nothing within {timeout_s:g} s",
        way_out=f"start it, or choose one of the streams there are: {there}",
    )


def _first(field: str, value: str, timeout_s: float) -> list[Any]:
    """Wait for the first to answer."""
    deadline_s = time.monotonic() + timeout_s
    found: list[Any] = []
    while not found and (left_s := deadline_s - time.monotonic()) > 0:
        if is_exact(value):
            found = pylsl.resolve_bypred(predicate(field, value), 1, left_s)
        else:  # others may answer before it
            found = pylsl.resolve_bypred(predicate(field, value), MOST, min(left_s, _ALL_S))
        found = matching(found, field, value)
    return found


def _choice(streams: list[Any]) -> str:
    """Say how to tell streams apart."""
    names = sorted(str(_found(stream)) for stream in streams)
    who = [identity(stream) for stream in streams]
    for field in ("source_id", "name", "type"):
        values = sorted(one[field] for one in who)
        if all(values) and len(set(values)) == len(values):
            which = ", ".join(values if field == "source_id" else names)
            return f"choose by {field}: {which}"
    hosts = ", ".join(sorted({clean(stream.hostname()) for stream in streams}))
    return f"nothing tells {', '.join(names)} apart: stop all but one, on {hosts}"


def _found(stream: Any) -> FoundStream:
    return FoundStream(
        clean(stream.name()),
        clean(stream.type()),
        clean(stream.source_id()),
        clean(stream.hostname()),
        stream.channel_count(),
        stream.nominal_srate(),
    )


def _problem(stream: Any) -> str | None:
    """Ask a signal for its metadata and say what is wrong with them."""
    try:
        check_numbers(stream)
        with one_line(f"LSL stream '{stream.name()}'"):
            # Not to be recovered: only then a dead one is let go of at once.
            read_description(pylsl.StreamInlet(stream, recover=False).info(_ANSWER_S))
    except NO_ANSWER:
        return _NO_ANSWER
    except SourceError as error:
        return str(error)
    return None


_NO_ANSWER = "it does not answer: it is just gone, or a firewall is between the machines"


def _in_parallel(asks: list[Callable[[], str | None]]) -> list[str | None]:
    """Ask all at once; who hangs (liblsl issue 201) has not answered."""
    answers: list[str | None] = [_NO_ANSWER] * len(asks)

    def run(k: int) -> None:
        answers[k] = asks[k]()

    threads = [threading.Thread(target=run, args=(k,), daemon=True) for k in range(len(asks))]
    for thread in threads:
        thread.start()
    deadline_s = time.monotonic() + _ANSWER_S
    for thread in threads:
        thread.join(max(0.0, deadline_s - time.monotonic()))
    return list(answers)
