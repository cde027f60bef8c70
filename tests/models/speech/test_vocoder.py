from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from models.evaluation.metrics.distortion import mel_cepstral_distortion
from models.speech import mlsa
from models.speech.analysis import DEFAULT, mel_cepstrum, pitch
from models.speech.vocoder import Vocoder, in_time

CORPUS = Path(__file__).parents[3] / "data" / "emg-uka"
HOP, CENTRE, SIZE = DEFAULT.hop, DEFAULT.centre, DEFAULT.order + 1


def frames(n, seed=0):
    """Smooth spectra of moderate range with voiced and unvoiced stretches."""
    rng = np.random.default_rng(seed)
    mel = np.cumsum(rng.normal(size=(n, SIZE)), axis=0) * 0.03 / np.sqrt(1 + np.arange(SIZE))
    mel[:, 0] -= 5.0
    f0_hz = 110 + 20 * np.sin(np.arange(n) / 7)
    voiced = np.arange(n) // 9 % 2 == 0
    gain = np.clip(0.7 + 0.5 * np.sin(np.arange(n) / 5), 0.0, 1.0)
    return mel, f0_hz, voiced, gain


def level(n, c0=-4.0):
    mel = np.zeros((n, SIZE))
    mel[:, 0] = c0
    return mel, np.full(n, 100.0), np.zeros(n, dtype=bool)


@settings(max_examples=30)
@given(st.lists(st.integers(0, 12), max_size=12))
def test_grouping_of_frames_changes_nothing(cuts):
    """Live, one frame at a time, must sound exactly like offline, all at once."""
    inputs = frames(40)
    edges = sorted({0, 40, *np.cumsum(cuts, dtype=int)[np.cumsum(cuts, dtype=int) < 40]})
    whole, parts = Vocoder(), Vocoder()
    expected = np.concatenate([whole.process(*inputs), whole.finish(40 * HOP + 300)])
    got = [parts.process(*(x[a:b] for x in inputs)) for a, b in zip(edges, edges[1:], strict=False)]
    got.append(parts.process(*(x[:0] for x in inputs)))
    got.append(parts.finish(40 * HOP + 300))
    np.testing.assert_array_equal(np.concatenate(got), expected)


def test_a_frame_brings_what_lies_before_its_centre():
    """The WAV's sample n is the EMG's time n / 16000 s only if this holds."""
    vocoder = Vocoder()
    mel, f0_hz, voiced = level(3)
    assert len(vocoder.process(mel[:1], f0_hz[:1], voiced[:1])) == CENTRE
    assert len(vocoder.process(mel[1:], f0_hz[1:], voiced[1:])) == 2 * HOP
    assert len(vocoder.finish(1000)) == 1000 - CENTRE - 2 * HOP


def test_a_change_is_heard_where_it_was_spoken():
    """Re-analysed, a step of the level lies at the frame where it was asked for."""
    mel, f0_hz, voiced = level(60)
    mel[30:, 0] += 2.0
    vocoder = Vocoder()
    speech = np.concatenate([vocoder.process(mel, f0_hz, voiced), vocoder.finish(60 * HOP + 272)])
    heard = mel_cepstrum(speech)[:, 0]
    crossing = np.interp(-3.0, heard[25:35], np.arange(25, 35))
    assert crossing == pytest.approx(29.4, abs=0.4)  # power rises early in a window of 27 ms


@pytest.mark.parametrize("samples", [0, 100, 400, 700, 5000])
def test_an_utterance_is_as_long_as_its_emg(samples):
    """Whatever the session asks for at the end: no frame at all, short, or very long."""
    vocoder = Vocoder()
    assert not vocoder.finish(samples).any()
    given_out = len(vocoder.process(*level(2)))
    rest = vocoder.finish(samples)
    assert len(rest) == max(0, samples - given_out)
    assert not rest[DEFAULT.frame :].any()
    assert np.abs(rest[-1:]).sum() < 0.002


def test_utterances_start_and_end_without_a_click():
    """Faded in and out over 5 ms."""
    vocoder = Vocoder()
    speech = np.concatenate([vocoder.process(*level(20, c0=-2.0)), vocoder.finish(3700)])
    assert np.abs(speech[:4]).max() < 0.03
    assert np.abs(speech[-4:]).max() < 0.03
    assert np.abs(speech[100:300]).max() > 0.2


