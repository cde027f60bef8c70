"""Tables of results on standard output."""

import sys
from typing import Literal

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from drivers.outside.names import shown


class ResultTable:
    """A table for people, whatever others have written into its cells."""

    def __init__(self) -> None:
        self._table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False)

    def column(self, title: str, justify: Literal["left", "right"] = "left") -> None:
        """Add a column; all of them come before the rows.

        Parameters
        ----------
        title : str
            Over the column.
        justify : {"left", "right"}
            Where its cells begin or end.
        """
        self._table.add_column(shown(title), justify=justify)

    def row(self, *cells: str, style: str | None = None) -> None:
        """Add a row.

        Parameters
        ----------
        *cells : str
            One for each column.
        style : str, optional
            Colour of the row.
        """
        self._table.add_row(*map(shown, cells), style=style)

    def show(self) -> None:
        """Print the table; lines that go into a file are not cut."""
        console = Console(markup=False, highlight=False, soft_wrap=not sys.stdout.isatty())
        console.print(self._table)
