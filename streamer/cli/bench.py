"""``streamer bench``: what the parts cost and keep."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING

import click

from streamer.cli.options import as_json, configured, selecting, with_outputs

if TYPE_CHECKING:
    from streamer.bench.figure import Progress, Report
    from streamer.cli.benching import Prepared
    from streamer.config import Config


@click.group(invoke_without_command=True)
@click.option(
    "--check", is_flag=True, help="Measure all that has a bound in time, in half a minute."
)
@click.option(
    "--out",
    metavar="DIR",
    type=Path,
    help="Directory for what --check leaves, which must not exist yet.  [default: runs/DATE_TIME]",
)
@as_json
@click.pass_context
def bench(context: click.Context, check: bool, out: Path | None, json_: bool) -> int | None:
    """Measure latency, throughput and losses.

    Each bench prints its figures beside what they have to be, and exits with 1 where one is
    missed.

    \b
    Example:
      streamer bench --check
    """  # noqa: D301 - \b is click's, not Python's
    if (out is not None or json_) and not check or check and context.invoked_subcommand:
        raise click.UsageError(
            "--check takes no bench; --out and --json of a bench stand behind its name", context
        )
    if context.invoked_subcommand is not None:
        return None
    if not check:
        click.echo(context.get_help())
        return None
    from streamer.bench.check import check as measure
    from streamer.cli.benching import measure_into
    from streamer.config import load_config

    return measure_into(measure, load_config(), out, json_=json_)


def _on_recordings(
    counted: str,
) -> Callable[[Callable[["Config"], "Prepared"]], Callable[..., int]]:
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

    def as_command(prepare: Callable[["Config"], "Prepared"]) -> Callable[..., int]:
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
            from streamer.cli.benching import measure_into
            from streamer.config import load_config

            given = {
                "recordings.path": path,
                "recordings.session": session,
                "recordings.subset": subset,
                "recordings.utterances": utterances or None,
                "bundle": bundle,
                f"bench.{prepare.__name__}.seconds": seconds,
            }
            measure, config = prepare(load_config(config_file, assignments, given))
            return measure_into(measure, config, out, json_=json_)

        command = selecting(with_outputs(as_json(configured(command))))
        command = click.argument("path", metavar="[PATH]", type=Path, required=False)(command)
        return click.option("--seconds", metavar="SECONDS", help=f"EMG {counted}")(command)

    return as_command


@bench.command()
@_on_recordings("at either pace; recordings are played over and over.  [default: 60]")
def engine(config: "Config") -> "Prepared":
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
def acoustic(config: "Config") -> "Prepared":
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
def soak(config: "Config") -> "Prepared":
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
    from streamer.bench.figure import Report
    from streamer.bench.pictures import draw_figures
    from streamer.cli.benching import measure_into, show
    from streamer.cli.ending import clean_up_on_interrupt
    from streamer.cli.progress import shown_progress
    from streamer.config import load_config

    def with_picture(config: "Config", path: Path, progress: "Progress") -> "Report":
        figures = measure(config.bench.drivers, progress)
        return Report(figures, picture=draw_figures(path / "drivers.png", figures))

    config = load_config(config_file, assignments)
    if out is not None:
        return measure_into(with_picture, config, out, json_=json_)
    clean_up_on_interrupt()
    with shown_progress() as progress:
        return show(Report(measure(config.bench.drivers, progress)), json_=json_)
