"""``streamer replay``: recordings through the very session that runs live."""

from pathlib import Path

import click

from drivers.replay import ReplaySource
from streamer.cli.corpora import Selection, selecting
from streamer.cli.options import configured, running
from streamer.cli.run import Run, run
from streamer.config import load_config


@click.command()
@click.argument("path", metavar="[PATH]", type=Path, required=False)
@selecting
@click.option("--speed", metavar="1|2|max", help="Multiple of the own pace.  [default: 1]")
@click.option("--start", metavar="SECONDS", help="Leave out this much at the beginning.")
@click.option("--loop", is_flag=True, help="Start again at the end, until Ctrl-C.")
@running
@configured
def replay(
    path: Path | None,
    session: str | None,
    subset: str | None,
    utterances: tuple[str, ...],
    speed: str | None,
    start: str | None,
    loop: bool,
    bundle: Path | None,
    out: Path | None,
    no_sound: bool,
    no_screen: bool,
    json_: bool,
    config_file: Path | None,
    assignments: tuple[str, ...],
) -> int:
    """Turn recorded EMG into speech.

    PATH is a corpus directory, by default the simulated recording in the package. It runs
    through the same session as live EMG does. Each utterance leaves a WAV of its own beside
    the joint outputs, and its mel-cepstral distortion against the natural speech where the
    recording holds audible speech.

    \b
    Example:
      streamer replay data/emg-uka --session 002-001 --subset test.audible \\
          --bundle bundles/002-001 --speed max --out runs/first
    """  # noqa: D301 - \b is click's, not Python's
    config = load_config(
        config_file,
        assignments,
        {
            "recordings.path": path,
            "recordings.session": session,
            "recordings.subset": subset,
            "recordings.utterances": utterances or None,
            "replay.speed": speed,
            "replay.start_s": start,
            "replay.loop": loop or None,
            "bundle": bundle,
            "audio.enabled": False if no_sound else None,
            "screen": False if no_screen else None,
        },
    )
    selection = Selection(config.recordings)
    pace = config.replay.speed
    source = ReplaySource(
        selection.recordings,
        speed=None if pace == "max" else pace,
        loop=config.replay.loop,
        start_s=config.replay.start_s,
        provenance=selection.provenance,
    )
    return run(
        Run(
            "replay",
            source,
            realtime=pace == 1,
            endless=config.replay.loop,
            natural=selection.natural(config.replay.start_s),
            notes=lambda: selection.skipped,
        ),
        config,
        out,
        json_=json_,
    )
