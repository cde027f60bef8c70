"""The report as one HTML file that needs no other."""

import re
from itertools import count
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markdown_it import MarkdownIt
from markupsafe import Markup

from drivers.outside.strict_json import write_whole
from models.evaluation.report.cells import is_numeric, said
from models.evaluation.report.content import Content

_MARKDOWN = MarkdownIt("commonmark", {"html": False}).disable("image")


def write_html(content: Content, file: Path) -> None:
    """Write the report.

    Parameters
    ----------
    content : Content
        Of the report.
    file : Path
        ``report.html``.
    """
    environment = Environment(
        loader=PackageLoader("models.evaluation.report", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "said": said,
        "inline": _inline,
        "paragraphs": _paragraphs,
        "next_number": next,
    }
    environment.tests["numeric"] = is_numeric
    template = environment.get_template("report.html.j2")
    drawings = {
        part.findings.name: [
            _drawing(drawing.svg, drawing.title, f"{part.findings.name}-{number}")
            for number, drawing in enumerate(part.findings.drawings, 1)
        ]
        for part in content.parts
    }
    write_whole(
        template.render(content=content, drawings=drawings, tables=count(1), figures=count(1)),
        file,
    )


def _inline(text: str) -> Markup:
    return Markup(_MARKDOWN.renderInline(text))  # noqa: S704 - raw HTML is off, links are checked


def _paragraphs(text: str) -> Markup:
    return Markup(_MARKDOWN.render(text))  # noqa: S704


def _drawing(svg: str, title: str, prefix: str) -> Markup:
    """Prepare a picture to stand among others within a page.

    Parameters
    ----------
    svg : str
        A file, such as matplotlib writes it.
    title : str
        For those who do not see it.
    prefix : str
        For its identifiers, which would be taken for those of another picture.

    Returns
    -------
    Markup
        The element alone.
    """
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\bid="', f'id="{prefix}-', svg)
    svg = re.sub(r'href="#', f'href="#{prefix}-', svg)
    svg = re.sub(r"url\(#", f"url(#{prefix}-", svg)
    # Of all elements of the page, as a style sheet within a page is.
    svg = svg.replace("*{", f"#{prefix} *{{")
    label = Markup.escape(title)
    return Markup(svg.replace("<svg", f'<svg id="{prefix}" role="img" aria-label="{label}"', 1))  # noqa: S704
