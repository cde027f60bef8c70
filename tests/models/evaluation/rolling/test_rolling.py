"""Rolling answers, from a corpus to findings."""

import json

import pytest

pytest.importorskip("torch")
pytest.importorskip("sklearn")

from models.evaluation.material import Material  # noqa: E402
from models.evaluation.rolling import (
    experiment,  # noqa: E402
    rolling,  # noqa: E402
)
from models.evaluation.settings import EvaluationSettings  # noqa: E402
from models.evaluation.study import Study  # noqa: E402

SIZES = {
    "002-001": {"train.audible": 4, "test.audible": 2, "train.silent": 3, "test.silent": 2},
    "002-002": {"train.audible": 3, "test.audible": 1},
    "004-001": {"train.audible": 3, "test.audible": 1},
    "008-001": {"train.audible": 3, "test.audible": 1},
    "008-002": {"train.audible": 3, "test.audible": 1},
}


@pytest.fixture(scope="module")
def corpus(write_corpus, tmp_path_factory):
    return write_corpus(tmp_path_factory.mktemp("rolling") / "corpus", SIZES)


@pytest.fixture(autouse=True)
def every_utterance(monkeypatch):
    scale = experiment._Scale(every=1, draws=2)
    monkeypatch.setitem(experiment._SIZES, "quick", scale)


def evaluate(corpus, work, sessions=()):
    material = Material.of(corpus, sessions, store=work / "store")
    return rolling(Study(material, EvaluationSettings("quick"), work))


def test_all_questions_are_answered(corpus, tmp_path):
    """Scripts rely on these names, and readers on what they rest on."""
    findings = evaluate(corpus, tmp_path / "one")
    figures = findings.figures
    assert json.dumps(figures, allow_nan=False)
    assert figures["mode"]["pooled"]["utterances"] == 4  # of the session with two modes
    speaker = figures["speaker"]
    assert speaker["pooled"]["utterances"] == 8
    unseen = speaker["unseen_session"]
    assert unseen["utterances"] == 11 + 3 * 4  # all of a session that was left out
    assert unseen["test_subset"]["utterances"] == 7
    assert unseen["window_classifier"]["utterances"] == 7  # its test subset
    assert unseen["after_ms"]["whole"]["uar"] > 0.8
    assert {"250", "500", "1000", "2000", "3000", "5000", "whole"} == set(unseen["after_ms"])
    assert unseen["sure"]["probability"] == experiment.SURE
    assert speaker["enrolment"]["3"]["draws"] == 2
    assert speaker["enrolment"]["3"]["recall"] > 0.7
    assert speaker["enrolment"]["40"] is None
    assert any("10, 40" in one for one in findings.missing)
    for kind in ("as_recorded", "notch"):
        found = speaker["verification"][kind]["002"]
        assert set(found["impostors"]) == {"004", "008"}
        assert found["impostors"]["004"]["target_scores"] == 11 + 4
        assert found["impostors"]["008"]["impostor_scores"] == 2 * (4 + 4)  # once a session
        assert 0 <= found["eer_after_ms"]["1000"] <= 1
    assert set(figures["activity"]["sessions"]) == set(SIZES)
    assert figures["activity"]["rest_min"] > 0
    assert len(findings.drawings) >= 3
    assert len(findings.tables) == 5
    assert evaluate(corpus, tmp_path / "two").figures == figures


def test_one_speaker_is_missing_and_no_crash(corpus, tmp_path):
    """A user with recordings of their own alone could not evaluate at all."""
    findings = evaluate(corpus, tmp_path, ("002-001",))
    figures = findings.figures
    assert figures["mode"]["pooled"] is not None
    assert figures["speaker"]["pooled"] is None
    assert figures["speaker"]["unseen_session"] is None
    assert set(figures["speaker"]["enrolment"].values()) == {None}
    assert len(findings.missing) == 4
    assert json.dumps(figures, allow_nan=False)


def test_two_sessions_as_in_ci(corpus, tmp_path):
    """One session each: speakers are known, and none is unseen."""
    figures = evaluate(corpus, tmp_path, ("002-001", "008-001")).figures
    assert figures["speaker"]["pooled"]["utterances"] == 5
    assert figures["speaker"]["unseen_session"] is None
    assert figures["speaker"]["verification"]["as_recorded"] == {}


def test_sessions_without_test_subsets(write_corpus, tmp_path):
    """Recordings of one's own have no test subset."""
    sizes = {"002-001": {"train.audible": 3}, "008-001": {"train.audible": 3}}
    findings = evaluate(write_corpus(tmp_path / "corpus", sizes), tmp_path)
    assert findings.figures["speaker"]["pooled"] is None
    assert findings.figures["activity"]["false_activations_per_min"] is None


def test_few_utterances_of_a_mode(write_corpus, tmp_path):
    """The corpus that `streamer simulate --corpus` writes ended in a traceback of NumPy."""
    subsets = [f"{split}.{mode}" for split in ("train", "test") for mode in ("audible", "silent")]
    sizes = {name: dict.fromkeys(subsets, 2) for name in ("002-001", "008-001")}
    findings = evaluate(write_corpus(tmp_path / "corpus", sizes), tmp_path)
    mode = findings.figures["mode"]["pooled"]
    assert mode["utterances"] == 8
    assert mode["rest_only"] is None
    assert any("two modes of 3 training utterances" in line for line in findings.missing)


def test_nothing_to_learn_from(write_corpus, tmp_path):
    """Recordings of a test day alone ended in a traceback."""
    sizes = {name: {"test.audible": 2, "test.silent": 2} for name in ("002-001", "008-001")}
    findings = evaluate(write_corpus(tmp_path / "corpus", sizes), tmp_path)
    assert findings.figures["mode"]["pooled"] is None
    assert any("No gate could be trained for 002-001" in line for line in findings.missing)