def test_reset_makes_the_same_sound_again():
    """Each utterance of a corpus stands for itself, and a run can be repeated."""
    vocoder = Vocoder(seed=3)
    first = vocoder.process(*frames(12))
    vocoder.reset()
    np.testing.assert_array_equal(vocoder.process(*frames(12)), first)
    vocoder.finish(0)
    np.testing.assert_array_equal(vocoder.process(*frames(12)), first)


def test_without_numba_it_sounds_the_same():
    """pysptk alone serves where numba is missing."""
    plain = Vocoder(synthesis_filter=mlsa.filter_pysptk)
    np.testing.assert_allclose(
        plain.process(*frames(12)), Vocoder().process(*frames(12)), atol=1e-12
    )


def test_gain_runs_linearly_and_silences():
    """The activity gate closes without a click and lets nothing through."""
    mel, f0_hz, voiced = level(6)
    gain = np.array([1.0, 1.0, 0.0, 0.0, 0.5, 0.5])
    gated = Vocoder().process(mel, f0_hz, voiced, gain)
    plain = Vocoder().process(mel, f0_hz, voiced)
    ramp = np.interp(np.arange(len(gated)), CENTRE + HOP * np.arange(6), gain)
    np.testing.assert_allclose(gated, plain * ramp, atol=1e-12)


bad = st.sampled_from([0.0, 1.0, -50.0, 1e300, -1e300, np.nan, np.inf, -np.inf])


def corrected(inputs, mores):
    """Render frame by frame; return what is played and what goes onto the timeline."""
    vocoder, played, timeline = Vocoder(), [], []
    for k, more in enumerate(mores):
        played.append(vocoder.process(*(x[k : k + 1] for x in inputs), more=more))
        timeline.append(in_time(played[-1], more, HOP))
    timeline.append(vocoder.finish(len(mores) * HOP + 300))
    return np.concatenate(played), np.concatenate(timeline)


@settings(max_examples=30)
@given(st.lists(st.sampled_from([-1, 0, 1]), min_size=1, max_size=40))
def test_longer_and_shorter_hops_leave_the_timeline_alone(mores):
    """Sample n of audio.wav must stay EMG time n / 16000 s, whatever the sound card's clock."""
    inputs = frames(len(mores))
    played, timeline = corrected(inputs, mores)
    assert len(played) == CENTRE + HOP * (len(mores) - 1) + sum(mores)
    assert len(timeline) == HOP * len(mores) + 300


def test_grouped_frames_are_longer_by_their_last():
    """A source that sends 50 ms at a time has its clock corrected as well."""
    inputs = frames(10)
    whole = Vocoder().process(*inputs, more=1)
    played, _ = corrected(inputs, [0] * 9 + [1])
    np.testing.assert_array_equal(whole, played)
    assert len(Vocoder().process(*frames(0), more=1)) == 0


@pytest.mark.parametrize("more", [-1, 1])
def test_a_corrected_voice_has_no_click_and_keeps_its_pitch(more):
    """Two clocks that differ must not be heard: neither as clicks nor as another voice."""
    n = 400
    mel = np.zeros((n, SIZE))
    mel[:, 0], mel[:, 1] = -5.0, 1.5
    inputs = mel, np.full(n, 123.4), np.ones(n, dtype=bool)
    plain = Vocoder().process(*inputs)
    played, timeline = corrected(inputs, [more] * n)
    steps = np.abs(np.diff(plain)).max()
    assert np.abs(np.diff(played)).max() < 1.1 * steps
    assert np.abs(np.diff(timeline)).max() < 1.1 * steps
    assert len(played) == len(plain) + n * more
    heard_hz = pitch(played)
    assert np.median(heard_hz[20:-20]) == pytest.approx(123.4, rel=0.002)


def test_a_correction_is_of_one_hop():
    """A single longer hop must not smear what was made before it."""
    inputs = frames(12)
    plain = Vocoder().process(*inputs)
    _, timeline = corrected(inputs, [0] * 6 + [1] + [0] * 5)
    start = CENTRE + 5 * HOP
    np.testing.assert_array_equal(timeline[:start], plain[:start])
    assert timeline[start] == plain[start]


