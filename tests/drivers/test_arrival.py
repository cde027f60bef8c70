"""Acquisition times: right within 1 ms, whatever the transport and the clocks do."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.arrival import SampleClock

RATE_HZ = 600.0
EPOCH_S = 86400.0  # of the host's clock: large, as it is after a day


def errors_ms(
    clock: SampleClock,
    *,
    seconds: float,
    burst_s: float,
    drift_ppm: float,
    jitter_s: float = 0.0,
    first: int = 0,
    begin_s: float = EPOCH_S,
    seed: int = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """Let samples arrive in bursts; return seconds since the start and errors of their times."""
    rng = np.random.default_rng(seed)
    rate_hz = RATE_HZ * (1 + drift_ppm * 1e-6)
    flushed_s = np.arange(1, round(seconds / burst_s)) * burst_s
    arrived_s = flushed_s + rng.exponential(jitter_s, len(flushed_s)) if jitter_s else flushed_s
    arrived_s = np.maximum.accumulate(arrived_s)
    totals = np.floor(flushed_s * rate_hz + 1e-9).astype(int)
    seconds_s, errors = [], []
    before = 0
    for since_s, total, arrival_s in zip(flushed_s, totals, arrived_s, strict=True):
        if total > before:
            clock.add(first + int(total), begin_s + float(arrival_s), int(total - before))
            true_s = begin_s + total / rate_hz
            errors.append((clock.time_s(first + int(total) - 1) - true_s) * 1000)
            seconds_s.append(since_s)
            before = total
    return np.array(seconds_s), np.array(errors)


@pytest.mark.parametrize("drift_ppm", [-100.0, 0.0, 100.0])
@pytest.mark.parametrize("jitter_s", [0.0, 0.002])
@pytest.mark.parametrize(("burst_s", "seconds"), [(0.001, 60), (0.016, 660), (0.0161, 660)])
def test_times_are_right_within_a_millisecond(drift_ppm, jitter_s, burst_s, seconds):
    """A wrong time puts the voice beside the lips, and events beside the EMG."""
    clock = SampleClock(RATE_HZ)
    seconds_s, errors = errors_ms(
        clock, seconds=seconds, burst_s=burst_s, drift_ppm=drift_ppm, jitter_s=jitter_s
    )
    assert np.abs(errors[0]) < 1.8 + 1000 * jitter_s  # a sample, and the luck of one arrival
    assert np.abs(errors[seconds_s > 0.5]).max() < 1.0
    assert np.abs(errors[seconds_s > 30]).max() < 0.4
    assert clock.drift_ppm == pytest.approx(drift_ppm, abs=5)
    assert clock.jitter_ms == pytest.approx(1000 * burst_s + 3000 * jitter_s, abs=3)


@pytest.mark.parametrize("drift_ppm", [-500.0, 500.0])
def test_the_worst_quartz_is_followed(drift_ppm):
    """A cheap device drifts by a sample in three seconds: its times must not run away."""
    clock = SampleClock(RATE_HZ)
    seconds_s, errors = errors_ms(clock, seconds=120, burst_s=0.016, drift_ppm=drift_ppm)
    assert np.abs(errors).max() < 3
    assert np.abs(errors[seconds_s > 20]).max() < 0.5
    assert clock.drift_ppm == pytest.approx(drift_ppm, abs=2)


def test_nothing_is_claimed_before_it_is_known():
    """A drift read from three seconds of arrivals would be the jitter's."""
    clock = SampleClock(RATE_HZ)
    errors_ms(clock, seconds=10, burst_s=0.016, drift_ppm=50, jitter_s=0.005)
    assert clock.drift_ppm is None
    assert clock.jitter_ms > 0
    with pytest.raises(ValueError, match="no sample"):
        SampleClock(RATE_HZ).time_s(0)


def test_what_was_learnt_outlives_a_gap():
    """After each pulled cable the first seconds would be as bad as after the start."""
    clock = SampleClock(RATE_HZ)
    errors_ms(clock, seconds=60, burst_s=0.016, drift_ppm=-100)
    clock.restart()
    seconds_s, errors = errors_ms(
        clock, seconds=60, burst_s=0.016, drift_ppm=-100, begin_s=EPOCH_S + 100, seed=1
    )
    assert np.abs(errors[seconds_s > 0.1]).max() < 0.35
    assert np.abs(errors[seconds_s > 10]).max() < 0.1
    assert clock.drift_ppm == pytest.approx(-100, abs=2)


def test_a_busy_host_does_not_move_the_times():
    """Two seconds in which everything is late are the host's, not the device's."""
    clock = SampleClock(RATE_HZ)
    for total in range(10, 60001, 10):
        true_s = total / RATE_HZ
        late_s = 0.25 if 30 < true_s < 32 or 5 < true_s < 6 else 0.0
        clock.add(total, true_s + late_s, 10)
        assert clock.time_s(total - 1) == pytest.approx(true_s, abs=1e-3)


def test_lost_samples_keep_their_place_in_time():
    """Samples that are counted as lost took their time all the same."""
    clock = SampleClock(RATE_HZ)
    rng = np.random.default_rng(0)
    for total in np.cumsum(rng.integers(1, 40, 3000)):
        clock.add(int(total), total / RATE_HZ)
        assert clock.time_s(int(total) - 1) == pytest.approx(total / RATE_HZ, abs=1e-6)


@given(
    steps=st.lists(st.tuples(st.integers(1, 500), st.floats(0, 2)), min_size=1, max_size=300),
    rate_hz=st.sampled_from([1.0, 600.0, 50000.0]),
)
def test_no_sample_is_later_than_its_arrival(steps, rate_hz):
    """Whatever comes whenever: a time is finite, and nobody hears of the future."""
    clock = SampleClock(rate_hz)
    total, now_s = 0, 1e5
    for samples, wait_s in steps:
        total, now_s = total + samples, now_s + wait_s
        clock.add(total, now_s, samples)
        assert clock.time_s(total - 1) <= now_s + 1e-6
    assert clock.time_s(10) < clock.time_s(11)
    assert clock.drift_ppm is None or abs(clock.drift_ppm) <= 501
