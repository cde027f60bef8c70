"""The three floors: who may import whom."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FLOORS = ("drivers", "models", "streamer")  # from the ground up
TRAINING_ONLY = {"onnx", "onnxscript", "skl2onnx", "sklearn", "torch"}
TRAINING = ("models/training/", "models/evaluation/")
MODULES = sorted(
    path.relative_to(ROOT).as_posix() for floor in FLOORS for path in (ROOT / floor).rglob("*.py")
)


def imports(module: str) -> Iterator[tuple[int, str]]:
    """Line and first name of every import of a module, those inside of functions included."""
    tree = ast.parse((ROOT / module).read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}:{node.lineno}: imports are absolute"
            yield node.lineno, node.module or ""


@pytest.mark.parametrize("module", MODULES)
def test_imports_run_downwards(module: str) -> None:
    """A driver that imports the session could not be used without it."""
    floor = FLOORS.index(module.split("/")[0])
    upwards = [
        f"{module}:{line} imports {name}"
        for line, name in imports(module)
        if name.split(".")[0] in FLOORS[floor + 1 :]
    ]
    assert not upwards


@pytest.mark.parametrize("module", MODULES)
def test_only_training_imports_training_packages(module: str) -> None:
    """Who only listens would have to install torch."""
    if module.startswith(TRAINING):
        pytest.skip("the place where they are allowed")
    heavy = [
        f"{module}:{line} imports {name}"
        for line, name in imports(module)
        if name.split(".")[0] in TRAINING_ONLY
    ]
    assert not heavy


@pytest.mark.parametrize("module", [m for m in MODULES if not m.startswith("drivers/simulator/")])
def test_only_the_simulator_speaks(module: str) -> None:
    """The application would depend on a GPL library."""
    assert "espeakng_loader" not in {name.split(".")[0] for _, name in imports(module)}


def test_command_line_loads_no_training_package() -> None:
    """Start-up would take seconds, and fail where torch is not installed."""
    code = (
        "import sys, pkgutil, importlib, streamer\n"
        "for m in pkgutil.walk_packages(streamer.__path__, 'streamer.'):\n"
        "    if not m.name.endswith('__main__'): importlib.import_module(m.name)\n"
        f"print(sorted({TRAINING_ONLY!r} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "[]", done.stderr
