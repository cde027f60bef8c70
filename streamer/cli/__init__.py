"""The command line: one command, a file for each subcommand.

``main``
    Where ``streamer`` starts.
``group``
    One-line errors and exit codes.
``options``
    What subcommands have in common.
``run``
    A session on the terminal: what `replay`, `live` and `demo` share.
``report``, ``progress``
    What came of a run, and how far long work has come, for people.
"""

from streamer.cli.group import cli

__all__ = ["cli", "main"]


def main() -> None:
    """Run the command line; never returns."""
    cli.main(prog_name="streamer")
