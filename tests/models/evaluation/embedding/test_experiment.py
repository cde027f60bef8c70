"""The embedding experiment from a corpus to its findings."""

import json

import pytest

pytest.importorskip("torch")
pytest.importorskip("sklearn")

from models.evaluation.embedding import embedding  # noqa: E402
from models.evaluation.material import Material  # noqa: E402
from models.evaluation.settings import EvaluationSettings  # noqa: E402
from models.evaluation.study import Study  # noqa: E402

SIZES = {
    "002-001": {"train.audible": 3, "test.audible": 2, "train.silent": 2},
    "002-002": {"train.audible": 3, "test.audible": 2},
    "008-001": {"train.audible": 3, "test.audible": 2},
    "008-002": {"train.audible": 3, "test.audible": 2},
}


def study(corpus, work):
    return Study(Material.of(corpus), EvaluationSettings("quick"), work)


def evaluate(corpus, work):
    return embedding(study(corpus, work))


@pytest.fixture(scope="module")
def corpus(write_corpus, tmp_path_factory):
    return write_corpus(tmp_path_factory.mktemp("embedding") / "corpus", SIZES)


def test_each_session_is_left_out_once(corpus, tmp_path):
    """The figures would not rest on what the report says they rest on."""
    findings = evaluate(corpus, tmp_path / "one")
    figures = findings.figures
    assert set(figures["sessions"]) == set(SIZES)
    assert figures["utterances"] == 20
    assert figures["cross_mode"]["silent"]["utterances"] == 2
    assert figures["cross_mode"]["whispered"] is None
    assert any("whispered" in one for one in findings.missing)
    assert figures["speech_itself"]["utterances"] == 20
    assert {row[0] for row in findings.tables[1].rows} == {"002", "008", "all"}
    assert json.dumps(figures, allow_nan=False)
    assert evaluate(corpus, tmp_path / "two").figures == figures
    again = study(corpus, tmp_path / "one")
    assert embedding(again).figures == figures
    assert again.kept_jobs == again.jobs == 5


def test_one_speaker_is_missing_and_no_crash(write_corpus, tmp_path):
    """A user with recordings of their own alone could not evaluate at all."""
    mine = {name: sizes for name, sizes in SIZES.items() if name.startswith("008")}
    findings = evaluate(write_corpus(tmp_path / "corpus", mine), tmp_path)
    assert findings.figures["accuracy"] is None
    assert len(findings.missing) == 1


def test_without_audio_it_is_missing_and_no_crash(write_corpus, tmp_path):
    """Recordings without a microphone would end the whole evaluation."""
    corpus = write_corpus(tmp_path / "corpus", SIZES)
    for file in (corpus / "audio").rglob("*.wav"):
        file.unlink()
    findings = evaluate(corpus, tmp_path)
    assert findings.figures["accuracy"] is None
    assert "audio" in findings.missing[0]
