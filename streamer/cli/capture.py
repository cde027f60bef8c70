"""``streamer capture``: raw bytes of a serial device, with their times of arrival."""

import threading
from dataclasses import asdict
from pathlib import Path

import click

from streamer.cli.ending import ending_properly
from streamer.cli.options import as_json, configured, note, print_json, say


@click.command()
@click.argument("port", metavar="PORT")
@click.argument("to", metavar="FILE", type=Path)
@click.option(
    "--baud",
    "baud_rate",
    metavar="RATE",
    type=click.IntRange(min=1),
    help="Bits a second.  [default: the profile's]",
)
@click.option("--duration", metavar="SECONDS", help="End by itself.  [default: Ctrl-C ends it]")
@as_json
@configured
def capture(
    port: str,
    to: Path,
    baud_rate: int | None,
    duration: str | None,
    json_: bool,
    config_file: Path | None,
    assignments: tuple[str, ...],
) -> None:
    """Store what a device sends, byte for byte.

    It only listens: nothing is sent to the device. `streamer profile guess FILE` proposes
    how the bytes are to be read, and `--source capture:FILE` plays them through the driver.

    \b
    Example:
      streamer capture /dev/ttyUSB0 device.capture --baud 115200 --duration 30
    """  # noqa: D301 - \b is click's, not Python's
    from rich.console import Console
    from rich.text import Text

    from drivers.outside.names import shown
    from drivers.varioport.profile import load_profile
    from drivers.varioport.transport.capture import capture as capture_bytes
    from drivers.varioport.transport.port import SerialTransport
    from streamer.config import load_config

    config = load_config(config_file, assignments, {"session.duration_s": duration})
    baud_rate = baud_rate or load_profile(config.live.profile).baud_rate
    stop = threading.Event()
    doing = f"capturing {port} at {baud_rate} baud to {to}; Ctrl-C ends it"
    with ending_properly(stop), Console(stderr=True, markup=False).status(Text(shown(doing))):
        result = capture_bytes(
            SerialTransport(port, baud_rate),
            to,
            baud_rate=baud_rate,
            stopped=stop.is_set,
            duration_s=config.session.duration_s,
        )
    if json_:
        print_json({"path": str(to), **asdict(result)})
        return
    say(f"{result.byte_count} bytes in {result.seconds:.1f} s, in {to}")
    if result.losses:
        note(f"the port was lost {result.losses} times, and came back")
    if result.dropped_bytes:
        note(f"{result.dropped_bytes} bytes came too fast for this machine and are missing")
