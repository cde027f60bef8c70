"""``streamer bench``: what the parts cost and keep."""

import math
import os
import platform
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from functools import wraps
from pathlib import Path
from typing import Any

import click
import numpy as np
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from drivers.errors import StreamerError
from streamer.bench.figure import Figure, Progress, Report
from streamer.cli.options import (
    as_json,
    configured,
    note,
    print_json,
    selecting,
    with_outputs,
)
from streamer.cli.progress import shown_progress
from streamer.config import Config, load_config
from streamer.results.outputs import RunDirectory, write_json

Measure = Callable[[Config, Path, Progress], Report]
Prepared = tuple[Measure, Config]

_RESULT = "bench.json"
_AT_REST = 0.5  # load, of which a bench says nothing


@click.group()
def bench() -> None:
    """Measure latency, throughput and losses."""


def _on_recordings(counted: str) -> Callable[[Callable[[Config], Prepared]], Callable[..., int]]:
    """Turn what prepares a bench on recordings into a subcommand, with the options of all such.

    Parameters
    ----------
    counted : str
        What ``--seconds`` counts, for people.

    Returns
    -------
    callable
        Takes a function named as its settings below ``bench``.
    """

    def as_command(prepare: Callable[[Config], Prepared]) -> Callable[..., int]:
        @wraps(prepare)
        def command(
            path: Path | None,
            session: str | None,
            subset: str | None,
            utterances: tuple[str, ...],
            seconds: str | None,
            bundle: Path | None,
            out: Path | None,
            json_: bool,
            config_file: Path | None,
            assignments: tuple[str, ...],
        ) -> int:
            given = {
                "recordings.path": path,
                "recordings.session": session,
                "recordings.subset": subset,
                "recordings.utterances": utterances or None,
                "bundle": bundle,
                f"bench.{prepare.__name__}.seconds": seconds,
            }
            measure, config = prepare(load_config(config_file, assignments, given))
            return _measure(measure, config, out, json_=json_)

        command = selecting(with_outputs(as_json(configured(command))))
        command = click.argument("path", metavar="[PATH]", type=Path, required=False)(command)
        return click.option("--seconds", metavar="SECONDS", help=f"EMG {counted}")(command)

    return as_command


@bench.command()
@_on_recordings("at either pace; recordings are played over and over.  [default: 60]")
def engine(config: Config) -> Prepared:
    """Measure what a session costs.

    Recordings (PATH, by default those in the package) go through a session in a process of
    its own: at the pace of life without screen and loudspeaker, and as fast as it can on one
    core. It says the cost of a frame stage by stage, the share of a core, the throughput and
    the memory, and how much faster the MLSA filter is than pysptk's.

    \b
    Example:
      streamer bench engine --bundle bundles/002-001 --seconds 60
    """  # noqa: D301 - \b is click's, not Python's
    from streamer.bench.engine import engine as measure

    return measure, config


@bench.command()
@_on_recordings("of the replay.  [default: all that is chosen]")
def acoustic(config: Config) -> Prepared:
    """Prove the delay from outside, on a virtual sound card.

    Audible utterances (by default the simulated ones in the package; of a corpus the subset
    test.audible, unless another is chosen) are replayed at the pace of life into a null sink
    of a PulseAudio of its own, and its monitor is recorded. It says how late the heard speech
    is against the natural speech of the same utterances, and how long a burst in the EMG
    takes to sound.

    \b
    Example:
      streamer bench acoustic data/emg-uka --session 002-001 --bundle bundles/002-001
    """  # noqa: D301 - \b is click's, not Python's
    from streamer.bench.acoustic import acoustic as measure

    chosen = config.recordings
    is_corpus = chosen.path is None or chosen.path.is_dir()
    if is_corpus and chosen.subset is None and not chosen.utterances:
        chosen = chosen.model_copy(update={"subset": "test.audible"})
    return measure, config.model_copy(update={"recordings": chosen})


@bench.command()
@_on_recordings("at the pace of life; recordings are played over and over.  [default: 600]")
def soak(config: Config) -> Prepared:
    """Run for long on a virtual sound card beside a busy core.

    Counts underruns, and compares memory and lag at the start and at the end. Then an
    emulated Varioport is unplugged for a second again and again, and the voice has to fade
    and to come back without a click.

    \b
    Example:
      streamer bench soak --seconds 60
    """  # noqa: D301 - \b is click's, not Python's
    from streamer.bench.soak import soak as measure

    return measure, config


@bench.command()
@click.option("--out", metavar="DIR", type=Path, help="Directory for a picture of the figures.")
@as_json
@configured
def drivers(
    out: Path | None, json_: bool, config_file: Path | None, assignments: tuple[str, ...]
) -> int:
    """Measure what the drivers promise.

    Damaged bytes through the codecs, an emulated Varioport whose cable is pulled, the same
    recording through all ways in, and a replay against its schedule. It takes some three
    minutes and exits with 1 when a promise is not kept.

    \b
    Example:
      streamer bench drivers --set bench.drivers.replay_s=600
    """  # noqa: D301 - \b is click's, not Python's
    from streamer.bench.drivers import drivers as measure
    from streamer.bench.pictures import draw_figures

    def with_picture(config: Config, path: Path, progress: Progress) -> Report:
        figures = measure(config.bench.drivers, progress)
        return Report(figures, picture=draw_figures(path / "drivers.png", figures))

    config = load_config(config_file, assignments)
    if out is not None:
        return _measure(with_picture, config, out, json_=json_)
    with shown_progress() as progress:
        return _show(Report(measure(config.bench.drivers, progress)), json_=json_)


def _measure(measure: Measure, config: Config, out: Path | None, *, json_: bool) -> int:
    directory = RunDirectory.create(out)
    load, cores = os.getloadavg()[0], os.cpu_count() or 1
    try:
        with shown_progress() as progress:
            report = measure(config, directory.path, progress)
    except StreamerError:
        with suppress(OSError):  # only if it is empty: the same command shall work again
            directory.path.rmdir()
        raise
    if load > _AT_REST:
        line = f"the machine was busy before: a load of {load:.1f} on {cores} cores"
        report.notes.append(line)
    write_json(directory.path / _RESULT, _content(report))
    return _show(report, json_=json_)


def _show(report: Report, *, json_: bool) -> int:
    """Print a report; return the exit code."""
    for line in report.notes:
        note(line)
    if report.invalid is not None:
        note(f"invalid: {report.invalid}")
    if json_:
        print_json(_content(report))
    else:
        table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
        for title, justify in (("measured", "right"), ("target", "right"), ("what", "left")):
            table.add_column(title, justify=justify)  # type: ignore[arg-type]
        table.add_column("")
        for figure in report.figures:
            verdict, style = ("", None) if figure.good else ("missed", "red")
            measured = f"{figure.value:.3g} {figure.unit}"
            table.add_row(measured, _target(figure), figure.about, verdict, style=style)
        Console(markup=False, highlight=False).print(table)
        if report.picture is not None:
            click.echo(f"picture  {report.picture}")
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
