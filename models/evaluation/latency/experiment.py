"""What it costs in distortion to speak sooner, and how good the live converter is."""

from dataclasses import replace
from typing import Any

import numpy as np

from models.evaluation.conversion.base import base_of
from models.evaluation.conversion.figures import over_sessions
from models.evaluation.findings import Findings, Table
from models.evaluation.latency.jobs import either, live_session
from models.evaluation.latency.points import LIVE, Point, algorithmic_ms, points_of
from models.evaluation.latency.presentation import drawing_of
from models.evaluation.search import MEASURED, SHORTER, measurable, spread
from models.evaluation.search.jobs import held_out_sentences, try_idea
from models.evaluation.study import Study
from models.training.causal import Base, CausalSettings
from models.training.examples import LOW_DELAY

SHIFT_MS = 1000 * LOW_DELAY.features.shift_s


def latency(study: Study) -> Findings:
    """Sweep features, look-ahead and lead on held-out sentences; then measure the live converter.

    Parameters
    ----------
    study : Study
        The evaluation.

    Returns
    -------
    Findings
        ``sweep.<name>``: ``mcd_db``, ``algorithmic_ms``, ``lead_ms``, ``lag_ms`` and
        ``effective_lead_ms``; ``live``: settings, ``mcd_db`` over sessions and each of them.
    """
    found = Findings("latency", "Speech without delay")
    points = points_of(study.settings)
    held_out = held_out_sentences(study.material, study.settings.seed)
    measured = spread(measurable(study.material, held_out), MEASURED)
    live = replace(LIVE, seed=study.settings.seed)
    if study.settings.size == "quick":
        live = replace(live, width=16, base_epochs=1, base_cap=10, least_steps=0, epochs=1)
    longest_first = sorted(points, key=lambda point: -point.idea.effort)
    base, *results = study.run(
        "speaking sooner",
        either,
        [(base_of, live, LOW_DELAY)]
        + [(try_idea, point.idea, measured, tuple(held_out)) for point in longest_first],
    )
    tried = {one.idea.name: each for one, each in zip(longest_first, results, strict=True)}
    sweep = {
        point.idea.name: _figures(point, tried[point.idea.name])
        for point in points
        if tried[point.idea.name]
    }
    found.figures = {
        "sweep": sweep,
        "measured_sessions": list(measured),
        "live": _live(study, live, base),
    }
    if sweep:
        found.tables.append(_table(sweep, held_out, measured))
        found.drawings.append(drawing_of(sweep))
    else:
        found.missing.append("No session with enough audible training utterances with sound.")
    if found.figures["live"]["mcd_db"] is None:
        found.missing.append("No session has audible test utterances with sound.")
    else:
        found.tables.append(_live_table(found.figures["live"]))
    found.differs.append(
        "None of this is in the paper. MCD of a prediction leaves out the first frames of an "
        "utterance, which would have to be predicted before its first sample: silence."
    )
    found.tuned.append(
        "Features and lead of the live converter were chosen on held-out training sentences of "
        "nine sessions of the trial corpus. The table of its sessions is of test subsets."
    )
    if study.settings.size == "default":
        found.tuned.append(
            f"To save time, networks of the sweep take one {SHORTER}th of the steps of "
            "`streamer train`; the live converter takes all."
        )
    return found


def _figures(point: Point, result: dict[str, dict[str, float]]) -> dict[str, Any]:
    lag_ms = SHIFT_MS * float(np.mean([one["lag_frames"] for one in result.values()]))
    lead_ms = point.idea.settings.lead_ms
    return {
        "series": point.series,
        "mcd_db": float(np.mean([one["mcd_db"] for one in result.values()])),
        "algorithmic_ms": point.algorithmic_ms,
        "future_ms": SHIFT_MS * point.idea.settings.future,
        "lead_ms": lead_ms,
        "lag_ms": lag_ms,
        "effective_lead_ms": lead_ms - lag_ms,
        "sessions": result,
    }


def _live(study: Study, settings: CausalSettings, base: Base | None) -> dict[str, Any]:
    names = study.material.sessions
    jobs = [(name, LOW_DELAY, settings, base) for name in names]
    results = study.run("live converter: each session", live_session, jobs)
    rows = {
        name: None if one is None else {"audible": one}
        for name, one in zip(names, results, strict=True)
    }
    figures = over_sessions(rows, "audible") or {"mcd_db": None, "sessions": {}}
    lags_ms = [one["lag_ms"] for one in figures["sessions"].values()]
    return {
        "lead_ms": settings.lead_ms,
        "algorithmic_ms": algorithmic_ms(LOW_DELAY, settings),
        "lag_ms": float(np.mean(lags_ms)) if lags_ms else None,
        **figures,
    }


def _table(
    sweep: dict[str, dict[str, Any]], held_out: tuple[str, ...], measured: tuple[str, ...]
) -> Table:
    rows = tuple(
        (
            name,
            one["algorithmic_ms"],
            one["effective_lead_ms"],
            one["algorithmic_ms"] + one["lag_ms"],
            one["mcd_db"],
        )
        for name, one in sweep.items()
    )
    return Table(
        "Distortion against latency, held-out training sentences",
        ("", "algorithmic (ms)", "effective lead (ms)", "algorithmic and lag (ms)", "MCD (dB)"),
        rows,
        note=f"{len(held_out)} sentences, held out of all sessions at once; mean over "
        f"{', '.join(measured)}. *Algorithmic* is the latency if computing and buffers cost "
        "nothing. *Effective lead*: lead less the lag at which prediction and target are most "
        "alike. One seed: less than 0.05 dB is noise.",
    )


def _live_table(live: dict[str, Any]) -> Table:
    rows = [(name, one["mcd_db"], one["lag_ms"]) for name, one in live["sessions"].items()]
    rows.append(("mean", live["mcd_db"]["mean"], live["lag_ms"]))
    return Table(
        "The live converter, test subsets",
        ("session", "MCD (dB)", "lag of the prediction (ms)"),
        tuple(rows),
        note=f"Low-delay features, lead {live['lead_ms']:g} ms: algorithmic latency "
        f"{live['algorithmic_ms']:.1f} ms.",
    )
