"""What a session costs: at the pace of life, and as fast as it can be."""

from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import soundfile

from models.bundle import Bundle, packaged_bundle
from streamer.bench.figure import Figure, Progress, Report
from streamer.bench.filtering import compare_filters
from streamer.bench.pictures import draw_engine
from streamer.bench.process import Performance, last_core, perform, replaying
from streamer.config import Config

STAGES: Final = ("features", "inference", "vocoder", "buffer", "compute")

_LEAST_FACTOR, _LEAST_RECURRENT = 100.0, 50.0
_WARM_UP_S = 20.0


def engine(config: Config, path: Path, progress: Progress) -> Report:
    """Measure what a session costs.

    Parameters
    ----------
    config : Config
        Which recordings and which models; played over and over for as long as
        ``bench.engine`` says.
    path : Path
        Directory for all that comes of it.
    progress : callable
        Told how far it is.

    Returns
    -------
    Report
        All figures.
    """
    seconds = config.bench.engine.seconds
    paced = perform(_at(config, 1.0), path / "paced", "at the pace of life", seconds, progress)
    unpaced = perform(
        _at(config, "max"), path / "unpaced", "as fast as it can", None, progress, core=last_core()
    )
    filtering = compare_filters(progress)
    manifest = Bundle.open(config.bundle or packaged_bundle()).manifest
    warm_up_s = min(_WARM_UP_S, seconds / 3)
    remembers = bool(manifest.converter.states)
    values: dict[str, Any] = {
        "seconds": paced.summary["seconds"],
        "compute_ms": _spread(paced, "compute"),
        "stages_ms": {stage: _spread(paced, stage) for stage in STAGES[:-1]},
        "estimate_ms": _spread(paced, "estimate"),
        "unpaced_stages_ms": {stage: _spread(unpaced, stage) for stage in STAGES},
        "cpu_share": paced.cpu_share(),
        "realtime_factor": unpaced.summary["realtime_factor"],
        "mlsa_speedup": filtering.speedup,
        "memory_mb": {"peak": paced.peak_rss_mb, "growth": paced.growth_mb(warm_up_s)},
        "bundle": manifest.name,
        "converter_remembers": remembers,
    }
    compute = values["compute_ms"]
    frames = paced.summary["frames"]
    of = f"per 10 ms frame, paced, all models running, {frames} frames"
    differing, largest = _differing(paced, unpaced)
    figures = [
        Figure("compute_p50_ms", compute["p50"], "ms", 0.6, f"computing {of}, median"),
        Figure("compute_p99_ms", compute["p99"], "ms", 2.0, f"computing {of}, p99"),
        Figure(
            "cpu_percent",
            100 * paced.cpu_share(),
            "%",
            15.0,
            "of one core for the whole process, paced",
        ),
        Figure(
            "realtime_factor",
            values["realtime_factor"],
            "x",
            None,
            f"real time, unpaced, on a core; converter with{'' if remembers else 'out'} memory",
            least=_LEAST_RECURRENT if remembers else _LEAST_FACTOR,
        ),
        Figure(
            "mlsa_speedup",
            filtering.speedup,
            "x",
            None,
            f"pysptk's synthesiser {filtering.pysptk_ms:.3g} ms, ours {filtering.own_ms:.3g} ms "
            f"a frame, medians, side by side; samples differ by {filtering.difference:.1g}",
            least=3.0,
        ),
        Figure(
            "differing_samples",
            differing,
            "",
            0,
            f"samples of the voice unlike those of the paced run, by {largest:g} of 32768 at most",
        ),
        Figure("underruns", paced.underruns(), "", 0, "underruns, paced, after the first second"),
        Figure("peak_rss_mb", paced.peak_rss_mb, "MB", None, "memory at its most, paced"),
        Figure(
            "rss_growth_mb",
            paced.growth_mb(warm_up_s),
            "MB",
            None,
            f"memory, from {warm_up_s:.0f} s to the end",
        ),
    ]
    picture = draw_engine(path / "engine.png", paced, unpaced, values)
    return Report(figures, values, [], picture)


def _at(config: Config, speed: float | Literal["max"]) -> Config:
    """Return the settings of one run: endless recordings, cut off, without a loudspeaker."""
    audio = {"enabled": False, "drift_control": False}  # it follows clocks: no two runs are alike
    quiet = config.model_copy(update={"audio": config.audio.model_copy(update=audio)})
    return replaying(quiet, config.bench.engine.seconds, speed=speed, loop=True)


def _spread(performance: Performance, stage: str) -> dict[str, float | None]:
    spread = performance.latency.get(stage) or {}
    return {name: spread.get(f"{name}_ms") for name in ("p50", "p95", "p99", "max")}


def _differing(one: Performance, other: Performance) -> tuple[float, float]:
    """Count the samples in which two voices differ, and say by how much at the most."""
    first, second = (
        soundfile.read(p.directory.audio, dtype="int16")[0].astype(int) for p in (one, other)
    )
    if len(first) != len(second):
        return float("inf"), float("inf")
    off = np.abs(first - second)
    return float(np.count_nonzero(off)), float(off.max(initial=0))
