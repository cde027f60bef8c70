"""The processes that jobs run in."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

pytest.importorskip("joblib")

CHILD = (
    "from models.evaluation.workers import _end_with_parent as f; f(); print('there', flush=True)"
)
PARENT = f"""
import subprocess, sys, time
subprocess.Popen([sys.executable, "-c", {CHILD + "; import time; time.sleep(300)"!r}])
time.sleep(300)
"""


@pytest.mark.system
def test_workers_end_with_a_parent_that_is_killed() -> None:
    """After `kill -9`, or out of memory, they would hold the machine's memory for ever."""
    with subprocess.Popen(
        [sys.executable, "-c", PARENT],
        cwd=Path(__file__).parents[3],
        stdout=subprocess.PIPE,
        start_new_session=True,
        text=True,
    ) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "there\n"
        parent.kill()
        parent.wait()
        try:
            parent.communicate(timeout=100)  # until no process has its output open any more
        finally:
            with suppress(ProcessLookupError):
                os.killpg(parent.pid, signal.SIGKILL)
