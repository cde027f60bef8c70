"""``streamer convert``: one format to another."""

from pathlib import Path

import click

from streamer.cli.options import as_json, configured, note, print_json, say, selecting


@click.command()
@click.argument("path", metavar="FROM", type=Path)
@click.argument("to", metavar="TO", type=Path)
@selecting
@click.option("--each", is_flag=True, help="A file for each recording, its name behind that of TO.")
@as_json
@configured
def convert(
    path: Path,
    to: Path,
    session: str | None,
    subset: str | None,
    utterances: tuple[str, ...],
    each: bool,
    json_: bool,
    config_file: Path | None,
    assignments: tuple[str, ...],
) -> None:
    """Write a recording in another format.

    FROM is a recording of any known format or a corpus directory; the suffix of TO says
    what it becomes. What the new format cannot hold is said, a line each.

    \b
    Examples:
      streamer convert data/emg-uka session.xdf --session 002-001 --subset test
      streamer convert runs/first/recording.xdf first.bdf --each
    """  # noqa: D301 - \b is click's, not Python's
    from drivers.recordings.files import each_file
    from drivers.recordings.info import amplitude_cautions
    from drivers.recordings.registry import write_recordings
    from streamer.config import load_config
    from streamer.recordings import Selection

    config = load_config(
        config_file,
        assignments,
        {
            "recordings.path": path,
            "recordings.session": session,
            "recordings.subset": subset,
            "recordings.utterances": utterances or None,
        },
    )
    selection = Selection(config.recordings)
    recordings = tuple(selection.recordings)
    notes = [*selection.skipped, *amplitude_cautions(recordings, path.name)]
    if each:
        files = each_file(to, [recording.name for recording in recordings])
        for file, recording in zip(files, recordings, strict=True):
            notes += write_recordings(file, [recording])
    else:
        notes += write_recordings(to, recordings)
    for line in notes:
        note(line)
    seconds = sum(recording.duration_s for recording in recordings)
    if json_:
        print_json(
            {
                "path": str(to),
                "recordings": len(recordings),
                "seconds": round(seconds, 3),
                "notes": notes,
            }
        )
    else:
        say(f"{len(recordings)} recordings, {seconds:.1f} s in {to}")
