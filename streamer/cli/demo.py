"""``streamer demo``: everything at once, without a device."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from drivers.errors import SourceError, StreamerError
from streamer.cli.corpora import Selection
from streamer.cli.options import configured, running
from streamer.cli.run import Run, run
from streamer.config import RecordingsSettings, load_config

_STREAM = "streamer-demo"
_UTTERANCES = 9  # some 25 s
_FIND_S = 30.0  # a cold start of the publisher on a slow machine


@click.command()
@running
@configured
def demo(
    bundle: Path | None,
    out: Path | None,
    no_sound: bool,
    no_screen: bool,
    json_: bool,
    config_file: Path | None,
    assignments: tuple[str, ...],
) -> int:
    """Run the whole chain on the simulated recording in the package, some 25 s.

    A process of its own publishes it over the Lab Streaming Layer, on this machine only;
    a live session receives it and turns it into speech with the bundle in the package.
    Nobody spoke here: voices and EMG are simulated.

    \b
    Example:
      streamer demo --out runs/demo
    """  # noqa: D301 - \b is click's, not Python's
    from drivers.lsl import LslSource, use_loopback  # fails where there is no liblsl

    config = load_config(
        config_file,
        assignments,
        {
            "bundle": bundle,
            "audio.enabled": False if no_sound else None,
            "screen": False if no_screen else None,
        },
    )
    selection = Selection(RecordingsSettings())
    use_loopback()
    source = LslSource(_STREAM, timeout_s=_FIND_S)
    with publisher(_utterances(selection)) as process:
        try:
            return run(
                Run("demo", source, natural=selection.natural()), config, out, json_=json_
            )
        except SourceError as error:
            if process.poll() is None:
                raise
            _, said = process.communicate()
            raise StreamerError(f"publisher of the demo: {said or process.returncode}") from error
