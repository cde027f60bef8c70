"""``streamer replay``: recordings through the very session that runs live."""

from pathlib import Path

import click

from streamer.cli.options import configured, running, selecting


@click.command()
@click.argument("path", metavar="[PATH]", type=Path, required=False)
@selecting
@click.option("--speed", metavar="1|2|max", help="Multiple of the own pace.  [default: 1]")
@click.option("--start", metavar="SECONDS", help="Leave out this much at the beginning.")
@click.option("--loop", is_flag=True, help="Start again at the end, until Ctrl-C.")
@click.option(
    "--gap",
    "gaps",
    metavar="START:LENGTH",
    multiple=True,
    help="Lose so many seconds of EMG there, counted without --start; may be repeated.",
)
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
    gaps: tuple[str, ...],
    bundle: Path | None,
    out: Path | None,
    record: bool,
    no_sound: bool,
    no_screen: bool,
    json_: bool,
    config_file: Path | None,
    assignments: tuple[str, ...],
) -> int:
    """Turn recorded EMG into speech.

    PATH is a recording of any known format (`streamer info` says what one holds) or a
    corpus directory, by default the simulated recording in the package. It runs through
    the same session as live EMG does; samples that are known to be lost are lost again.
    What a file does not say, or says wrongly, is set by recordings.stream, .channels, .unit.
    Each utterance leaves a WAV of its own beside the joint outputs, and its mel-cepstral
    distortion against the natural speech where the recording holds audible speech.

    \b
    Example:
      streamer replay data/emg-uka --session 002-001 --subset test.audible \\
          --bundle bundles/002-001 --speed max --record --out runs/first
    """  # noqa: D301 - \b is click's, not Python's
    from drivers.replay import inject_gaps, parse_gap
    from streamer.cli.run import Run, run
    from streamer.config import load_config
    from streamer.recordings import Selection, replay_source

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
            "replay.gaps": gaps or None,
            "bundle": bundle,
            "session.record": record or None,
            "audio.enabled": False if no_sound else None,
            "screen": False if no_screen else None,
        },
    )
    selection = Selection(config.recordings)
    pace = config.replay.speed
    recordings = inject_gaps(selection.recordings, [parse_gap(gap) for gap in config.replay.gaps])
    source = replay_source(recordings, pace, loop=config.replay.loop, start_s=config.replay.start_s)
    return run(
        Run(
            "replay",
            source,
            realtime=pace == 1,
            endless=config.replay.loop,
            natural=selection.natural(config.replay.start_s),
            notes=lambda: [*selection.skipped, *recordings.notes],
        ),
        config,
        out,
        json_=json_,
    )
