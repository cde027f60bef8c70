"""A session on the terminal, on standard error and at most four times a second.

A refresh costs 5.7 ms of the interpreter's time, which audio has to wait for.
"""

import logging
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.bar import Bar
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from drivers.outside.names import shown
from drivers.source import Provenance, SourceState
from streamer.engine.answers import Answer
from streamer.engine.latency import latency_class
from streamer.results.palette import CLASS_COLOURS
from streamer.results.summary import Snapshot

REFRESHES_PER_S = 4
_WIDTH = 80
_LEVEL_BAR = 21
_CLASS_BAR = 14
_CLASSES = 3
_LOWEST_UV, _HIGHEST_UV = 1.0, 1000.0
_LOUD_UV = 300.0
_STATE_STYLES = {
    SourceState.STREAMING: "green",
    SourceState.CONNECTING: "yellow",
    SourceState.STALLED: "bold red",
    SourceState.RECONNECTING: "bold red",
    SourceState.DISCONNECTED: "dim",
}


@contextmanager
def screen(snapshot: Callable[[], Snapshot], *, title: str, on: bool = True) -> Iterator[None]:
    """Show a session for as long as the context lasts.

    Nothing is shown where standard error is no terminal.

    Parameters
    ----------
    snapshot : callable
        The session as it is now.
    title : str
        What runs, for people.
    on : bool
        Show it at all.
    """
    console = Console(stderr=True, markup=False)
    if not (on and console.is_terminal):
        yield
        return
    # What a session logs for those without a screen is among its problems here.
    log, nowhere = logging.getLogger("streamer"), logging.NullHandler()
    log.addHandler(nowhere)
    try:
        with Live(
            get_renderable=lambda: render(snapshot(), title),
            console=console,
            refresh_per_second=REFRESHES_PER_S,
        ):
            yield
    finally:
        log.removeHandler(nowhere)


def render(now: Snapshot, title: str) -> RenderableType:
    """Draw a session.

    Parameters
    ----------
    now : Snapshot
        The session.
    title : str
        What runs.

    Returns
    -------
    RenderableType
        For a rich console.
    """
    columns = Table.grid(padding=(0, 3, 0, 0))
    columns.add_column()
    columns.add_column()
    columns.add_row(_signal(now), _answers(now))
    parts: list[RenderableType] = [_head(now), "", columns, "", _figures(now)]
    if not _ended(now):  # the report that follows tells all of them
        parts += [Text(shown(f"! {problem}"), style="yellow") for problem in now.problems[-3:]]
    return Panel(
        Group(*parts),
        title=Text.assemble(("streamer", "bold"), f" {shown(title)}"),
        title_align="left",
        width=_WIDTH,
        border_style="blue",
    )


def _head(now: Snapshot) -> RenderableType:
    minutes, seconds = divmod(now.time_s, 60)
    head = Table.grid(expand=True)
    head.add_column()
    head.add_column(justify="center")
    head.add_column(justify="right")
    head.add_row(
        Text(f"{int(minutes):02d}:{seconds:04.1f}", style="bold"),
        Text(shown(now.utterance)),
        _source(now),
    )
    return head


def _source(now: Snapshot) -> Text:
    """Say where the source is in its life, and how far it is proven."""
    state = now.source_state
    line = Text("ended" if _ended(now) else state.value, style=_STATE_STYLES[state])
    if now.provenance:
        proven = now.provenance not in (Provenance.EMULATOR_ONLY, Provenance.GUESSED)
        line.append(f"  {shown(now.provenance)}", style="dim" if proven else "bold yellow")
    return line


def _ended(now: Snapshot) -> bool:
    return now.source_state is SourceState.DISCONNECTED and now.frames > 0


