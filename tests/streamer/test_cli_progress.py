"""How far long work has come."""

import pytest

from streamer.cli.progress import clock, time_left_s


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
