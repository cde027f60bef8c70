"""``streamer live``: EMG as it comes."""

from pathlib import Path

import click

from drivers.errors import SourceError
from drivers.replay import ReplaySource
from streamer.cli.corpora import Selection
from streamer.cli.options import configured, running
from streamer.cli.run import Run, run
from streamer.config import Config, RecordingsSettings, load_config


@click.command()
@click.option("--source", metavar="lsl:NAME|simulator", help="Where the EMG comes from.")
@click.option("--duration", metavar="SECONDS", help="End by itself.  [default: Ctrl-C ends it]")
@running
@configured
def live(
    source: str | None,
    duration: str | None,
    bundle: Path | None,
    out: Path | None,
    no_sound: bool,
    no_screen: bool,
    json_: bool,
    config_file: Path | None,
    assignments: tuple[str, ...],
) -> int:
    """Turn live EMG into speech.

    The simulator is the recording in the package, over and over; lsl:NAME is an EMG
    stream of the Lab Streaming Layer (`streamer devices` lists those there are).

    \b
    Examples:
      streamer live --source simulator --duration 20
      streamer live --source lsl:Varioport --bundle bundles/002-001
    """  # noqa: D301 - \b is click's, not Python's
    config = load_config(
        config_file,
        assignments,
        {
            "live.source": source,
            "session.duration_s": duration,
            "bundle": bundle,
            "audio.enabled": False if no_sound else None,
            "screen": False if no_screen else None,
        },
    )
    return run(_job(config), config, out, json_=json_)


def _job(config: Config) -> Run:
    endless = config.session.duration_s is None
    kind, _, name = (config.live.source or "").partition(":")
    if kind == "simulator" and not name:
        selection = Selection(RecordingsSettings())
        source = ReplaySource(
            selection.recordings, loop=True, name="simulator", provenance=selection.provenance
        )
        return Run("live", source, endless=endless, natural=selection.natural())
    if kind == "lsl" and name:
        from drivers.lsl import LslSource  # fails where there is no liblsl

        return Run("live", LslSource(name, timeout_s=config.live.find_s), endless=endless)
    raise SourceError(
        "--source",
        value=config.live.source or "none",
        allowed="lsl:NAME or simulator",
        way_out="a Varioport cannot be read yet: let another program publish it over LSL"
        if kind == "varioport"
        else "`streamer devices` lists what there is",
    )
