import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.compiled import compiled
from models.evaluation.metrics.distortion import mel_cepstral_distortion
from models.speech import excitation
from models.speech.analysis import DEFAULT, mel_cepstrum
from models.speech.excitation import _DUE, Excitation, _hop

HOP = DEFAULT.hop


class Plain(Excitation):
    """The same excitation in numpy, without a loop over samples."""

    def hop(self, samples, start_hz, end_hz):
        f0_hz = np.where(np.arange(samples) < samples // 2, start_hz, end_hz)
        if start_hz > 0 and end_hz > 0:
            f0_hz = start_hz + (end_hz - start_hz) * (np.arange(samples) / samples)
        places = (self._position + np.arange(samples)) % len(self._noise)
        self._position = (self._position + samples) % len(self._noise)
        noise = np.where(f0_hz > 0, self._high_noise[places], self._noise[places])
        pulses = np.concatenate((self._tail, np.zeros(samples)))
        steps = f0_hz / self._rate_hz
        if steps[0] == 0:
            self._phase = _DUE
        voiced = np.flatnonzero(steps)
        phase = self._phase + np.cumsum(steps[voiced])
        for i in np.flatnonzero(np.diff(np.floor(phase), prepend=0.0)):
            since = phase[i] % 1.0 / steps[voiced[i]]
            pulse = self._pulses[min(int(since * 64), 63)] / np.sqrt(steps[voiced[i]])
            pulses[voiced[i] : voiced[i] + 32] += pulse
        self._phase = _DUE if steps[-1] == 0 else phase[-1] % 1.0
        self._tail = pulses[samples:]
        return noise + pulses[:samples]


def run(contour_hz, seed=0):
    source = Excitation(DEFAULT, seed)
    pairs = zip([contour_hz[0], *contour_hz[:-1]], contour_hz, strict=True)
    return np.concatenate([source.hop(HOP, a, b) for a, b in pairs])


hops = st.tuples(
    st.sampled_from([160, 160, 160, 159, 161, 216, 1, 20]),
    st.one_of(st.just(0.0), st.just(100.0), st.floats(60.0, 400.0)),
)


@settings(max_examples=100)
@given(st.lists(hops, min_size=2, max_size=30))
def test_the_compiled_excitation_is_that_of_numpy(hops):
    """A compiler, or a loop that is wrong at a border, must not change the voice."""
    ours, plain = Excitation(DEFAULT, 3), Plain(DEFAULT, 3)
    last_hz = 0.0
    for samples, f0_hz in hops:
        expected = plain.hop(samples, last_hz, f0_hz)
        np.testing.assert_allclose(ours.hop(samples, last_hz, f0_hz), expected, atol=1e-10)
        last_hz = f0_hz


def test_without_numba_it_is_the_same_function(monkeypatch):
    """The chain still speaks where numba has no wheel, and with the same voice."""
    monkeypatch.setitem(sys.modules, "numba", None)
    plain = _hop.py_func
    assert compiled(plain) is plain
    expected = run([0.0, 120.0, 130.0, 0.0])
    monkeypatch.setattr(excitation, "_hop", plain)
    np.testing.assert_allclose(run([0.0, 120.0, 130.0, 0.0]), expected, atol=1e-12)


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
    source = Excitation(DEFAULT, 7)
    first = [source.hop(HOP, 0.0, 90.0), source.hop(HOP, 90.0, 95.0)]
    source.reset()
    again = [source.hop(HOP, 0.0, 90.0), source.hop(HOP, 90.0, 95.0)]
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first[0], Excitation(DEFAULT, 8).hop(HOP, 0.0, 90.0))
