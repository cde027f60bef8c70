"""The run directory: never an overwritten run, never a path outside of it."""

import errno
import json
import os
from pathlib import Path

import pytest

from streamer.results.outputs import OutputError, Reserve, RunDirectory, write_json


def test_a_run_gets_its_own_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two runs in one second must not share their files."""
    monkeypatch.chdir(tmp_path)
    first, second = RunDirectory.create(), RunDirectory.create()
    assert first.path.parent == second.path.parent == Path("runs")
    assert first.path != second.path
    assert RunDirectory.create(tmp_path / "deep" / "er").path.is_dir()


@pytest.mark.parametrize("kind", ["directory", "file"])
def test_what_exists_is_refused(tmp_path: Path, kind: str) -> None:
    """An earlier run is worth more than a convenient default."""
    path = tmp_path / "out"
    path.mkdir() if kind == "directory" else path.write_text("x")
    with pytest.raises(OutputError, match=r"out: got it exists.*--out"):
        RunDirectory.create(path)


def test_what_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    """A wrong --out must be a message, not a traceback."""
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError, match="cannot be written: Not a directory") as caught:
        RunDirectory.create(tmp_path / "file" / "out")
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_directory_without_permission_is_refused(tmp_path: Path) -> None:
    """The same where the parent is write-protected."""
    tmp_path.chmod(0o500)
    with pytest.raises(OutputError, match="Permission denied"):
        RunDirectory.create(tmp_path / "out")


def test_utterances_are_files_of_their_own_name(tmp_path: Path) -> None:
    """Scripts find an utterance's WAV by its name, and a loop overwrites none."""
    directory = RunDirectory.create(tmp_path / "out")
    folder = directory.path / "utterances"
    assert directory.utterance("002-001-0100") == folder / "002-001-0100.wav"
    assert directory.utterance("002-001-0100") == folder / "002-001-0100-2.wav"
    assert directory.utterance("../../etc/passwd") == folder / "_.._etc_passwd.wav"
    assert directory.utterance("..") == folder / "_.wav"
    assert directory.utterance("äö") == folder / "äö.wav"
    assert directory.utterance("üß") == folder / "üß.wav"
    assert directory.utterance("A") == folder / "A.wav"
    assert directory.utterance("a") == folder / "a-2.wav"  # one file on macOS and Windows


def test_space_is_kept_for_the_end(tmp_path: Path) -> None:
    """A disk that a recording filled would have no room for the summary."""
    reserve = Reserve(tmp_path)
    assert [*tmp_path.iterdir()] == [] or os.name == "nt"  # nothing stays behind after a kill
    reserve.free()
    reserve.free()
    assert [*tmp_path.iterdir()] == []
    Reserve(tmp_path / "nowhere").free()


@pytest.mark.system
def test_the_space_is_there_when_all_else_is_full(small_disk: Path) -> None:
    """The same on a disk."""
    reserve = Reserve(small_disk)
    with pytest.raises(OSError, match="No space left"):
        (small_disk / "a").write_bytes(bytes(1 << 20))
    summary = small_disk / "summary.json"
    with pytest.raises(OutputError, match="No space left"):
        write_json(summary, {"a": "b" * 10_000})
    reserve.free()
    write_json(summary, {"a": "b" * 10_000, "nan": float("nan")})
    assert json.loads(summary.read_text())["nan"] is None


def test_json_is_there_as_a_whole_or_not_at_all(tmp_path: Path) -> None:
    """A script that waits for summary.json must never read half of it."""
    path = tmp_path / "summary.json"
    write_json(path, {"a": 1})
    write_json(path, {"a": [1.5, None]})
    assert json.loads(path.read_text()) == {"a": [1.5, None]}
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(OutputError, match="No such file"):
        write_json(tmp_path / "none" / "summary.json", {})


def test_a_full_disk_leaves_the_file_that_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half a summary could be read by nobody, and the whole one would be gone."""
    file = tmp_path / "summary.json"
    write_json(file, {"frames": 1})
    really = Path.write_text

    def full(path: Path, text: str, encoding: str) -> int:
        really(path, text[:5], encoding)
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_text", full)
        with pytest.raises(OutputError, match="No space left"):
            write_json(file, {"frames": 2})
    assert json.loads(file.read_text()) == {"frames": 1}
    assert list(tmp_path.iterdir()) == [file]
