"""What each channel of a file becomes in a recording."""

from dataclasses import dataclass

from drivers.errors import RecordingError
from drivers.recordings.vitaport.layout import ChannelHeader, Header
from drivers.source import Channel
from drivers.units import in_microvolts, type_of, uv_per


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
        EMG, or other electrodes where there is none, and what has their rate.
    markers : tuple of int
        Channels that hold events.
    left_out : dict of str to str
        Why the others are in no recording, by label.
    factor : int
        Scan ticks from one sample to the next.
    notes : tuple of str
        On units and offsets, a line each.
    """

    columns: tuple[Column, ...]
    markers: tuple[int, ...]
    left_out: dict[str, str]
    factor: int
    notes: tuple[str, ...]


def choose(
    header: Header,
    cut: frozenset[str],
    where: str,
    emg_scale_uv: float | None,
    unit: str | None = None,
) -> Choice:
    """Decide what becomes of each channel.

    EMG is each channel whose name begins with EMG, in any case; where there is none, each
    channel in microvolts whose name says nothing else, as ``ekg`` does, and that holds no
    events. The highest rate among them is that of the recording, and other channels of that
    rate are kept beside the EMG. Nothing is resampled: what has another rate is left out.
    A file without EMG is read for its other voltages, such as an ECG.

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
    unit : str, optional
        Of the EMG; it overrules the header's, and `emg_scale_uv` both.

    Returns
    -------
    Choice
        One column or more.

    Raises
    ------
    RecordingError
        There is neither EMG nor another voltage, or what there is cannot be read.
    """
    types = _types(header)
    for channel, kind in zip(header.channels, types, strict=True):
        reason = _unreadable(channel, cut)
        if kind == "EMG" and not channel.marker and reason:
            raise RecordingError(
                f"EMG channel {channel.label} of {where}",
                value=reason,
                way_out="copy or convert the file again",
            )
    markers, left_out, usable = [], {}, []
    for number, channel in enumerate(header.channels):
        if reason := _unreadable(channel, cut):
            left_out[channel.label] = reason
        elif channel.marker:
            markers.append(number)
        elif types[number] == "EMG" and emg_scale_uv is None and not (channel.mul and channel.div):
            raise _no_scale(channel, where)
        elif types[number] != "EMG" and not (channel.mul and channel.div):
            left_out[channel.label] = f"its scale is {channel.mul} / {channel.div}"
        else:
            usable.append(number)
    channels = [header.channels[number] for number in usable]
    known = emg_scale_uv is not None
    scaled = in_microvolts(
        [c.label for c in channels],
        ["uV" if known and types[n] == "EMG" else header.channels[n].unit for n in usable],
        [types[n] for n in usable],
        where,
        overruled_by=None if known else unit,
    )
    rows = list(zip(usable, channels, scaled.channels, scaled.factors, strict=True))
    wanted = [c.factor for _, c, kept, _ in rows if kept.type == "EMG"] or [
        c.factor for _, c, kept, _ in rows if kept.unit == "uV"
    ]
    if not wanted:
        raise RecordingError(
            f"channels of {where}",
            value=", ".join(f"{c.label} ({c.unit})" for c in header.channels),
            allowed="one whose name begins with EMG, or one in uV",
        )
    factor = min(wanted)
    columns = []
    for number, channel, kept, to_unit in rows:
        if channel.factor != factor:
            left_out[channel.label] = f"has {header.rate_hz(channel):g} Hz, not the EMG's rate"
        elif emg_scale_uv is not None and kept.type == "EMG":
            columns.append(Column(number, kept, channel.used_offset, emg_scale_uv))
        else:
            scale = channel.mul / channel.div * to_unit
            columns.append(Column(number, kept, channel.used_offset, scale))
    return Choice(tuple(columns), tuple(markers), left_out, factor, scaled.notes)


def _types(header: Header) -> list[str]:
    """Say what each channel is, by its name, or by its unit where no name says EMG."""
    named = [c.label.upper().startswith("EMG") and not c.marker for c in header.channels]
    types = []
    for channel, is_emg in zip(header.channels, named, strict=True):
        uv = uv_per(channel.unit)
        # of what has neither a telling name nor a voltage, the setting may say the unit
        unnamed = "" if uv is None else "EMG" if uv == 1 and not any(named) else "AUX"
        types.append("EMG" if is_emg else type_of(channel.label) or unnamed)
    return types


def _unreadable(channel: ChannelHeader, cut: frozenset[str]) -> str | None:
    if channel.dtype is None:
        return f"data type {channel.data_type} of {channel.width} bytes is not known"
    if not channel.factor:
        return "scan or store factor 0"
    if channel.label in cut:
        return "cut off, the file ends before its data do"
    return None


def _no_scale(channel: ChannelHeader, where: str) -> RecordingError:
    return RecordingError(
        f"scale of EMG channel {channel.label} of {where}",
        value=f"{channel.mul} / {channel.div} '{channel.unit}'",
        allowed="whole numbers above 0",
        way_out="say the microvolts per count of your recorder with --set recordings.emg_scale_uv",
    )
