import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import SignalMismatchError, StreamerError
from models.signal.band_profile import STEADY, BandProfile, band_profiles, profile_columns

CHANNELS, BANDS = 3, 2


@pytest.fixture
def bands():
    return np.random.default_rng(0).normal(size=(50, CHANNELS * BANDS))


def test_a_profile_is_of_the_frames_heard_and_of_no_others(bands):
    """A live session cannot look ahead: what it is told by must not either."""
    profiles = band_profiles(bands, CHANNELS, [10, 50])
    assert profiles.shape == (2, profile_columns(CHANNELS, BANDS))
    for row, end in zip(profiles, (10, 50), strict=True):
        heard = bands[:end]
        np.testing.assert_allclose(row[:6], heard.mean(axis=0), atol=1e-12)
        np.testing.assert_allclose(row[6:12], heard.std(axis=0), atol=1e-12)
        np.testing.assert_array_equal(band_profiles(heard, CHANNELS, [end])[0], row)


def test_muscles_that_work_together_are_told_from_those_that_do_not(bands):
    """Without their correlation an unseen session is told at half a second 3 % less often."""
    loud = np.repeat(5 * np.random.default_rng(1).normal(size=(50, 1)), BANDS, axis=1)
    bands[:, :BANDS] = loud
    bands[:, BANDS : 2 * BANDS] = -loud
    bands[:, 2 * BANDS :] = 3.0
    first_second, first_third, second_third = band_profiles(bands, CHANNELS, [50])[0, 12:]
    sd = loud[:, 0].std()
    assert first_second == pytest.approx(-((sd / (sd + STEADY)) ** 2))
    assert [first_third, second_third] == pytest.approx([0, 0])  # a steady channel goes with none


@pytest.mark.parametrize("ends", [[0], [51], [20, 10]])
def test_a_moment_outside_of_the_frames_is_refused(bands, ends):
    """Frame 0 would be the last one, by the rules of numpy."""
    with pytest.raises(SignalMismatchError, match="up to frames"):
        band_profiles(bands, CHANNELS, ends)


def test_columns_that_are_no_bands_are_refused(bands):
    """Channels would be mixed up."""
    with pytest.raises(SignalMismatchError, match="4 channels x bands"):
        band_profiles(bands, 4, [1])


@given(cuts=st.lists(st.integers(0, 50), max_size=8), longest=st.sampled_from([None, 1, 7, 100]))
def test_any_chunking_gives_the_same(cuts, longest):
    """What is said live must be what the same recording says offline."""
    bands = np.random.default_rng(0).normal(size=(50, CHANNELS * BANDS))
    edges = [0, *sorted(cuts), len(bands)]
    one, other = (BandProfile(CHANNELS, BANDS, longest) for _ in range(2))
    one.process(bands)
    for a, b in zip(edges[:-1], edges[1:], strict=True):
        other.process(bands[a:b])
    np.testing.assert_array_equal(one.describe(), other.describe())
    assert one.frames == other.frames == min(50, longest or 50)


def test_what_is_too_old_is_forgotten(bands):
    """A speaker would never be another one in a session that goes on for hours."""
    profile = BandProfile(CHANNELS, BANDS, 20)
    profile.process(1000 * bands)
    profile.process(bands)
    np.testing.assert_allclose(
        profile.describe(), band_profiles(bands[30:], CHANNELS, [20])[0], atol=1e-6
    )


def test_nothing_heard_is_no_number(bands):
    """Zeros would be a speaker like any other."""
    profile = BandProfile(CHANNELS, BANDS)
    profile.process(bands[:0])
    assert np.isnan(profile.describe()).all()
    profile.process(bands)
    profile.reset()
    assert np.isnan(profile.describe()).all()
    with pytest.raises(StreamerError, match="frames of a profile"):
        BandProfile(CHANNELS, BANDS, 0)
