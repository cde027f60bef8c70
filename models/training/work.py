"""The hidden directory in which a bundle is made, before it appears under its name."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import BinaryIO

try:
    import fcntl
except ImportError:  # Windows: leftovers are left there
    fcntl = None  # type: ignore[assignment]

_LOCK = ".training"


@contextmanager
def work_directory(out: Path) -> Iterator[Path]:
    """Make a directory beside `out`, and remove what is left of it at the end.

    So are directories of trainings that were killed, which could not. A training that still runs
    holds a lock, and keeps its own.

    Parameters
    ----------
    out : Path
        Of the bundle.

    Yields
    ------
    Path
        Empty, but for a hidden file.

    Raises
    ------
    OSError
        It cannot be made.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    for other in out.parent.glob(f".{_literal(out.name)}-*/{_LOCK}"):
        with ExitStack() as opened:
            if _locked(other, opened):
                shutil.rmtree(other.parent, ignore_errors=True)
    work = Path(mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    try:
        with ExitStack() as opened:
            lock = work / _LOCK
            lock.touch()
            _locked(lock, opened)
            yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)  # nothing is left of it once it is renamed


def publish(work: Path, out: Path) -> None:
    """Let a bundle that is whole appear under its name, for everybody on the machine.

    Parameters
    ----------
    work : Path
        As `work_directory` yields it.
    out : Path
        Must not exist.

    Raises
    ------
    OSError
        It does, or cannot be written.
    """
    (work / _LOCK).unlink()
    work.chmod(0o755)
    work.rename(out)


def _locked(file: Path, opened: ExitStack) -> bool:
    """Take a file's lock as long as it is open; False where another process has it."""
    if fcntl is None:
        return False
    try:
        content: BinaryIO = opened.enter_context(file.open("rb"))
        fcntl.flock(content, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _literal(name: str) -> str:
    """Return a pattern of `Path.glob` that a name alone matches."""
    return "".join(f"[{one}]" if one in "*?[" else one for one in name)
