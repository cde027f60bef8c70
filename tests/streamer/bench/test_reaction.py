"""When a burst in the EMG begins to sound."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from drivers.errors import StreamerError
from drivers.recordings.recording import Recording
from drivers.source import Channel
from streamer.bench.heard import Heard
from streamer.bench.reaction import BURST_UV, quietest, reaction_ms, spread, with_bursts

RATE_HZ = 16000
EMG_HZ = 600.0


def recording(seconds: float, name: str = "a") -> Recording:
    emg = np.random.default_rng(0).normal(200, 50, (round(seconds * EMG_HZ), 6))
    return Recording(name, emg.astype(np.float32), EMG_HZ, tuple(Channel(f"{k}") for k in range(6)))


def test_bursts_are_all_that_differs() -> None:
    """Whatever else differs would be taken for the reaction."""
    pieces = with_bursts([recording(3.0), recording(1.0, "short"), recording(4.0, "b")], 5)
    assert [piece.plain.name for piece in pieces] == ["a-0", "b-1", "a-2", "b-3", "a-4"]
    for piece in pieces:
        assert piece.plain.name == piece.burst.name
        differs = np.flatnonzero((piece.plain.emg_uv != piece.burst.emg_uv).any(axis=1))
        assert differs[0] == piece.begin
        assert len(differs) == 60
        added = (piece.burst.emg_uv - piece.plain.emg_uv)[differs]
        assert added.std() == pytest.approx(BURST_UV, rel=0.2)
        assert piece.begin >= 0.9 * EMG_HZ


def test_what_was_before_settles_the_filters() -> None:
    """A cut is no jump from nothing."""
    one = recording(5.0)
    one.emg_uv[1500:1600] = 200
    (piece,) = with_bursts([one], 1)
    lead_in = piece.plain.lead_in_uv
    assert lead_in is not None
    assert len(lead_in) == 300
    assert (piece.plain.emg_uv[piece.begin + 30] == 200).all()  # the quietest place


def test_quietest_place() -> None:
    """A burst in the middle of a word says less."""
    emg = replace(recording(2.0)).emg_uv
    emg[700:800] = emg.mean()
    assert 690 <= quietest(emg, 60) <= 745


def test_short_recordings_are_refused() -> None:
    """A crash says nothing."""
    with pytest.raises(StreamerError, match="long enough"):
        with_bursts([recording(1.5)], 3)


@pytest.fixture
def voice() -> NDArray[np.float32]:
    return np.random.default_rng(1).normal(0, 0.05, 3 * RATE_HZ).astype(np.float32)


def at(audio: NDArray[np.float32], start_s: float) -> Heard:
    silence = np.zeros(RATE_HZ // 2, np.float32)
    return Heard(np.concatenate((silence, audio, silence)), RATE_HZ, start_s - 0.5, 1 / RATE_HZ)


@pytest.mark.parametrize(("plain_ms", "burst_ms"), [(80, 80), (80, 71.3), (65, 90)])
def test_reaction_is_measured_in_the_run_with_the_burst(
    plain_ms: float, burst_ms: float, voice: NDArray[np.float32]
) -> None:
    """Two runs do not begin at the same place of an audio block."""
    other = voice.copy()
    other[RATE_HZ + 320 :] += 0.3  # 20 ms after the burst, on the voice's own time
    found = reaction_ms(
        at(voice, 100 + plain_ms / 1000), 100.0, at(other, 200 + burst_ms / 1000), 200.0, 1.0
    )
    assert found == pytest.approx(20 + burst_ms, abs=0.5)


def _unlike(voice: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.random.default_rng(2).normal(0, 0.05, len(voice)).astype(np.float32)


@pytest.mark.parametrize("change", [lambda voice: voice, _unlike, np.zeros_like])
def test_runs_that_tell_nothing(
    change: Callable[[NDArray[np.float32]], NDArray[np.float32]], voice: NDArray[np.float32]
) -> None:
    """A number would be made up."""
    assert reaction_ms(at(voice, 100.1), 100.0, at(change(voice), 200.1), 200.0, 1.0) is None


def test_spread_of_nothing() -> None:
    """A reaction that was never heard must not look fast."""
    assert spread([]) == (float("inf"), float("inf"))
    assert spread([1.0, 2.0, 6.0])[0] == 2.0
