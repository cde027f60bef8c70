"""What streams say of themselves, written and read.

Metadata follow the XDF recommendations: ``desc/channels/channel`` with ``label``, ``unit``
and ``type``, and ``desc/manufacturer``. Ours say in ``desc/time_stamps`` what their time
stamps mean.
"""

from collections.abc import Sequence
from typing import Any

from drivers.errors import SourceError
from drivers.lsl.library import pylsl
from drivers.source import Channel, Provenance, SourceInfo
from drivers.units import VOLTAGES, uv_per

END = "end of stream"
"""Marker at the last sample of a stream that has come to its end."""

UNIT_WAY_OUT = "if you know that it sends microvolts: --set live.unit=uV"

_EMG_TIME = "acquisition of the sample, on the clock of the sending machine"


def to_uv(unit: str, thing: str, way_out: str | None = None) -> float:
    """Return what a value in `unit` is multiplied with to be in microvolts.

    Parameters
    ----------
    unit : str
        Any usual spelling of nV, uV (with either sign for micro), mV or V.
    thing : str
        Whose unit it is, for the error.
    way_out : str, optional
        What to do where it is none of them.

    Returns
    -------
    float
        The factor.

    Raises
    ------
    SourceError
        It is none of them.
    """
    factor = uv_per(unit)
    if factor is None:
        raise SourceError(
            f"unit of {thing}", value=unit or "none", allowed=VOLTAGES, way_out=way_out
        )
    return factor


def describe(
    name: str,
    stream_type: str,
    source_id: str,
    channels: Sequence[Channel],
    rate_hz: float,
    time_stamps: str,
    *,
    values: int = pylsl.cf_float32,
) -> Any:
    """Describe a stream of ours.

    Parameters
    ----------
    name, stream_type, source_id : str
        As LSL shows them; `source_id` must be the same tomorrow.
    channels : sequence of Channel
        What it carries.
    rate_hz : float
        Nominal rate, 0 for one without.
    time_stamps : str
        What the time stamp of a sample means.
    values : int
        Format of the values, one of liblsl's.

    Returns
    -------
    pylsl.StreamInfo
        With its extended description.

    Raises
    ------
    SourceError
        It has no `source_id`.
    """
    if not source_id:
        raise SourceError(
            f"source_id of the LSL stream '{name}'",
            value="none",
            allowed="a name that stays the same, such as device-serial",
        )
    stream = pylsl.StreamInfo(name, stream_type, len(channels), rate_hz, values, source_id)
    description = stream.desc()
    description.append_child_value("manufacturer", "streamer")
    description.append_child_value("time_stamps", time_stamps)
    elements = description.append_child("channels")
    for channel in channels:
        element = elements.append_child("channel")
        element.append_child_value("label", channel.label)
        element.append_child_value("unit", "microvolts" if channel.unit == "uV" else channel.unit)
        element.append_child_value("type", channel.type)
    return stream


def describe_source(info: SourceInfo, markers_source_id: str) -> Any:
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

    Raises
    ------
    SourceError
        The source has no `source_id`.
    """
    stream = describe(info.name, "EMG", info.source_id, info.channels, info.rate_hz, _EMG_TIME)
    stream.desc().append_child_value("provenance", info.provenance.value)
    stream.desc().append_child("markers").append_child_value("source_id", markers_source_id)
    return stream


def read_description(
    stream: Any, unit: str | None = None
) -> tuple[SourceInfo, list[float], str | None]:
    """Read what an EMG stream says of itself.

    Channels without a label, or with that of another one, are called by their number,
    from 1. Those of another type than EMG keep it, their unit and their values.

    Parameters
    ----------
    stream : pylsl.StreamInfo
        With its extended description.
    unit : str, optional
        Unit of the EMG channels that say none.

    Returns
    -------
    info : SourceInfo
        EMG channels in microvolts.
    factors : list of float
        What each channel is multiplied with to be so.
    markers_source_id : str or None
        Id of the stream with its markers, if it has one of ours.

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
        label = element.child_value("label")
        if not label or label in {channel.label for channel in channels}:
            label = str(number)
        said = element.child_value("unit").strip()
        kind = element.child_value("type") or stream.type()
        if kind.upper() == "EMG":
            thing = f"channel {label} of LSL stream '{name}'"
            factors.append(to_uv(said or unit or "", thing, None if said else UNIT_WAY_OUT))
            channels.append(Channel(label, "uV", "EMG"))
        else:
            factors.append(1.0)
            channels.append(Channel(label, said, kind))
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
