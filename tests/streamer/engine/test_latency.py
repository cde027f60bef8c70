"""The latency trace: every millisecond is somebody's."""

import numpy as np
import pytest

from streamer.engine.latency import STAGES, LatencyTrace, latency_class, total_as_dict


def test_stages_and_latency_of_a_frame() -> None:
    """A user who looks for latency must find the stage that takes it."""
    trace = LatencyTrace(acquired=True, card_s=lambda: 0.008)
    stage_s = (0.001, 0.002, 0.003)
    trace.add(np.array([9.990]), 10.0, stage_s, 10.007, fill_s=0.03, ahead_s=0.025)
    sums = ("compute", "latency", "measured", "fill")
    spread = {name: trace.percentiles(name) for name in (*STAGES, *sums)}
    values = {name: value.p50_ms for name, value in spread.items() if value is not None}
    assert values == pytest.approx(
        {
            "wait": 10,
            "features": 1,
            "inference": 2,
            "vocoder": 3,
            "buffer": 1,
            "compute": 7,
            "loudspeaker": 33,
            "latency": 17,
            "measured": 50,
            "fill": 30,
        },
        abs=1e-3,
    )


def test_the_total_is_from_an_instant_to_its_sound_and_has_a_class() -> None:
    """Whether a voice can be spoken with is decided by the whole way, not by the computing."""
    trace = LatencyTrace(acquired=True, card_s=lambda: 0.02)
    trace.add(np.array([1.0]), 1.001, (0.0, 0.0, 0.0), 1.001, ahead_s=0.039)
    report = trace.as_dict(36.0)
    assert report["total_ms"] == pytest.approx(
        {"p50": 96, "p95": 96, "p99": 96, "max": 96, "class": "acceptable"}, abs=1e-3
    )
    assert (report["algorithmic_ms"], report["card_ms"]) == (36.0, 20.0)
    total = trace.total(36.0)
    assert total is not None
    assert total_as_dict(total) == report["total_ms"]


def test_frames_that_come_together_are_played_one_after_the_other() -> None:
    """A chunk of 50 ms must not look as if its last frame were the fastest of all."""
    trace = LatencyTrace(acquired=True)
    times_s = np.array([1.00, 1.01, 1.02, 1.03, 1.04])
    trace.add(times_s, 1.05, (0.0, 0.0, 0.0), 1.05, ahead_s=0.02)
    measured, speaker = trace.percentiles("measured"), trace.percentiles("loudspeaker")
    assert measured is not None
    assert speaker is not None
    assert (measured.p50_ms, measured.max_ms) == pytest.approx((70, 70), abs=1e-2)
    assert (speaker.p50_ms, speaker.max_ms) == pytest.approx((40, 60), abs=1e-2)


def test_what_nothing_plays_has_no_way_to_the_loudspeaker() -> None:
    """Before the start and while it is dry, a wait of nothing would be told as speed."""
    trace = LatencyTrace(acquired=True)
    trace.add(np.array([1.0]), 1.001, (0.0, 0.0, 0.0), 1.001)
    assert trace.total(36.0) is trace.percentiles("fill") is None
    assert trace.percentiles("latency") is not None
    trace.add(np.array([1.01]), 1.011, (0.0, 0.0, 0.0), 1.011, fill_s=0.03, ahead_s=0.03)
    fill = trace.percentiles("fill")
    assert fill is not None
    assert fill.p50_ms == pytest.approx(30, abs=1e-3)


@pytest.mark.parametrize(
    ("total_ms", "name"),
    [(12, "good"), (50, "good"), (50.1, "acceptable"), (149, "marginal"), (151, "disruptive")],
)
def test_classes_of_delay(total_ms: float, name: str) -> None:
    """A person at the screen must not need to know the literature."""
    assert latency_class(total_ms) == name


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
    assert report["latency"] is report["wait"] is report["total_ms"] is None
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
