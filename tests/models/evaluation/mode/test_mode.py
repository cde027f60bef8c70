"""The speaking mode, from a corpus to findings."""

import json
import shutil

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("sklearn")

from models.evaluation.material import Material  # noqa: E402
from models.evaluation.mode import mode  # noqa: E402
from models.evaluation.mode.experiment import SHRINKAGES  # noqa: E402
from models.evaluation.mode.figures import rolling_figures, told_figures  # noqa: E402
from models.evaluation.mode.heard import REST_S, Variant, heard, several_modes  # noqa: E402
from models.evaluation.mode.jobs import Told, told_unseen  # noqa: E402
from models.evaluation.settings import EvaluationSettings  # noqa: E402
from models.evaluation.study import Study  # noqa: E402

MODES = ("audible", "whispered", "silent")
EVERY_MODE = {f"train.{one}": 4 for one in MODES} | {f"test.{one}": 2 for one in MODES}
SESSIONS = ("002-001", "004-001", "008-002")
SIZES = {
    **dict.fromkeys(SESSIONS, EVERY_MODE),
    "008-001": {"train.audible": 2, "test.audible": 1},
}


@pytest.fixture(scope="module")
def corpus(write_corpus, tmp_path_factory):
    return write_corpus(tmp_path_factory.mktemp("mode") / "corpus", SIZES)


def evaluate(corpus, work, size="default", sessions=()):
    return mode(Study(Material.of(corpus, sessions), EvaluationSettings(size), work))


def test_every_result_has_its_control(corpus, tmp_path):
    """What is told of the mode at rest is drift of the session, and must stand beside it."""
    findings = evaluate(corpus, tmp_path / "one")
    figures = findings.figures
    assert figures["sessions"] == ["002-001", "004-001", "008-002"]
    unseen = figures["unseen_session"]
    for found, utterances in (
        (figures["paper"], 18),
        (figures["paper"]["log_features"], 18),
        (figures["pooled"], 18),
        (figures["pooled"]["notch"], 18),
        (figures["pooled"]["without_channel_5"], 18),
        (figures["within_session"], 18),
        (unseen["none"], 18),
        (unseen["audible"], 18),
        (unseen["unlabelled"], 18),
        (unseen["unlabelled"]["all_utterances"], 54),
        (unseen["unlabelled"]["scaled_only"], 18),
        (unseen["unlabelled"]["notch"], 18),
    ):
        assert found["utterances"] == utterances
        assert np.sum(found["confusion"]) == utterances
        assert set(found["sessions"]) == {"002-001", "004-001", "008-002"}
        assert found["balanced_accuracy"] > 0.6  # modes differ by loudness alone
        assert found["rest_only"]["utterances"] == utterances
        assert found["rest_only"]["balanced_accuracy"] < 0.6  # and rest does not
    rolling = figures["pooled"]["rolling_2s"]
    assert rolling["windows"] == 18  # each shorter than a window
    assert rolling["rest_only"]["utterances"] == 18
    assert json.dumps(figures, allow_nan=False)
    assert figures["validated"]["pooled_windows"]["mode_and_session"] > 0.5
    assert [one["shrinkage"] for one in figures["validated"]["unseen_session"]] == list(SHRINKAGES)
    assert "<svg" in findings.drawings[0].svg
    assert not findings.missing
    assert findings.differs
    assert findings.tuned
    assert findings.tables[0].rows[0][-1] == pytest.approx(58.44)  # the paper's figure beside ours


def test_quick_learns_from_a_few(write_corpus, tmp_path):
    """CI runs it at every change."""
    sizes = {one: {f"train.{mode}": 11 for mode in MODES} for one in SESSIONS[:2]}
    sizes[SESSIONS[0]] |= {f"test.{mode}": 6 for mode in MODES}
    corpus = write_corpus(tmp_path / "corpus", sizes)
    findings = evaluate(corpus, tmp_path / "work", "quick")
    assert findings.figures["pooled"]["utterances"] == 6
    assert findings.figures["unseen_session"]["unlabelled"]["all_utterances"]["utterances"] == 24
    assert findings.missing
    again = evaluate(corpus, tmp_path / "again", "quick")
    assert again.figures == findings.figures  # a report that cannot be made again proves nothing


@pytest.mark.parametrize("left", [1, 2])
def test_few_utterances_of_a_mode_are_not_learned(write_corpus, tmp_path, left):
    """A hole in a corpus would end the evaluation."""
    sizes = {one: EVERY_MODE | {"train.whispered": left} for one in SESSIONS[:1]}
    findings = evaluate(write_corpus(tmp_path / "corpus", sizes), tmp_path / "work")
    assert findings.figures["pooled"]["chance"] == 0.5
    assert findings.figures["pooled"]["utterances"] == 6