@settings(max_examples=40)
@given(st.lists(st.tuples(bad, bad, bad, bad, st.booleans()), min_size=1, max_size=12))
def test_nothing_a_network_emits_reaches_the_ear_as_noise_or_nan(rows):
    """Output stays finite and below full scale, and what was wrong is counted."""
    vocoder = Vocoder()
    for c0, c, f0_hz, gain, voiced in rows:
        mel = np.full((1, SIZE), c)
        mel[0, 0] = c0
        speech = vocoder.process(mel, [f0_hz], [voiced], [gain])
        assert np.isfinite(speech).all()
        assert np.abs(speech).max() < 1.0
    wrong = sum(not np.isfinite([c0, c, g, f if v else 0.0]).all() for c0, c, f, g, v in rows)
    assert vocoder.counts.replaced_frames == wrong
    assert vocoder.counts.frames == len(rows)
    mel, f0_hz, voiced = level(120)
    healthy = vocoder.process(mel, f0_hz, voiced)[-50 * HOP :]
    assert healthy.std() == pytest.approx(np.exp(-4.0), rel=0.1)


def test_what_is_tamed_is_counted():
    """A bundle that does not fit shows in the summary, not only in the sound."""
    vocoder = Vocoder()
    mel, f0_hz, voiced = level(3, c0=9.0)
    vocoder.process(mel, f0_hz, voiced)
    assert vocoder.counts.clamped_frames == 3
    assert vocoder.counts.limited_samples > 100
    mel, _, voiced = level(3)
    vocoder.process(mel, np.full(3, 1000.0), ~voiced)
    assert vocoder.counts.clamped_frames == 6
    vocoder.process(mel, np.full(3, 1000.0), voiced)
    assert vocoder.counts.clamped_frames == 6


def test_frames_of_another_order_are_refused():
    """A bundle of another order is an error, not a strange sound."""
    with pytest.raises(ValueError, match="25 columns"):
        Vocoder().process(np.zeros((2, 26)), 100.0, True)


def test_copy_synthesis_of_smooth_speech_loses_little():
    """What is analysed and rendered must come back, spectrum, pitch and voicing."""
    mel, f0_hz, _, _ = frames(300, seed=2)
    mel[:, 1] += 1.0  # voices are louder at low frequencies
    voiced = np.arange(300) // 60 % 2 == 0
    vocoder = Vocoder()
    speech = np.concatenate([vocoder.process(mel, f0_hz, voiced), vocoder.finish(300 * HOP + 272)])
    rounded = np.round(speech * 32768) / 32768
    again, again_hz = mel_cepstrum(rounded), pitch(rounded)
    assert mel_cepstral_distortion(again, mel) < 0.9
    assert np.mean((again_hz > 0) == voiced) > 0.95
    both = (again_hz > 0) & voiced
    assert np.median(np.abs(again_hz[both] / f0_hz[both] - 1)) < 0.01


@pytest.mark.corpus
@pytest.mark.parametrize("session", ["008-001", "002-001"])
def test_copy_synthesis_of_natural_speech(session):
    """The vocoder must not be what limits the voice: 1.3 dB of MCD, all frames."""
    lines = (CORPUS / "Subsets" / "test.audible").read_text() if CORPUS.is_dir() else ""
    names = [name for line in lines.splitlines() if session in line for name in line.split()[1:]]
    speaker, number = session.split("-")
    if not (CORPUS / "audio" / speaker / number).is_dir():
        pytest.skip(f"no session {session} in data/emg-uka")
    figures = []
    for name in names[:4]:
        code = name.removeprefix("emg_").replace("-", "_")
        offset = CORPUS / "offset" / speaker / number / f"offset_{code}.txt"
        start, end = (int(value) for value in offset.read_text().split()[:2])
        path = CORPUS / "audio" / speaker / number / f"a_{code}.wav"
        natural = soundfile.read(path, start=start, stop=end + 1)[0][:, 0]
        mel, f0_hz = mel_cepstrum(natural), pitch(natural)
        vocoder = Vocoder()
        copy = np.concatenate(
            [vocoder.process(mel, f0_hz, f0_hz > 0), vocoder.finish(len(natural))]
        )
        assert len(copy) == len(natural)
        copy = np.round(copy * 32768) / 32768
        figures.append(mel_cepstral_distortion(mel_cepstrum(copy), mel))
    assert np.mean(figures) < 1.5
