"""What the tests of several floors share.

The streams of every test, and of the programs it starts, stay on this machine; liblsl
reads this at its first call, which may be in any test.
"""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from hypothesis import settings

from drivers.lsl import use_loopback

use_loopback()

# A busy machine is no failure, and neither is a first example for which loops are compiled.
settings.register_profile("without deadlines", deadline=None)
settings.load_profile("without deadlines")

ROOT = Path(__file__).resolve().parent.parent

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
