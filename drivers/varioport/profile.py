"""What a device's frames look like, and how far that is proven.

The live protocol of the Varioport is not public, so nothing here claims to be it: a
profile describes a frame, and says who has verified it on which device.

A frame of the framing ``framed`` is, in this order and without padding::

    sync | counter | channel 1 ... channel n | checksum

The checksum is over all bytes before it, the sync included. All numbers, counter and
checksum included, have the profile's byte order. A frame of the framing ``multiplex`` is
the channels alone, 16-bit words with the marker among them.
"""

from collections import Counter as Multiset
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import (
    BaseModel,
    BeforeValidator,
    Field,
    PlainSerializer,
    ValidationError,
    model_validator,
)

from drivers.errors import SourceError
from drivers.outside.settings import Name, Settings
from drivers.outside.texts import read_yaml
from drivers.source import Channel, Provenance

FORMAT_BYTES = {
    "int8": 1,
    "uint8": 1,
    "int16": 2,
    "uint16": 2,
    "int24": 3,
    "uint24": 3,
    "int32": 4,
    "uint32": 4,
    "float32": 4,
}
CHECKSUM_BYTES = {
    "none": 0,
    "sum8": 1,
    "xor8": 1,
    "crc16-ccitt": 2,
    "crc16-xmodem": 2,
    "crc16-modbus": 2,
    "crc32": 4,
}
_BITS_PER_BYTE_ON_THE_LINE = 10  # start bit, 8 data bits, stop bit

Format = Literal[
    "int8", "uint8", "int16", "uint16", "int24", "uint24", "int32", "uint32", "float32"
]
ChecksumKind = Literal[
    "none", "sum8", "xor8", "crc16-ccitt", "crc16-xmodem", "crc16-modbus", "crc32"
]


