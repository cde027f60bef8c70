"""Where ``streamer`` and ``python -m streamer`` start."""

import os
import signal
import sys
from pathlib import Path
from types import FrameType

import streamer


def main() -> None:
    """Run the command line; never returns."""
    signal.signal(signal.SIGINT, interrupt)
    from streamer.cli import main as run

    run()


def interrupt(number: int, frame: FrameType | None) -> None:
    """Let Ctrl-C end the command by a `KeyboardInterrupt`, and within an import at once.

    Raised while a library loads, the interrupt would be swallowed, or become an error of it.
    """
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
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
