"""Recordings as numbers to learn from."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import RecordingError
from drivers.recordings.recording import Segment
from models.bundle import Bundle
from models.classifier import window_vector
from models.signal.stacking import StackingSettings
from models.signal.td_features import TDSettings
from models.speech.analysis import SpeechSettings
from models.training.examples import (
    SignalSettings,
    emg_of,
    hold_out,
    level_db,
    rest_and_speech,
    speech_of,
    stack,
)

SETTINGS = SignalSettings()
DC_UV = np.array([500, -500, 500, 500, -500, 500], dtype=np.float32)


def with_dc(recording):
    """The same recording from an amplifier with another offset."""
    return dataclasses.replace(
        recording,
        emg_uv=recording.emg_uv + DC_UV,
        lead_in_uv=None if recording.lead_in_uv is None else recording.lead_in_uv + DC_UV,
    )


@pytest.mark.parametrize("lead_in", [True, False])
def test_an_offset_changes_no_feature(make_recording, lead_in):
    """DC drifts with the device and the session: models that see it learn the session."""
    recording = make_recording()
    if not lead_in:
        recording = dataclasses.replace(recording, lead_in_uv=None)
    # Settled on the first sample, this one becomes 0 but for rounding: its sign, and with it
    # one zero crossing of the speaker's features, is undefined.
    sets = ("td_statistics", "band_statistics", *(("speaker",) if lead_in else ()))
    found = []
    for one in (recording, with_dc(recording)):
        emg = emg_of(one, SETTINGS)
        found.append([emg.samples, emg.frames, window_vector(emg.samples, emg.frames, sets, 600.0)])
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6, rtol=0)


def test_an_offset_changes_no_probability(make_recording, bundle_path):
    """LDA on DC alone tells a session with 94 %: no model may live on it."""
    bundle = Bundle.open(bundle_path)
    settings = SignalSettings(bundle.manifest.conditioning, bundle.manifest.features)
    recording = make_recording()
    found = []
    for one in (recording, with_dc(recording)):
        emg = emg_of(one, settings)
        activity, voice = bundle.frame_models().process(emg.frames, emg.joined)
        found.append(
            [
                bundle.mode.utterance(emg.samples, emg.frames),
                bundle.speaker.utterance(emg.samples, emg.frames),
                activity,
                voice.mel_cepstrum,
            ]
        )
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5, rtol=0)


def test_filters_settle_on_what_came_before(make_recording):
    """Live, the filter has run long before the utterance; a start from its middle differs."""
    recording = make_recording()
    whole = dataclasses.replace(
        recording,
        emg_uv=np.concatenate((recording.lead_in_uv, recording.emg_uv)),
        lead_in_uv=None,
    )
    settled = emg_of(recording, SETTINGS)
    np.testing.assert_allclose(settled.samples, emg_of(whole, SETTINGS).samples[60:], atol=1e-9)
    alone = emg_of(dataclasses.replace(recording, lead_in_uv=None), SETTINGS)
    assert np.abs(alone.samples - settled.samples).max() > 0.1
    np.testing.assert_allclose(alone.samples[0], 0, atol=1e-9)


def test_emg_and_speech_have_frames_at_the_same_instants(make_recording):
    """A converter would learn to speak too early or too late."""
    recording = make_recording()
    emg = emg_of(recording, SETTINGS)
    speech = speech_of(recording, SpeechSettings())
    assert len(emg.frames) == len(speech.mel_cepstrum) == len(speech.log_f0) == 108
    loud_emg = emg.frames[:, 1::5].mean(axis=1)
    loud_speech = speech.mel_cepstrum[:, 0]
    shifts = np.arange(-5, 6)
    alike = [np.corrcoef(loud_emg[10:-10], np.roll(loud_speech, s)[10:-10])[0, 1] for s in shifts]
    assert abs(shifts[np.argmax(alike)]) <= 1


def test_f0_runs_on_where_unvoiced(make_recording):
    """The network learns F0 everywhere: a drop to zero would be learned as a pitch."""
    speech = speech_of(make_recording(), SpeechSettings())
    assert speech.voiced.any()
    assert not speech.voiced.all()
    f0_hz = np.exp(speech.log_f0)
    assert ((f0_hz > 100) & (f0_hz < 160)).all()


def test_without_a_voice_f0_is_zero_throughout(make_recording):
    """Silence is no error."""
    silence = make_recording(audio=np.zeros(17600, dtype=np.float32))
    speech = speech_of(silence, SpeechSettings())
    assert not speech.voiced.any()
    assert (speech.log_f0 == 0).all()


@pytest.mark.parametrize(
    ("audio", "rate_hz", "got"),
    [(None, None, "none"), (np.zeros(9000, np.float32), 8000.0, "8000 Hz")],
)
def test_audio_of_another_rate_is_refused(make_recording, audio, rate_hz, got):
    """It would be learned at twice the pitch."""
    recording = make_recording(audio=audio, audio_rate_hz=rate_hz)
    with pytest.raises(RecordingError, match=rf"audio of one: got {got}; allowed: .*16000 Hz"):
        speech_of(recording, SpeechSettings())


@given(gains_db=st.lists(st.floats(-60, 0), min_size=1, max_size=4), target=st.floats(-40, -10))
def test_level_is_the_gain_to_the_target(gains_db, target):
    """Otherwise a listener turns the volume from session to session, by up to 28 dB."""

    class Audio:
        def __init__(self, audio):
            self.audio = audio

    tone = np.sin(np.arange(1600) * 0.3)
    recordings = [Audio(tone * 10 ** (gain / 20)) for gain in gains_db]
    gain_db = level_db([*recordings, Audio(None)], target)
    power = np.mean([np.mean((10 ** (gain_db / 20) * r.audio) ** 2) for r in recordings])
    assert 10 * np.log10(power) == pytest.approx(target, abs=1e-6)


def test_silence_has_no_gain(make_recording):
    """An infinite one would be written to the manifest."""
    assert level_db([make_recording(audio=np.zeros(100, np.float32))], -23) == 0
    assert level_db([make_recording(audio=None)], -23) == 0


@given(count=st.integers(2, 600), every=st.integers(2, 12))
def test_held_out_utterances_are_some_and_never_learned(count, every):
    """A model selected on what it learned is selected for learning it by heart."""
    learn, select = hold_out(count, every)
    assert sorted(learn + select) == list(range(count))
    assert learn
    assert select
    assert len(select) <= count / every + 1


def test_rest_and_speech_are_where_alignment_and_sound_agree(make_recording):
    """A gate that learns sounds as rest cuts them out of the voice."""
    recording = make_recording()
    labels = rest_and_speech(recording, 108, TDSettings())
    centre_s = np.arange(108) * 0.010 + 0.0135
    word = (centre_s > 0.22) & (centre_s < 0.78)
    rest = (centre_s < 0.18) | (centre_s > 0.82)
    assert (labels[word] == 1).mean() > 0.95
    assert (labels[rest] == 0).all()
    wrong = make_recording(phones=(Segment(0.0, 0.5, "SIL"), Segment(0.5, 1.1, "AA")))
    labels = rest_and_speech(wrong, 108, TDSettings())
    assert np.isnan(labels[word & (centre_s < 0.48)]).all()  # loud SIL
    assert np.isnan(labels[centre_s > 0.82]).all()  # quiet phone


@pytest.mark.parametrize(
    "change",
    [{"mode": "silent"}, {"mode": "whispered"}, {"mode": None}, {"phones": ()}, {"audio": None}],
)
def test_without_audible_speech_the_edges_are_rest(make_recording, change):
    """Alignments of silent speech are guesses, and there may be none."""
    labels = rest_and_speech(make_recording(**change), 108, TDSettings())
    assert (labels[:8] == 0).all()
    assert (labels[-8:] == 0).all()
    assert (labels[36:72] == 1).all()
    assert np.isnan(labels[12:30]).all()


@given(count=st.integers(1, 30), past=st.integers(0, 5), future=st.integers(0, 5))
def test_stacked_frames_are_the_frames_around(count, past, future):
    """A model would be trained on another context than it gets live."""
    frames = np.arange(2 * count, dtype=np.float64).reshape(count, 2)
    stacked = stack(frames, StackingSettings(past, future), TDSettings())
    assert stacked.shape == (count, 2 * (past + 1 + future))
    around = np.arange(count)[:, np.newaxis] + np.arange(-past, future + 1)
    expected = frames[np.clip(around, 0, count - 1)].reshape(count, -1)
    np.testing.assert_array_equal(stacked, expected)
