"""How far long work has come."""

import sys
import threading

import pytest

from drivers.clock import VirtualClock
from streamer.cli import progress
from streamer.cli.progress import ProgressLog, clock, shown_progress, time_left_s


@pytest.mark.parametrize(
    ("before", "done", "last_s", "elapsed_s", "left_s"),
    [
        (0, 2, 20.0, 20.0, 80.0),
        (0, 2, 20.0, 25.0, 75.0),  # it counts down
        (5, 6, 10.0, 10.0, 40.0),  # what was there before went fast, and tells nothing
        (5, 5, 0.0, 7.0, None),
        (0, 10, 50.0, 50.0, None),
        (0, 9, 9.0, 99.0, 0.0),
    ],
)
def test_time_left(
    before: int, done: int, last_s: float, elapsed_s: float, left_s: float | None
) -> None:
    """A resumed evaluation of hours would promise to be done in seconds."""
    assert time_left_s(before, done, 10, last_s, elapsed_s) == left_s


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0:00"), (59.6, "1:00"), (3725, "1:02:05")])
def test_clock(seconds: float, text: str) -> None:
    """Thousands of seconds nobody reads."""
    assert clock(seconds) == text


def test_a_log_says_what_how_far_and_how_long_still() -> None:
    """`train > log` said nothing for twelve minutes, and nobody knew whether it still ran."""
    now, lines = VirtualClock(), []
    log = ProgressLog(lines.append, now.now_s)
    log.write()
    assert lines == []
    log.advance("learning", 0, 10)
    now.advance(20)
    log.write()
    log.advance("learning", 2, 10)
    now.advance(10)
    log.write()
    now.advance(1000)
    log.write()
    log.advance("learning", 10, 10)
    log.write()
    log.advance("telling", 5, 8)  # what was there before
    now.advance(4000)
    log.write()
    assert lines == [
        "learning: 0 of 10, for 0:20",
        "learning: 2 of 10, 1:10 left",
        "learning: 2 of 10, for 17:10",
        "learning: 10 of 10, and the next step has begun",
        "telling: 5 of 8, for 1:06:40",
    ]


def test_where_no_bar_can_move_lines_are_written(monkeypatch) -> None:
    """Into a file, a pipe, the log of a batch job: nothing else is there to look at."""
    assert not sys.stderr.isatty()
    lines, written = [], threading.Event()
    monkeypatch.setattr(progress, "_EVERY_S", 0.001)
    monkeypatch.setattr(progress, "note", lambda line: (lines.append(line), written.set()))
    with shown_progress() as advance:
        advance("learning", 1, 3)
        assert written.wait(60)
    assert lines[0].startswith("learning: 1 of 3, for 0:")
    assert not [one for one in threading.enumerate() if one.name == "progress"]
