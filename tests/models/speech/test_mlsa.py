import builtins

import numpy as np
import pysptk
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pysptk.synthesis import MLSADF, Synthesizer

from models.speech import mlsa

ORDER, ALL_PASS, HOP = 24, 0.42, 160


@pytest.fixture
def speech_like():
    rng = np.random.default_rng(0)
    mel_cepstra = rng.normal(size=(30, ORDER + 1)) * 0.3 / np.sqrt(1 + np.arange(ORDER + 1))
    return mel_cepstra, rng.standard_normal(30 * HOP)


@pytest.mark.parametrize("synthesis_filter", [mlsa.filter_hop, mlsa.filter_pysptk])
def test_the_filter_is_pysptks(speech_like, synthesis_filter):
    """The compiled filter, and the way without numba, must be the filter that all use."""
    mel_cepstra, excitation = speech_like
    coefficients = mlsa.Coefficients(ORDER, ALL_PASS)
    b = np.array([coefficients.of(mel)[0] for mel in mel_cepstra])
    np.testing.assert_allclose(b, pysptk.mc2b(mel_cepstra, ALL_PASS), atol=1e-12)
    delays = mlsa.delay_line(ORDER)
    ours = [
        synthesis_filter(part, b[max(0, k - 1)], b[k], ALL_PASS, delays)
        for k, part in enumerate(excitation.reshape(-1, HOP))
    ]
    theirs = Synthesizer(MLSADF(ORDER, ALL_PASS, mlsa.PADE), HOP).synthesis(excitation, b)
    np.testing.assert_allclose(np.concatenate(ours), theirs, atol=1e-10)


def test_without_numba_pysptk_filters(monkeypatch):
    """The chain still speaks where numba has no wheel."""
    real_import = builtins.__import__

    def no_numba(name, *args, **kwargs):
        if name == "numba":
            raise ImportError(name)
        return real_import(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", no_numba)
    assert mlsa._chosen() is mlsa.filter_pysptk


def test_natural_spectra_are_left_alone(speech_like):
    """The guard for wild networks must not change ordinary speech."""
    coefficients = mlsa.Coefficients(ORDER, ALL_PASS)
    assert not any(coefficients.of(mel)[1] for mel in speech_like[0])


@settings(max_examples=30)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([0.1, 1.0, 10.0, 1e6, 1e300]),
    st.sampled_from(["noise", "steps", "one"]),
)
def test_the_filter_stays_stable_whatever_comes(seed, scale, kind):
    """One wild frame of a network must not deafen, nor leave a filter that rings forever."""
    rng = np.random.default_rng(seed)
    mel = rng.normal(size=(20, ORDER + 1))
    if kind == "steps":
        mel = np.sign(mel)
    if kind == "one":
        mel = np.eye(ORDER + 1)[rng.integers(ORDER + 1, size=20)]
    coefficients = mlsa.Coefficients(ORDER, ALL_PASS)
    delays = mlsa.delay_line(ORDER)
    b = np.zeros(ORDER + 1)
    for frame in scale * mel:
        before, (b, _) = b, coefficients.of(frame)
        out = mlsa.filter_hop(rng.standard_normal(HOP), before, b, ALL_PASS, delays)
        assert np.abs(out).max() < 1e7
    quiet = np.zeros(ORDER + 1)
    for _ in range(10):
        out = mlsa.filter_hop(np.zeros(HOP), quiet, quiet, ALL_PASS, delays)
    assert np.abs(out).max() < 1e-6
