"""EMG files of other columns than those of the corpus: nothing of them is read scrambled."""

import numpy as np
import pytest
import soundfile

from drivers.errors import RecordingError
from drivers.recordings.emg_uka import EmgUkaCorpus, UtteranceError
from drivers.recordings.info import describe, left_out

FIRST, SECOND = "002-001", "008-002"


def _rewrite(corpus, session, write):
    """Write the EMG files of a session anew, the first with a multiple of seven samples."""
    names = [name for name in corpus.utterances if name.startswith(session)]
    for number, name in enumerate(names):
        path = corpus.emg(name)
        counts = np.fromfile(path, "<i2").reshape(-1, 7)
        write(counts if number == 0 else counts[:-number]).tofile(path)
    return names


def _columns(number):
    return lambda counts: np.take(counts, np.arange(number) % 7, axis=1)


@pytest.mark.parametrize("number", [5, 6, 8, 9, 17])
def test_other_columns_are_said_and_none_of_them_read(corpus, number):
    """Those whose size happens to fit would be scrambled EMG, and look like some."""
    for session in (FIRST, SECOND):
        _rewrite(corpus, session, _columns(number))
    assert any(corpus.emg(name).stat().st_size % 14 == 0 for name in corpus.utterances)
    reader = EmgUkaCorpus(corpus.root)
    with pytest.raises(RecordingError, match=rf"1\d of 16 files hold no .*\({number} columns\?\)"):
        list(reader.recordings())
    with pytest.raises(RecordingError, match="columns"):
        describe(corpus.root)


@pytest.mark.parametrize(
    "write",
    [_columns(14), lambda counts: counts.astype("<f4"), lambda counts: counts.astype("<i4")],
)
def test_a_multiple_of_the_columns_is_seen_by_the_audio(corpus, write):
    """Their sizes all fit."""
    names = _rewrite(corpus, FIRST, write)
    reader = EmgUkaCorpus(corpus.root)
    with pytest.raises(RecordingError, match=r"last far longer than their audio \(14 columns\?\)"):
        list(reader.recordings(FIRST))
    with pytest.raises(UtteranceError, match="columns"):
        reader.recording(names[0])


def test_the_other_byte_order_is_seen_by_its_noise(corpus):
    """Read as it is, it is noise of a plausible amplitude, and a voice is trained on it."""
    names = _rewrite(corpus, FIRST, lambda counts: counts.byteswap())
    reader = EmgUkaCorpus(corpus.root)
    with pytest.raises(RecordingError, match="8 files of the other byte order"):
        list(reader.recordings(FIRST))
    with pytest.raises(UtteranceError, match="columns"):
        reader.recording(names[0])
    assert {one.session for one in reader.recordings()} == {SECOND}


def test_a_session_of_other_columns_is_left_out_aloud(corpus):
    """The other sessions of the corpus are as good as they were."""
    names = _rewrite(corpus, FIRST, _columns(9))
    reader = EmgUkaCorpus(corpus.root)
    assert {one.session for one in reader.recordings()} == {SECOND}
    assert reader.skipped == {"other columns in the EMG": sorted(names)}
    about = describe(corpus.root)
    assert about.recordings == 8
    assert "8 utterances, other columns in the EMG" in about.details["left out"]
    assert any("8 utterances" in line for line in left_out(corpus.root))


def test_beside_such_a_session_one_of_a_few_files_is_not_trusted(corpus):
    """Of two files of nine columns, both may have a multiple of seven samples."""
    _rewrite(corpus, FIRST, _columns(9))
    for name in list(corpus.utterances)[10:]:
        corpus.emg(name).unlink()
    reader = EmgUkaCorpus(corpus.root)
    with pytest.raises(RecordingError, match="of 10 files"):
        list(reader.recordings())


def test_some_damaged_files_are_no_other_layout(corpus):
    """A copy that was interrupted costs the files that it cut, not the session."""
    names = list(corpus.utterances)[:3]
    for name in names:
        corpus.emg(name).write_bytes(corpus.emg(name).read_bytes()[:-3])
    reader = EmgUkaCorpus(corpus.root)
    assert len(list(reader.recordings())) == 13
    assert reader.skipped == {"EMG file truncated": sorted(names)}


def test_audio_that_goes_on_for_longer_is_no_other_layout(corpus):
    """Recorders are stopped one after the other."""
    for name in corpus.utterances:
        audio, rate_hz = soundfile.read(corpus.audio(name), dtype="int16")
        soundfile.write(corpus.audio(name), np.tile(audio, (3, 1)), rate_hz)
    assert len(list(EmgUkaCorpus(corpus.root).recordings())) == 16
