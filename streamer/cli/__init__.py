"""The command line: one command, a file for each subcommand.

``main``
    Where ``streamer`` starts.
``group``
    One-line errors and exit codes.
``options``
    What subcommands have in common.
``run``, ``simulating``, ``benching``
    What `replay`, `live` and `demo` share; what `simulate` does; what all benches share.
``ending``
    Ctrl-C brings a command to a proper end.
``standard_streams``
    Standard output and error that are closed, full or in ASCII.
``report``, ``progress``, ``tables``, ``cautions``
    What came of a run, how far long work has come, tables of either, and what to know of a
    bundle, for people.
"""

import sys

from streamer.cli.group import cli, fail
from streamer.cli.standard_streams import guard_streams

__all__ = ["cli", "main"]


def main() -> None:
    """Run the command line; never returns."""
    output = guard_streams()
    try:
        cli.main(prog_name="streamer")
    except SystemExit as end:
        sys.stdout.flush()
        if output.failure is not None and not end.code:
            fail(f"standard output cannot be written: {output.failure.strerror}", 1)
        raise
