"""``streamer record``: a source to a file, without models."""

import threading
from pathlib import Path

import click

from streamer.cli.ending import ending_properly, leave
from streamer.cli.options import FAILED, NOTHING, as_json, configured, note, print_json, say


@click.command()
@click.argument("to", metavar="FILE.xdf", type=Path)
@click.option(
    "--source",
    metavar="SOURCE",
    help="Where the EMG comes from: varioport:PORT, lsl:NAME, lsl:id=ID, lsl:type=TYPE, "
    "capture:FILE or simulator.",
)
@click.option("--duration", metavar="SECONDS", help="End by itself.  [default: Ctrl-C ends it]")
@as_json
@configured
def record(
    to: Path,
    source: str | None,
    duration: str | None,
    json_: bool,
    config_file: Path | None,
    assignments: tuple[str, ...],
) -> int:
    """Record EMG to a file, without models.

    The file is XDF: EMG as it came, markers and what was lost. It is readable at any
    moment, whatever happens to this program.

    \b
    Example:
      streamer record talk.xdf --source lsl:Varioport --duration 60
    """  # noqa: D301 - \b is click's, not Python's
    from rich.console import Console

    from drivers.source import SourceState
    from streamer.config import load_config
    from streamer.engine.closing import Closing
    from streamer.results.outputs import OutputError
    from streamer.results.recording import record as record_source
    from streamer.sources import live_source

    config = load_config(
        config_file, assignments, {"live.source": source, "session.duration_s": duration}
    )
    if to.suffix.lower() != ".xdf":
        raise OutputError(
            f"recording {to}",
            value=to.suffix or "no suffix",
            allowed=".xdf",
            way_out="`streamer convert` makes other formats of it",
        )
    chosen = live_source(config.live)
    remarks = [] if chosen.remark is None else [chosen.remark]
    live, stop, closing = chosen.source, threading.Event(), Closing()
    with (
        ending_properly(stop, lambda: live.health.state is SourceState.CONNECTING),
        Console(stderr=True, markup=False).status("connecting") as status,
    ):

        def show(seconds: float, state: SourceState) -> None:
            while remarks:
                note(remarks.pop())
            status.update(f"{seconds:.1f} s, {state.value}; Ctrl-C ends it")

        result = record_source(
            live,
            to,
            duration_s=config.session.duration_s,
            stop=stop,
            progress=show,
            closing=closing,
        )
    for line in result.problems:
        note(line)
    if json_:
        print_json(result.as_dict())
    else:
        say(
            f"{result.samples} samples, {result.seconds:.1f} s, in {to}; "
            f"{result.lost_samples} lost in {result.gaps} gaps"
        )
    if closing.hanging:
        leave(FAILED)
    return 0 if result.samples or result.ended == "stopped" else NOTHING
