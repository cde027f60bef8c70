"""Where ``streamer`` and ``python -m streamer`` start."""

import signal
import sys
from pathlib import Path
from types import FrameType

import streamer


def main() -> None:
    """Run the command line; never returns."""
    signal.signal(signal.SIGINT, interrupt)
    try:
        from streamer.cli import main as run

        run()
    except KeyboardInterrupt:  # before the command line is there to answer it
        sys.exit(130)


def interrupt(number: int, frame: FrameType | None) -> None:
    """Raise `KeyboardInterrupt` on Ctrl-C; while a library loads, end the process at once.

    Raised within an import, the interrupt would be swallowed, or become an error of the library.
    What has something to clean up begins with `streamer.cli.ending.clean_up_on_interrupt`.

    Parameters
    ----------
    number : int
        Of the signal.
    frame : frame, optional
        What runs.
    """
    if streamer.importing(frame):
        signal.signal(number, signal.SIG_DFL)
        signal.raise_signal(number)
    raise KeyboardInterrupt


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
