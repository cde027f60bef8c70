"""How far long work has come, and how long it will still take."""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

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

from drivers.outside.names import shown
from streamer.cli.options import note

_SHOWN = 12
"""Bars that fit on a terminal; of more, those that ended first go."""


_EVERY_S = 30.0
"""From one line to the next where no bar can move: in the log of a batch job."""

Advance = Callable[[str, int, int], None]


@contextmanager
def shown_progress() -> Iterator[Advance]:
    """Show how far work has come on standard error: bars on a terminal, else lines.

    Yields
    ------
    callable
        Takes what is being done, how much of it is done, and how much there is. What is done
        at its first call may have been there before: it tells nothing about the time left.
    """
    with _bars() if sys.stderr.isatty() else _lines() as advance:
        yield advance


@contextmanager
def _bars() -> Iterator[Advance]:
    """Show a bar for each step."""
    tasks: dict[str, TaskID] = {}
    with Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        _Time(),
        console=Console(stderr=True, markup=False),
    ) as bars:

        def advance(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(shown(what), total=total, before=done, last_s=None)
                _make_room(bars)
            task = next(one for one in bars.tasks if one.id == tasks[what])
            if done < task.completed or total != task.total:  # the same again, with other data
                bars.reset(task.id, visible=True, before=done, last_s=None)
            bars.update(task.id, completed=done, total=total, last_s=task.elapsed)

        yield advance


@contextmanager
def _lines() -> Iterator[Advance]:
    """Write a line every `_EVERY_S`, by a thread: a step may take longer than that."""
    log = ProgressLog(note, time.monotonic)
    ended = threading.Event()

    def write() -> None:
        while not ended.wait(_EVERY_S):
            log.write()

    thread = threading.Thread(target=write, name="progress", daemon=True)
    thread.start()
    try:
        yield log.advance
    finally:
        ended.set()
        thread.join()


@dataclass
class _Step:
    what: str
    before: int
    done: int
    total: int
    began_s: float
    last_s: float | None = None  # since it began


class ProgressLog:
    """What is being done, as lines of a log.

    Parameters
    ----------
    say : callable
        Writes a line.
    now_s : callable
        Reads a clock that never goes back.
    """

    def __init__(self, say: Callable[[str], object], now_s: Callable[[], float]) -> None:
        self._say, self._now_s = say, now_s
        self._lock = threading.Lock()
        self._step: _Step | None = None

    def advance(self, what: str, done: int, total: int) -> None:
        """Take note of work; arguments as `shown_progress` has them."""
        now_s = self._now_s()
        with self._lock:
            step = self._step
            if step is None or step.what != what or done < step.done or total != step.total:
                self._step = _Step(what, done, done, total, now_s)
            else:
                step.done, step.last_s = done, now_s - step.began_s

    def write(self) -> None:
        """Write a line of what is being done, if there is anything."""
        now_s = self._now_s()
        with self._lock:
            step = self._step
            if step is None:
                return
            elapsed_s = now_s - step.began_s
            left_s = time_left_s(step.before, step.done, step.total, step.last_s, elapsed_s)
            # what takes longer than it should is not as good as done
            time_ = f"{clock(left_s)} left" if left_s else f"for {clock(elapsed_s)}"
            if step.done >= step.total:
                time_ = "and the next step has begun"
            line = f"{step.what}: {step.done} of {step.total}, {time_}"
        self._say(line)


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
