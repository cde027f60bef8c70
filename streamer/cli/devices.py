"""``streamer devices``: what there is to read from and to play on."""

from dataclasses import asdict
from pathlib import Path

import click

from streamer.cli.options import as_json, configured, print_json, say


@click.command()
@as_json
@configured
def devices(json_: bool, config_file: Path | None, assignments: tuple[str, ...]) -> None:
    """List ports, streams and sound cards.

    It says what is wrong with each, and how to mend it.

    \b
    Example:
      streamer devices --set devices.wait_s=3
    """  # noqa: D301 - \b is click's, not Python's
    from streamer.config import load_config
    from streamer.devices import lsl_streams, serial_ports, sound_cards

    config = load_config(config_file, assignments)
    kinds = {
        "serial_ports": serial_ports(),
        "lsl_streams": lsl_streams(config.devices.wait_s),
        "sound_cards": sound_cards(),
    }
    if json_:
        print_json({name: asdict(kind) for name, kind in kinds.items()})
        return
    for name, kind in kinds.items():
        say(name.replace("_", " ").replace("lsl", "LSL"), bold=True)
        for device in kind.found:
            say(f"  {device.name}  ({device.about})")
            if device.problem:
                say(f"    {device.problem}", "yellow")
        if kind.problem:
            say(f"  {kind.problem}", "yellow")
