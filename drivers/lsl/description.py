"""What streams say of themselves, written and read.

Metadata follow the XDF recommendations: ``desc/channels/channel`` with ``label``, ``unit``
and ``type``, and ``desc/manufacturer``. Ours say in ``desc/time_stamps`` what their time
stamps mean.
"""

from collections.abc import Sequence
from typing import Any

from drivers.errors import SourceError
from drivers.lsl.library import one_line, pylsl
from drivers.outside.names import clean
from drivers.recordings.checked import LEAST_RATE_HZ, MOST_CHANNELS, MOST_RATE_HZ
from drivers.source import Channel, Provenance, SourceInfo
from drivers.units import InMicrovolts, in_microvolts, unique_labels

END = "end of stream"
"""Marker at the last sample of a stream that has come to its end."""

_EMG_TIME = "acquisition of the sample, on the clock of the sending machine"


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
    with one_line(f"LSL stream '{name}'"):
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


def check_numbers(stream: Any) -> None:
    """Refuse a stream whose rate or channels make no sense: liblsl breaks of some.

    Parameters
    ----------
    stream : pylsl.StreamInfo
        Nobody has subscribed to it.

    Raises
    ------
    SourceError
        Its rate is no number, negative or endless, or it has no channels or thousands.
    """
    thing, rate_hz = f"LSL stream '{stream.name()}'", stream.nominal_srate()
    if rate_hz != 0 and not LEAST_RATE_HZ <= rate_hz <= MOST_RATE_HZ:
        raise SourceError(
            f"nominal rate of {thing}",
            value=f"{rate_hz:g} Hz",
            allowed=f"{LEAST_RATE_HZ:g} to {MOST_RATE_HZ:g} Hz, or 0 for events",
            way_out="mend its sender",
        )
    if not 1 <= stream.channel_count() <= MOST_CHANNELS:
        raise SourceError(
            f"channels of {thing}", value=stream.channel_count(), allowed=f"1 to {MOST_CHANNELS}"
        )


def read_description(
    stream: Any, unit: str | None = None
) -> tuple[SourceInfo, InMicrovolts, str | None]:
    """Read what an EMG stream says of itself.

    Channels without a label are called by their number, from 1. How units and types are read
    is told in `drivers.units`.

    Parameters
    ----------
    stream : pylsl.StreamInfo
        With its extended description.
    unit : str, optional
        Unit of the EMG channels, whatever the stream says.

    Returns
    -------
    info : SourceInfo
        EMG channels in microvolts.
    scales : InMicrovolts
        What each channel is multiplied with to be so, and what a person must know of it.
    markers_source_id : str or None
        Id of the stream with its markers, if it has one of ours.

    Raises
    ------
    SourceError
        It has no rate, holds no numbers, or has no channel that is a voltage.
    """
    check_numbers(stream)
    name = clean(stream.name())
    if stream.channel_format() == pylsl.cf_string or stream.nominal_srate() == 0:
        raise SourceError(
            f"LSL stream '{name}'",
            value=f"events of type {clean(stream.type())}",
            allowed="a signal with a nominal rate",
        )
    labels, units, types = [], [], []
    element = stream.desc().child("channels").child("channel")
    for number in range(1, stream.channel_count() + 1):
        labels.append(clean(element.child_value("label")) or str(number))
        units.append(clean(element.child_value("unit")))
        types.append(clean(element.child_value("type")) or clean(stream.type()))
        element = element.next_sibling("channel")
    scales = in_microvolts(
        unique_labels(labels),
        units,
        types,
        f"LSL stream '{name}'",
        setting="live.unit",
        overruled_by=unit,
        powers_of_ten=True,
        refusal=SourceError,
    )
    provenance = stream.desc().child_value("provenance")
    info = SourceInfo(
        name=name,
        source_id=clean(stream.source_id()),
        channels=scales.channels,
        rate_hz=stream.nominal_srate(),
        # A stream that does not say where it comes from proves nothing.
        provenance=Provenance(provenance) if provenance in set(Provenance) else Provenance.GUESSED,
    )
    return info, scales, stream.desc().child("markers").child_value("source_id") or None
