"""``streamer simulate``: recordings as an LSL stream, or a simulated corpus."""

import threading
from pathlib import Path

import click

from drivers.replay import ReplaySource
from drivers.simulator.corpus import SMALL, TRAINING, write_corpus
from streamer.cli.corpora import Selection, selecting
from streamer.cli.options import as_json, configured, note, print_json
from streamer.cli.progress import shown_progress
from streamer.cli.run import ending_properly
from streamer.config import Config, load_config

_PRESETS = {"small": SMALL, "training": TRAINING}
_LISTENER_S = 60.0


@click.command()
@click.option("--name", metavar="NAME", help="Of the LSL stream.  [default: streamer-simulator]")
@click.option(
    "--recording",
    metavar="CORPUS",
    type=Path,
    help="Publish these recordings.  [default: the one in the package]",
)
@selecting
@click.option("--once", is_flag=True, help="Wait for a listener, play once, end.")
@click.option("--duration", metavar="SECONDS", help="End by itself.  [default: Ctrl-C ends it]")
@click.option(
    "--corpus",
    metavar="DEST",
    type=Path,
    help="Instead of publishing, write a simulated corpus in the layout of EMG-UKA.",
)
@click.option(
    "--preset",
    type=click.Choice(list(_PRESETS)),
    default="small",
    show_default=True,
    help="Size of that corpus: what is in the package, or what its bundle was trained on.",
)
@as_json
@configured
def simulate(
    name: str | None,
    recording: Path | None,
    session: str | None,
    subset: str | None,
    utterances: tuple[str, ...],
    once: bool,
    duration: str | None,
    corpus: Path | None,
    preset: str,
    json_: bool,
    config_file: Path | None,
    assignments: tuple[str, ...],
) -> None:
    """Publish a recording as if it were a device.

    It becomes a stream of the Lab Streaming Layer. With --corpus nothing is published, and
    a simulated corpus is written instead.

    \b
    Examples:
      streamer simulate --name Varioport
      streamer simulate --recording data/emg-uka --session 002-001 --subset test.silent
      streamer simulate --corpus data/simulated --preset training
    """  # noqa: D301 - \b is click's, not Python's
    config = load_config(
        config_file,
        assignments,
        {
            "simulate.name": name,
            "simulate.once": once or None,
            "simulate.duration_s": duration,
            "recordings.path": recording,
            "recordings.session": session,
            "recordings.subset": subset,
            "recordings.utterances": utterances or None,
        },
    )
    if corpus is not None:
        result = _write(corpus, preset)
        line = "{sessions} sessions, {utterances} utterances, {seconds:.1f} s in {corpus}"
    else:
        result = _publish(config)
        line = "published {samples} samples as '{name}'"
    if json_:
        print_json(result)
    else:
        click.echo(line.format(**result))


def _write(corpus: Path, preset: str) -> dict[str, object]:
    with shown_progress() as progress:
        summary = write_corpus(
            corpus, _PRESETS[preset], lambda done, total: progress("utterances", done, total)
        )
    return {
        "corpus": str(corpus),
        "sessions": summary.sessions,
        "utterances": summary.utterances,
        "seconds": round(summary.seconds, 3),
    }


def _publish(config: Config) -> dict[str, object]:
    from drivers.lsl import LslOutlet, publish  # fails where there is no liblsl

    settings = config.simulate
    selection = Selection(config.recordings)
    source = ReplaySource(
        selection.recordings,
        loop=not settings.once,
        name=settings.name,
        provenance=selection.provenance,
    )
    stop = threading.Event()
    with ending_properly(stop), source, LslOutlet(source.info) as outlet:
        note(f"publishing '{settings.name}' over LSL; Ctrl-C ends it")
        if settings.once:
            outlet.wait_for_consumer(_LISTENER_S)
            source.open()  # nobody misses the beginning
        if settings.duration_s is not None:
            timer = threading.Timer(settings.duration_s, stop.set)
            timer.daemon = True
            timer.start()
        publish(source, outlet, stop)
        samples = source.health.samples
    for line in selection.skipped:
        note(line)
    return {"name": settings.name, "samples": samples}
