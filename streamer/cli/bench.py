"""``streamer bench``: what the parts cost and keep."""

import math
import platform
from dataclasses import asdict
from pathlib import Path

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from streamer.bench.figure import Figure
from streamer.cli.options import as_json, configured, print_json
from streamer.cli.progress import shown_progress
from streamer.config import load_config


@click.group()
def bench() -> None:
    """Measure latency, throughput and losses."""


@bench.command()
@as_json
@configured
def drivers(json_: bool, config_file: Path | None, assignments: tuple[str, ...]) -> int:
    """Measure what the drivers promise.

    Damaged bytes through the codecs, an emulated Varioport whose cable is pulled, the same
    recording through all ways in, and a replay against its schedule. It takes some three
    minutes and exits with 1 when a promise is not kept.

    \b
    Example:
      streamer bench drivers --set bench.drivers.replay_s=600
    """  # noqa: D301 - \b is click's, not Python's
    from streamer.bench.drivers import drivers as measure

    settings = load_config(config_file, assignments).bench.drivers
    with shown_progress() as progress:
        figures = measure(settings, progress)
    _show(figures, json_=json_)
    return 0 if all(figure.good for figure in figures) else 1


def _show(figures: list[Figure], *, json_: bool) -> None:
    if json_:
        print_json(
            {
                "machine": f"{platform.machine()}, Python {platform.python_version()}",
                "figures": {f.name: _plain(f) for f in figures},
            }
        )
        return
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for title, justify in (("measured", "right"), ("at most", "right"), ("what", "left")):
        table.add_column(title, justify=justify)  # type: ignore[arg-type]
    for figure in figures:
        most = "" if figure.most is None else f"{figure.most:.3g} {figure.unit}"
        style = None if figure.good else "red"
        table.add_row(f"{figure.value:.3g} {figure.unit}", most, figure.about, style=style)
    Console(markup=False, highlight=False).print(table)


def _plain(figure: Figure) -> dict[str, object]:
    """Return plain types; a figure that could not be measured is infinite, null in JSON."""
    value = figure.value if math.isfinite(figure.value) else None
    return {**asdict(figure), "value": value, "good": figure.good}
