"""A picture of each bench."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from drivers.errors import StreamerError
from drivers.recordings.recording import Recording
from streamer.bench.clicks import CardPath
from streamer.bench.figure import Figure
from streamer.bench.heard import Heard
from streamer.bench.lag import RATE_HZ, Lag
from streamer.bench.process import Performance
from streamer.results.palette import CLASS_COLOURS
from streamer.results.panels import GREY, draw_spectrogram

if TYPE_CHECKING:  # importing matplotlib takes a second
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Drawing

_QUANTILES = ("p50", "p95", "p99", "max")
_SHOWN_S = 4.0
_BLUE, _ORANGE, _GREEN = CLASS_COLOURS[:3]


def draw_engine(
    path: Path, paced: Performance, unpaced: Performance, values: Mapping[str, Any]
) -> Path:
    """Draw what each stage costs, and what the process needs over time.

    Parameters
    ----------
    path : Path
        The PNG.
    paced, unpaced : Performance
        Of either run.
    values : mapping
        As the bench has them.

    Returns
    -------
    Path
        The same.
    """
    drawing = _drawing(7.0)
    grid = drawing.add_gridspec(2, 2)
    left, cpu = drawing.add_subplot(grid[:, 0]), drawing.add_subplot(grid[0, 1])
    memory = drawing.add_subplot(grid[1, 1], sharex=cpu)
    stages = [*values["stages_ms"], "compute"]
    for row, stage in enumerate(reversed(stages)):
        _draw_quantiles(left, row + 0.15, _of(paced, stage), _BLUE)
        _draw_quantiles(left, row - 0.15, _of(unpaced, stage), _ORANGE)
    for bound_ms, name in ((0.6, "p50"), (2.0, "p99")):
        left.plot([bound_ms] * 2, [-0.4, 0.4], color=GREY, linewidth=1)
        left.annotate(f"{name} at most", (bound_ms, -0.45), ha="center", va="top", fontsize=7)
    left.plot([], [], color=_BLUE, label="paced")
    left.plot([], [], color=_ORANGE, label="unpaced, one core")
    left.set_yticks(range(len(stages)), reversed(stages))
    left.set_ylim(-0.8, len(stages) - 0.4)
    left.set_xscale("log")
    left.set_xlabel("ms per 10 ms frame:  | p50   o p95   x p99   > max")
    left.legend(loc="upper right", fontsize=8)
    left.grid(axis="x", alpha=0.3)

    times_s, course = paced.since_start_s(), paced.course
    if len(times_s) > 1:
        share = 100 * np.diff(course["cpu_s"]) / np.diff(course["time_s"])
        cpu.plot(times_s[1:], share, color=_BLUE)
    cpu.axhline(15, color=GREY, linewidth=1)
    cpu.set_ylim(0, None)
    cpu.set_ylabel("% of one core")
    memory.plot(times_s, course["rss_mb"], color=_GREEN)
    memory.set_ylim(0, 1.1 * paced.peak_rss_mb)
    memory.set_ylabel("memory (MB)")
    memory.set_xlabel("time since the first sample (s)")
    drawing.suptitle(
        f"engine, bundle {values['bundle']}: {100 * values['cpu_share']:.1f} % of one core, "
        f"{values['realtime_factor']:.0f} x real time, MLSA {values['mlsa_speedup']:.1f} x pysptk",
        fontsize=11,
        parse_math=False,
    )
    return _save(drawing, path)


def draw_acoustic(
    path: Path,
    lag: Lag,
    path_lag: Lag,
    calibration: CardPath,
    replayed: Performance,
    recordings: Sequence[Recording],
    heard: Heard,
) -> Path:
    """Draw the correlation, the card's path, and an utterance as it was said and heard.

    Parameters
    ----------
    path : Path
        The PNG.
    lag, path_lag : Lag
        Against the natural speech, and against ``audio.wav``.
    calibration : CardPath
        Of all clicks.
    replayed : Performance
        Of the replay.
    recordings : sequence of Recording
        With natural speech.
    heard : Heard
        All of it.

    Returns
    -------
    Path
        The same.
    """
    drawing = _drawing(8.5)
    grid = drawing.add_gridspec(3, 3, height_ratios=(1.5, 1, 1))
    curve, each, clicks = (drawing.add_subplot(grid[0, k]) for k in range(3))
    curve.plot(lag.lags_ms, lag.curve, color=_BLUE)
    curve.axvline(0, color=GREY, linewidth=0.8)
    curve.plot([lag.lag_ms], [lag.correlation], "o", color=_ORANGE)
    curve.annotate(
        f"{lag.lag_ms:.1f} ms",
        (lag.lag_ms, lag.correlation),
        xytext=(8, 0),
        textcoords="offset points",
        va="center",
    )
    curve.set_xlabel("heard after natural speech (ms)")
    curve.set_ylabel("correlation of spectral envelopes")
    names = list(lag.of_each_ms)[::-1]  # the first on top
    rows = range(len(names))
    each.plot([lag.of_each_ms[name] for name in names], rows, "o", color=_BLUE, label="net lag")
    after_file_ms = [path_lag.of_each_ms.get(name, np.nan) for name in names]
    each.plot(after_file_ms, rows, "x", color=_GREEN, label="after audio.wav")
    each.axvline(lag.lag_ms, color=_ORANGE, linewidth=1)
    each.set_yticks(rows, names, fontsize=6)
    each.legend(fontsize=7)
    each.set_xlabel("lag of each utterance (ms)")
    clicks.plot(calibration.delays_ms, "o", color=_GREEN, markersize=3)
    clicks.set_xlabel("click, before, between and after")
    clicks.set_ylabel(f"card's path (ms), SD {calibration.sd_ms:.2f}")
    if calibration.delays_ms:
        middle_ms = calibration.median_ms
        off_ms = max(2.0, max(abs(d - middle_ms) for d in calibration.delays_ms))
        clicks.set_ylim(middle_ms - 1.2 * off_ms, middle_ms + 1.2 * off_ms)

    by_name = {recording.name: recording for recording in recordings}
    name = next(iter(lag.of_each_ms))
    recording = by_name[name]
    assert recording.audio is not None
    start_s = next(e["started_s"] for e in replayed.epochs if e["utterance"] == name)
    shown = recording.audio[: round(_SHOWN_S * RATE_HZ)].astype(np.float64)
    cut, _ = heard.between(start_s, start_s + len(shown) / RATE_HZ)
    natural, voice = drawing.add_subplot(grid[1, :]), drawing.add_subplot(grid[2, :])
    draw_spectrogram(natural, shown, "natural\nspeech")
    draw_spectrogram(voice, cut.astype(np.float64), "heard at\nthe monitor")
    for axes in (natural, voice):
        axes.set_xlim(0, len(shown) / RATE_HZ)
    voice.set_xlabel(f"time since the first EMG sample of {name} (s)")
    drawing.suptitle(
        f"net acoustic lag {lag.lag_ms:.1f} ms at a null sink's monitor, card's path "
        f"{calibration.median_ms:.1f} ms included",
        fontsize=11,
        parse_math=False,
    )
    return _save(drawing, path)


def draw_soak(path: Path, performance: Performance, lags: Mapping[str, Lag]) -> Path:
    """Draw fill, memory and underruns over time.

    Parameters
    ----------
    path : Path
        The PNG.
    performance : Performance
        Of the long run.
    lags : mapping of str to Lag
        At the start and at the end.

    Returns
    -------
    Path
        The same.
    """
    drawing = _drawing(8.0)
    fill, memory, underruns = drawing.subplots(3, 1, sharex=True)
    times_s, course = performance.since_start_s(), performance.course
    fill.plot(times_s, course["fill_ms"], color=_BLUE, linewidth=0.8)
    fill.set_ylabel("audio that waits (ms)")
    fill.set_ylim(0, None)
    memory.plot(times_s, course["rss_mb"], color=_GREEN)
    memory.set_ylabel("memory (MB)")
    memory.set_ylim(0, 1.1 * performance.peak_rss_mb)
    underruns.step(times_s, course["underruns"], where="post", color=_ORANGE)
    underruns.set_ylabel("underruns")
    underruns.set_ylim(0, max(1.0, float(course["underruns"].max(initial=0.0)) * 1.1))
    underruns.set_xlabel("time (s)")
    words = ", ".join(f"lag at the {name} {lag.lag_ms:.1f} ms" for name, lag in lags.items())
    drawing.suptitle(f"soak: {words}", fontsize=11, parse_math=False)
    return _save(drawing, path)


def draw_figures(path: Path, figures: Sequence[Figure]) -> Path:
    """Draw figures that have a bound, as a share of it.

    Parameters
    ----------
    path : Path
        The PNG.
    figures : sequence of Figure
        Of a bench.

    Returns
    -------
    Path
        The same.
    """
    bounded = [figure for figure in figures if figure.most is not None]
    drawing = _drawing(1.2 + 0.3 * len(bounded))
    axes = drawing.add_subplot()
    for row, figure in enumerate(reversed(bounded)):
        most = figure.most or 1.0  # of what must be 0, each one is too many
        share = min(figure.value / most, 2.0) if np.isfinite(figure.value) else 2.0
        axes.barh(row, share, color=_BLUE if figure.good else CLASS_COLOURS[5])
        axes.annotate(f" {figure.value:.3g} {figure.unit}", (share, row), va="center", fontsize=8)
    axes.axvline(1, color=GREY, linewidth=1)
    axes.set_yticks(range(len(bounded)), [f.name for f in reversed(bounded)], fontsize=8)
    axes.set_xlim(0, 2.3)
    axes.set_xlabel("share of what it may be at the most")
    return _save(drawing, path)


def _of(performance: Performance, stage: str) -> list[float]:
    spread = performance.latency.get(stage) or {}
    return [max(spread.get(f"{name}_ms", np.nan), 1e-4) for name in _QUANTILES]


def _draw_quantiles(axes: "Axes", row: float, values_ms: list[float], colour: str) -> None:
    axes.plot([values_ms[0], values_ms[-1]], [row, row], color=colour, linewidth=1)
    for value_ms, mark in zip(values_ms, ("|", "o", "x", ">"), strict=True):
        axes.plot([value_ms], [row], mark, color=colour, markersize=12 if mark == "|" else 5)


def _drawing(height_in: float) -> "Drawing":
    from matplotlib.figure import Figure as Drawing

    return Drawing(figsize=(12, height_in), layout="constrained")


def _save(drawing: "Drawing", path: Path) -> Path:
    try:
        drawing.savefig(path, dpi=110)
    except OSError as error:
        raise StreamerError(f"picture {path}", value=error.strerror) from None
    return path
