"""Where ``streamer`` and ``python -m streamer`` start."""

import signal
import sys
from pathlib import Path

import streamer


def main() -> None:
    """Run the command line; never returns."""
    # While the libraries load, Ctrl-C just ends the process: raised within an import, the
    # interrupt would end in a traceback, or be swallowed.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from streamer.cli import main as run

    signal.signal(signal.SIGINT, signal.default_int_handler)
    run()


if __name__ == "__main__":
    # `python -m` puts the current folder first on the path. A user's own `models` or
    # `drivers` there must not hide ours.
    if (
        not sys.flags.safe_path
        and Path(sys.path[0]).resolve() != Path(__file__).resolve().parent.parent
    ):
        del sys.path[0]
    streamer.check_floors()
    main()
