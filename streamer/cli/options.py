"""What subcommands have in common."""

import codecs
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TextIO, TypeVar

import click

INTERRUPTED = 130
"""Exit code after Ctrl-C."""
NOTHING = 1
"""Exit code where no EMG came at all."""
FAILED = 1
"""Exit code where an output is not whole, or a device could not be closed."""

_MOST_LETTERS = 2000  # of a note

Command = TypeVar("Command", bound=Callable[..., Any])


def configured(command: Command) -> Command:
    """Add ``--config`` and ``--set``."""
    command = click.option(
        "--set",
        "assignments",
        metavar="KEY.PATH=VALUE",
        multiple=True,
        help="One setting, such as audio.buffer_ms=60; may be repeated.",
    )(command)
    return click.option(
        "--config", "config_file", metavar="FILE.yaml", type=Path, help="Settings, see configs/."
    )(command)


def running(command: Command) -> Command:
    """Add what every session has: its models, its outputs and how much it shows."""
    command = as_json(command)
    command = click.option(
        "--record", is_flag=True, help="Also write EMG, voice and estimates to recording.xdf."
    )(command)
    command = click.option("--no-screen", is_flag=True, help="Show nothing while it runs.")(command)
    command = click.option("--no-sound", is_flag=True, help="Write the speech, do not play it.")(
        command
    )
    return with_outputs(command)


def selecting(command: Command) -> Command:
    """Add ``--session``, ``--subset`` and ``--utterance``."""
    command = click.option(
        "--utterance",
        "utterances",
        metavar="ID",
        multiple=True,
        help="Only this utterance, such as 002-001-0100; may be repeated.",
    )(command)
    command = click.option(
        "--subset", metavar="NAME", help="Such as test.audible, test or silent.  [default: all]"
    )(command)
    return click.option(
        "--session", metavar="ID", help="Recording session, such as 002-001.  [default: all]"
    )(command)


def as_json(command: Command) -> Command:
    """Add ``--json``."""
    return click.option(
        "--json",
        "json_",
        is_flag=True,
        help="Print one JSON object on standard output and nothing else there.",
    )(command)


def print_json(content: Mapping[str, Any]) -> None:
    """Print the one JSON object."""
    from drivers.outside.strict_json import to_json

    utf8 = codecs.lookup(sys.stdout.encoding or "utf-8").name == "utf-8"
    click.echo(to_json(content, indent=2, ascii_only=not utf8))


def say(line: str, color: str | None = None, *, bold: bool = False) -> None:
    """Print a line of a result: whatever came from outside is in it, it is one line."""
    from drivers.outside.names import printable

    click.secho(fitting(printable(line), sys.stdout), fg=color, bold=bold)


def note(line: str) -> None:
    """Tell the person at the terminal something that is no result."""
    from drivers.outside.names import shown

    click.echo(fitting(f"streamer: {shown(line, _MOST_LETTERS)}", sys.stderr), err=True)


def fitting(line: str, stream: TextIO) -> str:
    """Return a line with ``?`` for what the encoding of a stream does not have.

    click takes a stream in ASCII for a mistake, and would print UTF-8 to it.
    """
    encoding = getattr(stream, "encoding", None) or "utf-8"
    return line.encode(encoding, "replace").decode(encoding)


def with_outputs(command: Command) -> Command:
    """Add ``--bundle`` and ``--out``."""
    command = click.option(
        "--out",
        metavar="DIR",
        type=Path,
        help="Directory for the outputs, which must not exist yet.  [default: runs/DATE_TIME]",
    )(command)
    return click.option(
        "--bundle",
        metavar="DIR",
        type=Path,
        help="Models, as `streamer train` writes them.  [default: those in the package]",
    )(command)