def test_one_session_leaves_none_unseen(corpus, tmp_path):
    """An owner of a single recording session gets what there is, and reads what is missing."""
    findings = evaluate(corpus, tmp_path, sessions=("002-001", "008-001"))
    assert findings.figures["pooled"]["balanced_accuracy"] > 0.6
    assert findings.figures["unseen_session"]["unlabelled"] == {"balanced_accuracy": None}
    assert any("002-001" in one for one in findings.missing)


@pytest.mark.parametrize("size", ["quick", "default"])
def test_a_corpus_of_one_mode_is_no_error(corpus, tmp_path, size):
    """Most sessions are audible only."""
    findings = evaluate(corpus, tmp_path, size, ("008-001",))
    assert findings.figures["pooled"]["balanced_accuracy"] is None
    assert findings.figures["pooled"]["rolling_2s"]["balanced_accuracy"] is None
    assert findings.figures["unseen_session"]["unlabelled"]["balanced_accuracy"] is None
    assert findings.missing
    assert not findings.tables
    assert not findings.drawings


def test_without_test_utterances_there_are_no_figures(write_corpus, tmp_path):
    """Training subsets are not to be mistaken for tests."""
    sizes = {one: {f"train.{mode}": 3 for mode in MODES} for one in SESSIONS[:2]}
    findings = evaluate(write_corpus(tmp_path / "corpus", sizes), tmp_path / "work")
    assert findings.figures["pooled"]["balanced_accuracy"] is None
    assert findings.figures["unseen_session"]["unlabelled"]["balanced_accuracy"] is None
    assert findings.missing


def test_the_control_hears_no_more_than_rest(corpus):
    """A control that hears speech controls nothing."""
    material = Material.of(corpus)
    assert several_modes(material, Variant()) == ["002-001", "004-001", "008-002"]
    session = material.session("002-001")
    rest = heard(session, "test", Variant(rest=True))
    assert [one.mode for one in rest] == [one for one in MODES for _ in range(2)]
    assert {len(one.emg.samples) for one in rest} == {round(600 * REST_S)}
    assert {len(one.emg.frames) for one in rest} == {round(100 * REST_S)}
    [whole] = {len(one.emg.frames) for one in heard(session, "test", Variant())}
    for variant in (Variant(notch=True), Variant(plain=True)):
        assert {one.emg.frames.shape for one in heard(session, "test", variant)} == {(whole, 30)}
    less = heard(session, "test", Variant(without_unstable=True))
    assert {one.emg.frames.shape for one in less} == {(whole, 25)}
    assert {one.emg.samples.shape[1] for one in less} == {5}


def test_labels_of_a_session_never_seen_are_not_looked_at(corpus, tmp_path):
    """Unlabelled is unlabelled: under other labels the same is said of it."""
    other = tmp_path / "corpus"
    shutil.copytree(corpus, other)
    for split in ("train", "test"):  # what was audible is called silent, and the other way round
        audible, silent = (other / f"Subsets/{split}.{one}" for one in ("audible", "silent"))
        lines = [file.read_text().splitlines() for file in (audible, silent)]
        swapped = [[one for one in file if "008-002" in one] for file in lines]
        for file, kept, new in zip((audible, silent), lines, swapped[::-1], strict=True):
            file.write_text("\n".join([o for o in kept if "008-002" not in o] + new) + "\n")
    said = []
    for root in (corpus, other):
        parts = told_unseen(Material.of(root), SESSIONS[:2], "008-002", "unlabelled", Variant())
        said.append([sorted(one.probabilities for one in part) for part in parts])
        truths = [one.truth for one in parts[0] if one.said == "silent"]
    assert truths.count("audible") > truths.count("silent")  # the labels were indeed swapped
    for one, other_said in zip(*said, strict=True):
        assert one
        np.testing.assert_allclose(one, other_said, atol=1e-9)


def told(truth, said, session="002-001", windows=()):
    return Told(session, "test", truth, said, (0.5, 0.3, 0.2), windows, MODES)


def test_figures_count_every_mode_alike():
    """Accuracy of a corpus with more of one mode would be that mode's."""
    found = told_figures(
        [told("audible", "audible")] * 6
        + [told("silent", "audible"), told("silent", "silent", "008-002")]
    )
    assert found["balanced_accuracy"] == pytest.approx(0.75)
    assert found["modes"] == ["audible", "silent"]
    assert found["confusion"] == [[6, 0], [1, 1]]
    assert found["sessions"] == {"002-001": 0.5, "008-002": 1.0}
    assert told_figures([]) is None


def test_windows_are_judged_one_by_one():
    """While it rolls, nobody waits for the utterance's end."""
    sure, wrong = (0.9, 0.1, 0.0), (0.2, 0.8, 0.0)
    found = rolling_figures([told("audible", "audible", windows=(sure, sure, wrong))])
    assert found["windows"] == 3
    assert found["balanced_accuracy"] == pytest.approx(2 / 3)
    assert found["ece"] == pytest.approx((2 * 0.1 + 0.8) / 3)
    assert rolling_figures([told("audible", "audible")]) is None
