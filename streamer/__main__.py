"""Let ``python -m streamer`` do what ``streamer`` does."""

import sys
from pathlib import Path

import streamer

# `python -m` puts the current folder first on the path. A user's own `models` or `drivers`
# there must not hide ours.
if (
    not sys.flags.safe_path
    and Path(sys.path[0]).resolve() != Path(__file__).resolve().parent.parent
):
    del sys.path[0]
streamer.check_floors()

from streamer.cli import main  # noqa: E402 - only now the path is right

if __name__ == "__main__":
    main()
