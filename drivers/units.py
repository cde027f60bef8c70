"""What a channel's label and unit say, in files that were written by others."""

import re
from collections.abc import Sequence

VOLTAGES = "uV (microvolts), mV, V or nV"
"""The units that are understood, for people."""

_UV_PER_UNIT = {
    name: factor
    for names, factor in (
        (("nv", "nanovolt", "nanovolts"), 1e-3),
        (("uv", "microvolt", "microvolts"), 1.0),
        (("mv", "millivolt", "millivolts"), 1e3),
        (("v", "volt", "volts"), 1e6),
    )
    for name in names
}
_TYPES = re.compile(
    r"(EMG|EEG|EOG|ECG|EDA|GSR|ACC|GYRO|TEMP|RESP|REF|AUX|MISC|TRIG|AUDIO)(?![A-Za-z])", re.I
)


def uv_per(unit: str) -> float | None:
    """Say how many microvolts a unit is.

    Parameters
    ----------
    unit : str
        As a file spells it: ``"uV"``, ``"µV"`` with either letter, ``"mV"``, ``"V"``.

    Returns
    -------
    float or None
        None where it is no voltage.
    """
    # Both signs for micro are in use.
    plain = unit.strip().replace("\N{MICRO SIGN}", "u").replace("\N{GREEK SMALL LETTER MU}", "u")
    # MV would be a million volts.
    return None if plain == "MV" else _UV_PER_UNIT.get(plain.lower())


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
    return found[1].upper() if found else None


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
    types = [type_of(label) for label in labels]
    rest = "AUX" if "EMG" in types else "EMG"
    return [
        one or (rest if uv_per(unit) is not None else "AUX")
        for one, unit in zip(types, units, strict=True)
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
    unique: list[str] = []
    for label in labels:
        name, number = label, 1
        while name in unique:
            number += 1
            name = f"{label} ({number})"
        unique.append(name)
    return unique
