"""What all subcommands of ``streamer bench`` do: measure, keep the figures, print them."""

import math
import os
import platform
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from drivers.errors import StreamerError
from streamer.bench.figure import Figure, Progress, Report
from streamer.cli.ending import clean_up_on_interrupt
from streamer.cli.options import note, print_json, say
from streamer.cli.progress import shown_progress
from streamer.cli.tables import ResultTable
from streamer.config import Config
from streamer.results.outputs import RunDirectory, write_json

Measure = Callable[[Config, Path, Progress], Report]
Prepared = tuple[Measure, Config]

_RESULT = "bench.json"
_AT_REST = 0.5  # load, of which a bench says nothing


def measure_into(measure: Measure, config: Config, out: Path | None, *, json_: bool) -> int:
    """Measure, keep the figures in a directory and print them.

    Parameters
    ----------
    measure : callable
        The bench.
    config : Config
        All settings.
    out : Path, optional
        Directory, which must not exist yet.
    json_ : bool
        Print the figures as JSON.

    Returns
    -------
    int
        Exit code.
    """
    clean_up_on_interrupt()
    directory = RunDirectory.create(out)
    load, cores = os.getloadavg()[0], os.cpu_count() or 1
    try:
        with shown_progress() as progress:
            report = measure(config, directory.path, progress)
    except (StreamerError, KeyboardInterrupt):
        with suppress(OSError):  # only if it is empty: the same command shall work again
            directory.path.rmdir()
        raise
    if load > _AT_REST:
        line = f"the machine was busy before: a load of {load:.1f} on {cores} cores"
        report.notes.append(line)
    write_json(directory.path / _RESULT, _content(report))
    return show(report, json_=json_)


def show(report: Report, *, json_: bool) -> int:
    """Print a report.

    Parameters
    ----------
    report : Report
        What a bench comes to.
    json_ : bool
        Print it as JSON.

    Returns
    -------
    int
        Exit code: 1 where a figure is not what it has to be.
    """
    for line in report.notes:
        note(line)
    if report.invalid is not None:
        note(f"invalid: {report.invalid}")
    if json_:
        print_json(_content(report))
    else:
        table = ResultTable()
        table.column("measured", "right")
        table.column("target", "right")
        table.column("what")
        table.column("")
        for figure in report.figures:
            verdict, style = ("", None) if figure.good else ("missed", "red")
            measured = f"{figure.value:.3g} {figure.unit}"
            table.row(measured, _target(figure), figure.about, verdict, style=style)
        table.show()
        if report.picture is not None:
            say(f"picture  {report.picture}")
    return 0 if report.good else 1


def _target(figure: Figure) -> str:
    if figure.most is not None:
        return f"<= {figure.most:.3g} {figure.unit}"
    return "" if figure.least is None else f">= {figure.least:.3g} {figure.unit}"


def _content(report: Report) -> dict[str, Any]:
    """Return plain types for JSON."""
    return {
        "machine": f"{platform.machine()}, Python {platform.python_version()}",
        "good": report.good,
        "invalid": report.invalid,
        **_plain(report.values),
        "figures": {f.name: _plain({**asdict(f), "good": f.good}) for f in report.figures},
        "notes": report.notes,
        "picture": None if report.picture is None else str(report.picture),
    }


def _plain(value: Any) -> Any:
    """Return plain types; what could not be measured is infinite, null in JSON."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value
