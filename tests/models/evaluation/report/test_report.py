"""What the report looks like to whoever opens it."""

from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("jinja2")

from markdown_it import MarkdownIt  # noqa: E402

from models.evaluation.findings import Drawing, Findings, Table  # noqa: E402
from models.evaluation.part import Part, read_part, write_part  # noqa: E402
from models.evaluation.report.cells import is_numeric, said  # noqa: E402
from models.evaluation.report.content import Content, content_of, duration  # noqa: E402
from models.evaluation.report.headlines import headlines  # noqa: E402
from models.evaluation.report.html import write_html  # noqa: E402
from models.evaluation.report.markdown import write_markdown  # noqa: E402

SVG = (
    '<?xml version="1.0"?>\n<!DOCTYPE svg>\n<svg xmlns="http://www.w3.org/2000/svg">'
    '<metadata><date>today</date></metadata><defs><path id="a"/></defs>'
    '<use href="#a" clip-path="url(#a)"/></svg>'
)


def about(**more: Any) -> dict[str, Any]:
    session = {
        "speaker": "002",
        "utterances": {"train.audible": 40, "test.audible": 10},
        "minutes": 3.3,
        "skipped": {"no EMG": ["002-001-0100"]},
        "incomplete": {},
    }
    return {
        "created": "2026-01-02T03:04:05+00:00",
        "configuration": {
            "size": "default", "seed": 0, "sessions": "all", "device": "cpu", "workers": 2,
        },
        "versions": {"streamer": "0.1.0", "python": "3.11"},
        "machine": {"system": "Linux", "cores": 2},
        "run": {"wall_s": 61.0, "job_s": 100.0, "jobs": 7, "kept_jobs": 3},
        "data": {
            "corpus": "emg-uka", "fingerprint": "0123456789abcdef", "simulated": False,
            "sessions": {"002-001": session}, "left_out": ["009-001"],
        },
        "code": "c0de",
    } | more  # fmt: skip


def part(name: str = "mode", **more: Any) -> Part:
    fields: dict[str, Any] = {
        "figures": {"pooled": {"balanced_accuracy": 0.8612}},
        "tables": [
            Table(
                "Accuracy <b>",
                ("session", "here (%)", "paper", "what | why"),
                (("002-001", 86.12, "58 ± 7", "a|b"), ("all", None, None, "<i>")),
                digits=1,
                note="**Every** frame; see [this](https://example.org) ![x](https://x.org/y.png) "
                "<script>alert(1)</script>",
            )
        ],
        "drawings": [Drawing("One", SVG, "A *note*."), Drawing("Two", SVG)],
        "differs": ["Fewer `sessions`."],
        "tuned": ["On training data."],
        "missing": ["Nothing whispered."],
    }
    return Part(Findings(name, f"Speaking {name}", **(fields | more)), about())


class Page(HTMLParser):
    """What a browser would find."""

    void = ("meta", "br", "path", "use")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.void:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.void:
            assert self.open.pop() == tag

    def attributes(self, name: str) -> list[str]:
        return [attrs[name] or "" for _, attrs in self.tags if name in attrs]


@pytest.fixture
def content() -> Content:
    return content_of([part(), part("speaker")], ["speaker"])


@pytest.fixture
def html(content: Content, tmp_path: Path) -> str:
    write_html(content, tmp_path / "report.html")
    return (tmp_path / "report.html").read_text("utf-8")


@pytest.fixture
def markdown(content: Content, tmp_path: Path) -> str:
    write_markdown(content, tmp_path)
    return (tmp_path / "report.md").read_text("utf-8")


def test_html_needs_no_other_file_and_no_network(html: str) -> None:
    """Sent by mail, or opened in ten years, it would be half of a page."""
    page = Page(html)
    assert page.open == []
    assert not {"script", "link", "img", "iframe", "object"} & {tag for tag, _ in page.tags}
    assert page.attributes("src") == []
    assert "@import" not in html
    assert "url(http" not in html
    assert all(one.startswith(("#", "https://")) for one in page.attributes("href"))


def test_html_links_within_itself(html: str) -> None:
    """The table of contents would lead nowhere, and one drawing show another's marks."""
    page = Page(html)
    identifiers = page.attributes("id")
    assert len(identifiers) == len(set(identifiers))
    inner = {one[1:] for one in page.attributes("href") if one.startswith("#")}
    assert {"headlines", "mode", "speaker", "data", "run", "references"} <= inner
    assert inner <= set(identifiers)
    assert 'clip-path="url(#mode-2-a)"' in html
    assert "<metadata>" not in html


def test_html_shows_text_as_text(html: str) -> None:
    """A name with an angle bracket would swallow the rest of the page."""
    assert "Accuracy &lt;b&gt;" in html
    assert "&lt;i&gt;" in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "<strong>Every</strong> frame" in html
    assert "Fewer <code>sessions</code>" in html


