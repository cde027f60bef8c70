"""Results on disk: whole, or as if they were not there."""

import hashlib
import os
import pickle
from pathlib import Path
from typing import Any


def read_kept(file: Path) -> tuple[Any, ...] | None:
    """Read a result.

    Parameters
    ----------
    file : Path
        As `write_kept` wrote it.

    Returns
    -------
    tuple or None
        The content; None where there is no file, where it is damaged, or where it holds what
        the code of today cannot read.
    """
    try:
        checksum, content = _parts(file.read_bytes())
        if hashlib.sha256(content).digest() != checksum:
            return None
        kept = pickle.loads(content)
    except Exception:  # pickle raises whatever the classes in it do
        return None
    return kept if isinstance(kept, tuple) else None


def write_kept(file: Path, content: tuple[Any, ...]) -> None:
    """Write a result, whole or not at all.

    Parameters
    ----------
    file : Path
        Where; folders are made.
    content : tuple
        Anything that can be pickled.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(f".{os.getpid()}.part")  # two evaluations may share a directory
    try:
        pickled = pickle.dumps(content, protocol=5)
        part.write_bytes(hashlib.sha256(pickled).digest() + pickled)
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)


def _parts(content: bytes) -> tuple[bytes, bytes]:
    size = hashlib.sha256().digest_size
    return content[:size], content[size:]
