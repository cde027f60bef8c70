"""Jobs: kept, resumed, the same wherever they run."""

import importlib.util
import shutil
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

from drivers.errors import StreamerError  # noqa: E402
from models.evaluation import code  # noqa: E402
from models.evaluation.material import Material  # noqa: E402
from models.evaluation.settings import EvaluationSettings  # noqa: E402
from models.evaluation.study import JobError, Study  # noqa: E402

MakeStudy = Callable[..., Study]


@pytest.fixture
def make_study(small_corpus: Path, tmp_path: Path) -> MakeStudy:
    """A study on the small corpus, each with the same kept results."""

    def make(corpus: Path = small_corpus, device: str = "cpu", **more: Any) -> Study:
        material = Material.of(corpus, device=device)
        return Study(material, EvaluationSettings(), tmp_path / "cache", **more)

    return make


def marks(folder: Path) -> dict[str, int]:
    """How often each job ran."""
    return {file.name: len(file.read_text()) for file in sorted(folder.iterdir())}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "marks").mkdir()
    return tmp_path / "marks"


def test_results_come_in_order_and_only_once(
    make_study: MakeStudy, toy_jobs: ModuleType, folder: Path
) -> None:
    """An hour's work would be done again at each call."""
    told: list[tuple[str, int, int]] = []
    study = make_study()
    assert study.run("x", toy_jobs.stamped, [(folder, n) for n in (2, 0)]) == [20, 0]
    again = make_study(progress=lambda *now: told.append(now))
    assert again.run("x", toy_jobs.stamped, [(folder, n) for n in (0, 1, 2)]) == [0, 10, 20]
    assert marks(folder) == {"0": 1, "1": 1, "2": 1}
    assert told == [("x", 2, 3), ("x", 3, 3)]
    assert (again.jobs, again.kept_jobs) == (3, 2)
    assert again.job_seconds > study.job_seconds > 0


def test_functions_do_not_take_each_others_results(
    make_study: MakeStudy, toy_jobs: ModuleType
) -> None:
    """Two classifiers with the same arguments would have the same accuracy."""
    study = make_study()
    assert study.run("x", toy_jobs.doubled, [(3,)]) == [6]
    assert study.run("x", toy_jobs.squared, [(3,)]) == [9]


@pytest.mark.parametrize("damage", [b"", b"half", None])
def test_a_damaged_result_is_found_again(
    make_study: MakeStudy, toy_jobs: ModuleType, folder: Path, damage: bytes | None
) -> None:
    """After a full disk or a power cut every call would fail, or report nonsense."""
    study = make_study()
    study.run("x", toy_jobs.stamped, [(folder, 0), (folder, 1)])
    file = next(study.cache.rglob("*.kept"))
    content = bytearray(file.read_bytes())
    content[-10] ^= 1  # one bit in the middle of it
    file.write_bytes(bytes(content) if damage is None else damage)
    assert make_study().run("x", toy_jobs.stamped, [(folder, 0), (folder, 1)]) == [0, 10]
    assert sum(marks(folder).values()) == 3


@pytest.mark.system
@pytest.mark.parametrize("workers", [1, 2])
def test_a_failing_job_costs_no_other(
    make_study: MakeStudy, toy_jobs: ModuleType, folder: Path, workers: int
) -> None:
    """A mistake in one session would throw the night's work on the others away."""
    study = make_study(workers=workers)
    with pytest.raises(StreamerError, match="the first thing: got 1") as caught:
        study.run("x", toy_jobs.failing, [(folder, 0), (folder, 1)])
    assert "\n" not in str(caught.value)
    with pytest.raises(JobError, match=r"failing.*2\)\n(.*\n)+.*ZeroDivisionError: the second"):
        study.run("x", toy_jobs.failing, [(folder, 0), (folder, 2)])
    assert marks(folder) == {"0": 1}


@pytest.mark.system
def test_workers_find_the_same(make_study: MakeStudy, toy_jobs: ModuleType) -> None:
    """Figures would depend on the machine's number of cores."""
    arguments = [(session, seed) for session in ("002-001", "008-001") for seed in (0, 1)]
    here = make_study().run("x", toy_jobs.project, arguments)
    study = make_study(workers=2)
    study.cache = study.cache / "other"
    there = study.run("x", toy_jobs.project, arguments)
    assert [one.tobytes() for one in here] == [one.tobytes() for one in there]
    assert len({one.tobytes() for one in here}) == 4


@pytest.mark.system
def test_a_worker_that_dies_is_one_line(make_study: MakeStudy, toy_jobs: ModuleType) -> None:
    """A machine out of memory would end in a traceback that does not say so."""
    with pytest.raises(StreamerError, match="fewer --workers"):
        make_study(workers=2).run("x", toy_jobs.dying, [(0,), (1,)])


def test_changed_recordings_and_another_device_have_their_own_results(
    make_study: MakeStudy, toy_jobs: ModuleType, small_corpus: Path, tmp_path: Path, folder: Path
) -> None:
    """Figures of recordings that were replaced would be reported for the new ones."""
    changed = tmp_path / "corpus"
    shutil.copytree(small_corpus, changed)
    file = next((changed / "emg").rglob("*.adc"))
    counts = np.fromfile(file, dtype="<i2")
    (-counts).tofile(file)
    for study in (make_study(), make_study(changed), make_study(device="cuda"), make_study()):
        study.run("x", toy_jobs.stamped, [(folder, 0)])
    assert marks(folder) == {"0": 3}


def test_results_belong_to_the_code_that_found_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a mistake in the code is mended, its figures would stay in the report."""
    monkeypatch.setattr(code, "ROOT", tmp_path)
    for name, text in {
        "models/job.py": "def job():\n    import models.used\n",
        "models/used.py": "def f():\n    from models.deep import parts\n",
        "models/deep/parts.py": "",
        "models/aside.py": "",
        "models/evaluation/material.py": "",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    spec = importlib.util.spec_from_file_location("job", tmp_path / "models/job.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    def digest() -> str:
        code._digest.cache_clear()
        return code.code_digest(module.job)

    before = digest()
    (tmp_path / "models/aside.py").write_text("# changed\n")
    assert digest() == before
    seen = {before}
    for name in ("models/job.py", "models/deep/parts.py", "models/evaluation/material.py"):
        with (tmp_path / name).open("a") as file:
            file.write("# changed\n")
        seen.add(digest())
    monkeypatch.setattr(code, "versions", lambda: {"numpy": "3"})
    seen.add(digest())
    assert len(seen) == 5
    code._digest.cache_clear()
