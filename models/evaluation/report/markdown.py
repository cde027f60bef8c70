"""The report as Markdown, its drawings as files beside it."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from drivers.outside.strict_json import write_whole
from models.evaluation.findings import Table, as_text
from models.evaluation.part import Part
from models.evaluation.report.cells import is_numeric, said
from models.evaluation.report.content import Content

FIGURES: Final = "figures"


def write_markdown(content: Content, directory: Path) -> None:
    """Write ``report.md`` and ``figures/*.svg``.

    Parameters
    ----------
    content : Content
        Of the report.
    directory : Path
        Where.
    """
    (directory / FIGURES).mkdir(exist_ok=True)
    for part in content.parts:
        for number, drawing in enumerate(part.findings.drawings, 1):
            write_whole(drawing.svg, directory / _figure(part, number))
    write_whole("\n".join(_lines(content)), directory / "report.md")


def _lines(content: Content) -> Iterator[str]:
    yield f"# {as_text(content.title)}\n"
    yield f"*{as_text(content.byline)}*\n"
    for paragraph in content.summary:
        yield f"{paragraph}\n"
    for warning in content.warnings:
        yield f"> {warning}\n"
    if content.headlines.rows:
        yield from _table(content.headlines, 2)
    for part in content.parts:
        yield from _part(part)
    yield "## Data\n"
    yield from _table(content.data, 3)
    yield from _table(content.incomplete, 3)
    yield "## How it was run\n"
    yield from _table(content.runs, 3)
    yield from _table(content.configuration, 3)
    yield "## References\n"
    yield from _list(content.references)


def _part(part: Part) -> Iterator[str]:
    found = part.findings
    yield f"## {as_text(found.title)}\n"
    for table in found.tables:
        yield from _table(table, 3)
    for number, drawing in enumerate(found.drawings, 1):
        yield f"### {as_text(drawing.title)}\n"
        yield f"![{as_text(drawing.title)}]({_figure(part, number).as_posix()})\n"
        if drawing.note:
            yield f"{drawing.note}\n"
    for title, notes in (
        ("Where this differs from the paper", found.differs),
        ("What was chosen by looking at data, and at which", found.tuned),
        ("What was missing", found.missing),
    ):
        if notes:
            yield f"### {title}\n"
            yield from _list(notes)


def _table(table: Table, level: int) -> Iterator[str]:
    yield f"{'#' * level} {as_text(table.title)}\n"
    if table.rows:
        right = [column > 0 and is_numeric(table, column) for column in range(len(table.columns))]
        yield _row(table.columns)
        yield _rule(right)
        for row in table.rows:
            yield _row([said(cell, table.digits) for cell in row])
        yield ""
    if table.note:
        yield f"{table.note}\n"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(as_text(cell) for cell in cells)} |"


def _rule(right: Sequence[bool]) -> str:
    return f"|{'|'.join('--:' if one else ':--' for one in right)}|"


def _list(notes: Sequence[str]) -> Iterator[str]:
    for note in notes:
        yield "- " + note.strip().replace("\n", "\n  ")
    yield ""


def _figure(part: Part, number: int) -> Path:
    return Path(FIGURES, f"{part.findings.name}-{number}.svg")