def test_a_name_is_no_markup(tmp_path: Path) -> None:
    """Whoever names a corpus, or a session, would write into the report of somebody else."""
    wild = "**bold** [here](https://e.org) ![i](https://e.org/i.png) <script>alert(1)</script> `c`"
    one = part(tables=[], drawings=[])
    one.about["data"] |= {"corpus": wild, "left_out": [wild]}
    made = content_of([one], outdated=[])
    write_html(made, tmp_path / "report.html")
    write_markdown(made, tmp_path)
    rendered = MarkdownIt("commonmark").enable("table").render((tmp_path / "report.md").read_text())
    for text in ((tmp_path / "report.html").read_text(), rendered):
        page = Page(text)
        assert not [link for link in page.attributes("href") if link.startswith("https://e.org")]
        assert not [link for link in page.attributes("src") if "e.org" in link]
        assert "<script>" not in text
        assert "<strong>bold</strong>" not in text
        assert text.count("**bold**") >= 3  # title, reference, and what was left out


def test_html_puts_numbers_below_each_other(html: str) -> None:
    """Digits that do not line up are not compared."""
    assert '<td class="number">86.1</td>' in html
    assert '<td class="number">58 ± 7</td>' in html
    assert "<td>a|b</td>" in html


def test_both_say_what_must_not_be_overlooked(html: str, markdown: str) -> None:
    """Figures would be quoted that are no results."""
    for text in (html, markdown):
        for said_ in (
            "Where this differs from the paper",
            "On training data.",
            "Nothing whispered.",
            "Found by other code or other libraries",
            "Without any usable utterance: 009-001.",
            "doi.org/10.21437",
            "63 sessions",
        ):
            assert said_ in text
    quick = about()
    quick["configuration"] |= {"size": "quick"}
    quick["data"] |= {"simulated": True}
    warnings = content_of([Part(part().findings, quick)], []).warnings
    assert [one.partition("**:")[0] for one in warnings] == ["**Simulated", "**Quick"]


def test_markdown(markdown: str, tmp_path: Path) -> None:
    """A bar in a cell would shift the rest of the row."""
    assert "| session | here (%) | paper | what \\| why |" in markdown
    assert "|:--|--:|--:|:--|" in markdown
    assert "| 002-001 | 86.1 | 58 ± 7 | a\\|b |" in markdown
    assert "| all | – | – | \\<i\\> |" in markdown
    assert "![One](figures/mode-1.svg)" in markdown
    assert (tmp_path / "figures/mode-1.svg").read_text() == SVG


def test_headlines_stand_beside_the_paper() -> None:
    """What everybody asks for first would have to be searched."""
    rows = headlines([part(), part("rolling")]).rows
    assert rows[0][1:] == (None, "58.4 %", None)  # not measured, and said so
    assert rows[2][1:] == ("86.1 %", None, None)
    assert "the paper's features" in str(rows[0][0])
    assert headlines([]).rows == ()


def test_chance_stands_beside_speakers() -> None:
    """A figure among two would be read beside one among five."""
    found = part("embedding")
    found.findings.figures = {"uar": 0.74, "speakers": {"002": {}, "008": {}, "all": {}}}
    [row] = headlines([found]).rows
    assert row[1:] == ("74.0 %", "45.2 %", "50 %")


def test_a_part_comes_back_from_its_file(tmp_path: Path) -> None:
    """The next call would show another report."""
    before = part()
    write_part(before, tmp_path / "mode.json")
    assert read_part(tmp_path / "mode.json") == before
    (tmp_path / "mode.json").write_text('{"findings": {}, "about": {}}')
    assert read_part(tmp_path / "mode.json") is None


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (None, "–"), (float("nan"), "–"), (1.005, "1.00"), (-0.001, "0.00"), (-1.5, "−1.50"),
        (3, "3"), (True, "yes"), ("a", "a"),
    ],
)  # fmt: skip
def test_cells(cell: Any, text: str) -> None:
    """A figure that was not measured would read as one."""
    assert said(cell, 2) == text


@pytest.mark.parametrize(
    ("cells", "numeric"),
    [
        ((1, 2.5, None), True), (("6.48 ± 0.79", "1 / 2"), True), (("3 h 05 min", "8.5 s"), True),
        (("45.1 %", "–"), True), (("002-001",), False), (("lda", 1), False), ((None,), False),
    ],
)  # fmt: skip
def test_columns_of_numbers(cells: tuple[Any, ...], numeric: bool) -> None:
    """Names would stand at the right, numbers at the left."""
    assert is_numeric(Table("", ("",), tuple((cell,) for cell in cells)), 0) == numeric


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.04, "0.0 s"), (59.4, "59 s"), (59.6, "1 min"), (11100, "3 h 05 min")]
)
def test_durations(seconds: float, text: str) -> None:
    """Seconds of hours nobody reads."""
    assert duration(seconds) == text
