"""The reader of the EMG-UKA layout."""

from pathlib import Path

import numpy as np
import pytest

from drivers.errors import RecordingError
from drivers.recordings.emg_uka import CHANNELS, EmgUkaCorpus, UtteranceError
from drivers.recordings.recording import Recording

NAME = "002-001-0100"


def test_emg_and_audio_start_at_the_same_instant(corpus):
    """Otherwise a converter learns from speech that belongs to other muscles."""
    written = corpus.utterances[NAME]
    recording = EmgUkaCorpus(corpus.root).recording(NAME)
    emg = written.emg_counts[:, :6] * np.float32(0.033)
    np.testing.assert_array_equal(recording.emg_uv, emg[written.emg_start :])
    np.testing.assert_array_equal(recording.lead_in_uv, emg[: written.emg_start])
    np.testing.assert_array_equal(
        recording.audio, written.speech_counts[written.audio_start :].astype(np.float32) / 32768
    )
    assert recording.emg_uv.dtype == recording.audio.dtype == np.float32
    assert recording.audio_rate_hz == 16000
    assert recording.rate_hz == 600
    assert recording.channels == CHANNELS


def test_labels_are_those_of_the_corpus(corpus):
    """Otherwise classifiers learn wrong classes, or test sentences enter the training."""
    reader = EmgUkaCorpus(corpus.root)
    recording = reader.recording("emg_002-001-0100")
    assert recording.name == NAME
    assert (recording.speaker, recording.session) == ("002", "002-001")
    assert (recording.split, recording.mode) == ("train", "audible")
    assert recording.transcript == "AH"
    assert [p.label for p in recording.phones] == ["SIL", "AA", "SIL"]
    assert [p.start_s for p in recording.phones] == pytest.approx([0, 0.05, 0.1])
    assert [p.end_s for p in recording.phones] == pytest.approx([0.05, 0.1, 0.2])
    assert reader.recording("008-002-0107").mode == "silent"
    assert reader.recording("008-002-0107").split == "test"


def test_scale_is_a_setting(corpus):
    """Devices differ: counts are no microvolts."""
    plain = EmgUkaCorpus(corpus.root).recording(NAME)
    double = EmgUkaCorpus(corpus.root, uv_per_count=0.066).recording(NAME)
    np.testing.assert_allclose(double.emg_uv, 2 * plain.emg_uv, rtol=1e-6)


def test_any_part_of_the_corpus_can_be_on_disk(corpus):
    """A user may hold some sessions only, whatever the subset files name."""
    reader = EmgUkaCorpus(corpus.root)
    assert reader.sessions == ("002-001", "008-002")
    assert reader.subsets("002-001") == (
        "train.audible",
        "train.silent",
        "test.audible",
        "test.silent",
    )
    assert len(list(reader.recordings())) == 16
    assert reader.skipped == reader.holes == {}


@pytest.mark.parametrize(
    ("selection", "numbers"),
    [
        (("002-001", "train.audible"), ["0100", "0101"]),
        (("002-001", "test"), ["0104", "0105", "0106", "0107"]),
        (("002-001", "silent"), ["0102", "0103", "0106", "0107"]),
        (("002-001", "test.silent", NAME[:8] + "0107"), ["0107"]),
        (("002-001", None, "0107"), ["0107"]),
        ((None, None, "002-001-0107"), ["0107"]),
    ],
)
def test_choosing(corpus, selection, numbers):
    """What is asked for is what is replayed, in the order it was recorded."""
    chosen = EmgUkaCorpus(corpus.root).recordings(*selection)
    assert [r.name for r in chosen] == [f"002-001-{number}" for number in numbers]
    assert [r.name for r in chosen] == [f"002-001-{number}" for number in numbers], "again"


def test_without_an_offset_file_the_marker_says_where_speech_begins(corpus):
    """Corpora without offset files stay usable."""
    with_offset = EmgUkaCorpus(corpus.root).recording(NAME)
    corpus.offset(NAME).unlink()
    reader = EmgUkaCorpus(corpus.root)
    recording = reader.recording(NAME)
    np.testing.assert_array_equal(recording.emg_uv, with_offset.emg_uv)
    np.testing.assert_array_equal(recording.audio, with_offset.audio)
    assert reader.holes == {"no offset": [NAME]}


def test_marker_cuts_to_the_shorter(corpus):
    """EMG that lasts longer than the audio is no pair to learn from."""
    corpus.offset(NAME).unlink()
    path = corpus.emg(NAME)
    counts = np.fromfile(path, "<i2").reshape(-1, 7)
    counts[:-30].tofile(path)
    recording = EmgUkaCorpus(corpus.root).recording(NAME)
    assert len(recording.emg_uv) == 90
    assert len(recording.audio) == 2400


