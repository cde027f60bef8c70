"""All experiments at their smallest on real sessions, as scripts and CI run them."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

pytest.importorskip("torch")

from models.evaluation.experiments import EXPERIMENTS  # noqa: E402
from streamer.cli import cli  # noqa: E402

ROOT = Path(__file__).parents[3]
DATA = ROOT / "data" / "emg-uka"
SESSIONS = ("002-001", "008-002")
FEW = {"train": 13, "test": 3}
"""Utterances of a subset that are enough to run everything."""

pytestmark = [
    pytest.mark.corpus,
    pytest.mark.timeout(1800),  # however busy the machine is
    pytest.mark.skipif(
        not all((DATA / "emg" / one.replace("-", "/")).is_dir() for one in SESSIONS),
        reason=f"no {' and '.join(SESSIONS)} in data/emg-uka",
    ),
]

MEASURED = {
    "conversion": (
        "audible.symmetric.mcd_db.mean",
        "audible.causal.mcd_db.mean",
        *(f"audible.causal.sessions.{session}.mcd_db" for session in SESSIONS),
        "silent.audible_trained.dtw_mcd_db.mean",
        "silent.silent_trained.dtw_mcd_db.mean",
    ),
    "mode": ("pooled.balanced_accuracy", "unseen_session.unlabelled.balanced_accuracy"),
}
THERE = {"speaker": ("lda.uar", "forest.uar")}
"""Two sessions of two speakers leave nothing to learn from: null."""


def at(figures: dict[str, Any], path: str) -> Any:
    value: Any = figures
    for key in path.split("."):
        value = value[key]
    return value


def few_of(corpus: Path, path: Path) -> Path:
    """Make a corpus of a few utterances of each subset of the sessions, the files of another."""
    for folder in corpus.iterdir():
        if folder.name != "Subsets":
            (path / folder.name).symlink_to(folder, target_is_directory=True)
    (path / "Subsets").mkdir()
    for subset in (corpus / "Subsets").iterdir():
        lines = [line.split() for line in subset.read_text().splitlines()]
        count = FEW[subset.name.partition(".")[0]]
        chosen = [words[: 1 + count] for words in lines if words and words[0][4:11] in SESSIONS]
        (path / "Subsets" / subset.name).write_text("".join(f"{' '.join(w)}\n" for w in chosen))
    return path


@pytest.mark.parametrize(
    "few", [True, pytest.param(False, marks=[pytest.mark.slow, pytest.mark.system])]
)
def test_quick_runs_everything_and_scripts_find_their_figures(few: bool, tmp_path: Path) -> None:
    """Scripts would stop at a missing key."""
    out, corpus, workers = tmp_path / "out", DATA, "2"
    if few:
        (tmp_path / "few").mkdir()
        corpus, workers = few_of(DATA, tmp_path / "few"), "1"  # more would load torch for longer
    sessions = [word for session in SESSIONS for word in ("--session", session)]
    words = ["evaluate", str(corpus), "--quick", *sessions, "--out", str(out)]
    done = CliRunner().invoke(cli, [*words, "--workers", workers])
    assert done.exit_code == 0, done.output
    found = {name: json.loads((out / f"{name}.json").read_text()) for name in EXPERIMENTS}
    for name, paths in MEASURED.items():
        for path in paths:
            assert isinstance(at(found[name], path), float), f"{name}.json: {path}"
    for name, paths in THERE.items():
        for path in paths:
            assert at(found[name], path) is None, f"{name}.json: {path}"
    for figures in found.values():
        assert figures["about"]["configuration"]["size"] == "quick"
        assert list(figures["about"]["data"]["sessions"]) == list(SESSIONS)
    html = (out / "report.html").read_text("utf-8")
    markdown = (out / "report.md").read_text("utf-8")
    for name in EXPERIMENTS:
        assert f'id="{name}"' in html
    assert "| EMG to speech, audible, ours, causal: MCD |" in markdown
