"""``streamer simulate``: recordings as a device, or a simulated corpus."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import click

from drivers.replay import ReplaySource
from drivers.simulator.corpus import SMALL, TRAINING, write_corpus
from drivers.varioport.emulator import Emulator
from drivers.varioport.emulator.faults import parse_faults
from drivers.varioport.emulator.pty import DEFAULT_LINK
from drivers.varioport.profile import load_profile
from streamer.cli.options import as_json, configured, note, print_json, selecting
from streamer.cli.progress import shown_progress
from streamer.cli.run import ending_properly
from streamer.config import Config, ConfigError, load_config
from streamer.recordings import Selection

_PRESETS = {"small": SMALL, "training": TRAINING}
_LISTENER_S = 60.0


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
    help=f"Of the Varioport.  [default: {DEFAULT_LINK}]",
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
    type=click.Choice(list(_PRESETS)),
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
        result = _write(corpus, preset)
        line = "{sessions} sessions, {utterances} utterances, {seconds:.1f} s in {corpus}"
    else:
        device_of = {"lsl": _publish, "varioport": _emulate}
        result = device_of[config.simulate.device](config)
        line = "sent {samples} samples as '{name}'"
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


@contextmanager
def _played(
    config: Config, speed: float | None = 1.0
) -> Iterator[tuple[ReplaySource, threading.Event]]:
    """Play the chosen recordings, until Ctrl-C or the duration's end sets the event."""
    settings = config.simulate
    selection = Selection(config.recordings)
    source = ReplaySource(
        selection.recordings,
        speed=speed,
        loop=not settings.once,
        name=settings.name,
    )
    stop = threading.Event()
    with ending_properly(stop):
        if settings.duration_s is not None:
            timer = threading.Timer(settings.duration_s, stop.set)
            timer.daemon = True
            timer.start()
        yield source, stop
    for line in selection.skipped:
        note(line)


def _publish(config: Config) -> dict[str, object]:
    from drivers.lsl import LslOutlet, publish  # fails where there is no liblsl

    name = config.simulate.name
    with _played(config) as (source, stop), source, LslOutlet(source.info) as outlet:
        note(f"publishing '{name}' over LSL; Ctrl-C ends it")
        if config.simulate.once:
            outlet.wait_for_consumer(_LISTENER_S)
            source.open()  # nobody misses the beginning
        publish(source, outlet, stop)
        return {"name": name, "samples": source.health.samples}


def _emulate(config: Config) -> dict[str, object]:
    settings = config.simulate
    profile, faults = load_profile(settings.profile), parse_faults(settings.faults)
    # The device keeps the time itself.
    with _played(config, speed=None) as (source, stop):
        with Emulator(source, profile, faults, link=settings.link) as emulator:
            note(
                f"a Varioport of profile '{profile.name}' at {settings.link}; read it with"
                f" `streamer live --source varioport:{settings.link}`; Ctrl-C ends it"
            )
            emulator.run(stop)
            injected = asdict(emulator.injected)
    return {"name": str(settings.link), "samples": injected["frames"], "injected": injected}
