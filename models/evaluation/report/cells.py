"""How the cells of a table are written."""

import math
import re
from typing import Final

from models.evaluation.findings import Cell, Table

MISSING: Final = "–"

_NUMERIC = re.compile(r"[<>≤≥≈±+−-]?[\d\s.,±%/…–()×]*(dB|s|ms|min|h|Hz|cents|uV|µV)?(?: \d+ min)?")


def said(cell: Cell, digits: int) -> str:
    """Write a cell.

    Parameters
    ----------
    cell : str, int, float or None
        As in `Table`.
    digits : int
        Decimals of a float.

    Returns
    -------
    str
        A dash for what is not there.
    """
    if cell is None or (isinstance(cell, float) and not math.isfinite(cell)):
        return MISSING
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float):
        text = f"{cell:.{digits}f}"
        return text.replace("-", "−") if float(text) else text.lstrip("-")
    return str(cell)


def is_numeric(table: Table, column: int) -> bool:
    """Tell whether a column holds numbers, so that their digits belong below each other."""
    cells = [row[column] for row in table.rows if row[column] not in (None, "")]
    return bool(cells) and all(
        _NUMERIC.fullmatch(cell) if isinstance(cell, str) else True for cell in cells
    )
