"""The one rule for units: how channels of foreign files and streams come into microvolts.

All readers of recordings and the LSL inlet hand what a file or stream says of its channels to
`in_microvolts`, and multiply the samples with the factors that they get back:

* a channel whose unit is a voltage comes into microvolts, whatever its type: an amplifier
  that calls its inputs EEG or AUX may well be what the models get;
* a channel whose unit is no voltage, or that has none, is never EMG. Beside EMG with a unit it
  stays as it is, with another type, and a note names it: a counter or a time stamp;
* where no channel of the EMG has a voltage, or no channel at all where none says that it is
  EMG, all is refused: a guess could be wrong by a factor of a thousand. The way out is a
  setting, and that overrules what the file says, too. Only what is ``AUX`` or no electrode
  throughout, by its own word, has nothing to be guessed.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from drivers.errors import RecordingError, StreamerError
from drivers.source import Channel

VOLTAGES = "uV (microvolts), mV, V or nV"
"""The units that are understood, for people."""

_UV_PER_PREFIX = {
    **dict.fromkeys(("n", "nano"), 1e-3),
    **dict.fromkeys(("u", "micro"), 1.0),
    **dict.fromkeys(("m", "milli"), 1e3),
    "": 1e6,
}
_VOLTS = re.compile(r"(?P<prefix>n|nano|u|micro|m|milli|)[ -]?(v|volts?)", re.I)
# MNE-LSL gives the power of ten that makes volts of a value.
_UV_PER_POWER = {"-9": 1e-3, "-6": 1.0, "-3": 1e3, "0": 1e6}
_TYPES = re.compile(
    r"(EMG|EEG|EOG|ECG|EKG|EDA|GSR|PPG|PULSE?|ACC|GYRO|TEMP|RESP|REF|AUX|MISC|TRIG|AUDIO)"
    r"(?![A-Za-z])",
    re.I,
)
_SAME_TYPES = {"EKG": "ECG", "PULS": "PPG", "PULSE": "PPG"}
_NO_ELECTRODES = ("ACC", "GYRO", "TEMP", "RESP", "MISC", "TRIG", "AUDIO", "MARKERS")
# What no setting makes EMG of where it has no unit of its own.
_BOOKKEEPING = re.compile(
    r"\W*(time|clock|trig|status|marker|event|battery|.*counter"
    r"|(sample|packet|frame)[ _-]?(index|number|count))",
    re.I,
)


@dataclass(frozen=True)
class InMicrovolts:
    """Channels in their final units.

    Attributes
    ----------
    channels : tuple of Channel
        Voltages in ``"uV"``, others in their own unit and never of type EMG.
    factors : tuple of float
        What the samples of each channel are multiplied with to be so; 1 for no voltage.
    notes : tuple of str
        A line for a person each: channels that are left out of the EMG, and units that a
        setting overruled.
    """

    channels: tuple[Channel, ...]
    factors: tuple[float, ...]
    notes: tuple[str, ...]


def in_microvolts(
    labels: Sequence[str],
    units: Sequence[str],
    types: Sequence[str] | None,
    thing: str,
    *,
    setting: str = "recordings.unit",
    overruled_by: str | None = None,
    powers_of_ten: bool = False,
    refusal: type[StreamerError] = RecordingError,
) -> InMicrovolts:
    """Bring channels into microvolts, by the rule above.

    Parameters
    ----------
    labels : sequence of str
        Of the channels, each once (see `unique_labels`).
    units : sequence of str
        As they are written; empty where there is none.
    types : sequence of str or None
        As they are written, a stream's own type where a channel has none. Where it is empty,
        or there are none at all, label and unit say the type (see `channel_types`).
    thing : str
        Whose channels they are, for messages: ``"stream 'Amp'"``, ``"talk.edf"``.
    setting : str
        Key of the setting that is the way out: ``"recordings.unit"`` or ``"live.unit"``.
    overruled_by : str or None
        Value of that setting. It wins over what is written, for all EMG, or for all channels
        where none is EMG; those that count or tell the time keep their own unit or none.
    powers_of_ten : bool
        Understand ``"-6"`` as microvolts and ``"0"`` as volts, as MNE-LSL writes them: for LSL
        and XDF alone.
    refusal : type of StreamerError
        Raised where there is no way to microvolts.

    Returns
    -------
    InMicrovolts
        Channels, factors and notes.

    Raises
    ------
    StreamerError
        Of the type `refusal`: no channel of the EMG has a voltage, or the setting is none.
    """
    forced = None if overruled_by is None else uv_per(overruled_by)
    if overruled_by is not None and forced is None:
        raise refusal(setting, value=overruled_by or "none", allowed=VOLTAGES)
    scales = [uv_per(unit, powers_of_ten=powers_of_ten) for unit in units]
    voltages = [scale is not None for scale in scales]
    if forced is not None:
        voltages = [
            voltage or not _BOOKKEEPING.match(label)
            for voltage, label in zip(voltages, labels, strict=True)
        ]
    kinds = _kinds(labels, types, voltages)
    emg = [n for n, kind in enumerate(kinds) if kind == "EMG"]
    if not emg:  # the electrodes of an amplifier that calls them otherwise
        emg = [
            n
            for n, kind in enumerate(kinds)
            if kind.upper() not in _NO_ELECTRODES
            and (types is None or types[n].strip().upper() != "AUX")
        ]
    overruled = [n for n in emg if forced is not None and voltages[n] and scales[n] != forced]
    notes = []
    if stated := sorted({units[n] for n in overruled if units[n]}):
        notes.append(
            f"unit of {thing}: {', '.join(stated)} is overruled by {setting}={overruled_by}"
        )
    for n in overruled:
        scales[n] = forced
    if (emg or not labels) and all(scales[n] is None for n in emg):
        raise refusal(
            f"unit of channel {labels[emg[0]]} of {thing}" if emg else f"channels of {thing}",
            value=(units[emg[0]] if emg else "") or "none",
            allowed=VOLTAGES,
            way_out=f"if you know it, say so, as with --set {setting}=uV",
        )
    channels = []
    for label, unit, kind, scale in zip(labels, units, kinds, scales, strict=True):
        if scale is None and kind == "EMG":
            what = f"has the unit '{unit}'" if unit else "has no unit"
            notes.append(f"channel {label} of {thing} {what} and is left out of the EMG")
            kind = "AUX"  # noqa: PLW2901 - its final one
        channels.append(Channel(label, unit if scale is None else "uV", kind))
    factors = tuple(1.0 if scale is None else scale for scale in scales)
    return InMicrovolts(tuple(channels), factors, tuple(notes))


def uv_per(unit: str, *, powers_of_ten: bool = False) -> float | None:
    """Say how many microvolts a unit is.

    Parameters
    ----------
    unit : str
        As a file spells it: ``"uV"``, ``"µV"`` with either letter, ``"mV"``, ``"microvolts"``.
    powers_of_ten : bool
        Understand ``"-6"``, too.

    Returns
    -------
    float or None
        None where it is no voltage.
    """
    # NFKC makes one of the two signs for micro that are in use
    plain = unicodedata.normalize("NFKC", unit[:64]).strip()
    plain = plain.replace("\N{GREEK SMALL LETTER MU}", "u")
    if powers_of_ten and plain in _UV_PER_POWER:
        return _UV_PER_POWER[plain]
    found = _VOLTS.fullmatch(plain)
    if found is None or found["prefix"] == "M":  # mega
        return None
    return _UV_PER_PREFIX[found["prefix"].lower()]


def type_of(label: str) -> str | None:
    """Read a channel's type from the beginning of its label, as BIDS spells the types.

    Parameters
    ----------
    label : str
        Such as ``"EMG 1"``, ``"EMG1"``.

    Returns
    -------
    str or None
        ``"EMG"``; None where the label begins with no type.
    """
    found = _TYPES.match(label)
    if found is None:
        return None
    kind = found[1].upper()
    return _SAME_TYPES.get(kind, kind)


def channel_types(labels: Sequence[str], units: Sequence[str]) -> list[str]:
    """Tell the channels' types apart where nothing but labels and units is known.

    Parameters
    ----------
    labels, units : sequence of str
        Of the channels.

    Returns
    -------
    list of str
        What the labels say. Voltages that say nothing are EMG where no channel says that
        it is, all else is ``"AUX"``.
    """
    return _kinds(labels, None, [uv_per(unit) is not None for unit in units])


def _kinds(
    labels: Sequence[str], types: Sequence[str] | None, voltages: Sequence[bool]
) -> list[str]:
    """Take the types that are written, and find the others; EMG is spelled ``"EMG"``."""
    written = [kind.strip() for kind in types] if types is not None else [""] * len(labels)
    kinds = [
        "EMG" if kind.upper() == "EMG" else kind or type_of(label)
        for kind, label in zip(written, labels, strict=True)
    ]
    rest = "AUX" if "EMG" in kinds else "EMG"
    return [
        kind or (rest if voltage else "AUX") for kind, voltage in zip(kinds, voltages, strict=True)
    ]


def unique_labels(labels: Sequence[str]) -> list[str]:
    """Tell channels of one name apart, as a `Channel` has to be.

    Parameters
    ----------
    labels : sequence of str
        As a file names them.

    Returns
    -------
    list of str
        The same where each occurs once, else with numbers: ``"EMG"``, ``"EMG (2)"``.
    """
    used: set[str] = set()
    numbers: dict[str, int] = {}  # the last one of each label: a file may have thousands alike
    unique = []
    for label in labels:
        name, number = label, numbers.get(label, 1)
        while name in used:
            number += 1
            name = f"{label} ({number})"
        numbers[label] = number
        used.add(name)
        unique.append(name)
    return unique
