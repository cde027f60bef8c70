"""The wheel: what is in it, and that it works where nothing of the checkout is in reach."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LARGEST_MB = 15

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel from a copy of what git would hold, without network."""
    copy = tmp_path_factory.mktemp("source")
    for name in ("drivers", "models", "streamer", "pyproject.toml", "README.md", "LICENSE"):
        (copy / name).symlink_to(ROOT / name)
    dist = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps"]
    subprocess.run(
        [*command, "--no-build-isolation", "--wheel-dir", str(dist), str(copy)], check=True
    )
    (built,) = dist.glob("streamer-*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel beside nothing; its dependencies are those of this environment."""
    target = tmp_path_factory.mktemp("installed")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*command, "--target", str(target), str(wheel)], check=True)
    return target


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """Make a folder of a user who has a package `models` of their own."""
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "__init__.py").write_text("raise RuntimeError('not this one')\n")
    return tmp_path


def run(installed: Path, cwd: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_wheel_holds_what_runs_and_nothing_else(wheel: Path) -> None:
    """The demo would have nothing to play, or the download would be huge."""
    names = zipfile.ZipFile(wheel).namelist()
    assert "models/packaged/manifest.json" in names
    assert "drivers/simulator/packaged/Subsets/test.audible" in names
    assert any(name.endswith(".adc") for name in names)
    assert {name.split("/")[0].split("-")[0] for name in names} == {"drivers", "models", "streamer"}
    assert wheel.stat().st_size < LARGEST_MB * 1e6


def test_command_works_beside_a_folder_called_models(installed: Path, elsewhere: Path) -> None:
    """`streamer` would break in a folder of somebody who trains models."""
    done = run(installed, elsewhere, sys.executable, str(installed / "bin" / "streamer"), "--help")
    assert done.returncode == 0, done.stderr
    assert "replay" in done.stdout


def test_module_works_beside_a_folder_called_models(installed: Path, elsewhere: Path) -> None:
    """`python -m streamer` puts the current folder first on the path."""
    done = run(installed, elsewhere, sys.executable, "-m", "streamer", "devices", "--json")
    assert done.returncode == 0, done.stderr
    assert set(json.loads(done.stdout)) == {"serial_ports", "lsl_streams", "sound_cards"}


def test_replay_works_from_the_wheel(installed: Path, elsewhere: Path) -> None:
    """A file that a run needs would be missing from the wheel."""
    command = ["replay", "--subset", "test.audible", "--speed", "max", "--json", "--out", "run"]
    done = run(installed, elsewhere, sys.executable, "-m", "streamer", *command)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["frames"] > 0
    assert (elsewhere / "run" / "audio.wav").is_file()
    assert (elsewhere / "run" / "overview.png").is_file()


def test_script_beside_a_folder_called_models_gets_a_clear_line(
    installed: Path, elsewhere: Path
) -> None:
    """A puzzling error from deep inside of somebody's own package."""
    script = elsewhere / "mine.py"
    script.write_text("from streamer.session.session import Session\n")
    done = run(installed, elsewhere, sys.executable, str(script))
    assert done.returncode == 1
    line = done.stderr.strip().splitlines()[-1]
    assert line.startswith("ImportError: streamer needs its own package 'models' in")
    assert str(elsewhere / "models") in line


def test_script_elsewhere_can_use_the_package(installed: Path, tmp_path: Path) -> None:
    """The check for foreign packages would stand in the way."""
    done = run(installed, tmp_path, sys.executable, "-c", "import streamer.config, models.bundle")
    assert done.returncode == 0, done.stderr
