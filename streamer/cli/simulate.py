"""``streamer simulate``: recordings as a device, or a simulated corpus."""

import tempfile
from pathlib import Path

import click

from streamer.cli.options import as_json, configured, print_json, say, selecting


@click.command()
@click.option(
    "--as",
    "device",
    type=click.Choice(["lsl", "varioport"]),
    help="A stream, or a Varioport on a serial port.  [default: lsl]",
)
@click.option("--name", metavar="NAME", help="Of the LSL stream.  [default: streamer-simulator]")
@click.option(
    "--recording",
    metavar="CORPUS",
    type=Path,
    help="Publish these recordings.  [default: the one in the package]",
)
@selecting
@click.option(
    "--port",
    "link",
    metavar="PATH",
    type=Path,
    help=f"Name of the emulated port.  [default: {Path(tempfile.gettempdir()) / 'varioport'}]",
)
@click.option(
    "--fault",
    "faults",
    metavar="NAME=VALUE",
    multiple=True,
    help="Of the Varioport, such as lost-bytes=0.01; may be repeated.",
)
@click.option(
    "--once", is_flag=True, help="Play once and end; a stream waits for a listener first."
)
@click.option("--duration", metavar="SECONDS", help="End by itself.  [default: Ctrl-C ends it]")
@click.option(
    "--corpus",
    metavar="DEST",
    type=Path,
    help="Instead of publishing, write a simulated corpus in the layout of EMG-UKA.",
)
@click.option(
    "--preset",
    type=click.Choice(["small", "training"]),
    default="small",
    show_default=True,
    help="Size of that corpus: what is in the package, or what its bundle was trained on.",
)
@as_json
@configured
def simulate(
    device: str | None,
    name: str | None,
    recording: Path | None,
    session: str | None,
    subset: str | None,
    utterances: tuple[str, ...],
    link: Path | None,
    faults: tuple[str, ...],
    once: bool,
    duration: str | None,
    corpus: Path | None,
    preset: str,
    json_: bool,
    config_file: Path | None,
    assignments: tuple[str, ...],
) -> None:
    """Send a recording as if it were a device.

    It becomes a stream of the Lab Streaming Layer or, with --as varioport, a serial port
    (a pty) that sends as simulate.profile says, with what faults are asked for. With
    --corpus nothing is sent, and a simulated corpus is written instead.

    \b
    Faults: lost-bytes, garbage-bytes, flipped-bits, duplicates (probabilities);
      stall, late, unplug (EVERY:LASTING in seconds; unplug counts from when the port was
      opened first); burst-ms, drift-ppm, first-count, half-frame, seed

    \b
    Examples:
      streamer simulate --name Varioport
      streamer simulate --as varioport --fault lost-bytes=0.001 --fault unplug=10:1.5
      streamer simulate --recording data/emg-uka --session 002-001 --subset test.silent
      streamer simulate --corpus data/simulated --preset training
    """  # noqa: D301 - \b is click's, not Python's
    from streamer.cli.simulating import emulate, publish_stream, write_simulated
    from streamer.config import ConfigError, load_config

    config = load_config(
        config_file,
        assignments,
        {
            "simulate.device": device,
            "simulate.name": name,
            "simulate.link": link,
            "simulate.faults": faults or None,
            "simulate.once": once or None,
            "simulate.duration_s": duration,
            "recordings.path": recording,
            "recordings.session": session,
            "recordings.subset": subset,
            "recordings.utterances": utterances or None,
        },
    )
    if (link or faults) and config.simulate.device != "varioport":
        raise ConfigError(
            "--port" if link else "--fault",
            value=link or faults[0],
            allowed="an emulated Varioport's: with --as varioport",
        )
    if corpus is not None:
        result = write_simulated(corpus, preset)
        line = "{sessions} sessions, {utterances} utterances, {seconds:.1f} s in {corpus}"
    else:
        device_of = {"lsl": publish_stream, "varioport": emulate}
        result = device_of[config.simulate.device](config)
        line = "sent {samples} samples as '{name}'"
    if json_:
        print_json(result)
    else:
        say(line.format(**result))