def _from_hex(value: object) -> object:
    """Bytes as they are; hex text to bytes."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        try:
            return bytes.fromhex(value)
        except ValueError:
            pass
    raise ValueError('hex text in quotes, such as "a55a"')


HexBytes = Annotated[
    bytes, BeforeValidator(_from_hex), PlainSerializer(lambda value: value.hex(), return_type=str)
]
_Value = Annotated[float, Field(ge=-1e12, le=1e12)]


class ProfileChannel(Settings):
    """One channel of a frame; physical value = (raw - offset) * scale.

    Attributes
    ----------
    label : str
        Unique in its profile.
    unit : str
        Of the physical value; EMG is always in microvolts (``"uV"``).
    type : str
        ``"EMG"``, ``"AUX"`` or ``"MARKER"``. A marker is an unsigned number, taken raw.
    format : str
        Of the raw value.
    offset : float
        Raw value of a physical 0.
    scale : float
        Physical units per count.
    """

    label: Name = Field(min_length=1)
    unit: Name = "uV"
    type: Literal["EMG", "AUX", "MARKER"] = "EMG"
    format: Format = "int16"
    offset: _Value = 0.0
    scale: _Value = 1.0

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.type == "EMG" and self.unit != "uV":
            raise ValueError(f"channel {self.label}: EMG has the unit uV, not {self.unit}")
        if self.scale == 0:
            raise ValueError(f"channel {self.label}: a scale other than 0")
        if self.type == "MARKER":
            if not self.format.startswith("uint"):
                raise ValueError(f"marker {self.label}: an unsigned format, not {self.format}")
            if (self.offset, self.scale) != (0.0, 1.0):
                raise ValueError(f"marker {self.label}: is taken raw, without offset and scale")
        return self

    @property
    def bytes(self) -> int:
        """Length of the raw value."""
        return FORMAT_BYTES[self.format]


class Counter(Settings):
    """The counter of a frame.

    Attributes
    ----------
    bytes : int
        1, 2 or 4; the counter wraps at 256 to this power.
    step : int
        How much it grows from frame to frame.
    """

    bytes: Literal[1, 2, 4] = 2
    step: int = Field(default=1, ge=1, le=2**32 - 1)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.step % 256**self.bytes == 0:
            raise ValueError(f"a step of {self.step} never changes a counter of {self.bytes} bytes")
        return self


class Profile(Settings):
    """What a device sends.

    Attributes
    ----------
    name : str
        For people.
    status : Provenance
        ``verified``, ``emulator-only`` or ``guessed``.
    evidence : str
        Who verified what, on which device, and how; or what the guess rests on.
    framing : str
        ``"framed"`` or ``"multiplex"``, see the module.
    rate_hz : float
        Frames a second.
    baud_rate : int
        Of the serial line.
    byte_order : str
        ``"big"`` or ``"little"``, of all numbers of a frame.
    sync : bytes
        How a frame begins; hex text in a file. Empty for ``"multiplex"``.
    counter : Counter or None
        None where there is none: then losses can only be estimated.
    channels : tuple of ProfileChannel
        In the order of the frame; at most one of them is the marker.
    checksum : str
        Over all bytes before it. ``crc16-ccitt`` begins with 0xFFFF, ``crc16-xmodem``
        with 0, ``crc16-modbus`` is the reflected one, ``crc32`` that of zlib.
    start, stop : bytes
        Sent to the device at the beginning and at the end; empty is listening only.
    """

    name: Name = Field(min_length=1)
    status: Literal[Provenance.VERIFIED, Provenance.EMULATOR_ONLY, Provenance.GUESSED]
    evidence: str = Field(min_length=1)
    framing: Literal["framed", "multiplex"]
    rate_hz: float = Field(ge=0.1, le=1e6)
    baud_rate: int = Field(gt=0, le=100_000_000)
    byte_order: Literal["big", "little"] = "big"
    sync: HexBytes = b""
    counter: Counter | None = None
    channels: tuple[ProfileChannel, ...] = Field(min_length=1, max_length=256)
    checksum: ChecksumKind = "none"
    start: HexBytes = b""
    stop: HexBytes = b""

    @model_validator(mode="after")
    def _check(self) -> Self:
        twice = [label for label, n in Multiset(c.label for c in self.channels).items() if n > 1]
        if twice:
            raise ValueError(f"labels that differ; {twice[0]} is there twice")
        markers = sum(c.type == "MARKER" for c in self.channels)
        if markers > 1:
            raise ValueError(f"one MARKER channel at the most, not {markers}")
        if markers == len(self.channels):
            raise ValueError("at least one channel beside the marker")
        if self.framing == "framed":
            if not self.sync:
                raise ValueError("a framed profile has sync bytes")
        else:
            self._check_multiplex()
        needed = self.frame_bytes * self.rate_hz * _BITS_PER_BYTE_ON_THE_LINE
        if needed > self.baud_rate:
            raise ValueError(
                f"a baud_rate of {needed:.0f} or more: {self.frame_bytes} bytes"
                f" {self.rate_hz:g} times a second do not fit into {self.baud_rate} baud"
            )
        return self

    def _check_multiplex(self) -> None:
        if self.sync or self.counter is not None or self.checksum != "none":
            raise ValueError("a multiplex profile has no sync, counter or checksum")
        if self.marker_index is None:
            raise ValueError("a multiplex profile has a MARKER channel, the anchor of alignment")
        for channel in self.channels:
            if channel.format not in ("int16", "uint16"):
                raise ValueError(
                    f"multiplex channels are int16 or uint16; {channel.label} is {channel.format}"
                )

    @property
    def checksum_bytes(self) -> int:
        """Length of the checksum."""
        return CHECKSUM_BYTES[self.checksum]

    @property
    def frame_bytes(self) -> int:
        """Length of a frame."""
        counter_bytes = self.counter.bytes if self.counter else 0
        channel_bytes = sum(c.bytes for c in self.channels)
        return len(self.sync) + counter_bytes + channel_bytes + self.checksum_bytes

    @property
    def signal_channels(self) -> tuple[Channel, ...]:
        """All channels but the marker, as a source delivers them."""
        return tuple(Channel(c.label, c.unit, c.type) for c in self.channels if c.type != "MARKER")

    @property
    def marker_index(self) -> int | None:
        """Place of the marker among the channels; None where there is none."""
        return next((i for i, c in enumerate(self.channels) if c.type == "MARKER"), None)


def load_profile(profile: str | Path) -> Profile:
    """Read a profile.

    Parameters
    ----------
    profile : str or Path
        Name of a built-in one, or a YAML file.

    Returns
    -------
    Profile
        Checked.

    Raises
    ------
    SourceError
        No such name or file, no YAML, or a profile that cannot be.
    """
    if isinstance(profile, str) and profile in BUILT_IN:
        return BUILT_IN[profile]
    file = Path(profile)
    try:
        content = read_yaml(file, f"profile {file}", SourceError)
    except FileNotFoundError:
        raise SourceError(
            f"profile {file}",
            value="no such file",
            allowed=f"a YAML file, or one of {', '.join(BUILT_IN)}",
        ) from None
    except OSError as error:
        raise SourceError(f"profile {file}", value=error.strerror) from None
    if not isinstance(content, dict):
        raise SourceError(
            f"profile {file}",
            value=f"a {type(content).__name__}",
            allowed="keys and values, such as configs/varioport/framed.yaml has",
        )
    try:
        return Profile.model_validate(content)
    except ValidationError as error:
        raise _explain(error, file) from None


def write_profile(profile: Profile, path: str | Path) -> None:
    """Write a profile such that `load_profile` reads it again.

    Raises
    ------
    SourceError
        The file exists already, or cannot be written.
    """
    content = profile.model_dump(mode="json")
    text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=100)
    try:
        with Path(path).open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise SourceError(
            f"profile {path}", value="exists already", way_out="choose another name"
        ) from None
    except OSError as error:
        raise SourceError(f"profile {path}", value=error.strerror) from None


def _explain(error: ValidationError, file: Path) -> SourceError:
    """Say in one line what is wrong first."""
    details = error.errors()[0]
    place = ".".join(str(part) for part in details["loc"])
    message = details["msg"].removeprefix("Value error, ")
    if not place:  # a contradiction between keys
        return SourceError(f"profile {file}", allowed=message)
    where = f"{place} in profile {file}"
    known = _known_keys(details["loc"])
    if details["type"] == "extra_forbidden":
        return SourceError(f"{where} does not exist", allowed=", ".join(known))
    if details["type"] == "missing":
        return SourceError(f"{where} is missing")
    if isinstance(details["input"], dict | list):  # a contradiction within a channel
        return SourceError(where, allowed=message)
    return SourceError(where, value=repr(details["input"]), allowed=message)


def _known_keys(loc: tuple[Any, ...]) -> list[str]:
    models: dict[Any, type[BaseModel]] = {"channels": ProfileChannel, "counter": Counter}
    model = models.get(loc[0], Profile) if len(loc) > 1 else Profile
    return list(model.model_fields)


_EMG = tuple(f"EMG{k}" for k in range(1, 7))
_UV_PER_COUNT = 0.033  # of the EMG-UKA recordings; a setting of the device, not a constant

FRAMED = Profile(
    name="framed",
    status=Provenance.EMULATOR_ONLY,
    evidence="Spoken by the emulator of this project; never seen on a device.",
    framing="framed",
    rate_hz=600.0,
    baud_rate=230400,
    byte_order="big",
    sync=bytes.fromhex("a55a"),
    counter=Counter(bytes=2, step=1),
    channels=(
        *(ProfileChannel(label=label, format="int16", scale=_UV_PER_COUNT) for label in _EMG),
        ProfileChannel(label="MARKER", unit="", type="MARKER", format="uint16"),
    ),
    checksum="crc32",
)
"""Sync, counter, six channels, marker, checksum: every loss is counted."""

MULTIPLEX = Profile(
    name="multiplex",
    status=Provenance.EMULATOR_ONLY,
    evidence=(
        "Words as in the RAW files of the device (big-endian, offset 32767, marker last);"
        " that it sends the same live is an assumption, tried with the emulator only."
    ),
    framing="multiplex",
    rate_hz=600.0,
    baud_rate=115200,
    byte_order="big",
    channels=(
        *(
            ProfileChannel(label=label, format="uint16", offset=32767.0, scale=_UV_PER_COUNT)
            for label in _EMG
        ),
        ProfileChannel(label="MARKER", unit="", type="MARKER", format="uint16"),
    ),
)
"""Six channels and the marker, without anything that tells where a frame begins."""

BUILT_IN = {profile.name: profile for profile in (FRAMED, MULTIPLEX)}
