"""An evaluation from a corpus to its directory."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

pytest.importorskip("torch")

from drivers.errors import RecordingError, StreamerError  # noqa: E402
from models.evaluation import run  # noqa: E402
from models.evaluation.material import Material  # noqa: E402
from models.evaluation.report.content import Content  # noqa: E402
from models.evaluation.settings import EvaluationSettings  # noqa: E402

pytestmark = pytest.mark.usefixtures("toy_experiments")

Evaluate = Callable[..., Content]


@pytest.fixture
def evaluate(small_corpus: Path, tmp_path: Path) -> Evaluate:
    """Run experiments on the small corpus into ``tmp_path / "out"``."""

    def call(
        *names: str, corpus: Path = small_corpus, out: Path = tmp_path / "out", **settings: Any
    ) -> Content:
        study, directory = run.start_study(corpus, EvaluationSettings(**settings), out)
        return run.evaluate(study, run.names_of(names or ("all",)), directory)

    return call


def test_stray_entries_are_no_other_corpus(small_corpus: Path, tmp_path: Path) -> None:
    """A file browser that leaves its mark overnight would make hours of results useless."""
    corpus = tmp_path / "corpus"
    shutil.copytree(small_corpus, corpus)
    before = Material.of(corpus).fingerprint()
    folder = next(one for one in sorted(corpus.glob("emg/*/*")) if one.is_dir())
    (folder / ".DS_Store").write_bytes(b"x")
    (folder / "folder").mkdir()
    assert Material.of(corpus).fingerprint() == before
    file = next(folder.glob("*.adc"))
    file.write_bytes(file.read_bytes() + b"\0" * 14)
    assert Material.of(corpus).fingerprint() != before


def read(file: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return content


def test_each_experiment_leaves_its_figures_and_what_they_rest_on(
    evaluate: Evaluate, tmp_path: Path
) -> None:
    """Nobody could tell which data, code and settings a figure comes from."""
    evaluate(size="quick", seed=3)
    figures = read(tmp_path / "out/first.json")
    assert set(figures["sessions"]) == {"002-001", "008-001"}
    assert figures["not_there"] is None
    about = figures["about"]
    assert about["configuration"] == {
        "size": "quick", "seed": 3, "sessions": "all", "device": "cpu", "workers": 1,
    }  # fmt: skip
    assert about["missing"] == ["Whispered speech."]
    assert about["tuned"] == ["Nothing."]
    assert about["differs"] == ["Fewer <sessions>."]
    assert {"streamer", "python", "numpy", "torch"} <= set(about["versions"])
    assert about["run"]["jobs"] == 2
    session = about["data"]["sessions"]["002-001"]
    assert session["utterances"] == {"test.audible": 1, "train.audible": 2, "train.silent": 1}
    assert session["speaker"] == "002"
    assert session["minutes"] == pytest.approx(4 * 1.2 / 60, abs=0.01)
    assert str(tmp_path) not in (tmp_path / "out/first.json").read_text()


def test_the_report_grows_with_each_call(evaluate: Evaluate, tmp_path: Path) -> None:
    """Experiments run one by one would overwrite each other's report."""
    evaluate("second")
    assert "The first one" not in (tmp_path / "out/report.md").read_text()
    content = evaluate("first")
    assert [part.findings.name for part in content.parts] == ["first", "second"]
    for name in ("report.md", "report.html"):
        text = (tmp_path / "out" / name).read_text()
        assert text.index("The first one") < text.index("The second one")
    assert (tmp_path / "out/figures/first-1.svg").read_text().startswith("<?xml")


def test_the_same_seed_finds_the_same(evaluate: Evaluate, tmp_path: Path) -> None:
    """Figures of a paper could not be reproduced."""

    def figures(out: str, **settings: Any) -> dict[str, Any]:
        evaluate("first", out=tmp_path / out, **settings)
        found = read(tmp_path / out / "first.json")
        del found["about"]
        return found

    assert figures("one") == figures("two")
    assert figures("one") != figures("three", seed=1)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"size": "quick"}, "got size default; allowed: size quick"),
        ({"seed": 1}, "got seed 0; allowed: seed 1"),
        ({"sessions": ("002-001",)}, "sessions all; allowed: .*sessions 002-001"),
    ],
)
def test_other_settings_are_not_mixed_in(
    evaluate: Evaluate, tmp_path: Path, settings: dict[str, Any], said: str
) -> None:
    """A report would show figures of different sizes side by side, and say one of them."""
    evaluate("second")
    before = (tmp_path / "out/report.md").read_text()
    with pytest.raises(StreamerError, match=said):
        evaluate("first", **settings)
    assert (tmp_path / "out/report.md").read_text() == before


