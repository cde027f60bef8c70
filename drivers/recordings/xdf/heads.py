"""What an XDF file and its streams say of themselves."""

import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from drivers.outside.names import clean, shown
from drivers.recordings.xdf.container import DTYPES, STRING
from drivers.recordings.xdf.elements import parse_xml

_CHANNELS_MAX = 4096
_FIELDS = ("name", "id", "type")
_RATE_MIN_HZ, _RATE_MAX_HZ = 1e-3, 1e6


@dataclass(frozen=True)
class StreamHead:
    """What a stream says of itself.

    Attributes
    ----------
    name, type, format : str
        As it says.
    channels : int
        Number of channels.
    rate_hz : float
        Nominal rate, 0 for events.
    info : Element
        All of it.
    """

    name: str
    type: str
    format: str
    channels: int
    rate_hz: float
    info: ET.Element

    def __str__(self) -> str:
        """Say it in a few words."""
        rate = f"{self.rate_hz:g} Hz" if self.rate_hz else "events"
        return f"'{self.name}' ({self.type or 'no type'}, {self.channels} channels, {rate})"


def file_header(content: bytes) -> tuple[ET.Element | None, datetime | None]:
    """Read a file's header and its time; None for what is not there or damaged."""
    try:
        info = parse_xml(content)
    except ValueError:
        return None, None
    try:
        # LabRecorder writes the zone without its colon.
        return info, datetime.fromisoformat((info.findtext("datetime") or "").strip())
    except ValueError:
        return info, None


def stream_head(content: bytes) -> StreamHead | str:
    """Read a stream's header, or say what is wrong with it."""
    try:
        info = parse_xml(content)
    except ValueError as error:
        return f"its header is {error}"
    name, kind, form = (text_of(info, key) for key in ("name", "type", "channel_format"))
    try:
        channels = int(text_of(info, "channel_count"))
        rate_hz = float(text_of(info, "nominal_srate"))
    except ValueError as error:
        return f"its header is damaged: {shown(error)}"
    if not 0 < channels <= _CHANNELS_MAX:
        return f"'{name}' has {channels} channels; allowed: 1 ... {_CHANNELS_MAX}"
    if not (rate_hz == 0 or _RATE_MIN_HZ <= rate_hz <= _RATE_MAX_HZ):
        allowed = f"0, or {_RATE_MIN_HZ:g} ... {_RATE_MAX_HZ:g}"
        return f"'{name}' has a rate of {rate_hz:g} Hz; allowed: {allowed}"
    if form not in (*DTYPES, STRING):
        return f"'{name}' has the format '{form}'; allowed: {', '.join((*DTYPES, STRING))}"
    if not name:
        return "it has no name"
    return StreamHead(name, kind, form, channels, rate_hz, info)


def text_of(element: ET.Element, path: str) -> str:
    """Return the text of an element below another, as one clean line; empty without one."""
    return clean(element.findtext(path) or "")


def there(heads: Mapping[int, StreamHead]) -> str:
    """Name streams so that a person can choose one."""
    ids = ((n, head, text_of(head.info, "source_id")) for n, head in heads.items())
    return "; ".join(f"{n}: {head}{f', id {one}' if one else ''}" for n, head, one in ids) or "none"


def named(heads: Mapping[int, StreamHead], stream: str) -> dict[int, StreamHead]:
    """Find streams by what a person calls them, as after ``lsl:``; see `choose`."""
    field, value = field_of(stream)
    if field == "name":
        found = {n: head for n, head in heads.items() if head.name == value}
    elif field == "type":
        found = {n: head for n, head in heads.items() if head.type.upper() == value.upper()}
    else:
        found = {n: head for n, head in heads.items() if text_of(head.info, "source_id") == value}
        found = found or {n: head for n, head in heads.items() if str(n) == value}
    return found


def field_of(stream: str) -> tuple[str, str]:
    """Return by what a stream is named, and its value."""
    text = stream.removeprefix("lsl:")
    field, equals, value = text.partition("=")
    return (field, value) if equals and field in _FIELDS else ("name", text)