def _signal(now: Snapshot) -> RenderableType:
    """Draw level meters of the channels, logarithmic, and the probability of speech."""
    meters = Table.grid(padding=(0, 1, 0, 0))
    meters.add_column(style="dim")
    meters.add_column(width=_LEVEL_BAR)
    meters.add_column(justify="right", width=7)
    span = math.log(_HIGHEST_UV / _LOWEST_UV)
    for number, level_uv in enumerate(now.levels_uv, start=1):
        if number - 1 in now.failing:
            meters.add_row(f"EMG {number}", Text("fails: its electrode?", style="bold red"), "")
            continue
        share = math.log(max(level_uv, _LOWEST_UV) / _LOWEST_UV) / span
        colour = "red" if level_uv > _LOUD_UV else "green"
        meters.add_row(f"EMG {number}", _bar(share, _LEVEL_BAR, colour), f"{level_uv:4.0f} uV")
    scale = f"{_LOWEST_UV:g} to {_HIGHEST_UV:g} uV, log"
    meters.add_row("", Text(scale, style="dim") if now.levels_uv else "", "")
    meters.add_row("speech", _bar(now.speech, _LEVEL_BAR, "cyan"), f"{now.speech:7.2f}")
    return meters


def _answers(now: Snapshot) -> RenderableType:
    answers = Table.grid()
    answers.add_column()
    estimate = now.estimate
    answers.add_row(_answer("mode", None if estimate is None else estimate.mode))
    answers.add_row("")
    answers.add_row(_answer("speaker", None if estimate is None else estimate.speaker))
    return answers


def _answer(name: str, answer: Answer | None) -> RenderableType:
    """Draw an answer and the probabilities under it."""
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column(width=10, style="dim")
    table.add_column(width=_CLASS_BAR)
    table.add_column(justify="right")
    if answer is None:
        table.add_row(name, Text("none yet", style="dim"))
        for _ in range(_CLASSES):  # room for what comes, so that nothing jumps
            table.add_row("")
        return table
    decided = answer.answer in answer.probabilities
    table.add_row(
        name,
        Text(shown(answer.answer), style="bold" if decided else "dim italic"),
        Text(f"{answer.window_s:.1f} s", style="dim"),
    )
    for index, (label, probability) in enumerate(answer.probabilities.items()):
        colour = CLASS_COLOURS[index % len(CLASS_COLOURS)] if decided else "grey50"
        table.add_row(
            Text(shown(label)), _bar(probability, _CLASS_BAR, colour), f"{probability:.2f}"
        )
    return table


def _figures(now: Snapshot) -> RenderableType:
    figures = Table.grid(padding=(0, 2, 0, 0))
    figures.add_column(style="dim")
    figures.add_column()
    latency = f"{now.algorithmic_ms:.0f} ms by design"
    if now.latency_ms is not None:
        latency += f", {now.latency_ms.p50_ms:.1f} ms to the buffer"
    if now.total_ms is not None:
        total_ms = now.total_ms.p50_ms
        latency += f", {total_ms:.0f} ms in all: {latency_class(total_ms)}"
    figures.add_row("latency", latency)
    if now.compute_ms is not None:
        computing = f"{now.compute_ms.p50_ms:.2f} ms a frame, p99 {now.compute_ms.p99_ms:.2f} ms"
        figures.add_row("computing", computing)
    counts = Text(f"frames {now.frames}")
    for name, count in (("lost samples", now.lost_samples), ("underruns", now.underruns)):
        counts.append(f", {name} {count}", style="bold red" if count else "")
    figures.add_row("counts", counts)
    if (fill_ms := now.playback.get("fill_p50_ms")) is not None:
        steps = now.counters.get("audio", {}).get("reserve_steps", 0)
        reserve_ms = now.playback.get("reserve_ms")
        raised = f", reserve raised to {reserve_ms:.0f} ms" if steps and reserve_ms else ""
        figures.add_row("buffer", f"{fill_ms:.0f} ms wait{raised}{_clocks(now)}")
    if now.output:
        figures.add_row("voice", Text(shown(now.output)))
    return figures


def _clocks(now: Snapshot) -> str:
    """Say how the clocks differ, and how many hops were corrected."""
    drift_ppm, audio = now.playback.get("drift_ppm"), now.counters.get("audio", {})
    if "longer_hops" not in audio:
        return ""
    drift = "" if drift_ppm is None else f", clocks differ by {drift_ppm:+.0f} ppm"
    return f"{drift}, hops {audio['longer_hops']} longer, {audio['shorter_hops']} shorter"


def _bar(share: float, width: int, colour: str) -> Bar:
    return Bar(1.0, 0.0, min(max(share, 0.0), 1.0), width=width, color=colour, bgcolor="grey19")
