"""Speakers by LDA and forest, from a corpus to findings."""

import json

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("sklearn")

from models.evaluation.material import Material  # noqa: E402
from models.evaluation.settings import EvaluationSettings  # noqa: E402
from models.evaluation.speaker import speaker  # noqa: E402
from models.evaluation.speaker.jobs import describe, paper_features  # noqa: E402
from models.evaluation.study import Study  # noqa: E402

SIZES = {
    "002-001": {"train.audible": 3, "test.audible": 1, "train.silent": 2},
    "002-002": {"train.audible": 3, "test.audible": 2},
    "004-001": {"train.audible": 3, "test.audible": 1},
    "008-001": {"train.audible": 3, "test.audible": 2},
    "008-002": {"train.audible": 3, "test.audible": 2},
}


@pytest.fixture(scope="module")
def corpus(write_corpus, tmp_path_factory):
    return write_corpus(tmp_path_factory.mktemp("speaker") / "corpus", SIZES)


def evaluate(corpus, work):
    return speaker(Study(Material.of(corpus), EvaluationSettings("quick"), work))


def test_each_session_is_left_out_once(corpus, tmp_path):
    """Scripts rely on these names, and readers on what the report says the figures rest on."""
    findings = evaluate(corpus, tmp_path / "one")
    figures = findings.figures
    for found in (figures, figures["log_features"], figures["further_speakers"]):
        for system in ("lda", "forest"):
            assert set(found[system]["sessions"]) == set(SIZES) - {"004-001"}
            assert found[system]["utterances"] == 6 + 3 * 5
            assert 0.5 < found[system]["uar"] <= 1  # the tilt of the channels tells them apart
    assert figures["further_speakers"]["speakers"] == ["004"]
    assert set(figures["lda"]["modes"]) == {"audible", "silent"}
    assert np.sum(figures["lda"]["confusion"]["counts"]) == figures["lda"]["utterances"]
    assert json.dumps(figures, allow_nan=False)
    columns = findings.tables[0].columns
    row = dict(zip(columns, findings.tables[0].rows[0], strict=True))
    assert (row["paper: accuracy (%)"], row["paper: UAR (%)"]) == (83.0, 73.0)
    assert evaluate(corpus, tmp_path / "two").figures == figures


def test_one_session_each_is_missing_and_no_crash(corpus, tmp_path):
    """CI evaluates two sessions of two speakers."""
    material = Material.of(corpus, ("002-001", "008-001"))
    findings = speaker(Study(material, EvaluationSettings("quick"), tmp_path))
    assert findings.figures["lda"] == {"accuracy": None, "uar": None}
    assert len(findings.missing) == 1


def test_sums_grow_with_the_utterance_as_in_the_paper(corpus):
    """Divided by the length they are other features than those the paper names."""
    utterance = Material.of(corpus).session("002-001").utterances[0]
    found = paper_features(utterance).reshape(6, 11)
    x = utterance.emg.samples
    np.testing.assert_allclose(found[:, 2], np.abs(x).sum(axis=0))
    np.testing.assert_allclose(found[:, 4], (x**2).sum(axis=0))
    np.testing.assert_allclose(found[:, 5], np.abs(np.diff(x, axis=0)).sum(axis=0))
    np.testing.assert_allclose(found[:, 0], np.abs(x).mean(axis=0))
    crossings = ((x[1:] < 0) != (x[:-1] < 0)).sum(axis=0)
    np.testing.assert_allclose(found[:, 7], crossings)


def test_vectors_go_with_their_utterances(corpus):
    """A shifted subset would train on what is tested."""
    found = describe(Material.of(corpus), "002-001")
    assert found.splits.count("train") == 5
    assert len(found.vectors["paper"]) == len(found.vectors["log"]) == len(found.modes) == 6
