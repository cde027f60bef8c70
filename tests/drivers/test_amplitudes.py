"""A wrong unit shows in the amplitudes, and in nothing else."""

from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from drivers.amplitudes import Amplitudes
from drivers.recordings.emg_uka import EmgUkaCorpus

RATE_HZ = 600.0
LABELS = [f"EMG{n}" for n in range(1, 7)]


def _emg(scale=1.0, offset_uv=0.0, seconds=4.0):
    """EMG of 50 uV that comes and goes, as a face's does."""
    t = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    noise = np.random.default_rng(1).normal(0, 50, (len(t), 6))
    level = 0.3 + np.abs(np.sin(2 * np.pi * 0.7 * t))[:, np.newaxis]
    return ((noise * level + offset_uv) * scale).astype(np.float32)


def _cautions(emg_uv, pieces=(1000,)):
    found = Amplitudes(LABELS, RATE_HZ)
    for first in range(0, len(emg_uv), pieces[0]):
        found.add(emg_uv[first : first + pieces[0]])
    return found.cautions("talk.xdf")


@pytest.mark.parametrize("offset_uv", [0.0, 300.0, -20_000.0])
@pytest.mark.parametrize(
    ("scale", "words"),
    [
        *((1.0, None), (0.2, None), (5.0, None)),
        *((1e-3, "too small"), (1e-6, "too small|constant"), (0.0, "constant in all")),
        *((1e3, "too large"), (1 / 0.033, "too large"), (1 / 0.02235, "too large")),
    ],
)
def test_a_wrong_unit_is_seen_whatever_the_electrodes_offset(scale, words, offset_uv):
    """Models get EMG a thousand times too weak otherwise, without a word."""
    lines = _cautions(_emg(scale, offset_uv))
    if words is None:
        assert not lines
    else:
        (line,) = lines
        assert any(one in line for one in words.split("|"))
        assert "talk.xdf" in line


def test_all_recordings_of_the_simulator_are_plausible():
    """A caution that comes without a cause is not read any more."""
    packaged = Path(str(files("drivers.simulator") / "packaged"))
    for recording in EmgUkaCorpus(packaged).recordings():
        found = Amplitudes([c.label for c in recording.channels], recording.rate_hz)
        found.add(recording.emg_uv)
        assert found.cautions(recording.name) == []


def test_pieces_of_any_size_give_the_same():
    """A stream comes in chunks of its sender's choice."""
    assert _cautions(_emg(1e-3), (7,)) == _cautions(_emg(1e-3), (2400,))


def test_constant_channels_are_named_and_do_not_count_for_the_others():
    """Four dead electrodes make no wrong unit."""
    emg_uv = _emg()
    emg_uv[:, :4] = -21.5
    assert _cautions(emg_uv) == ["EMG of talk.xdf is constant in EMG1, EMG2, EMG3, EMG4"]


def test_one_bad_electrode_is_no_wrong_unit():
    """It hums with millivolts; the other channels are as they should be."""
    emg_uv = _emg()
    emg_uv[:, 2] *= 1000
    assert _cautions(emg_uv) == []


def test_lost_samples_and_short_recordings_say_nothing():
    """Half a second is no evidence, and a lost sample is none at all."""
    assert _cautions(_emg(1e-3, seconds=0.9)) == []
    emg_uv = _emg(1e-3)
    emg_uv[::100] = np.nan
    assert _cautions(emg_uv) == []
