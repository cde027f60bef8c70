"""How far long work has come, and how long it will still take."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
)
from rich.text import Text

_SHOWN = 12
"""Bars that fit on a terminal; of more, those that ended first go."""


@contextmanager
def shown_progress() -> Iterator[Callable[[str, int, int], None]]:
    """Show a bar for each step on standard error, where somebody looks.

    Yields
    ------
    callable
        Takes what is being done, how much of it is done, and how much there is. What is done
        at its first call may have been there before: it tells nothing about the time left.
    """
    tasks: dict[str, TaskID] = {}
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        _Time(),
        console=Console(stderr=True),
        disable=not sys.stderr.isatty(),
    ) as bars:

        def advance(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=total, before=done, last_s=None)
                _make_room(bars)
            task = next(one for one in bars.tasks if one.id == tasks[what])
            if done < task.completed or total != task.total:  # the same again, with other data
                bars.reset(task.id, visible=True, before=done, last_s=None)
            bars.update(task.id, completed=done, total=total, last_s=task.elapsed)

        yield advance


class _Time(ProgressColumn):
    """Time left, at the pace so far; before there is one, and at the end, time taken."""

    def render(self, task: Task) -> Text:
        elapsed_s = task.finished_time if task.finished else task.elapsed
        left_s = time_left_s(
            int(task.fields["before"]),
            int(task.completed),
            int(task.total or 0),
            task.fields["last_s"],
            elapsed_s or 0.0,
        )
        if left_s is None:
            return Text(clock(elapsed_s or 0.0), style="progress.elapsed")
        return Text(f"{clock(left_s)} left", style="progress.remaining")


def time_left_s(
    before: int, done: int, total: int, last_s: float | None, elapsed_s: float
) -> float | None:
    """Estimate how long work will still take.

    Parameters
    ----------
    before, done, total : int
        How much of it was done when it began, is done, and is to be done.
    last_s : float or None
        When the last piece was done, since it began.
    elapsed_s : float
        Now.

    Returns
    -------
    float or None
        Seconds; None where it is done, or nothing tells.
    """
    fresh = done - before
    if done >= total or fresh <= 0 or last_s is None:
        return None
    return max(0.0, last_s / fresh * (total - before) - elapsed_s)


def clock(seconds: float) -> str:
    """Write a duration: ``"0:42"``, ``"1:02:05"``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def _make_room(bars: Progress) -> None:
    visible = [task for task in bars.tasks if task.visible]
    ended = [task for task in visible if task.finished]
    for task in ended[: max(0, len(visible) - _SHOWN)]:
        bars.update(task.id, visible=False)
