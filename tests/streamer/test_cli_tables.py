"""Tables of results, with names that others have chosen."""

import pytest

from streamer.cli.tables import ResultTable


@pytest.mark.parametrize("name", ["\x1b[2Jred", "two\nlines", "[bold]a[/bold]", "\udc80"])
def test_a_name_moves_no_cursor_and_begins_no_line(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """An utterance of somebody else's corpus would paint over what is below it."""
    table = ResultTable()
    table.column("utterance")
    table.column("length", "right")
    table.row(name, "1.0 s", style="red")
    table.show()
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3  # with the line under the titles
    assert all(line.isprintable() for line in lines)
    if name.isprintable():
        assert name in lines[-1]
