"""Ctrl-C in the middle of an evaluation, as a terminal sends it: to all processes."""

import os
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

pytest.importorskip("torch")

from models.evaluation.workers import deaf_to_interrupts  # noqa: E402

COMMAND = [sys.executable, str(Path(__file__).parent / "toy_command.py"), "evaluate"]


def processes_of(session: int) -> list[str]:
    """Living processes of a session, but for the trackers, which end by themselves."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            state, _, _, its_session = (process / "stat").read_text().rpartition(")")[2].split()[:4]
            command = (process / "cmdline").read_text().replace("\0", " ")
        except OSError:  # it ended meanwhile
            continue
        if int(its_session) == session and state != "Z" and "tracker" not in command:
            found.append(command)
    return found


@pytest.mark.system
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="no /proc on this system")
@pytest.mark.timeout(400)
def test_an_interrupted_evaluation_goes_on(small_corpus: Path, tmp_path: Path) -> None:
    """Work of hours would be lost, and workers would go on eating the machine."""
    gate = tmp_path / "gate"
    gate.mkdir()
    out = tmp_path / "out"
    command = [*COMMAND, str(small_corpus), "--out", str(out), "--workers", "2"]
    kept = out / "cache/toy_jobs.gated"
    with subprocess.Popen(
        command,
        env=os.environ | {"TOY_GATE": str(gate)},
        cwd=Path(__file__).parents[3],
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            while len(list(kept.glob("*.kept"))) < 2:
                assert process.poll() is None
                time.sleep(0.05)
            os.killpg(process.pid, signal.SIGINT)
            os.killpg(process.pid, signal.SIGINT)  # impatience
            output, errors = process.communicate()
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == 130, errors
    assert output == ""
    # joblib's tracker of temporary files may end later, and say that some were gone already.
    own = [line for line in errors.splitlines() if not re.search("resource_tracker|warnings", line)]
    assert own[-1] == (
        "streamer: stopped; what is done is kept, and the same command goes on from there"
    )
    assert "Traceback" not in errors
    assert "first: 2 jobs" in errors  # done before, and already in the report
    assert (out / "first.json").exists()
    assert not (out / "second.json").exists()
    while processes_of(process.pid):  # until pytest's limit
        time.sleep(0.05)

    (gate / "open").touch()
    done = subprocess.run(
        command,
        env=os.environ | {"TOY_GATE": str(gate)},
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "second: 6 jobs, 2 of them kept from before" in done.stderr
    assert {n: len((gate / str(n)).read_text()) for n in range(6)} == dict.fromkeys(range(6), 1)
    assert (out / "second.json").exists()


@pytest.mark.system
def test_workers_start_deaf_to_ctrl_c() -> None:
    """Each would print a traceback of its own when somebody stops an evaluation."""

    def deaf() -> bool:
        return signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, [])

    assert not deaf()
    with deaf_to_interrupts():
        assert deaf()  # and whoever starts in here inherits it
    assert not deaf()
