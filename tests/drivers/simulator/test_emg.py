import dataclasses

import numpy as np
import pytest
from scipy import signal

from drivers.simulator.emg import (
    EMG_RATE_HZ,
    N_SITES,
    UV_PER_COUNT,
    Electrodes,
    interference_emg,
    to_counts,
)
from drivers.simulator.muscles import MUSCLES
from drivers.simulator.speakers import make_session, make_speaker

SPEAKER = make_speaker(1, 0)
QUIET = Electrodes(
    gains=np.ones((N_SITES, len(MUSCLES))),
    baseline_uv=np.zeros(N_SITES),
    artefact_uv=np.zeros(N_SITES),
    hum_uv=np.zeros(N_SITES),
    drift_uv=np.zeros(N_SITES),
    offset_uv=np.zeros(N_SITES),
    hum_phase=np.zeros(N_SITES),
)


def _emg(activation: float, electrodes: Electrodes, seconds: float = 20.0) -> np.ndarray:
    activations = np.full((int(seconds * EMG_RATE_HZ), len(MUSCLES)), activation)
    return interference_emg(activations, SPEAKER.anatomy, electrodes, np.random.default_rng(0))


def test_amplitude_follows_activation() -> None:
    """This is all that a network can read in the EMG."""
    np.testing.assert_allclose(_emg(0.0, QUIET), 0.0)
    weak, strong = _emg(0.2, QUIET).std(axis=0), _emg(1.0, QUIET).std(axis=0)
    np.testing.assert_allclose(strong / weak, 5.0)
    expected = np.sqrt(np.sum(SPEAKER.anatomy.site_gains_uv**2, axis=1))
    np.testing.assert_allclose(strong, expected, rtol=0.1)


def test_the_power_is_where_muscles_have_theirs() -> None:
    """Filters that are right for people's EMG must be right for the simulated one."""
    frequency_hz, power = signal.welch(_emg(1.0, QUIET), EMG_RATE_HZ, nperseg=300, axis=0)
    share = np.cumsum(power, axis=0) / np.sum(power, axis=0)
    median_hz = frequency_hz[np.argmax(share > 0.5, axis=0)]
    assert np.all((median_hz > 70) & (median_hz < 140))
    assert np.all(share[frequency_hz <= 10][-1] < 0.05)


def test_neighbouring_sites_share_what_they_see() -> None:
    """Crosstalk: without it six sites would be six clean muscles."""
    correlation = np.corrcoef(_emg(1.0, QUIET).T)
    assert correlation[3, 4] > 0.3  # both see the platysma, unipolar
    assert abs(correlation[1, 5]) < 0.1  # cheek and tongue, bipolar


def test_hum_and_offset_are_what_the_session_says() -> None:
    """A notch filter and the removal of DC need something to remove."""
    hummy = dataclasses.replace(
        QUIET, hum_uv=np.full(N_SITES, 10.0), offset_uv=np.linspace(0.0, 500.0, N_SITES)
    )
    emg = _emg(0.0, hummy)
    np.testing.assert_allclose(emg.mean(axis=0), hummy.offset_uv, atol=1e-6)
    frequency_hz, power = signal.periodogram(emg, EMG_RATE_HZ, axis=0)
    assert np.all(frequency_hz[np.argmax(power, axis=0)] == 50.0)


def test_counts_are_clipped_and_never_wrap() -> None:
    """A wrapped sample would be a jump of two millivolts that no electrode saw."""
    counts = to_counts(np.array([-2000.0, -33.0, 0.0, 0.033, 2000.0]))
    assert counts.dtype == np.int16
    assert counts.tolist() == [-32768, -1000, 0, 1, 32767]


def test_levels_are_those_of_real_sessions() -> None:
    """What is tuned on simulated EMG must not meet another magnitude on real EMG."""
    for index in range(3):
        session = make_session(2020, make_speaker(2020, index), 1)
        rng = np.random.default_rng(index)
        activations = np.abs(rng.normal(0.3, 0.15, (6000, len(MUSCLES))))
        emg = interference_emg(activations, session.speaker.anatomy, session.electrodes, rng)
        deviation_uv = signal.detrend(emg, axis=0).std(axis=0)
        assert np.all((deviation_uv > 15) & (deviation_uv < 200))
        assert np.all(np.abs(emg.mean(axis=0)) > 1000 * UV_PER_COUNT)


@pytest.mark.parametrize("seed", [0, 2020])
def test_who_and_when_depend_on_the_seed_alone(seed: int) -> None:
    """A bundle trained on a large corpus meets the same people in the small one."""
    first, second = (make_session(seed, make_speaker(seed, 1), 2) for _ in range(2))
    assert first.name == second.name == "102-002"
    np.testing.assert_array_equal(first.electrodes.gains, second.electrodes.gains)
    other = make_session(seed + 1, make_speaker(seed + 1, 1), 2)
    assert not np.array_equal(first.electrodes.gains, other.electrodes.gains)