@pytest.mark.parametrize(
    ("files", "hole"),
    [
        (["audio"], "no audio"),
        (["audio", "offset"], "no audio"),
        (["transcript"], "no transcript"),
        (["phones"], "no phones"),
    ],
)
def test_what_is_missing_beside_the_emg_is_counted(corpus, files, hole):
    """The EMG is still good; a user hears what he does not have."""
    whole = EmgUkaCorpus(corpus.root).recording(NAME)
    for file in files:
        getattr(corpus, file)(NAME).unlink()
    reader = EmgUkaCorpus(corpus.root)
    recording = next(iter(reader.recordings("002-001", "train.audible")))
    recording = reader.recording(NAME)
    np.testing.assert_array_equal(recording.emg_uv, whole.emg_uv)
    assert reader.holes[hole] == [NAME]
    assert reader.skipped == {}
    assert (recording.audio is None) == (recording.audio_rate_hz is None) == ("audio" in files)
    assert (recording.transcript is None) == ("transcript" in files)
    assert (recording.phones == ()) == ("phones" in files)


@pytest.mark.parametrize(
    "text",
    ["0 4\n", "a b SIL\n", "9 3 SIL\n", f"0 {'9' * 400} SIL\n", "0 \u0663 SIL\n", "-1 3 A\n"],
)
def test_unreadable_phones_are_a_hole(corpus, text):
    """One odd file does not stop a training."""
    corpus.phones(NAME).write_text(text)
    reader = EmgUkaCorpus(corpus.root)
    assert reader.recording(NAME).phones == ()
    assert reader.holes == {"phones unreadable": [NAME]}


TOO_LARGE = b"A" * (2**24 + 1)


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        ("offset", "offset unreadable"),
        ("transcript", "transcript unreadable"),
        ("phones", "phones unreadable"),
    ],
)
def test_texts_are_of_bounded_size(corpus, file, reason):
    """One odd file costs what stands in it, and no memory."""
    getattr(corpus, file)(NAME).write_bytes(TOO_LARGE)
    reader = EmgUkaCorpus(corpus.root)
    list(reader.recordings("002-001"))
    assert reader.skipped | reader.holes == {reason: [NAME]}


def test_subsets_are_of_bounded_size(corpus):
    """Nothing else tells speaking mode and split: without them there is no corpus."""
    (corpus.root / "Subsets" / "test.silent").write_bytes(TOO_LARGE)
    with pytest.raises(RecordingError, match="test.silent.*16 MiB"):
        EmgUkaCorpus(corpus.root)


def test_texts_are_one_printable_line(corpus):
    """They go to terminals, tables and stream outlets."""
    corpus.transcript(NAME).write_bytes(b"A\x1b[2J\x00 B\n\nC\xff\n")
    corpus.phones(NAME).write_bytes(b"0 4 A\x1b\n")
    recording = EmgUkaCorpus(corpus.root).recording(NAME)
    assert (
        recording.transcript
        == "A\N{REPLACEMENT CHARACTER}[2J\N{REPLACEMENT CHARACTER} B C\N{REPLACEMENT CHARACTER}"
    )
    assert recording.phones[0].label == "A\N{REPLACEMENT CHARACTER}"


def test_unreadable_audio_is_a_hole(corpus):
    """The EMG is still good."""
    corpus.audio(NAME).write_bytes(b"no wave file")
    reader = EmgUkaCorpus(corpus.root)
    assert reader.recording(NAME).audio is None
    assert reader.holes == {"audio unreadable": [NAME]}


def _truncate_sample(corpus):
    data = corpus.emg(NAME).read_bytes()
    corpus.emg(NAME).write_bytes(data[:-3])


def _truncate_tail(corpus):
    data = corpus.emg(NAME).read_bytes()
    corpus.emg(NAME).write_bytes(data[: -14 * 5])


def _empty(corpus):
    corpus.emg(NAME).write_bytes(b"")


def _shorten_audio(corpus):
    audio = corpus.audio(NAME)
    audio.write_bytes(audio.read_bytes()[:-400])


def _remove_emg(corpus):
    corpus.emg(NAME).unlink()


def _wrong_offset(corpus):
    corpus.offset(NAME).write_text("0 10\n0 99999\n")


def _odd_offset(corpus):
    corpus.offset(NAME).write_text("3669\n")


def _no_sync(corpus):
    corpus.offset(NAME).unlink()
    counts = np.fromfile(corpus.emg(NAME), "<i2").reshape(-1, 7)
    counts[:, 6] = -32640
    counts.tofile(corpus.emg(NAME))


