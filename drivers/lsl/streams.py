"""Finding streams, and what their metadata say.

Metadata follow the XDF recommendations for EMG: ``desc/channels/channel`` with
``label``, ``unit``, ``type``.
"""

from dataclasses import dataclass
from typing import Any

from drivers.errors import SourceError
from drivers.lsl.library import pylsl
from drivers.source import Channel, Provenance, SourceInfo

END = "end of stream"
"""Marker at the last sample of a stream that has come to its end."""

_STEP_S = 1.0  # of a search
_NAMESAKE_S = 0.5
_TO_UV = {"uv": 1.0, "microvolt": 1.0, "microvolts": 1.0, "mv": 1e3, "millivolts": 1e3}
_TO_UV |= {"millivolt": 1e3, "v": 1e6, "volt": 1e6, "volts": 1e6}


@dataclass(frozen=True)
class FoundStream:
    """A stream on the network.

    Attributes
    ----------
    name, type, source_id, hostname : str
        As the stream says; `source_id` may be empty.
    channels : int
        Number of channels.
    rate_hz : float
        Nominal rate, 0 for events.
    """

    name: str
    type: str
    source_id: str
    hostname: str
    channels: int
    rate_hz: float

    def __str__(self) -> str:
        """Say it in a few words."""
        rate = f"{self.rate_hz:g} Hz" if self.rate_hz else "events"
        return f"'{self.name}' ({self.type}, {self.channels} channels, {rate})"


def find_streams(wait_s: float = 1.0) -> list[FoundStream]:
    """List the streams on the network.

    Parameters
    ----------
    wait_s : float
        How long to listen; below 0.5 s some may be missed.

    Returns
    -------
    list of FoundStream
        By name.
    """
    found = [
        FoundStream(
            info.name(),
            info.type(),
            info.source_id(),
            info.hostname(),
            info.channel_count(),
            info.nominal_srate(),
        )
        for info in pylsl.resolve_streams(wait_s)
    ]
    return sorted(found, key=lambda stream: (stream.name, stream.source_id))


def look_for(field: str, value: str, timeout_s: float, *, at_least: int = 1) -> list[Any]:
    """Find streams whose `field` is `value`.

    Parameters
    ----------
    field : str
        ``"name"``, ``"type"`` or ``"source_id"``.
    value : str
        What it must be.
    timeout_s : float
        How long to look at most.
    at_least : int
        With as many the search ends.

    Returns
    -------
    list of pylsl.StreamInfo
        Without their extended description.
    """
    quote = "'" if '"' in value else '"'
    predicate = f"{field}={quote}{value}{quote}"
    found: list[Any] = []
    # Step by step, because Python hears Ctrl-C between two calls only.
    while len(found) < at_least and timeout_s > 0:
        found = pylsl.resolve_bypred(predicate, at_least, min(_STEP_S, timeout_s))
        timeout_s -= _STEP_S
    return found


def resolve(field: str, value: str, timeout_s: float) -> Any:
    """Find the one stream whose `field` is `value`.

    Parameters
    ----------
    field : str
        ``"name"``, ``"type"`` or ``"source_id"``.
    value : str
        What it must be.
    timeout_s : float
        How long to look.

    Returns
    -------
    pylsl.StreamInfo
        Without its extended description.

    Raises
    ------
    SourceError
        There is none, or more than one; the line names the streams that there are.
    """
    found = look_for(field, value, timeout_s)
    if len(found) == 1 and field != "source_id":
        # The first to answer may have a namesake that is slower.
        found = look_for(field, value, _NAMESAKE_S, at_least=2) or found
    if len(found) == 1:
        return found[0]
    thing = f"LSL stream with {field} '{value}'"
    if found:
        raise SourceError(
            thing,
            value=f"{len(found)} of them",
            allowed="one",
            way_out="choose by source_id: " + ", ".join(sorted(i.source_id() for i in found)),
        )
    there = ", ".join(str(stream) for stream in find_streams(0.5)) or "none at all"
    raise SourceError(
        thing,
        value=f"nothing within {timeout_s:g} s",
        way_out=f"start it, or choose one of the streams there are: {there}",
    )


def write_description(info: SourceInfo, markers_source_id: str) -> Any:
    """Describe a source as an EMG stream.

    Parameters
    ----------
    info : SourceInfo
        The source.
    markers_source_id : str
        Id of the stream with its markers.

    Returns
    -------
    pylsl.StreamInfo
        With its extended description.
    """
    stream = pylsl.StreamInfo(
        info.name, "EMG", len(info.channels), info.rate_hz, pylsl.cf_float32, info.source_id
    )
    channels = stream.desc().append_child("channels")
    for channel in info.channels:
        element = channels.append_child("channel")
        element.append_child_value("label", channel.label)
        element.append_child_value("unit", "microvolts" if channel.unit == "uV" else channel.unit)
        element.append_child_value("type", channel.type)
    stream.desc().append_child_value("provenance", info.provenance.value)
    stream.desc().append_child("markers").append_child_value("source_id", markers_source_id)
    return stream


def read_description(stream: Any) -> tuple[SourceInfo, list[float], str | None]:
    """Read what a stream says of itself.

    Parameters
    ----------
    stream : pylsl.StreamInfo
        With its extended description.

    Returns
    -------
    info : SourceInfo
        EMG channels in microvolts.
    factors : list of float
        What each channel is multiplied with to be so.
    markers_source_id : str or None
        Id of the stream with its markers, if it has one.

    Raises
    ------
    SourceError
        It has no rate, holds no numbers, or a unit that is no voltage.
    """
    name = stream.name()
    if stream.channel_format() == pylsl.cf_string or stream.nominal_srate() <= 0:
        raise SourceError(
            f"LSL stream '{name}'",
            value=f"events of type {stream.type()}",
            allowed="a signal with a nominal rate",
        )
    channels: list[Channel] = []
    factors: list[float] = []
    element = stream.desc().child("channels").child("channel")
    for number in range(1, stream.channel_count() + 1):
        label = element.child_value("label") or str(number)
        unit = element.child_value("unit")
        kind = element.child_value("type") or stream.type()
        if kind.upper() == "EMG":
            factors.append(_to_uv(unit, f"channel {label} of LSL stream '{name}'"))
            channels.append(Channel(label, "uV", "EMG"))
        else:
            factors.append(1.0)
            channels.append(Channel(label, unit, kind))
        element = element.next_sibling("channel")
    provenance = stream.desc().child_value("provenance")
    info = SourceInfo(
        name=name,
        source_id=stream.source_id(),
        channels=tuple(channels),
        rate_hz=stream.nominal_srate(),
        # A stream that does not say where it comes from proves nothing.
        provenance=Provenance(provenance) if provenance in set(Provenance) else Provenance.GUESSED,
    )
    return info, factors, stream.desc().child("markers").child_value("source_id") or None


def _to_uv(unit: str, thing: str) -> float:
    # Both signs for micro are in use: U+00B5 and the Greek letter, U+03BC.
    plain = unit.strip().replace("\u00b5", "u").replace("\u03bc", "u").lower()
    try:
        return _TO_UV[plain]
    except KeyError:
        raise SourceError(
            f"unit of {thing}",
            value=unit or "none",
            allowed="microvolts, mV or V",
            way_out="let the program that sends it say the unit in desc/channels/channel/unit",
        ) from None
