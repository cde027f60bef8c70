"""What ``streamer simulate`` does: a corpus written, or recordings sent as a device."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from drivers.replay import ReplaySource
from drivers.simulator.corpus import SMALL, TRAINING, write_corpus
from drivers.varioport.emulator import Emulator
from drivers.varioport.emulator.faults import parse_faults
from drivers.varioport.profile import load_profile
from streamer.cli.ending import ending_properly
from streamer.cli.options import note
from streamer.cli.progress import shown_progress
from streamer.config import Config
from streamer.recordings import Selection

_PRESETS = {"small": SMALL, "training": TRAINING}
_LISTENER_S = 60.0


def write_simulated(corpus: Path, preset: str) -> dict[str, object]:
    """Write a simulated corpus.

    Parameters
    ----------
    corpus : Path
        Directory to write.
    preset : {"small", "training"}
        Its size.

    Returns
    -------
    dict
        What was written, for people and for JSON.
    """
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


def publish_stream(config: Config) -> dict[str, object]:
    """Publish the chosen recordings over LSL.

    Parameters
    ----------
    config : Config
        All settings.

    Returns
    -------
    dict
        What was sent, for people and for JSON.
    """
    from drivers.lsl import LslOutlet, keep_outlets_here, publish  # fails without liblsl

    if config.simulate.local:
        keep_outlets_here("simulate.local")
    name = config.simulate.name
    with _played(config) as (source, stop), source, LslOutlet(source.info) as outlet:
        note(f"publishing '{name}' over LSL; Ctrl-C ends it")
        if config.simulate.once:
            outlet.wait_for_consumer(_LISTENER_S)
            source.open()  # nobody misses the beginning
        publish(source, outlet, stop)
        return {"name": name, "samples": source.health.samples}


def emulate(config: Config) -> dict[str, object]:
    """Send the chosen recordings as an emulated Varioport.

    Parameters
    ----------
    config : Config
        All settings.

    Returns
    -------
    dict
        What was sent, for people and for JSON.
    """
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
