"""Tell the code and the libraries that a result depends on from others."""

import ast
import hashlib
import inspect
import sys
from collections.abc import Callable, Iterator
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]

LIBRARIES: Final = (
    "numpy",
    "scipy",
    "torch",
    "scikit-learn",
    "onnxruntime",
    "skl2onnx",
    "joblib",
    "pysptk",
    "pystoi",
    "numba",
)
"""What figures can depend on."""

_ALWAYS: Final = "models.evaluation.material"
"""What every job is given, whether its module imports it or not."""

_ASIDE: Final = tuple(
    f"models.evaluation.{name}" for name in ("study", "workers", "code", "kept", "findings")
)
"""They run jobs and carry results; what comes out of a job is not of their making."""


def versions() -> dict[str, str]:
    """Return the versions of Python and of the libraries that figures can depend on.

    Returns
    -------
    dict of str to str
        By name; a library that is not installed is left out.
    """
    found = {"python": sys.version.split()[0]}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def code_digest(function: Callable[..., Any]) -> str:
    """Tell the code that a result depends on from other code.

    Parameters
    ----------
    function : callable
        On the top level of a module.

    Returns
    -------
    str
        Digest of its module, of all modules of this project that it imports, whether directly
        or not, and of the versions of the libraries.
    """
    return _digest(Path(inspect.getfile(function)).resolve())


@cache
def _digest(file: Path) -> str:
    found: set[Path] = set()
    waiting = [file, *_files(_ALWAYS)]
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            waiting += [other for name in _imports(one) for other in _files(name)]
    digest = hashlib.sha256(repr(sorted(versions().items())).encode())
    for one in sorted(found):
        digest.update(one.read_bytes())
    return digest.hexdigest()


def _imports(file: Path) -> Iterator[str]:
    """Name what a file imports, within functions too; imports here are absolute."""
    for node in ast.walk(ast.parse(file.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            # What is imported may be a module itself.
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _files(module: str) -> list[Path]:
    if module.partition(".")[0] not in ("drivers", "models", "streamer") or module in _ASIDE:
        return []
    path = ROOT / module.replace(".", "/")
    return [one for one in (path.with_suffix(".py"), path / "__init__.py") if one.is_file()]
