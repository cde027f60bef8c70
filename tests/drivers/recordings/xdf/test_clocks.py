"""Clocks that run otherwise than they say: no loss is invented, and none is missed."""

import numpy as np
import pytest

from drivers.effective_rate import effective_rate_hz
from drivers.recordings.xdf import FORMAT, XdfWriter
from drivers.source import Channel

RATE_HZ = 600.0
ROWS = 36_000  # a minute
PUSH = 12
LOSSES = ((6_000, 30), (20_000, 600), (30_000, 60))
REAL_HZ = [600, 600.006, 599.97, 599.8, 600.3, 598, 602, 594, 606, 570, 557.4, 300, 660]
STAMPS = ["each", "of each push", "jitter", "jitter of each push", "late pushes", "milliseconds"]


def written(path, real_hz, stamps, losses=()):
    """Write what a sender at another rate than it says would send; return what is lost."""
    rng = np.random.default_rng(5)
    kept = np.ones(ROWS, bool)
    for first, count in losses:
        kept[first : first + count] = False
    times_s = (100 + np.arange(ROWS) / real_hz)[kept]
    begins = np.arange(0, len(times_s), PUSH)
    if stamps == "late pushes":  # each is followed by one that is on time
        for begin in begins[149:-1:150]:
            times_s[begin : begin + PUSH] += 0.02
    elif stamps == "milliseconds":
        times_s = np.round(times_s, 3)
    elif "jitter" in stamps:
        times_s += np.repeat(rng.exponential(0.001, len(begins)), PUSH)[: len(times_s)]
    with XdfWriter(path) as writer:
        stream = writer.add_stream("Amp", "EMG", (Channel("EMG1"),), RATE_HZ, "float32")
        samples = rng.normal(0, 50, (len(times_s), 1)).astype(np.float32)
        for begin in begins:
            here = slice(begin, begin + PUSH)
            of_push = float(times_s[begin])
            writer.write(
                stream, samples[here], of_push if "of each push" in stamps else times_s[here]
            )
    return samples, int(np.count_nonzero(~kept))


@pytest.mark.parametrize("stamps", STAMPS)
@pytest.mark.parametrize("real_hz", REAL_HZ)
def test_a_clock_that_runs_otherwise_loses_nothing(tmp_path, real_hz, stamps):
    """798 samples were lost of a file that misses none."""
    samples, _ = written(tmp_path / "a.xdf", real_hz, stamps)
    (recording,) = FORMAT.read(tmp_path / "a.xdf")
    np.testing.assert_array_equal(recording.emg_uv, samples)
    assert recording.rate_hz == RATE_HZ
    assert bool(recording.notes) == (abs(real_hz / RATE_HZ - 1) > 0.006)


@pytest.mark.parametrize("stamps", STAMPS)
@pytest.mark.parametrize("real_hz", REAL_HZ)
def test_losses_are_found_whatever_the_clock(tmp_path, real_hz, stamps):
    """What the drift hides would be speech that is cut without a word."""
    _, lost = written(tmp_path / "a.xdf", real_hz, stamps, LOSSES)
    (recording,) = FORMAT.read(tmp_path / "a.xdf")
    found = int(np.isnan(recording.emg_uv).all(axis=1).sum())
    assert found == pytest.approx(lost, abs=15)


@pytest.mark.parametrize("real_hz", [600.0, 598.0, 570.0])
@pytest.mark.parametrize("share", [0.002, 0.05, 0.2])
def test_losses_of_single_samples_are_no_slow_clock(real_hz, share):
    """From afar, both are fewer samples than were promised."""
    kept = np.random.default_rng(1).random(ROWS) >= share
    times_s = (100 + np.arange(ROWS) / real_hz)[kept]
    assert effective_rate_hz(times_s, RATE_HZ) == pytest.approx(real_hz, rel=1e-3)


def test_a_clock_that_is_set_back_is_followed(tmp_path):
    """A sender's computer that gets its time from the net must not stop the reader."""
    times_s = 100 + np.arange(6000) / RATE_HZ
    times_s[3000:] -= 7.0
    with XdfWriter(tmp_path / "a.xdf") as writer:
        stream = writer.add_stream("Amp", "EMG", (Channel("EMG1"),), RATE_HZ, "float32")
        writer.write(stream, np.ones((6000, 1), np.float32), times_s)
    (recording,) = FORMAT.read(tmp_path / "a.xdf")
    assert len(recording.emg_uv) == 6000
    assert not np.isnan(recording.emg_uv).any()
