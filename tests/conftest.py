"""What the tests of several floors share.

The streams of every test, and of the programs it starts, stay on this machine; liblsl
reads this at its first call, which may be in any test. The processes of pytest-xdist run a
file each at a time; `share` makes what several files need once for all of them.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import wraps
from pathlib import Path
from typing import Any

# There are as many processes as cores: threads of a library would only wait for one another.
# This comes before numpy is loaded, and holds for the programs that tests start.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import _posixsubprocess  # noqa: E402

import pytest  # noqa: E402
from filelock import FileLock  # noqa: E402
from hypothesis import HealthCheck, settings  # noqa: E402

from drivers.lsl import use_loopback  # noqa: E402
from drivers.lsl.library import pylsl  # noqa: E402
from drivers.lsl.loopback import kept_here  # noqa: E402

use_loopback()

# A busy machine is no failure, and neither is a first example for which loops are compiled.
# The same examples are tried each time: a new one that fails belongs to who looks for it
# (`make test-all` looks), not to who happens to run the tests.
_patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("same", _patient, derandomize=True)
settings.register_profile("new", _patient)
settings.load_profile(os.environ.get("STREAMER_EXAMPLES", "same"))

ROOT = Path(__file__).resolve().parent.parent


_MOST_PROCESSES = 5  # each loads torch: a gigabyte
_SYSTEM_EVENTS = {
    "os.fork",
    "os.forkpty",
    "os.posix_spawn",
    "socket.bind",
    "socket.connect",
    "subprocess.Popen",
}
_seen: list[str] = []


def _record_event(event: str, _: object) -> None:
    if event in _SYSTEM_EVENTS:
        _seen.append(event)


def _recorded(owner: Any, name: str) -> None:
    """Record calls that Python itself does not report."""
    function = getattr(owner, name)

    @wraps(function)
    def recorded(*arguments: Any, **named: Any) -> Any:
        # joblib starts its tracker at its first use, in whichever test that is.
        if "resource_tracker" not in str(arguments):
            _seen.append(name)
        return function(*arguments, **named)

    setattr(owner, name, recorded)


sys.addaudithook(_record_event)
_recorded(os, "openpty")
_recorded(_posixsubprocess, "fork_exec")  # the workers of joblib and multiprocessing
_recorded(pylsl.StreamInlet, "__init__")
_recorded(pylsl.StreamOutlet, "__init__")
pylsl.StreamOutlet.__init__ = kept_here()(pylsl.StreamOutlet.__init__)  # whoever makes it


@pytest.fixture(autouse=True)
def system_tests_are_marked(request: pytest.FixtureRequest) -> Iterator[None]:
    """Let nothing that can fail on a busy machine hide from `make flaky`."""
    _seen.clear()
    yield
    if _seen and request.node.get_closest_marker("system") is None:
        pytest.fail(f"{_seen[0]} in a test without the marker `system`, see CONTRIBUTING.md")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Run one process more than there are cores: there is always one that waits for a clock."""
    return min(_MOST_PROCESSES, (os.cpu_count() or 1) + 1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put first the files whose tests start processes or need recordings.

    They take longest, and none shall be left for one process alone in the end.
    """
    long = {
        item.path
        for item in items
        if item.get_closest_marker("system") or item.get_closest_marker("corpus")
    }
    items.sort(key=lambda item: item.path not in long)


Share = Callable[[str, Callable[[Path], object]], Path]


@pytest.fixture(scope="session")
def share(tmp_path_factory: pytest.TempPathFactory) -> Share:
    """Make a directory once for all processes that run tests. Do not write into it."""
    root = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent

    def made(name: str, make: Callable[[Path], object]) -> Path:
        path, done = root / f"shared-{name}", root / f"shared-{name}.done"
        with FileLock(root / f"shared-{name}.lock"):
            if not done.exists():
                shutil.rmtree(path, ignore_errors=True)  # somebody failed half way
                make(path)
                done.touch()
        return path

    return made


StartStreamer = Callable[..., AbstractContextManager[subprocess.Popen[str]]]


@pytest.fixture
def start_streamer() -> StartStreamer:
    """Run the command line in a process of its own, which does not outlive its context."""

    @contextmanager
    def start(*words: str) -> Iterator[subprocess.Popen[str]]:
        with subprocess.Popen(
            [sys.executable, "-m", "streamer", *words],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    return start
