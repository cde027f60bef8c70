"""Where ``streamer`` and ``python -m streamer`` start."""

import signal
import sys
import threading
from _thread import interrupt_main
from pathlib import Path
from types import FrameType

import streamer

_AGAIN_S = 0.02  # until it is looked whether the import is over


def main() -> None:
    """Run the command line; never returns."""
    signal.signal(signal.SIGINT, interrupt)
    try:
        from streamer.cli import main as run

        run()
    except KeyboardInterrupt:  # before the command line is there to answer it
        sys.exit(130)


def interrupt(number: int, frame: FrameType | None) -> None:
    """Raise `KeyboardInterrupt` on Ctrl-C; while a library loads, as soon as it is there.

    Raised within an import, the interrupt would be swallowed, or become an error of the library.

    Parameters
    ----------
    number : int
        Of the signal.
    frame : frame, optional
        What runs.
    """
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            again = threading.Timer(_AGAIN_S, interrupt_main)
            again.daemon = True
            again.start()
            return
        frame = frame.f_back
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
