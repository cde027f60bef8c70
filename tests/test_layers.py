"""The three floors: who may import whom."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FLOORS = ("drivers", "models", "streamer")  # from the ground up
TRAINING_PACKAGES = {"onnx", "onnxscript", "skl2onnx", "sklearn", "torch"}
TRAINING = ("models/training/", "models/evaluation/")


def imports() -> Iterator[tuple[str, str, str]]:
    """Module, place and top-level name of every import, those inside of functions included."""
    for path in sorted(path for floor in FLOORS for path in (ROOT / floor).rglob("*.py")):
        module = path.relative_to(ROOT).as_posix()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = ["." * node.level + (node.module or "")]
            else:
                continue
            for name in names:
                yield module, f"{module}:{node.lineno} imports {name}", name.partition(".")[0]


def test_imports_run_downwards() -> None:
    """A driver that imports the session could not be used without it."""
    upwards = [
        place
        for module, place, name in imports()
        if name in FLOORS[FLOORS.index(module.partition("/")[0]) + 1 :]
    ]
    assert not upwards


def test_imports_are_absolute() -> None:
    """A relative import would hide from the tests here."""
    assert not [place for _, place, name in imports() if not name]


def test_only_training_imports_training_packages() -> None:
    """Who only listens would have to install torch."""
    heavy = [
        place
        for module, place, name in imports()
        if name in TRAINING_PACKAGES and not module.startswith(TRAINING)
    ]
    assert not heavy


def test_only_the_simulator_speaks() -> None:
    """The application would depend on a library under the GPL."""
    speaking = [
        place
        for module, place, name in imports()
        if name == "espeakng_loader" and not module.startswith("drivers/simulator/")
    ]
    assert not speaking


@pytest.mark.system
def test_streamer_loads_no_training_package() -> None:
    """Start-up would take seconds, and fail where torch is not installed."""
    code = (
        "import importlib, pkgutil, sys, streamer\n"
        "for module in pkgutil.walk_packages(streamer.__path__, 'streamer.'):\n"
        "    if not module.name.endswith('__main__'):\n"
        "        importlib.import_module(module.name)\n"
        f"print(sorted({TRAINING_PACKAGES!r} & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "[]", done.stderr