def test_the_order_of_sessions_is_no_other_setting(evaluate: Evaluate) -> None:
    """The same command, typed the other way round, would refuse to go on."""
    evaluate("first", sessions=("008-001", "002-001"))
    evaluate("second", sessions=("002-001", "008-001", "002-001"))


def test_another_corpus_is_not_mixed_in(
    evaluate: Evaluate, small_corpus: Path, tmp_path: Path
) -> None:
    """So would it show figures of different recordings."""
    evaluate("second")
    other = shutil.copytree(small_corpus, tmp_path / "other")
    (other / "Transcripts/002/001/transcript_002_001_0100.txt").write_text("OH\n")
    with pytest.raises(StreamerError, match=r"out holds another evaluation: got corpus corpus \("):
        evaluate("first", corpus=other)


@pytest.mark.parametrize("name", ["photo.jpg", "parts/evaluation.json"])
def test_a_foreign_directory_is_left_alone(evaluate: Evaluate, tmp_path: Path, name: str) -> None:
    """Somebody's files would lie between ours, or be gone."""
    precious = tmp_path / "out" / name
    precious.parent.mkdir(parents=True)
    precious.write_text("precious")
    with pytest.raises(StreamerError, match="choose another --out"):
        evaluate()
    assert [file for file in (tmp_path / "out").rglob("*") if file.is_file()] == [precious]
    assert precious.read_text() == "precious"


def test_a_file_is_no_directory(evaluate: Evaluate, tmp_path: Path) -> None:
    """A typing mistake would cost a file."""
    (tmp_path / "out").write_text("precious")
    with pytest.raises(StreamerError, match="choose another --out"):
        evaluate()
    assert (tmp_path / "out").read_text() == "precious"


def test_results_of_other_code_are_said(
    evaluate: Evaluate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a mistake is mended, its figures would stand among the right ones."""
    evaluate("second")
    monkeypatch.setattr(run, "code_digest", lambda function: f"new {function.__name__}")
    evaluate("first")
    assert "The second one. The same command" in (tmp_path / "out/report.md").read_text()


def test_damaged_sessions_are_left_out_and_said(
    evaluate: Evaluate, small_corpus: Path, tmp_path: Path
) -> None:
    """One bad disk would stop the evaluation of all sessions."""
    corpus = shutil.copytree(small_corpus, tmp_path / "corpus")
    for file in (corpus / "emg/008/001").iterdir():
        file.write_bytes(b"12")
    (corpus / "emg/009/001").mkdir(parents=True)
    (corpus / "emg/009/001/e07_009_001_0100.adc").write_bytes(b"12")
    (corpus / "Transcripts/002/001/transcript_002_001_0101.txt").unlink()
    evaluate("first", corpus=corpus)
    data = read(tmp_path / "out/first.json")["about"]["data"]
    assert list(data["sessions"]) == ["002-001"]
    assert data["left_out"] == ["008-001", "009-001"]
    assert data["sessions"]["002-001"]["incomplete"] == {"no transcript": ["002-001-0101"]}
    text = (tmp_path / "out/report.md").read_text()
    assert "Without any usable utterance: 008-001, 009-001." in text
    assert "| 002-001 | no transcript | 1 | used |" in text


def test_a_corpus_without_anything_usable_is_one_line(
    evaluate: Evaluate, small_corpus: Path, tmp_path: Path
) -> None:
    """It would be a traceback from within the first experiment."""
    corpus = shutil.copytree(small_corpus, tmp_path / "corpus")
    for file in (corpus / "emg").rglob("*.adc"):
        file.write_bytes(b"12")
    with pytest.raises(RecordingError, match="no usable utterance"):
        evaluate(corpus=corpus)


def test_too_few_data_for_one_experiment_leave_the_others(
    evaluate: Evaluate, toy_jobs: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Utterances too short for one question would leave all others without an answer."""

    def first(study: object) -> None:
        raise RecordingError("windows to learn from", value=0, allowed="1 or more")

    monkeypatch.setattr(toy_jobs, "first", first)
    with pytest.raises(StreamerError, match="first.*windows to learn from: got 0") as caught:
        evaluate()
    assert "\n" not in str(caught.value)
    assert read(tmp_path / "out/second.json")
    assert (tmp_path / "out/first.error.txt").read_text().startswith("windows to learn from")


def test_names(toy_jobs: ModuleType) -> None:
    """`all` would be an experiment, or the report in the order of typing."""
    assert run.names_of(["second", "first"]) == ("first", "second")
    assert run.names_of(["second", "all"]) == ("first", "second")
    with pytest.raises(AttributeError):  # the real ones say it in a line
        run.names_of(["third"])
