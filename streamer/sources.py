"""Where live EMG comes from, as ``--source`` names it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING

from pydantic import Field

from drivers.errors import SourceError
from drivers.outside.settings import Settings
from drivers.replay import ReplaySource
from drivers.selection import SelectedChannels
from drivers.source import Source
from streamer.recordings import RecordingsSettings, Selection

if TYPE_CHECKING:
    from drivers.varioport.profile import Profile
    from drivers.varioport.transport.port import Transport

ALLOWED = "varioport:PORT, lsl:NAME, lsl:id=ID, lsl:type=TYPE, capture:FILE or simulator"

_EVIDENCE_LENGTH = 120  # of what a profile says of itself at the start


class LiveSettings(Settings):
    """Where live EMG comes from."""

    source: str | None = Field(default=None, description=ALLOWED)
    find_s: float = Field(
        default=5.0, gt=0, le=3600, description="How long to look for an LSL stream"
    )
    profile: str = Field(
        default="framed",
        description="How a Varioport's bytes are framed: framed, multiplex, or a YAML file",
    )
    unit: str | None = Field(
        default=None, description="Unit of the EMG of an LSL stream, whatever it says, such as uV"
    )
    markers: str | None = Field(
        default=None, description="LSL stream with markers of another program, by name or id"
    )
    channels: tuple[str, ...] | None = Field(
        default=None, description="Labels of the channels to use, in the order of the bundle's"
    )


def _varioport(port: str, settings: LiveSettings) -> "LiveSource":
    from drivers.varioport.profile import load_profile
    from drivers.varioport.transport.port import SerialTransport

    profile = load_profile(settings.profile)
    return _framed(SerialTransport(port, profile.baud_rate), profile)


def _capture(file: str, settings: LiveSettings) -> "LiveSource":
    from drivers.varioport.profile import load_profile
    from drivers.varioport.transport.capture import CaptureTransport

    return _framed(CaptureTransport(Path(file)), load_profile(settings.profile))


def _framed(transport: "Transport", profile: "Profile") -> "LiveSource":
    from drivers.varioport.source import VarioportSource

    evidence = shorten(profile.evidence, _EVIDENCE_LENGTH, placeholder=" ...")
    remark = f"profile '{profile.name}' is {profile.status.value}: {evidence}"
    return LiveSource(VarioportSource(transport, profile), remark=remark)


def _lsl(name: str, settings: LiveSettings) -> "LiveSource":
    from drivers.lsl import LslSource  # fails where there is no liblsl

    field, equals, value = name.partition("=")
    if not equals or field not in ("id", "type", "name"):
        field, value = "name", name
    if not value:
        raise _unknown(f"lsl:{name}")
    source = LslSource(
        value if field == "name" else None,
        source_id=value if field == "id" else None,
        stream_type=value if field == "type" else "EMG",
        timeout_s=settings.find_s,
        unit=settings.unit,
        markers=settings.markers,
    )
    return LiveSource(source)


_KINDS: dict[str, Callable[[str, LiveSettings], "LiveSource"]] = {
    "varioport": _varioport,
    "capture": _capture,
    "lsl": _lsl,
}


@dataclass(frozen=True)
class LiveSource:
    """A source and what is known of it beforehand.

    Attributes
    ----------
    source : Source
        Closed.
    selection : Selection or None
        The recordings that it plays, if it does.
    remark : str or None
        What a person must know of it before it starts.
    """

    source: Source
    selection: Selection | None = None
    remark: str | None = None


def live_source(settings: LiveSettings) -> LiveSource:
    """Make the source that the settings name.

    Parameters
    ----------
    settings : LiveSettings
        With its `source`.

    Returns
    -------
    LiveSource
        Its source is closed.

    Raises
    ------
    SourceError
        No such kind of source.
    """
    kind, colon, name = (settings.source or "").partition(":")
    if kind == "simulator" and not colon:
        live = _simulator()
    elif kind in _KINDS and name:
        live = _KINDS[kind](name, settings)
    else:
        raise _unknown(settings.source or "none")
    if settings.channels is None:
        return live
    return replace(live, source=SelectedChannels(live.source, settings.channels))


def _simulator() -> LiveSource:
    selection = Selection(RecordingsSettings())
    source = ReplaySource(selection.recordings, loop=True, name="simulator")
    return LiveSource(source, selection)


def _unknown(source: str) -> SourceError:
    return SourceError(
        "--source",
        value=source,
        allowed=ALLOWED,
        way_out="`streamer devices` lists what there is",
    )
