"""A long run on a virtual sound card beside a busy core, and a source that is killed."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from drivers.varioport.profile import load_profile
from streamer.bench.acoustic import NULL_SINK, unsteady, voice
from streamer.bench.device import emulated
from streamer.bench.figure import Figure, Progress, Report
from streamer.bench.heard import Heard
from streamer.bench.lag import Lag, Spoken, measure_lag
from streamer.bench.outages import outage_figures
from streamer.bench.pictures import draw_soak
from streamer.bench.process import Performance, last_core, only_on, perform, replaying
from streamer.bench.virtual_card import RATE_HZ, VirtualCard
from streamer.config import Config

LARGEST_GROWTH_MB = 10.0
LARGEST_CHANGE_MS = 5.0

_SETTLE_S = 2.5
_ECHO_S = 1.0
_EVERY_S, _GONE_S = 3.0, 1.0
_BACK_S = 1.0  # after the last outage: half way to where the next one would begin
_COMPARED_S = 30.0  # of voice, at either end
_FIRST_S = 1.0  # may have its underrun
_WARM_UP_S = 20.0
_BUSY = "while True: pass"


def soak(config: Config, path: Path, progress: Progress) -> Report:
    """Run for long, and see what changes.

    Parameters
    ----------
    config : Config
        Which recordings and which models; played over and over.
    path : Path
        Directory for all that comes of it.
    progress : callable
        Told how far it is.

    Returns
    -------
    Report
        All figures.

    Raises
    ------
    StreamerError
        There is no virtual card.
    """
    settings = config.bench.soak
    with VirtualCard() as card:
        with card.recorded() as recorder:
            time.sleep(_SETTLE_S)
            with busy_core():
                performance = perform(
                    _long(config), path / "soak", "soak", settings.seconds, progress,
                    card.environment,
                )  # fmt: skip
            time.sleep(_ECHO_S)
        heard = recorder.heard()
        lags = ends(performance, heard)
        figures = long_figures(performance, lags)
        if settings.kills:
            figures += _killed(config, path, card, settings.kills, progress)
    values: dict[str, Any] = {figure.name: figure.value for figure in figures}
    picture = draw_soak(path / "soak.png", performance, lags)
    return Report(figures, values, [NULL_SINK], picture, unsteady(heard))


@contextmanager
def busy_core() -> Iterator[None]:
    """Keep the last core busy."""
    with only_on(last_core()):
        process = subprocess.Popen([sys.executable, "-c", _BUSY], start_new_session=True)
    with process:
        try:
            yield
        finally:
            process.kill()


def ends(performance: Performance, heard: Heard) -> dict[str, Lag]:
    """Measure how late the voice is heard after ``audio.wav``, at the start and at the end.

    Parameters
    ----------
    performance : Performance
        Of the long run.
    heard : Heard
        What was heard of it.

    Returns
    -------
    dict of str to Lag
        ``"start"`` and ``"end"``.
    """
    said = voice(performance)
    long_s = min(_COMPARED_S, performance.summary["seconds"] / 3)
    first_s = said[0].start_s + _FIRST_S
    last_s = said[-1].start_s + len(said[-1].audio) / RATE_HZ

    def part(begin_s: float, end_s: float) -> list[Spoken]:
        return [cut for one in said if len((cut := one.between(begin_s, end_s)).audio)]

    return {
        "start": measure_lag(part(first_s, first_s + long_s), heard),
        "end": measure_lag(part(last_s - long_s, last_s), heard),
    }


def long_figures(performance: Performance, lags: dict[str, Lag]) -> list[Figure]:
    """Say what changed over a long run.

    Parameters
    ----------
    performance : Performance
        Of the long run.
    lags : dict of str to Lag
        At the start and at the end.

    Returns
    -------
    list of Figure
        Figures.
    """
    seconds = performance.summary["seconds"]
    counters = performance.summary["counters"]
    audio = counters["audio"]
    start, end = lags["start"], lags["end"]
    warm_up_s = min(_WARM_UP_S, seconds / 3)
    return [
        Figure(
            "underruns",
            performance.underruns(),
            "",
            0,
            f"after the first second of {seconds:.0f} s, beside a busy core",
        ),
        Figure("dropped_samples", audio["dropped_samples"], "", 0, "of the voice: too many waited"),
        Figure(
            "lost_samples",
            performance.summary["lost_samples"] + counters["ring"]["dropped_samples"],
            "",
            0,
            "of the EMG: none came too fast to be computed",
        ),
        Figure("device_underflows", audio.get("device_underflows", 0), "", None, "of the card"),
        Figure(
            "rss_growth_mb",
            performance.growth_mb(warm_up_s),
            "MB",
            LARGEST_GROWTH_MB,
            f"memory, after a warm-up of {warm_up_s:.0f} s; at its most "
            f"{performance.peak_rss_mb:.0f} MB",
        ),
        Figure(
            "lag_change_ms",
            abs(end.lag_ms - start.lag_ms),
            "ms",
            LARGEST_CHANGE_MS,
            f"heard voice after audio.wav: {start.lag_ms:.1f} ms at the start, {end.lag_ms:.1f} "
            "at the end",
        ),
        Figure("cpu_percent", 100 * performance.cpu_share(), "%", None, "of one core"),
    ]


def _killed(
    config: Config, path: Path, card: VirtualCard, kills: int, progress: Progress
) -> list[Figure]:
    """Play an emulated device on the virtual card that is unplugged again and again."""
    profile = load_profile("framed")
    seconds = kills * _EVERY_S + _GONE_S + _BACK_S
    with emulated(profile, [f"unplug={_EVERY_S}:{_GONE_S}"]) as port, card.recorded() as recorder:
        time.sleep(_SETTLE_S)
        performance = perform(
            _unplugged(config, port, seconds), path / "killed", "killed source", seconds, progress,
            card.environment,
        )  # fmt: skip
        time.sleep(_ECHO_S)
    heard = recorder.heard()
    epochs = performance.epochs
    audio, _ = heard.between(epochs[0]["started_s"], epochs[-1]["last_s"])
    return outage_figures(performance, audio, RATE_HZ, kills, profile.rate_hz)


def _long(config: Config) -> Config:
    return replaying(config, config.bench.soak.seconds, loop=True)


def _unplugged(config: Config, port: Path, seconds: float) -> Config:
    live = {"source": f"varioport:{port}", "profile": "framed", "channels": None, "markers": None}
    gate = config.pipeline.gate.model_copy(update={"enabled": False})
    return config.model_copy(
        update={
            "live": config.live.model_copy(update=live),
            "pipeline": config.pipeline.model_copy(update={"gate": gate}),
            "session": config.session.model_copy(update={"duration_s": seconds}),
        }
    )
