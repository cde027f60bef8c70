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
``report``, ``progress``
    What came of a run, and how far long work has come, for people.
"""

from streamer.cli.group import cli

__all__ = ["cli", "main"]


def main() -> None:
    """Run the command line; never returns."""
    cli.main(prog_name="streamer")
