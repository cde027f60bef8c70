import numpy as np
import pytest

from models.evaluation.metrics.distortion import mel_cepstral_distortion
from models.speech.analysis import DEFAULT, mel_cepstrum
from models.speech.excitation import Excitation

HOP = DEFAULT.hop


def run(contour_hz, seed=0):
    excitation = Excitation(DEFAULT, seed)
    pairs = zip([contour_hz[0], *contour_hz[:-1]], contour_hz, strict=True)
    return np.concatenate([excitation.hop(HOP, a, b) for a, b in pairs])


@pytest.mark.parametrize("f0_hz", [0.0, 70.0, 120.0, 250.0])
def test_power_is_one_in_every_band(f0_hz):
    """Pulses or noise, the loudness and the timbre are the mel-cepstrum's alone."""
    signal = run([f0_hz] * 800)
    power = np.abs(np.fft.rfft(signal)) ** 2 / len(signal)
    for band in np.array_split(power[1:], 4):
        assert band.mean() == pytest.approx(1.0, abs=0.06)


def test_the_noise_is_steady():
    """Plain noise would cost 2.7 dB in all that is whispered or silent."""
    mel = mel_cepstrum(run([0.0] * 300))
    flat = np.zeros_like(mel)
    assert mel_cepstral_distortion(mel, flat) < 0.8
    plain = np.random.default_rng(0).standard_normal(300 * HOP)
    assert mel_cepstral_distortion(mel_cepstrum(plain), flat) > 2.0


def test_the_noise_has_neither_period_nor_clicks():
    """Steadiness must not be bought with a tone or a crackle."""
    noise = run([0.0] * 790)
    spectrum = np.abs(np.fft.rfft(noise, 2 * len(noise))) ** 2
    correlation = np.fft.irfft(spectrum)[1 : 50 * HOP] / (noise @ noise)
    assert np.abs(correlation).max() < 0.02
    assert np.abs(noise).max() < 6.0
    assert (noise**4).mean() == pytest.approx(3.0, abs=0.2)


def test_pulses_keep_the_pitch_between_samples_and_hops():
    """Pulses rounded to samples would make the pitch rough."""
    low_passed = np.convolve(run([123.4] * 200), np.hanning(33), "same")
    crossings = np.flatnonzero((low_passed[:-1] < 4.0) & (low_passed[1:] >= 4.0))
    exact = crossings + (4.0 - low_passed[crossings]) / np.diff(low_passed)[crossings]
    periods = np.diff(exact[2:])
    assert periods.mean() == pytest.approx(DEFAULT.rate_hz / 123.4, rel=1e-3)
    assert periods.std() < 0.1  # rounding to samples makes 0.47


def test_voicing_starts_and_ends_in_the_middle_of_its_hop():
    """Where one of two frames is voiced, the border lies half-way between their centres."""
    mixed, noise = run([0.0, 0.0, 100.0, 100.0, 0.0, 0.0]), run([0.0] * 6)
    differs = np.flatnonzero(mixed != noise)
    assert differs.min() == 2.5 * HOP
    assert 4.5 * HOP - 1 <= differs.max() < 4.5 * HOP + 32  # the last pulse may ring on


def test_reset_repeats_and_seeds_differ():
    """The same run gives the same WAV."""
    excitation = Excitation(DEFAULT, 7)
    first = [excitation.hop(HOP, 0.0, 90.0), excitation.hop(HOP, 90.0, 95.0)]
    excitation.reset()
    again = [excitation.hop(HOP, 0.0, 90.0), excitation.hop(HOP, 90.0, 95.0)]
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first[0], Excitation(DEFAULT, 8).hop(HOP, 0.0, 90.0))
