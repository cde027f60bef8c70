"""Streams on this machine, in a process of their own, beside what they have to be.

liblsl reads its configuration once in a process: the bench's own may have to see the network.
Run as a program: ``python -m streamer.bench.streams SECONDS RETURNS``. It prints a line of
JSON for each row.
"""

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

from drivers.errors import SourceError
from drivers.outside.strict_json import to_json
from drivers.outside.texts import parse_json
from streamer.bench.figure import Figure, Progress

_PATIENCE_S = 120.0  # with all rows together
_ROWS = (
    ("lsl_delay_ms", "ms", 50.0, "from acquisition to arrival over LSL, median"),
    ("lsl_return_s", "s", 2.0, "from a new outlet of a lost stream to its first sample, longest"),
    ("lsl_find_dead_s", "s", 1.5, "list streams one of which just died, beyond listening"),
    ("lsl_read_over_s", "s", 0.2, "longest read beyond its 0.1 s, while liblsl hangs"),
)


def streams(seconds: float, returns: int, progress: Progress) -> tuple[list[Figure], list[str]]:
    """Measure what a session on a stream waits for.

    Parameters
    ----------
    seconds : float
        Of a replay that is published.
    returns : int
        How often a stream goes and comes back.
    progress : callable
        Told how far it is.

    Returns
    -------
    figures : list of Figure
        One for each row, infinite where it failed; none where there is no liblsl.
    notes : list of str
        What failed, and why.
    """
    values: dict[str, float] = {}
    notes = []
    for answer in _answers(seconds, returns):
        if "missing" in answer:
            return [], [f"streams are not measured: {answer['missing']}"]
        if "error" in answer:
            notes.append(f"{answer['name']} failed: {answer['error']}")
        values[answer["name"]] = answer.get("value", float("inf"))
        progress("streams", len(values), len(_ROWS))
    if silent := [name for name, *_ in _ROWS if name not in values]:
        notes.append(f"no answer in {_PATIENCE_S:g} s, or none at all: {', '.join(silent)}")
    figures = [
        Figure(name, values.get(name, float("inf")), unit, most, about)
        for name, unit, most, about in _ROWS
    ]
    return figures, notes


def _answers(seconds: float, returns: int) -> Iterator[dict[str, Any]]:
    """Run this module as a program; it is ended when it takes too long."""
    process = subprocess.Popen(
        [sys.executable, "-m", "streamer.bench.streams", f"{seconds}", f"{returns}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,  # Ctrl-C is for the bench alone
    )
    end = threading.Timer(_PATIENCE_S, process.kill)
    end.start()
    with process:
        try:
            for line in process.stdout or ():
                yield parse_json(line, "answer")
        finally:
            end.cancel()
            process.kill()  # nothing of it is wanted any more


def _print_row(**answer: object) -> None:
    sys.stdout.write(f"{to_json(answer)}\n")
    sys.stdout.flush()


def _main(seconds: float, returns: int) -> None:
    try:
        from drivers.lsl import use_loopback
        from streamer.bench import loopback
    except SourceError as error:  # there is no liblsl
        _print_row(missing=str(error))
        return
    use_loopback()
    rows: list[Callable[[], float]] = [
        lambda: loopback.delay_ms(seconds),
        lambda: loopback.return_s(returns),
        loopback.find_dead_s,
        loopback.read_over_s,
    ]
    for (name, *_), measure in zip(_ROWS, rows, strict=True):
        try:
            _print_row(name=name, value=measure())
        except Exception as error:  # of liblsl too: the other rows are measured all the same
            _print_row(name=name, error=str(error) or type(error).__name__)


if __name__ == "__main__":
    _main(float(sys.argv[1]), int(sys.argv[2]))
