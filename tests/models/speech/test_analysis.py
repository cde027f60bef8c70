import numpy as np
import pysptk
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.speech.analysis import DEFAULT, mel_cepstrum, pitch

RATE = DEFAULT.rate_hz


def buzz(f0_hz, rng, noise=1e-3):
    """A pulse-like voice with the F0 contour given per sample."""
    phase = 2 * np.pi * np.cumsum(f0_hz) / RATE
    tones = sum(np.cos(k * phase) / k for k in range(1, 16))
    return 0.05 * tones + noise * rng.standard_normal(len(phase))


def sptk(audio):
    """SPTK's analysis, frame by frame."""
    window = pysptk.blackman(DEFAULT.frame)
    result = []
    for k in range(DEFAULT.frames(len(audio))):
        start = k * DEFAULT.hop
        frame = np.zeros(DEFAULT.fft)
        frame[: DEFAULT.frame] = audio[start : start + DEFAULT.frame] * window
        options = {"etype": 1, "eps": 1e-12, "min_det": 0.0, "threshold": 1e-9}
        result.append(pysptk.mcep(frame, DEFAULT.order, DEFAULT.all_pass, **options))
    return np.array(result)


def test_the_mel_cepstrum_is_sptks():
    """Otherwise our MCD would be a number of our own."""
    rng = np.random.default_rng(1)
    speech = np.concatenate(
        [buzz(np.linspace(90, 200, 6000), rng), 1e-4 * rng.standard_normal(4000)]
    )
    np.testing.assert_allclose(mel_cepstrum(speech), sptk(speech), atol=1e-5)


def test_c0_is_the_level_that_the_vocoder_needs():
    """White noise of variance s^2 is a filter of gain s: synthesis keeps the loudness."""
    noise = 0.01 * np.random.default_rng(2).standard_normal(RATE)
    mel = mel_cepstrum(noise).mean(axis=0)
    assert mel[0] == pytest.approx(np.log(0.01), abs=0.1)
    np.testing.assert_allclose(mel[1:], 0.0, atol=0.06)


@pytest.mark.parametrize(
    "audio",
    [
        np.zeros(2000),
        np.eye(1, 2000, 1000)[0],
        np.sign(np.sin(0.3 * np.arange(2000))),
        np.full(2000, 1e-9),
        np.r_[np.zeros(1000), np.ones(1000)],
    ],
    ids=["digital silence", "click", "square wave", "below rounding", "step"],
)
def test_nothing_audible_breaks_the_analysis(audio):
    """A corpus holds clicks and digital silence, and training must survive them."""
    mel = mel_cepstrum(audio)
    assert mel.shape == (DEFAULT.frames(len(audio)), DEFAULT.order + 1)
    assert np.isfinite(mel).all()
    assert np.isfinite(pitch(audio)).all()


@settings(max_examples=25)
@given(st.integers(0, 4000))
def test_f0_and_mel_cepstrum_have_the_same_frames(samples):
    """Training stacks them side by side, however short the utterance."""
    noise = np.random.default_rng(3).standard_normal(samples)
    assert len(mel_cepstrum(noise)) == len(pitch(noise)) == DEFAULT.frames(samples)


@pytest.mark.parametrize("level", [0.003, 1.0], ids=["faint", "loud"])
@pytest.mark.parametrize("sweep_hz", [(80, 180), (300, 150)], ids=["rising", "falling"])
def test_f0_is_that_of_the_frames_centre(sweep_hz, level):
    """F0 trained 7 ms beside its EMG frame would be a wrong target at every glide."""
    f0_hz = np.linspace(*sweep_hz, 2 * RATE)
    found = pitch(level * buzz(f0_hz, np.random.default_rng(4)))
    centres = np.arange(len(found)) * DEFAULT.hop + DEFAULT.centre
    inner = slice(10, -10)
    assert (found[inner] > 0).mean() > 0.97
    voiced = np.flatnonzero(found[inner] > 0) + 10
    slope = (sweep_hz[1] - sweep_hz[0]) / 2.0  # Hz per second
    late_s = (f0_hz[centres[voiced]] - found[voiced]) / slope
    assert abs(np.median(late_s)) < 0.002


def test_noise_and_hum_are_not_voiced():
    """A voice that hums through pauses and hisses is not worth listening to."""
    rng = np.random.default_rng(5)
    hum = 0.02 * np.sin(2 * np.pi * 50 * np.arange(2 * RATE) / RATE)
    assert (pitch(hum + 0.01 * rng.standard_normal(len(hum))) > 0).mean() < 0.05
