"""What the columns of a table are, by their names and, in tables of others, a line of units.

Tables of others name their channels ``EMG1 [uV]``, ``EMG1 (uV)``, ``EMG1_uV``, ``EMG1 uV`` or
``EMG1/uV``, or have the units in a line of their own below the names. Beside the channels they
have columns of other things: those without a unit are no channels.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from drivers.recordings.tables.lines import cells_of
from drivers.units import uv_per

TIME = "time_s"
MARKER = "marker"
_IN_BRACKETS = re.compile(r"(?P<label>.*\S) ?\[(?P<unit>[^\[\]]*)\]")
_IN_PARENTHESES = re.compile(r"(?P<label>.*\S) ?\((?P<unit>[^()]*)\)")
_BEHIND = re.compile(r"(?P<label>.*[^\s_/])[ _/]+(?P<unit>[A-Za-z\xb5\u03bc]+)")
_TIME = re.compile(r"(time|t|timestamps?|zeit)", re.I)
_SECONDS = {"s": 1.0, "sec": 1.0, "seconds": 1.0, "ms": 1e-3, "us": 1e-6}
# What may stand in parentheses and is no part of a label, such as "EMG (left)" has.
_OTHER_UNITS = re.compile(
    r"s|sec|seconds|ms|us|Hz|g|mg|m/s\^?2|m/s\xb2|deg(/s|C)?|\xb0(/s|C)?|C|K|%|a\.?u\.?|k?Pa|bar"
    r"|N|[nu\xb5\u03bcm]S|",
    re.I,
)
_LOST = frozenset(("", "n/a", "na", "#n/a", "nan", "null", "none", "-", "--"))


@dataclass(frozen=True)
class Column:
    """A column by its name.

    Attributes
    ----------
    label : str
        Without the unit.
    unit : str or None
        As written; None where there is none.
    """

    label: str
    unit: str | None

    @property
    def seconds(self) -> float | None:
        """How long its unit is, if it is a time; else None."""
        if self.unit is None or not _TIME.fullmatch(self.label):
            return None
        return _SECONDS.get(self.unit.lower())

    @property
    def is_marker(self) -> bool:
        """It holds events."""
        return self.unit is None and self.label.lower() == MARKER


def column_of(name: str) -> Column:
    """Read the name of a column.

    Parameters
    ----------
    name : str
        Such as ``"EMG1 [uV]"``, ``"time_s"``.

    Returns
    -------
    Column
        With a unit where the name has one.
    """
    if found := _IN_BRACKETS.fullmatch(name):
        return Column(found["label"], found["unit"].strip())
    found = _IN_PARENTHESES.fullmatch(name)
    if found and (_is_voltage(found["unit"]) or _OTHER_UNITS.fullmatch(found["unit"].strip())):
        return Column(found["label"], found["unit"].strip())
    found = _BEHIND.fullmatch(name)
    if found:
        unit = found["unit"]
        is_time = _TIME.fullmatch(found["label"]) and unit.lower() in _SECONDS
        # a single V may well be a name: the lead aVF, or the fifth one
        if is_time or (_is_voltage(unit) and len(unit) > 1):
            return Column(found["label"], unit)
    return Column(name, None)


def with_units(columns: Sequence[Column], units: Sequence[str]) -> list[Column]:
    """Give columns the units of a line below their names.

    Parameters
    ----------
    columns : sequence of Column
        By their names.
    units : sequence of str
        Cells of that line.

    Returns
    -------
    list of Column
        A unit in a name goes before.
    """
    return [
        one if one.unit is not None or _is_lost(unit) else Column(one.label, unit.strip(" []()"))
        for one, unit in zip(columns, units, strict=True)
    ]


def are_units(cells: Sequence[str]) -> bool:
    """Say whether a line below the names can be one of units: it has texts and no number."""
    return not any(map(is_number, cells)) and not all(map(_is_lost, cells))


def is_header(line: str) -> bool:
    """Say whether a line names columns with units such as ours."""
    columns = [column_of(cell) for cell in cells_of(line)]
    first = columns[0].seconds is not None
    return len(columns) > first and (
        first or any(one.unit is not None and _is_voltage(one.unit) for one in columns)
    )


def number_of(cell: str, decimal_comma: bool) -> float | None:
    """Read a cell.

    Parameters
    ----------
    cell : str
        As it stands in the table.
    decimal_comma : bool
        A comma in it is a decimal point.

    Returns
    -------
    float or None
        NaN where a value was lost: empty, ``n/a``, ``NaN``; None where it is no number.
    """
    if _is_lost(cell):
        return math.nan
    try:
        return float(cell.replace(",", ".") if decimal_comma else cell)
    except ValueError:
        return None


def is_number(cell: str) -> bool:
    """Say whether a cell is a number, and not a lost one."""
    return not _is_lost(cell) and number_of(cell, decimal_comma=True) is not None


def is_text(cell: str) -> bool:
    """Say whether a cell is neither a number nor a lost one."""
    return number_of(cell, decimal_comma=True) is None


def _is_voltage(unit: str) -> bool:
    return uv_per(unit) is not None


def _is_lost(cell: str) -> bool:
    return cell.strip().lower() in _LOST
