"""What an XDF file and its streams say of themselves."""

import xml.etree.ElementTree as ET
from dataclasses import dataclass
from datetime import datetime

from drivers.recordings.xdf.container import DTYPES, STRING

_CHANNELS_MAX = 4096
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
        info = ET.fromstring(content.decode("utf-8", "replace"))
        # LabRecorder writes the zone without its colon.
        return info, datetime.fromisoformat((info.findtext("datetime") or "").strip())
    except (ET.ParseError, RecursionError, LookupError):
        return None, None
    except ValueError:
        return info, None


def stream_head(content: bytes) -> StreamHead | str:
    """Read a stream's header, or say what is wrong with it."""
    try:
        info = ET.fromstring(content.decode("utf-8", "replace"))
    except (ET.ParseError, RecursionError, LookupError) as error:
        return f"its header is no XML: {error}"
    name, form = (info.findtext(key) or "" for key in ("name", "channel_format"))
    try:
        channels = int(info.findtext("channel_count") or "")
        rate_hz = float(info.findtext("nominal_srate") or "")
    except ValueError as error:
        return f"its header is damaged: {error}"
    if not 0 < channels <= _CHANNELS_MAX:
        return f"'{name}' has {channels} channels; allowed: 1 ... {_CHANNELS_MAX}"
    if not (rate_hz == 0 or _RATE_MIN_HZ <= rate_hz <= _RATE_MAX_HZ):
        allowed = f"0, or {_RATE_MIN_HZ:g} ... {_RATE_MAX_HZ:g}"
        return f"'{name}' has a rate of {rate_hz:g} Hz; allowed: {allowed}"
    if form not in (*DTYPES, STRING):
        return f"'{name}' has the format '{form}'; allowed: {', '.join((*DTYPES, STRING))}"
    if not name:
        return "it has no name"
    return StreamHead(name, info.findtext("type") or "", form, channels, rate_hz, info)
