"""Outages as they are heard."""

import numpy as np
import pytest
from numpy.typing import NDArray

from streamer.bench.outages import Outage, find_outages, largest_edge, largest_steps

RATE_HZ = 16000


@pytest.fixture
def heard() -> NDArray[np.float32]:
    """A second of voice, a second without, again and again."""
    audio = np.random.default_rng(0).uniform(0.1, 0.2, 5 * RATE_HZ).astype(np.float32)
    audio[RATE_HZ : 2 * RATE_HZ] = audio[3 * RATE_HZ : 4 * RATE_HZ] = 0
    silence = np.zeros(RATE_HZ, np.float32)
    return np.concatenate((silence, audio, silence))


def test_silence_between_voices_is_an_outage(heard: NDArray[np.float32]) -> None:
    """A voice that does not come back would pass for one that was never away."""
    assert find_outages(heard, RATE_HZ) == [
        Outage(2 * RATE_HZ, 3 * RATE_HZ),
        Outage(4 * RATE_HZ, 5 * RATE_HZ),
    ]
    assert find_outages(heard[: 4 * RATE_HZ], RATE_HZ) == [Outage(2 * RATE_HZ, 3 * RATE_HZ)]
    heard[int(2.5 * RATE_HZ)] = 0.1
    assert len(find_outages(heard, RATE_HZ)) == 3
    assert find_outages(np.zeros(100, np.float32), RATE_HZ) == []


def test_a_click_shows(heard: NDArray[np.float32]) -> None:
    """A cable that is pulled would crack in the listener's ear."""
    outages = find_outages(heard, RATE_HZ)
    at_edges, elsewhere = largest_steps(heard, outages, RATE_HZ)
    assert at_edges == pytest.approx(0.2, abs=0.01)  # cut off without a fade
    heard[3 * RATE_HZ + 200] = 0.9
    assert largest_steps(heard, outages, RATE_HZ)[0] > 0.6
    heard[3 * RATE_HZ + 200] = 0.1
    heard[6 * RATE_HZ - 3000] = 0.9
    assert largest_steps(heard, outages, RATE_HZ)[0] == pytest.approx(at_edges)
    assert largest_steps(heard, outages, RATE_HZ)[1] > 0.6 > elsewhere


def test_a_voice_that_is_cut_off_is_told_from_one_that_fades() -> None:
    """A noisy voice has steps of its own that hide the one of a hard cut."""
    audio = np.random.default_rng(1).uniform(-0.2, 0.2, 3 * RATE_HZ).astype(np.float32)
    outages = [Outage(RATE_HZ, 2 * RATE_HZ)]
    audio[RATE_HZ : 2 * RATE_HZ] = 0
    at_edges, elsewhere = largest_steps(audio, outages, RATE_HZ)
    assert at_edges <= elsewhere  # the step alone says nothing
    assert largest_edge(audio, outages, RATE_HZ) > 0.8
    fade = np.linspace(0, 1, 80, endpoint=False, dtype=np.float32)
    audio[2 * RATE_HZ :][:80] *= fade
    assert largest_edge(audio, outages, RATE_HZ) > 0.8  # the other edge
    audio[RATE_HZ - 80 : RATE_HZ] *= fade[::-1]
    assert largest_edge(audio, outages, RATE_HZ) < 0.3
