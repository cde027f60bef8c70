"""The directory in which a bundle is made."""

import fcntl

from models.training.work import publish, work_directory


def test_what_a_killed_training_left_is_removed_by_the_next(tmp_path):
    """Nobody looks for hidden directories of some hundred megabytes; one in use stays."""
    killed, running, other = (tmp_path / name for name in (".bundle-kill", ".bundle-run", ".b-k"))
    for one in (killed, running, other):
        one.mkdir()
        (one / "converter.onnx").write_text("half")
        (one / ".training").touch()
    (tmp_path / ".bundle-mine").mkdir()
    out = tmp_path / "bundle"
    with (running / ".training").open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with work_directory(out) as work:
            (work / "manifest.json").write_text("whole")
            publish(work, out)
    left = sorted(path.name for path in tmp_path.iterdir())
    assert left == [".b-k", ".bundle-mine", ".bundle-run", "bundle"]
    assert [path.name for path in out.iterdir()] == ["manifest.json"]


def test_a_training_that_runs_keeps_its_directory(tmp_path):
    """Two trainings of one name would remove each other's models."""
    out = tmp_path / "bundle"
    with work_directory(out) as one, work_directory(out) as another:
        assert one.is_dir()
        assert another.is_dir()
    assert not list(tmp_path.iterdir())
