"""The command ``streamer``: its subcommands, one-line errors and exit codes.

Exit codes:

* 0: done, and every output is whole;
* 1: an error of input, files or devices; no EMG at all, an output that could not be written
  (standard output is one), or a device that does not close count, too;
* 2: a wrong command line or setting;
* 130: interrupted, by Ctrl-C or by the system's request to end (SIGTERM, SIGHUP), before it
  came to its end. It is how a live session without ``--duration`` ends: that is 0.

The second signal kills: the exit code is the shell's for that signal.

Every subcommand is declared in a module that loads no more than click. What a subcommand
does is imported within it, so that ``--help`` and ``--version`` need not wait for numpy.
"""

import errno
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import click

from drivers.errors import StreamerError
from drivers.outside.names import shown
from streamer import __version__
from streamer.cli.bench import bench
from streamer.cli.capture import capture
from streamer.cli.convert import convert
from streamer.cli.demo import demo
from streamer.cli.devices import devices
from streamer.cli.evaluate import evaluate
from streamer.cli.info import info
from streamer.cli.live import live
from streamer.cli.options import INTERRUPTED, fitting
from streamer.cli.profile import profile
from streamer.cli.record import record
from streamer.cli.replay import replay
from streamer.cli.simulate import simulate
from streamer.cli.train import train

_SHORT_OF = {
    errno.EMFILE: "raise the limit, see `ulimit -n`",
    errno.ENFILE: "close other programs",
    errno.ENOSPC: "make room",
    errno.EDQUOT: "make room",
    errno.EROFS: "choose a place that can be written",
    errno.EIO: "the disk or the terminal has failed",
    errno.ENOMEM: "close other programs",
}
"""What every command can run out of, wherever it happens; and the way out."""

_MOST_LETTERS = 5000  # an error may name all that is allowed


class OneLineErrors(click.Group):
    """A group that says a user's mistake in one line."""

    def list_commands(self, context: click.Context) -> list[str]:
        """Return the subcommands in the order in which people meet them."""
        return list(self.commands)

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> NoReturn:
        """Run and exit; a subcommand returns its exit code, or None for 0."""
        try:
            code = super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
        except click.exceptions.NoArgsIsHelpError as error:
            click.echo(error.ctx.get_help() if error.ctx else error.format_message())
            sys.exit(0)
        except click.ClickException as error:
            line = error.format_message()
            if isinstance(error, click.UsageError) and error.ctx is not None:
                line = f"{line.rstrip('.')}; see `{error.ctx.command_path} --help`"
            fail(line, error.exit_code)
        except StreamerError as error:
            fail(str(error), error.exit_code)
        except OSError as error:
            if error.errno not in _SHORT_OF:
                raise
            fail(_refused(error), 1)
        except (click.Abort, KeyboardInterrupt):
            sys.exit(INTERRUPTED)
        sys.exit(code or 0)


def fail(line: str, code: int) -> NoReturn:
    """Print an error in one line and exit."""
    click.echo(fitting(f"streamer: error: {shown(line, _MOST_LETTERS)}", sys.stderr), err=True)
    sys.exit(code)


def _refused(error: OSError) -> str:
    """Say in a line what the system refused."""
    code = str(error.filename).endswith(".py")  # of a module that was just imported
    thing = "" if error.filename is None or code else f"{shown(error.filename)}: "
    return f"{thing}{error.strerror}; {_SHORT_OF[error.errno or 0]}"


@click.group(
    cls=OneLineErrors,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, message="%(prog)s %(version)s")
@click.pass_context
def cli(context: click.Context) -> None:
    """Give silent speakers a voice: facial EMG in, speech out, in real time.

    \b
    Start with
      streamer demo                            everything at once, without a device
      streamer replay CORPUS --session 002-001 a recorded session through the models
      streamer COMMAND --help                  an example for each command
    """  # noqa: D301 - \b is click's, not Python's
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


for command in (
    demo,
    replay,
    live,
    record,
    simulate,
    info,
    convert,
    capture,
    profile,
    train,
    evaluate,
    devices,
    bench,
):
    cli.add_command(command)
