"""The fields of an EDF header: texts of fixed width, which programs fill as they like.

The standard wants ASCII on the left and blanks behind it. What is found as well, and read: NUL,
tabs and no-break spaces around it, UTF-8 or Latin-1, a plus sign, an exponent, and the decimal
comma of the system that a program ran on.
"""

import math
import re
from datetime import date, datetime, time

from drivers.outside.names import clean

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,3})?", re.I)
_DIGITS = re.compile(r"(\d\d?)\D(\d\d?)\D(\d\d?)")
_START = re.compile(r"Startdate (\d\d?)-([A-Z]{3})-(\d{4})\b", re.I)
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_UNKNOWN_DAY = date(1985, 1, 1)  # EDF's way to say so
_LARGEST = 1e9
_CENTURY_BEGINS = 85  # of years with two digits, as the standard has it


def text_of(field: bytes) -> str:
    """Read a text.

    Parameters
    ----------
    field : bytes
        As it stands in the file.

    Returns
    -------
    str
        One clean line, without what fills the field.
    """
    try:
        text = field.decode("utf-8")
    except UnicodeDecodeError:  # which takes any byte, such as the micro sign of Windows
        text = field.decode("latin-1")
    return clean(text.lstrip("\0 \t").split("\0")[0])


def number_of(field: bytes) -> float | None:
    """Read a number.

    Parameters
    ----------
    field : bytes
        As it stands in the file.

    Returns
    -------
    float or None
        Finite; None where it is no number.
    """
    text = text_of(field).replace(",", ".")
    number = float(text) if _NUMBER.fullmatch(text) else math.nan
    return number if math.isfinite(number) else None


def integer_of(field: bytes) -> int | None:
    """Read a whole number, None where it is none that a file could mean."""
    number = number_of(field)
    if number is None or not number.is_integer() or abs(number) > _LARGEST:
        return None
    return int(number)


def started_at(recording: str, day: bytes, clock: bytes) -> datetime | None:
    """Read when the recording began.

    Parameters
    ----------
    recording : str
        The field of that name, which in EDF+ holds the date with four digits of the year.
    day, clock : bytes
        The fields of the date and the time.

    Returns
    -------
    datetime or None
        To the second; None where the date is unknown, hidden or none at all.
    """
    hidden = recording.upper().startswith("STARTDATE X")
    digits, seconds = _DIGITS.match(text_of(day)), _DIGITS.match(text_of(clock))
    written = _START.match(recording)
    try:
        at = time(int(seconds[1]), int(seconds[2]), int(seconds[3])) if seconds else time()
        if written and written[2].upper() in _MONTHS:
            month = 1 + _MONTHS.index(written[2].upper())
            on = date(int(written[3]), month, int(written[1]))
        elif digits and not hidden:
            year = int(digits[3])
            on = date(
                year + (1900 if year >= _CENTURY_BEGINS else 2000), int(digits[2]), int(digits[1])
            )
        else:
            return None
    except ValueError:  # the 31st of February
        return None
    return None if on == _UNKNOWN_DAY else datetime.combine(on, at)
