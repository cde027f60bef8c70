"""What each channel of a file becomes in a recording."""

from dataclasses import dataclass
from itertools import count

from drivers.errors import RecordingError
from drivers.recordings.vitaport.layout import ChannelHeader, Header
from drivers.source import Channel

# Of the units that EMG may have; compared without regard to case.
_TO_UV = {"uv": 1.0, "µv": 1.0, "mv": 1e3, "v": 1e6}


@dataclass(frozen=True)
class Column:
    """A channel that becomes a column of the EMG.

    Attributes
    ----------
    number : int
        Of the channel in the file, from 0.
    channel : Channel
        As a recording describes it.
    offset, scale : float
        Value = (raw - offset) * scale, in the channel's unit.
    """

    number: int
    channel: Channel
    offset: float
    scale: float


@dataclass(frozen=True)
class Choice:
    """What becomes of the channels of a file.

    Attributes
    ----------
    columns : tuple of Column
        EMG, and what has its rate.
    markers : tuple of int
        Channels that hold events.
    left_out : dict of str to str
        Why the others are in no recording, by label.
    factor : int
        Scan ticks from one sample to the next.
    """

    columns: tuple[Column, ...]
    markers: tuple[int, ...]
    left_out: dict[str, str]
    factor: int


def choose(header: Header, cut: frozenset[str], where: str, emg_scale_uv: float | None) -> Choice:
    """Decide what becomes of each channel.

    EMG is each channel whose name begins with EMG, in any case; where there is none, each
    channel in microvolts that holds no events. The highest rate among them is that of the
    recording, and other channels of that rate are kept beside the EMG. Nothing is
    resampled: what has another rate is left out.

    Parameters
    ----------
    header : Header
        Of the recording.
    cut : frozenset of str
        Labels of the channels whose data the file does not hold to the end.
    where : str
        Names the file in errors.
    emg_scale_uv : float, optional
        Microvolts per count of the EMG, instead of what the header says.

    Returns
    -------
    Choice
        At least one column is EMG.

    Raises
    ------
    RecordingError
        There is no EMG, or what there is cannot be read.
    """
    emg = _emg(header)
    if not emg:
        raise RecordingError(
            f"channels of {where}",
            value=", ".join(f"{c.label} ({c.unit})" for c in header.channels),
            allowed="one whose name begins with EMG, or one in uV",
        )
    for number in emg:
        channel = header.channels[number]
        if reason := _unreadable(channel, cut):
            raise RecordingError(
                f"EMG channel {channel.label} of {where}",
                value=reason,
                way_out="copy or convert the file again",
            )
    factor = min(header.channels[number].factor for number in emg)
    columns, markers, left_out = [], [], {}
    for number, channel in enumerate(header.channels):
        if reason := _unreadable(channel, cut):
            left_out[channel.label] = reason
        elif channel.marker:
            markers.append(number)
        elif channel.factor != factor:
            left_out[channel.label] = f"has {header.rate_hz(channel):g} Hz, not the EMG's rate"
        elif number in emg:
            columns.append(_emg_column(number, channel, where, emg_scale_uv))
        elif not (channel.mul and channel.div):
            left_out[channel.label] = f"its scale is {channel.mul} / {channel.div}"
        else:
            kept = Channel(channel.label, channel.unit, "AUX")
            columns.append(Column(number, kept, float(channel.offset), channel.mul / channel.div))
    return Choice(tuple(columns), tuple(markers), left_out, factor)


def _emg(header: Header) -> list[int]:
    """Return the numbers of the EMG channels."""
    others = [(n, c) for n, c in zip(count(), header.channels, strict=False) if not c.marker]
    named = [n for n, c in others if c.label.upper().startswith("EMG")]
    return named or [n for n, c in others if _TO_UV.get(c.unit.lower()) == 1]


def _unreadable(channel: ChannelHeader, cut: frozenset[str]) -> str | None:
    if channel.dtype is None:
        return f"data type {channel.data_type} of {channel.width} bytes is not known"
    if not channel.factor:
        return "scan or store factor 0"
    if channel.label in cut:
        return "cut off, the file ends before its data do"
    return None


def _emg_column(
    number: int, channel: ChannelHeader, where: str, emg_scale_uv: float | None
) -> Column:
    kept = Channel(channel.label)
    if emg_scale_uv is not None:
        return Column(number, kept, float(channel.offset), emg_scale_uv)
    to_uv = _TO_UV.get(channel.unit.lower())
    if to_uv is None or not channel.mul or not channel.div:
        raise RecordingError(
            f"scale of EMG channel {channel.label} of {where}",
            value=f"{channel.mul} / {channel.div} '{channel.unit}'",
            allowed="whole numbers above 0, in uV, mV or V",
            way_out="read it with the microvolts per count of your recorder (emg_scale_uv)",
        )
    return Column(number, kept, float(channel.offset), channel.mul / channel.div * to_uv)
