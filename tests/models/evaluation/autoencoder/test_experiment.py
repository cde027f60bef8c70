"""The autoencoder experiment from a corpus to its findings."""

import json

import pytest

pytest.importorskip("torch")
pytest.importorskip("sklearn")

from models.evaluation.autoencoder import autoencoder  # noqa: E402
from models.evaluation.material import Material  # noqa: E402
from models.evaluation.settings import EvaluationSettings  # noqa: E402
from models.evaluation.study import Study  # noqa: E402

SIZES = {
    "002-001": {"train.audible": 4, "test.audible": 2, "train.silent": 2},
    "002-002": {"train.audible": 4, "test.audible": 2},
    "008-001": {"train.audible": 4, "test.audible": 2},
    "008-002": {"train.audible": 4, "test.audible": 2},
}


def study(corpus, work):
    return Study(Material.of(corpus), EvaluationSettings("quick"), work)


def evaluate(corpus, work):
    return autoencoder(study(corpus, work))


@pytest.fixture(scope="module")
def corpus(write_corpus, tmp_path_factory):
    return write_corpus(tmp_path_factory.mktemp("autoencoder") / "corpus", SIZES)


def test_both_systems_tell_every_session(corpus, tmp_path):
    """The direct and the indirect figures would not be of the same utterances."""
    findings = evaluate(corpus, tmp_path / "one")
    figures = findings.figures
    for system in ("direct", "indirect"):
        assert set(figures[system]["audible"]["sessions"]) == set(SIZES)
        assert figures[system]["audible"]["utterances"] == 24
        assert figures[system]["silent"] is None
        assert figures[system]["cross_mode"]["silent"]["utterances"] == 2
        assert figures[system]["features"] == 4 * 2 * 16
    assert any("silent" in one for one in findings.missing)
    assert any("silent (cross-mode)" in row for row in findings.tables[0].rows)
    assert json.dumps(figures, allow_nan=False)
    assert evaluate(corpus, tmp_path / "two").figures == figures
    again = study(corpus, tmp_path / "one")
    assert autoencoder(again).figures == figures
    assert again.kept_jobs == again.jobs > 0


def test_without_audio_only_the_indirect_system_is_missing(write_corpus, tmp_path):
    """Recordings without a microphone can still be told by their EMG."""
    corpus = write_corpus(tmp_path / "corpus", SIZES)
    for file in (corpus / "audio").rglob("*.wav"):
        file.unlink()
    findings = evaluate(corpus, tmp_path)
    assert findings.figures["direct"]["audible"] is not None
    assert findings.figures["indirect"] is None
    assert any("converters" in one for one in findings.missing)


def test_one_speaker_is_missing_and_no_crash(write_corpus, tmp_path):
    """A user with recordings of their own alone could not evaluate at all."""
    mine = {name: sizes for name, sizes in SIZES.items() if name.startswith("008")}
    findings = evaluate(write_corpus(tmp_path / "corpus", mine), tmp_path)
    assert findings.figures["direct"] is None
    assert len(findings.missing) == 1
