"""The latency trace: every millisecond is somebody's."""

import numpy as np
import pytest

from streamer.engine.latency import STAGES, LatencyTrace


def test_stages_and_latency_of_a_frame() -> None:
    """A user who looks for latency must find the stage that takes it."""
    trace = LatencyTrace(acquired=True)
    trace.add(np.array([9.990]), 10.0, (0.001, 0.002, 0.003), 10.007)
    spread = {name: trace.percentiles(name) for name in (*STAGES, "compute", "latency")}
    values = {name: value.p50_ms for name, value in spread.items() if value is not None}
    assert values == pytest.approx(
        {
            "wait": 10,
            "features": 1,
            "inference": 2,
            "vocoder": 3,
            "buffer": 1,
            "compute": 7,
            "latency": 17,
        },
        abs=1e-3,
    )


def test_time_without_a_frame_is_the_next_frames_and_company_shares() -> None:
    """Work on samples that complete no frame must not vanish from the figures."""
    trace = LatencyTrace(acquired=True)
    trace.add(np.empty(0), 1.0, (0.001, 0.0, 0.0), 1.001)
    trace.add(np.array([1.99, 2.0]), 2.0, (0.003, 0.0, 0.0), 2.003)
    compute = trace.percentiles("compute")
    assert compute is not None
    assert compute.p50_ms == compute.max_ms == pytest.approx(2.0, abs=1e-3)
    assert trace.frames == 2


def test_virtual_time_has_no_latency() -> None:
    """A replay at speed max must not report a latency that means nothing."""
    trace = LatencyTrace(acquired=False)
    trace.add(np.array([5.0]), 1000.0, (0.001, 0.0, 0.0), 1000.001)
    report = trace.as_dict(41.5)
    assert report["latency"] is report["wait"] is None
    assert report["compute"]["p99_ms"] == pytest.approx(1.0, abs=1e-3)
    assert report["algorithmic_ms"] == 41.5
    assert report["estimate"] is None


def test_estimates_have_their_own_figure() -> None:
    """They are made beside the voice, but the machine has to make them."""
    trace = LatencyTrace(acquired=True)
    trace.add_estimate(0.002)
    trace.add_estimate(0.004)
    assert trace.as_dict(0.0)["estimate"]["p50_ms"] == pytest.approx(3.0)


def test_an_hour_is_remembered_and_the_latest_can_be_asked_for() -> None:
    """The figures of a day-long session are those of now, in bounded memory."""
    trace = LatencyTrace(acquired=True)
    times_s = np.zeros(1000)
    for n in range(400):
        took_s = 1.0 if n >= 395 else 0.0
        trace.add(times_s, 0.0, (took_s, 0.0, 0.0), took_s)
    assert trace.frames == 400_000
    whole, recent = trace.percentiles("compute"), trace.percentiles("compute", 4000)
    assert whole is not None
    assert recent is not None
    assert whole.p50_ms == 0.0
    assert recent.p50_ms == pytest.approx(1.0, abs=1e-3)


def test_nothing_is_known_before_the_first_frame() -> None:
    """A screen that looks early must not fail."""
    assert LatencyTrace(acquired=True).percentiles("compute") is None
