"""A session on the terminal: what `replay`, `live` and `demo` share."""

import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from drivers.errors import StreamerError
from drivers.recordings.recording import Recording
from drivers.source import Provenance, Source, SourceState
from models.bundle import Bundle, packaged_bundle
from streamer.cli.cautions import unlearned, unsuited, unsure
from streamer.cli.ending import ending_properly, leave
from streamer.cli.options import FAILED, INTERRUPTED, NOTHING, note, print_json
from streamer.cli.report import report
from streamer.config import Config, write_config
from streamer.results.outputs import OutputError, RunDirectory
from streamer.results.overview import draw_overview
from streamer.results.summary import Summary
from streamer.screen.screen import screen
from streamer.session import Session
from streamer.session.conclusion import write_summary

CONFIG = "config.yaml"


@dataclass(frozen=True)
class Run:
    """What is to be run.

    Attributes
    ----------
    command : str
        Subcommand, for people.
    source : Source
        Closed.
    realtime : bool
        It runs at the pace of life.
    endless : bool
        Ctrl-C is how it ends, so that is no interruption.
    natural : callable, optional
        Recording of an utterance by its name, or None.
    remark : str, optional
        What a person must know once the source is open; the screen shows it in its way.
    notes : callable, optional
        Called after the run: what else there is to say, in lines.
    """

    command: str
    source: Source
    realtime: bool = True
    endless: bool = False
    natural: Callable[[str], Recording | None] | None = None
    remark: str | None = None
    notes: Callable[[], list[str]] = list


def run(job: Run, config: Config, out: Path | None, *, json_: bool) -> int:
    """Run a session to its end, draw the overview and say what came of it.

    Parameters
    ----------
    job : Run
        What is to be run.
    config : Config
        All settings; they are written beside the outputs.
    out : Path, optional
        Directory for the outputs.
    json_ : bool
        Print the results as JSON.

    Returns
    -------
    int
        Exit code.
    """
    stop, began = threading.Event(), threading.Event()

    def waiting() -> bool:  # opening a bundle may take a minute, where all is compiled anew
        return not began.is_set() or job.source.health.state is SourceState.CONNECTING

    with ending_properly(stop, waiting):
        return _run(job, config, out, stop, began, json_=json_)


def _run(
    job: Run,
    config: Config,
    out: Path | None,
    stop: threading.Event,
    began: threading.Event,
    *,
    json_: bool,
) -> int:
    bundle = Bundle.open(config.bundle or packaged_bundle(), config.models.speaker)
    cautions = [*unlearned(bundle.manifest), *unsure(bundle.manifest)]
    if job.realtime:
        cautions += unsuited(bundle, config)
    for line in cautions:
        note(line)
    directory = RunDirectory.create(out)
    _keep(config, directory.path / CONFIG)

    def opened() -> None:
        began.set()
        # A line in between would tear the screen.
        if job.remark is not None and not (config.screen and sys.stderr.isatty()):
            note(job.remark)

    session = Session(
        job.source,
        bundle,
        directory,
        settings=config.session,
        pipeline=config.pipeline,
        estimates=config.estimates,
        audio=config.audio,
        outlets=config.outlets,
        realtime=job.realtime,
        recording_named=job.natural,
        stop=stop,
        opened=opened,
    )
    by = config.models.speaker
    title = f"{job.command}{'' if by is None else f', speaker by {by}'}  {directory.path}"
    try:
        with screen(session.snapshot, title=title, on=config.screen):
            summary = session.run()
    except (StreamerError, KeyboardInterrupt):
        _discard(directory)
        raise
    # What cannot be written, as on a full disk, must not hide what came of the run.
    picture = None
    try:
        if directory.path.is_dir():  # else the problems say so
            picture = draw_overview(directory, summary, session.envelope, job.natural)
    except OutputError as error:
        summary.fail(str(error))
    notes = [*summary.notes, *job.notes()]
    if config.bundle is None and job.source.info.provenance is not Provenance.SIMULATED:
        notes.append(
            "the bundle in the package knows simulated speakers only: what it says of people "
            "means nothing; train one with `streamer train` and name it with --bundle"
        )
    more = {
        "overview": None if picture is None else str(picture),
        "notes": [*cautions, *notes],
    }
    if directory.summary.exists():  # else the problems say why not
        write_summary(directory, summary, more)
    for line in notes:
        note(line)
    if json_:
        print_json(summary.as_dict() | more)
    else:
        report(summary, picture)
    code = exit_code(summary, endless=job.endless)
    if session.closing.hanging:
        leave(code)
    return code


def exit_code(summary: Summary, *, endless: bool) -> int:
    """Return the exit code of a run, see `streamer.cli.group`.

    Parameters
    ----------
    summary : Summary
        Of the run.
    endless : bool
        A signal is how it ends.

    Returns
    -------
    int
        0 where every output is whole, and EMG came or the user ended it.
    """
    if summary.failures:
        return FAILED
    if summary.ended == "stopped":
        return 0 if endless else INTERRUPTED
    return 0 if summary.frames else NOTHING


def _discard(directory: RunDirectory) -> None:
    """Remove the directory of a run that never began: the same command shall work again."""
    with suppress(OSError):  # somebody else has removed it
        if [file.name for file in directory.path.iterdir()] == [CONFIG]:
            (directory.path / CONFIG).unlink()
            directory.path.rmdir()


def _keep(config: Config, file: Path) -> None:
    try:
        write_config(config, file)
    except OSError as error:
        raise OutputError(f"file {file}", value=error.strerror) from None
