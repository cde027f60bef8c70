"""Look for tests that fail on a busy machine: ``python tests/flaky.py``.

Beside a busy loop on every core, whatever has the marker `realtime` or `system` runs ten times
in random order, and all else, the slow ones among it, once. What ever failed is printed, a line
each, with the seed that repeats its order; the output is empty where nothing did.
"""

import argparse
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parent.parent
AGAIN = "(realtime or system) and not slow"
ONCE = f"not ({AGAIN})"
_LOOP = "import os\nparent = os.getppid()\nwhile os.getppid() == parent: pass"
_TOO_FEW = 5  # pytest's exit code where no test was chosen


def main() -> None:
    """Run the tests and print what failed; exit with 1 if anything did."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=10, help="of what is real-time")
    parser.add_argument("paths", nargs="*", help="tests  [default: all]")
    arguments = parser.parse_args()
    failed = 0
    with busy():
        for number in range(arguments.times + 1):
            seed = random.randrange(2**32)
            which = ONCE if number == 0 else AGAIN
            print(f"run {number} of {arguments.times}: {which}", file=sys.stderr)
            for line in failures(which, seed, arguments.paths):
                failed += 1
                print(f"{line}  (--randomly-seed={seed})", flush=True)
    sys.exit(1 if failed else 0)


@contextmanager
def busy() -> Iterator[None]:
    """Keep every core busy."""
    with ExitStack() as stack:
        for _ in range(os.cpu_count() or 1):
            loop = subprocess.Popen([sys.executable, "-c", _LOOP])
            stack.callback(loop.wait)
            stack.callback(loop.kill)
        yield


def failures(which: str, seed: int, paths: list[str]) -> Iterator[str]:
    """Run the tests with these markers; yield what failed, and why, in a line each."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [
            sys.executable, "-m", "pytest", "-n", "auto", "--dist", "loadfile",
            "--no-loadscope-reorder", "-m", which, f"--randomly-seed={seed}",
            f"--junitxml={report}", *paths,
        ]  # fmt: skip
        code = subprocess.run(command, cwd=ROOT, stdout=sys.stderr, check=False).returncode
        if not report.exists():
            yield f"pytest ended with {code}"
            return
        for case in ElementTree.parse(report).iter("testcase"):
            for problem in (*case.iter("failure"), *case.iter("error")):
                why = (problem.get("message") or "").partition("\n")[0]
                yield f"{case.get('classname')}::{case.get('name')}: {why}"
        if code not in (0, 1, _TOO_FEW):
            yield f"pytest ended with {code}"


if __name__ == "__main__":
    main()
