"""``streamer live``: EMG as it comes."""

from pathlib import Path

import click

from streamer.cli.options import configured, running


@click.command()
@click.option("--source", metavar="SOURCE", help="Where the EMG comes from, see above.")
@click.option("--duration", metavar="SECONDS", help="End by itself.  [default: Ctrl-C ends it]")
@running
@configured
def live(
    source: str | None,
    duration: str | None,
    bundle: Path | None,
    out: Path | None,
    record: bool,
    no_sound: bool,
    no_screen: bool,
    json_: bool,
    config_file: Path | None,
    assignments: tuple[str, ...],
) -> int:
    """Turn live EMG into speech.

    \b
    SOURCE is one of
      varioport:PORT   a device on a serial port, as live.profile says it frames its samples
      lsl:NAME         a stream of the Lab Streaming Layer; lsl:id=ID, lsl:type=EMG
      capture:FILE     bytes that `streamer capture` stored, through the driver
      simulator        the recording in the package, over and over
    `streamer devices` lists ports and streams.

    \b
    Examples:
      streamer live --source simulator --duration 20
      streamer live --source lsl:Varioport --bundle bundles/002-001 --record
      streamer live --source varioport:/dev/ttyUSB0 --set live.profile=my-varioport.yaml
    """  # noqa: D301 - \b is click's, not Python's
    from streamer.cli.run import Run, run
    from streamer.config import load_config
    from streamer.sources import live_source

    config = load_config(
        config_file,
        assignments,
        {
            "live.source": source,
            "session.duration_s": duration,
            "session.record": record or None,
            "bundle": bundle,
            "audio.enabled": False if no_sound else None,
            "screen": False if no_screen else None,
        },
    )
    chosen = live_source(config.live)
    job = Run(
        "live",
        chosen.source,
        endless=config.session.duration_s is None,
        remark=chosen.remark,
        natural=None if chosen.selection is None else chosen.selection.natural(),
    )
    return run(job, config, out, json_=json_)
