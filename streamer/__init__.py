"""Facial surface EMG in, speech out, in real time.

``cli``
    The command line.
``config``
    All settings of a run, from a YAML file and ``--set``.
``sources``, ``recordings``
    Live sources as ``--source`` names them, recordings as ``--session`` and the like choose.
``session``
    A source through features, models and vocoder to the sinks.
``engine``
    What runs on a session's threads.
``audio``
    Sound card, play buffer, WAV files.
``results``
    What a run leaves.
``screen``
    What it looks like on the terminal.
``outlets``
    What a session sends over LSL.
``devices``
    What there is to read from and to play on.
``bench``
    What the parts cost and keep.

The three floors ``streamer``, ``models`` and ``drivers`` lie side by side, and imports run
downwards only. Their names are common ones, so importing this package first makes sure
that the other two are ours.
"""

import importlib.util
import sys
from pathlib import Path
from types import FrameType

__version__ = "0.1.0"


def check_floors() -> None:
    """Make sure that ``models`` and ``drivers`` are the ones that belong to this package.

    Raises
    ------
    ImportError
        Another package of that name comes first on the path.
    """
    here = Path(__file__).resolve().parent.parent
    for floor in ("models", "drivers"):
        spec = importlib.util.find_spec(floor)
        places = [
            Path(place).resolve() for place in (spec and spec.submodule_search_locations) or []
        ]
        if places != [here / floor]:
            found = places[0] if places else spec and spec.origin
            raise ImportError(
                f"streamer needs its own package '{floor}' in {here}, but Python finds {found}; "
                "rename that one, or run from another folder"
            )


def importing(frame: FrameType | None) -> bool:
    """Say whether a library is being loaded, within which nothing may be raised from outside.

    Parameters
    ----------
    frame : frame, optional
        What runs.
    """
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False


# `python -m streamer` gets here with the current folder first on the path; `__main__`
# takes it away before it checks.
if sys.argv[:1] != ["-m"]:
    check_floors()
