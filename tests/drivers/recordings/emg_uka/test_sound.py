"""Natural speech, in whatever format of samples, and what of it is no speech."""

import numpy as np
import pytest
import soundfile

from drivers.errors import RecordingError
from drivers.recordings.emg_uka import EmgUkaCorpus

NAME, SILENT = "002-001-0100", "002-001-0102"


def _write(corpus, name, audio, rate_hz=16000, **how):
    soundfile.write(corpus.audio(name), audio, rate_hz, **{"subtype": "FLOAT"} | how)


def _read(corpus, name=NAME):
    audio, _ = soundfile.read(corpus.audio(name), dtype="float64", always_2d=True)
    return audio


@pytest.mark.parametrize(
    ("how", "error"),
    [
        ({"subtype": "PCM_U8"}, 2**-7),
        ({"subtype": "PCM_16"}, 0),
        ({"subtype": "PCM_24"}, 0),
        ({"subtype": "PCM_32"}, 0),
        ({"subtype": "FLOAT"}, 0),
        ({"subtype": "DOUBLE"}, 0),
        ({"format": "FLAC", "subtype": "PCM_16"}, 0),
        ({"format": "AIFF", "subtype": "PCM_16"}, 0),
    ],
)
def test_every_format_of_samples_has_the_same_values(corpus, how, error):
    """Floats were read as zeros, and a voice was trained on silence."""
    before = EmgUkaCorpus(corpus.root).recording(NAME).audio
    _write(corpus, NAME, _read(corpus), format=how.get("format", "WAV"), subtype=how["subtype"])
    audio = EmgUkaCorpus(corpus.root).recording(NAME).audio
    assert audio.dtype == np.float32
    np.testing.assert_allclose(audio, before, rtol=0, atol=error)


def test_one_channel_is_enough_where_the_offsets_are_known(corpus):
    """The marker is in the second one, and needed only without an offset file."""
    before = EmgUkaCorpus(corpus.root).recording(NAME).audio
    _write(corpus, NAME, _read(corpus)[:, 0])
    np.testing.assert_array_equal(EmgUkaCorpus(corpus.root).recording(NAME).audio, before)


@pytest.mark.parametrize(
    ("change", "hole"),
    [
        (lambda audio: np.where(np.arange(len(audio))[:, None] == 5000, np.nan, audio), "finite"),
        (lambda audio: np.where(np.arange(len(audio))[:, None] == 5000, -np.inf, audio), "finite"),
        (lambda audio: audio * 32768, "audio on no scale"),
    ],
)
def test_floats_that_are_no_sound_are_a_hole(corpus, change, hole):
    """They would be a voice of NaN, or one that is 90 dB too loud."""
    _write(corpus, NAME, change(_read(corpus)))
    reader = EmgUkaCorpus(corpus.root)
    assert reader.recording(NAME).audio is None
    [(reason, names)] = reader.holes.items()
    assert hole in reason
    assert names == [NAME]


@pytest.mark.parametrize("rate_hz", [8000, 44100])
def test_audio_of_another_rate_than_its_offsets_is_a_hole(corpus, rate_hz):
    """It would be cut at the wrong place, and learned from."""
    _write(corpus, NAME, np.tile(_read(corpus), (3, 1)), rate_hz)
    reader = EmgUkaCorpus(corpus.root)
    assert reader.recording(NAME).audio is None
    assert reader.holes == {"audio and EMG of unequal length": [NAME]}


@pytest.mark.parametrize("value", [0.0, -0.25, "noise"])
def test_silence_where_somebody_spoke_stops_what_would_learn_from_it(corpus, value):
    """A training on silence ended with a distortion of 0.02 dB, which looks like success."""
    audio = _read(corpus)
    rng = np.random.default_rng(0)
    audio[:, 0] = rng.uniform(-1, 1, len(audio)) * 2**-15 if value == "noise" else value
    for name in (NAME, SILENT):
        _write(corpus, name, audio)
    reader = EmgUkaCorpus(corpus.root)
    list(reader.recordings("002-001"))
    with pytest.raises(RecordingError, match="audio of 1 audible or whispered") as caught:
        reader.refuse_silence()
    assert f"a_{NAME.replace('-', '_')}.wav" in str(caught.value)


def test_the_audio_of_silent_utterances_is_not_judged(corpus):
    """Nothing is to be heard there, and nothing is learned from it."""
    _write(corpus, SILENT, np.zeros_like(_read(corpus, SILENT)))
    reader = EmgUkaCorpus(corpus.root)
    list(reader.recordings("002-001"))
    reader.refuse_silence()
    assert reader.holes == reader.clipped == {}


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT"])
def test_clipping_is_counted(corpus, subtype):
    """The voice learns the distortion, too; the microphone can be turned down."""
    audio = _read(corpus)
    audio[5000:5007, 0], audio[6000, 0] = 1.0, -1.0
    for name in (NAME, SILENT):
        _write(corpus, name, audio, subtype=subtype)
    reader = EmgUkaCorpus(corpus.root)
    list(reader.recordings("002-001"))
    assert reader.clipped == {NAME: 8}
