"""Times of what was heard."""

import numpy as np
import pytest

from drivers.errors import StreamerError
from streamer.bench.clicks import card_path
from streamer.bench.heard import Heard

RATE_HZ = 16000


def arrivals(seconds: float, late_s: float = 0.0, ppm: float = 0.0) -> list[tuple[int, float]]:
    """Pieces of 5 ms, each up to 4 ms late, from second 50 on."""
    random = np.random.default_rng(0)
    totals = np.arange(80, seconds * RATE_HZ, 80)
    times_s = 50 + late_s + totals / RATE_HZ * (1 - 1e-6 * ppm)
    times_s += random.exponential(0.001, len(totals)).clip(0, 0.004)
    times_s[:100] += 0.3  # the start-up
    return list(zip(totals.tolist(), times_s.tolist(), strict=True))


@pytest.mark.parametrize("ppm", [0.0, 200.0])
def test_arrivals_give_times(ppm: float) -> None:
    """Late arrivals would pass for a late voice."""
    audio = np.zeros(20 * RATE_HZ, np.float32)
    heard = Heard.from_arrivals(audio, RATE_HZ, arrivals(20, 0.007, ppm))
    for index in (0, 5 * RATE_HZ, 19 * RATE_HZ):
        true_s = 50.007 + (index + 1) / RATE_HZ * (1 - 1e-6 * ppm)
        assert heard.time_s(index) == pytest.approx(true_s, abs=3e-4)
        assert heard.index(heard.time_s(index)) == pytest.approx(index, abs=1e-3)
    assert heard.unsteady_ms < 0.3


def test_a_jump_shows() -> None:
    """A recorder that lost samples would move all that comes after."""
    there = arrivals(10) + [(n, t + 0.02) for n, t in arrivals(20) if n > 10 * RATE_HZ]
    heard = Heard.from_arrivals(np.zeros(20 * RATE_HZ, np.float32), RATE_HZ, there)
    assert heard.unsteady_ms > 4


def test_too_little_is_said() -> None:
    """A division by nothing tells nobody what to do."""
    with pytest.raises(StreamerError, match="virtual card"):
        Heard.from_arrivals(np.zeros(RATE_HZ, np.float32), RATE_HZ, arrivals(1))
    with pytest.raises(StreamerError, match="virtual card"):
        Heard.from_arrivals(np.zeros(0, np.float32), RATE_HZ, [])


def test_a_cut_reaches_beyond_the_ends() -> None:
    """The first and last words would have no neighbours to be compared with."""
    heard = Heard(np.ones(100, np.float32), RATE_HZ, 10.0, 1 / RATE_HZ)
    cut, first_s = heard.between(10.0 - 10 / RATE_HZ, 10.0 + 110 / RATE_HZ)
    assert len(cut) == 120
    assert cut.sum() == 100
    assert cut[10] == 1
    assert cut[9] == 0
    assert first_s == pytest.approx(10.0 - 10 / RATE_HZ, abs=1.1 / RATE_HZ)


def test_clicks_tell_the_card_s_path() -> None:
    """All figures rest on how long the card takes."""
    audio = np.zeros(4 * RATE_HZ, np.float32)
    clicks_s = [10.5, 11.0, 11.5, 12.0]
    for click_s, delay_s in zip(clicks_s[:3], (0.020, 0.021, 0.022), strict=True):
        audio[round((click_s + delay_s - 10) * RATE_HZ)] = 0.5
    path = card_path(clicks_s, Heard(audio, RATE_HZ, 10.0, 1 / RATE_HZ))
    assert path.median_ms == pytest.approx(21.0, abs=0.1)
    assert path.sd_ms == pytest.approx(0.82, abs=0.1)
    assert path.lost == 1
    assert card_path([20.0], Heard(audio, RATE_HZ, 10.0, 1 / RATE_HZ)).sd_ms == float("inf")
