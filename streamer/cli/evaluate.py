"""``streamer evaluate``: the paper's experiments on a corpus, to a report."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import click

from drivers.errors import StreamerError
from streamer.cli.ending import ENDS, handled_by
from streamer.cli.options import INTERRUPTED, as_json, configured, note, print_json, say

if TYPE_CHECKING:
    from models.evaluation.part import Part
    from models.evaluation.report.content import Content


class EvaluationError(StreamerError):
    """An evaluation cannot begin."""


@click.command()
@click.argument("corpus", type=Path)
@click.option(
    "--experiment",
    "experiments",
    metavar="NAME",
    multiple=True,
    default=["all"],
    show_default="all",
    help="conversion, search, latency, speaker, embedding, autoencoder, mode or rolling; may be "
    "repeated.",
)
@click.option(
    "--out", metavar="DIR", type=Path, required=True, help="Directory; one of before goes on."
)
@click.option("--quick", "size", flag_value="quick", help="Minutes: proves that everything runs.")
@click.option("--full", "size", flag_value="full", help="The paper's size: hours.")
@click.option(
    "--session",
    "sessions",
    metavar="ID",
    multiple=True,
    help="Only this recording session, as 002-001; may be repeated.",
)
@click.option("--workers", metavar="N", help="Jobs at once.  [default: a core each]")
@click.option("--cluster", metavar="ADDRESS", help="Run the jobs on this Dask cluster.")
@click.option("--device", metavar="auto|cpu|cuda", help="Of PyTorch.  [default: auto]")
@click.option("--seed", metavar="N", help="Of everything random.  [default: 0]")
@as_json
@configured
def evaluate(
    corpus: Path,
    experiments: tuple[str, ...],
    out: Path,
    size: str | None,
    sessions: tuple[str, ...],
    workers: str | None,
    cluster: str | None,
    device: str | None,
    seed: str | None,
    json_: bool,
    config_file: Path | None,
    assignments: tuple[str, ...],
) -> int:
    """Run the paper's experiments on a corpus.

    They leave a report beside the paper's figures, report.html and report.md, and a JSON file
    each. Ctrl-C loses nothing that is done: the same command goes on from there.

    \b
    Examples:
      streamer evaluate data/emg-uka --out evaluation
      streamer evaluate data/emg-uka --out trial --quick --session 002-001 --session 008-002
      streamer evaluate data/emg-uka --out full --full --cluster tcp://head:8786
    """  # noqa: D301 - \b is click's, not Python's
    from streamer.cli.progress import shown_progress
    from streamer.config import load_config

    flags = {
        "evaluate.size": size,
        "evaluate.sessions": list(sessions) or None,
        "evaluate.workers": workers,
        "evaluate.cluster": cluster,
        "evaluate.device": device,
        "evaluate.seed": seed,
    }
    settings = load_config(config_file, assignments, flags).evaluate
    try:
        from models.evaluation import run
        from models.evaluation.settings import EvaluationSettings

        names = run.names_of(experiments)
    except ModuleNotFoundError as error:
        raise EvaluationError(
            f"evaluation needs {error.name}, which is not installed",
            way_out="install the extra: pip install -c constraints.txt -e '.[train]'",
        ) from error
    try:
        with _interruptible(), shown_progress() as progress:
            study, directory = run.start_study(
                corpus,
                EvaluationSettings(settings.size, settings.seed, settings.sessions),
                out,
                workers=settings.workers or _cores(),
                cluster=settings.cluster,
                device=settings.device,
                progress=progress,
            )
            content = run.evaluate(study, names, directory, _ended)
    except KeyboardInterrupt:
        note("stopped; what is done is kept, and the same command goes on from there")
        return INTERRUPTED
    if json_:
        print_json(run.figures(directory))
    else:
        _show(content, out)
    return 0


def _cores() -> int:
    return len(os.sched_getaffinity(0))


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let Ctrl-C, and the end of a batch job, stop the workers in peace.

    A second Ctrl-C, while they are being stopped, would leave some behind.
    """

    def stop(number: int, frame: FrameType | None) -> None:
        for one in ENDS:
            signal.signal(one, signal.SIG_IGN)
        raise KeyboardInterrupt

    with handled_by(stop):
        yield


def _ended(part: "Part") -> None:
    """Leave a trace in the log of a batch job, which shows no bars."""
    from streamer.cli.progress import clock

    if not sys.stderr.isatty():
        run = part.about["run"]
        kept = f", {run['kept_jobs']} of them kept from before" if run["kept_jobs"] else ""
        note(f"{part.findings.name}: {run['jobs']} jobs{kept}, {clock(run['wall_s'])}")


def _show(content: "Content", out: Path) -> None:
    from streamer.cli.tables import ResultTable

    if content.headlines.rows:
        table = ResultTable()
        for number, column in enumerate(content.headlines.columns):
            table.column(column, "right" if number else "left")
        for row in content.headlines.rows:
            table.row(*("–" if cell is None else str(cell) for cell in row))
        table.show()
        say("")
    for warning in content.warnings:
        say(f"! {warning.replace('*', '')}", "yellow")
    for part in content.parts:
        for line in part.findings.missing:
            say(f"missing    {part.findings.name}: {line.replace('*', '')}")
    say(f"report     {out / 'report.html'}, {out / 'report.md'}")
