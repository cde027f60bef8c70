import dataclasses
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from scipy.io import wavfile

from drivers.errors import StreamerError
from drivers.recordings.emg_uka import EmgUkaCorpus
from drivers.simulator import corpus as corpus_module
from drivers.simulator.corpus import MODES, SMALL, TRAINING, SimulatedCorpus, write_corpus
from drivers.simulator.corpus import plan_corpus as plan
from drivers.simulator.sentences import TEST_SENTENCES, TRAINING_SENTENCES
from drivers.simulator.utterance import write_utterance

pytest.importorskip("espeakng_loader", reason="the speech synthesiser is not installed")

TINY = SimulatedCorpus(speakers=1, sessions=1, train_utterances=1, test_utterances=1)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("simulated") / "corpus"
    summary = write_corpus(root, TINY)
    assert (summary.sessions, summary.utterances) == (1, 6)
    assert summary.size_bytes == sum(f.stat().st_size for f in root.rglob("*") if f.is_file())
    return root


def _files(root: Path, folder: str) -> list[Path]:
    return sorted((root / folder / "101" / "001").iterdir())


def test_the_reader_of_the_corpus_reads_it_whole(tiny: Path) -> None:
    """Everything that runs on the corpus is to run on the simulated one."""
    corpus = EmgUkaCorpus(tiny)
    recordings = list(corpus.recordings())
    assert corpus.sessions == ("101-001",)
    assert not corpus.skipped
    assert not corpus.holes
    assert Counter((r.mode, r.split) for r in recordings) == {
        (mode, split): 1 for mode in MODES for split in ("train", "test")
    }
    for recording in recordings:
        assert recording.transcript is not None
        assert recording.transcript.lower() in TEST_SENTENCES + TRAINING_SENTENCES
        assert recording.audio is not None
        assert len(recording.audio) / 16000 == pytest.approx(recording.duration_s, abs=1e-3)
        assert recording.phones[-1].end_s == pytest.approx(recording.duration_s, abs=0.011)


def test_markers_say_the_same_as_the_offsets(tiny: Path) -> None:
    """Users whose offset files are missing fall back on the markers."""
    for adc, wav, offset in zip(
        _files(tiny, "emg"), _files(tiny, "audio"), _files(tiny, "offset"), strict=True
    ):
        audio_start, audio_end, emg_start, emg_end = map(int, offset.read_text().split())
        counts = np.fromfile(adc, "<i2").reshape(-1, 7)
        edges = np.flatnonzero(np.diff(counts[:, 6])) + 1
        assert edges.tolist() == [emg_start - 120]
        assert 8 <= edges[0] <= 133
        assert set(counts[:, 6].tolist()) == {-32640, -32632}
        rate_hz, stereo = wavfile.read(wav)
        assert rate_hz == 16000
        assert stereo.dtype == np.int16
        assert stereo.shape[1] == 2
        assert np.argmax(stereo[:, 1]) == audio_start - 3200
        assert emg_end < len(counts)
        assert audio_end < len(stereo)
        assert (audio_end + 1 - audio_start) * 600 == (emg_end + 1 - emg_start) * 16000


def test_alignments_cover_each_frame_once(tiny: Path) -> None:
    """A frame without a label, or with two, would shift what is learnt from the labels."""
    for path in _files(tiny, "Alignments"):
        rows = [line.split() for line in path.read_text().splitlines()]
        starts, ends = [int(row[0]) for row in rows], [int(row[1]) for row in rows]
        assert starts == [0, *(end + 1 for end in ends[:-1])]
        assert all(end >= start for start, end in zip(starts, ends, strict=True))
        silence = "SIL" if path.name.startswith("phones") else "$"
        assert rows[0][2] == rows[-1][2] == silence
    words = [path for path in _files(tiny, "Alignments") if path.name.startswith("words")]
    for path, transcript in zip(words, _files(tiny, "Transcripts"), strict=True):
        spoken = [line.split()[2] for line in path.read_text().splitlines()]
        assert [word for word in spoken if word != "$"] == transcript.read_text().split()


def test_audible_whispered_and_silent_sound_like_it(tiny: Path) -> None:
    """A silent utterance with loud audio would let anyone cheat."""
    level = {
        recording.mode: float(np.std(recording.audio))
        for recording in EmgUkaCorpus(tiny).recordings()
        if recording.audio is not None
    }
    assert level["audible"] > 1.5 * level["whispered"] > 5 * level["silent"] > 0