@pytest.mark.parametrize(
    ("damage", "reason", "line"),
    [
        (_truncate_sample, "EMG file truncated", "a multiple of 14 bytes"),
        (_empty, "EMG file truncated", "got 0 bytes"),
        (_truncate_tail, "offset outside of the EMG", "samples 160 to 279; allowed: 0 to 274"),
        (_wrong_offset, "offset outside of the EMG", "99999"),
        (_shorten_audio, "offset outside of the audio", "samples 4200 to 7399"),
        (_odd_offset, "offset unreadable", "3669"),
        (_no_sync, "no offset file and no marker", "rising edge"),
        (_remove_emg, "no EMG file", "e07_002_001_0100.adc"),
    ],
)
def test_damage_is_an_error_or_a_counted_skip(corpus, damage, reason, line):
    """Asked for by name, a damaged utterance is refused; in a series it is left out, aloud."""
    damage(corpus)
    reader = EmgUkaCorpus(corpus.root)
    with pytest.raises(UtteranceError) as caught:
        reader.recordings(utterance=NAME)
    assert caught.value.reason == reason
    assert NAME in str(caught.value)
    assert line in str(caught.value)
    for _ in range(2):
        names = [r.name for r in reader.recordings("002-001", "train.audible")]
        assert names == ["002-001-0101"]
    assert reader.skipped == {reason: [NAME]}


def test_a_series_of_nothing_but_damage_is_an_error(corpus):
    """A training without data must not look like one."""
    for name in (NAME, "002-001-0101"):
        corpus.emg(name).write_bytes(b"123")
    series = EmgUkaCorpus(corpus.root).recordings("002-001", "train.audible")
    with pytest.raises(RecordingError, match="all 2 utterances damaged"):
        list(series)


@pytest.mark.parametrize(
    ("selection", "line"),
    [
        (("999-001", None), "got 999-001; allowed: 002-001, 008-002"),
        (("002-001", "test.whispered"), "no utterances; choose another: 002-001 has train.audible"),
        (("002-001", "dev"), "got dev; allowed: train.audible"),
        (("002-001", "train", NAME[:8] + "0107"), "got 002-001-0107; allowed: 4 utterances"),
        ((None, None, "0107"), "such as 002-001-0100"),
        ((None, None, "777-001-0107"), "got 777-001; allowed: 002-001, 008-002"),
    ],
)
def test_what_is_not_there_is_named_with_what_is(corpus, selection, line):
    """A typing error costs one look at the screen."""
    with pytest.raises(RecordingError, match=line):
        EmgUkaCorpus(corpus.root).recordings(*selection)


def test_no_corpus(tmp_path: Path):
    """A wrong path says what a right one looks like."""
    with pytest.raises(RecordingError, match="no such directory"):
        EmgUkaCorpus(tmp_path / "nowhere")
    (tmp_path / "file").touch()
    with pytest.raises(RecordingError, match="got a file; allowed: the EMG-UKA layout"):
        EmgUkaCorpus(tmp_path / "file")
    with pytest.raises(RecordingError, match="no directory emg in it; allowed: the EMG-UKA layout"):
        EmgUkaCorpus(tmp_path)
    (tmp_path / "emg").mkdir()
    with pytest.raises(RecordingError, match="no EMG in it"):
        EmgUkaCorpus(tmp_path)


def test_corpus_without_subsets(corpus):
    """Mode and split are never guessed."""
    for path in (corpus.root / "Subsets").iterdir():
        path.unlink()
    with pytest.raises(RecordingError, match="Subsets of .*: got none.*copy it from the corpus"):
        EmgUkaCorpus(corpus.root)


DATA = Path(__file__).parents[4] / "data" / "emg-uka"


@pytest.mark.corpus
@pytest.mark.skipif(not DATA.is_dir(), reason="no real recordings in data/emg-uka")
def test_the_real_corpus():
    """Layout, scale and holes are as documented, for every utterance on this disk."""
    reader = EmgUkaCorpus(DATA)
    for session in reader.sessions:
        for recording in reader.recordings(session):
            _check_real(recording)
    assert reader.skipped == {}
    assert set(reader.holes) <= {"no phones"}
    assert len(reader.holes.get("no phones", [])) <= 43


def _check_real(recording: Recording) -> None:
    # in locals, so that a failure prints no recording
    duration_s, lead_in = recording.duration_s, len(recording.lead_in_uv)
    audio_s = len(recording.audio) / recording.audio_rate_hz
    peak_uv, transcript, mode = np.abs(recording.emg_uv).max(), recording.transcript, recording.mode
    assert peak_uv < 1100
    assert 0.5 < duration_s < 9
    assert 128 <= lead_in <= 253
    assert abs(audio_s - duration_s) < 0.002
    assert mode is not None
    assert transcript


def test_mistyped_utterance_is_told_from_a_missing_file(corpus):
    """Somebody would copy files again that were never there."""
    opened = EmgUkaCorpus(corpus.root)
    session = opened.sessions[0]
    with pytest.raises(RecordingError, match="utterances, ") as caught:
        opened.recording(f"{session}-9999")
    assert "copy" not in str(caught.value)
