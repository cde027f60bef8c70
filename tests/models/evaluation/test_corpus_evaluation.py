"""All experiments at their smallest on real sessions, as scripts and CI run them."""

import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")

from models.evaluation.experiments import EXPERIMENTS  # noqa: E402

ROOT = Path(__file__).parents[3]
DATA = ROOT / "data" / "emg-uka"
SESSIONS = ("002-001", "008-002")
CPU_S = 2 * 180
"""Three minutes on two cores."""

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


def processor_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_quick_runs_everything_and_scripts_find_their_figures(tmp_path: Path) -> None:
    """Scripts would stop at a missing key, and CI be too slow to be waited for."""
    out = tmp_path / "out"
    sessions = [word for session in SESSIONS for word in ("--session", session)]
    before_s = processor_s()
    done = subprocess.run(
        [sys.executable, "-m", "streamer", "evaluate", str(DATA), "--quick", *sessions,
         "--out", str(out), "--workers", "2"],
        cwd=ROOT,
        env=os.environ | {"COLUMNS": "100"},
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    print(done.stdout)  # noqa: T201 - shown where the test fails
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
    assert processor_s() - before_s < CPU_S