def test_emg_is_stronger_in_speech_than_at_rest(tiny: Path) -> None:
    """The activity gate and the converter live on this difference."""
    for recording in EmgUkaCorpus(tiny).recordings():
        emg = recording.emg_uv - recording.emg_uv.mean(axis=0)
        labels = np.full(len(emg), "SIL", dtype="<U4")
        for phone in recording.phones:
            labels[round(phone.start_s * 600) : round(phone.end_s * 600)] = phone.label
        rest = emg[:100].std(axis=0)
        speech = emg[labels != "SIL"].std(axis=0)
        assert np.all(speech > 1.5 * rest)


@pytest.mark.system
def test_the_same_settings_give_the_same_bytes_in_any_order(tiny: Path, tmp_path: Path) -> None:
    """Whoever rebuilds the recording that comes with the package gets that recording."""
    for one in reversed(plan(TINY)):
        write_utterance(tmp_path, one)
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(written) == 6 * 6
    for path in written:
        assert path.read_bytes() == (tiny / path.relative_to(tmp_path)).read_bytes()


def test_the_small_corpus_is_unseen_by_what_learns_from_the_large_one() -> None:
    """The demo must not play what its bundle was trained on."""
    small, large = plan(SMALL), plan(TRAINING)
    assert {p.session.name for p in small} <= {p.session.name for p in large}
    trained = {p.sentence for p in large if p.split == "train"}
    assert not trained & {p.sentence for p in small}
    test = {p.name: p.sentence for p in large if p.split == "test"}
    for p in small:
        if p.split == "test":
            assert test[p.name] == p.sentence


def test_the_split_is_the_corpus_own(tiny: Path) -> None:
    """Test sentences are the same everywhere and never trained on; modes have own orders."""
    plans = plan(TRAINING)
    for name in {p.session.name for p in plans}:
        for mode in MODES:
            chosen = [p for p in plans if (p.session.name, p.mode) == (name, mode)]
            assert {p.sentence for p in chosen if p.split == "test"} == set(TEST_SENTENCES)
            assert len({p.number for p in chosen}) == len({p.sentence for p in chosen}) == 50
    orders = {
        tuple(p.sentence for p in plans if (p.session.name, p.mode) == ("101-001", mode))
        for mode in MODES
    }
    assert len(orders) == 3
    assert len(set(TEST_SENTENCES + TRAINING_SENTENCES)) == 60
    subsets = tiny / "Subsets"
    assert sorted(path.name for path in subsets.iterdir()) == sorted(
        f"{split}.{mode}" for split in ("train", "test") for mode in MODES
    )


def test_simulated_sessions_cannot_be_taken_for_the_corpus(tiny: Path) -> None:
    """Nobody may take simulated recordings for people's."""
    assert "nobody spoke here" in (tiny / "README.txt").read_text()
    names = {p.session.speaker.name for p in plan(dataclasses.replace(TRAINING, speakers=5))}
    assert names == {"101", "102", "103", "104", "105"}


def test_nothing_is_overwritten(tiny: Path) -> None:
    """A corpus that took minutes must not vanish by a wrong argument."""
    with pytest.raises(StreamerError, match="nothing is overwritten"):
        write_corpus(tiny, TINY)


def test_a_directory_that_cannot_be_written_is_said_in_one_line(tmp_path: Path) -> None:
    """A wrong path is a user's mistake, no crash."""
    (tmp_path / "file").touch()
    with pytest.raises(StreamerError, match="cannot be written"):
        write_corpus(tmp_path / "file" / "corpus", TINY)


def test_an_interrupted_corpus_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half a corpus would be trained on as if it were whole."""

    def interrupt(root: Path, plan: object) -> float:
        (root / "emg").mkdir(exist_ok=True)
        raise KeyboardInterrupt

    monkeypatch.setattr(corpus_module, "write_utterance", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_corpus(tmp_path / "corpus", TINY)
    assert list(tmp_path.iterdir()) == []


def test_progress_counts_to_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Minutes without a sign look like a program that hangs."""
    monkeypatch.setattr(corpus_module, "write_utterance", lambda root, plan: 2.0)
    seen: list[tuple[int, int]] = []
    summary = write_corpus(tmp_path / "c", TINY, lambda done, total: seen.append((done, total)))
    assert seen == [(k, 6) for k in range(1, 7)]
    assert summary.seconds == 12.0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("speakers", 0),
        ("speakers", 99),
        ("sessions", 0),
        ("train_utterances", 51),
        ("test_utterances", 11),
        ("first_train_sentence", 20),
        ("seed", -1),
    ],
)
def test_settings_that_cannot_be_are_refused(name: str, value: int) -> None:
    """Said before minutes of work, with what is allowed."""
    with pytest.raises(StreamerError, match=rf"{name} of a simulated corpus: got {value}; allowed"):
        dataclasses.replace(TRAINING, **{name: value})
