"""Results on disk: whole, or as if they were not there; and nothing in them is ever run.

A file is a checksum, then the structure of the result as JSON, then the numbers of its arrays. What
can be in it is plain: texts, numbers, arrays, lists, dictionaries, and those dataclasses of this
project that are named here. (A pickle would run whatever somebody has put there.)
"""

import hashlib
import json
import math
import os
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from drivers.outside.own_directory import own_directory

T = TypeVar("T")

KINDS: Final = frozenset(
    {
        "models.evaluation.autoencoder.network:AutoencoderSettings",
        "models.evaluation.autoencoder.network:Training",
        "models.evaluation.autoencoder.spectra:Label",
        "models.evaluation.autoencoder.spectra:Reduction",
        "models.evaluation.autoencoder.spectra:Spectra",
        "models.evaluation.embedding.jobs:Fold",
        "models.evaluation.embedding.jobs:Teacher",
        "models.evaluation.inventory:SessionInventory",
        "models.evaluation.material:Session",
        "models.evaluation.metrics.courses:Course",
        "models.evaluation.metrics.pitch:PitchErrors",
        "models.evaluation.mode.jobs:Told",
        "models.evaluation.rolling.gate:GateFigures",
        "models.evaluation.rolling.hearing:Observed",
        "models.evaluation.rolling.live:Tested",
        "models.evaluation.rolling.live:Windows",
        "models.evaluation.rolling.observed:Heard",
        "models.evaluation.rolling.observed:ObservedSession",
        "models.evaluation.speaker.jobs:Described",
        "models.evaluation.unseen_sessions:Decision",
        "models.training.causal:Base",
        "models.training.causal:CausalSettings",
        "models.training.examples:Emg",
        "models.training.examples:Speech",
        "models.training.examples:Utterance",
    }
)
"""Dataclasses that a result may have in it, as module and name."""

_ARRAYS = "biufcUS"  # kinds of numpy's types that are numbers and texts
_CHECKSUM = hashlib.sha256().digest_size
_LENGTH = 8  # bytes of the structure's length


def keep(file: Path, make: Callable[[], T]) -> T:
    """Return what is in a file, or make it and put it there.

    Parameters
    ----------
    file : Path
        In a directory that is nobody else's.
    make : callable
        Gives the result; not called where there is one.

    Returns
    -------
    object
        As it is read from the file: a first run goes on with the very same as a later one.

    Raises
    ------
    StreamerError
        The directory is somebody else's, or others may write to it.
    TypeError
        Something is in the result that cannot be kept.
    """
    own_directory(file.parent)
    kept = read_kept(file)
    if kept is None:
        write_kept(file, (make(),))
        kept = read_kept(file)
        assert kept is not None  # right after it was written
    found: T = kept[0]
    return found


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
        content = file.read_bytes()
        if hashlib.sha256(content[_CHECKSUM:]).digest() != content[:_CHECKSUM]:
            return None
        begin = _CHECKSUM + _LENGTH
        end = begin + int.from_bytes(content[_CHECKSUM:begin], "little")
        structure = json.loads(content[begin:end])
        kept = _read(structure["content"], _arrays(structure["arrays"], content, end))
    except Exception:  # whatever the dataclasses of today say of values of yesterday
        return None
    return kept if isinstance(kept, tuple) else None


def write_kept(file: Path, content: tuple[Any, ...]) -> None:
    """Write a result, whole or not at all.

    Parameters
    ----------
    file : Path
        Where; folders are made.
    content : tuple
        Of plain types, arrays and `KINDS`.

    Raises
    ------
    TypeError
        Something else is in it.
    """
    own_directory(file.parent)
    arrays: list[NDArray[Any]] = []
    written = _write(content, arrays)
    about = [{"type": one.dtype.str, "shape": one.shape, "order": _order(one)} for one in arrays]
    structure = json.dumps({"content": written, "arrays": about}).encode()
    parts = [len(structure).to_bytes(_LENGTH, "little"), structure]
    parts += [one.tobytes("A") for one in arrays]
    digest = hashlib.sha256()
    for one in parts:
        digest.update(one)
    part = file.with_suffix(f".{os.getpid()}.part")  # two evaluations may share a directory
    try:
        with part.open("wb") as opened:
            opened.writelines((digest.digest(), *parts))
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)


def _write(value: Any, arrays: list[NDArray[Any]]) -> Any:
    """Return something of JSON that stands for a value; its arrays go to the list."""
    if isinstance(value, np.ndarray | np.generic):
        array = np.asarray(value)
        if array.dtype.kind not in _ARRAYS:
            raise TypeError(f"an array of {array.dtype} cannot be kept")
        arrays.append(array)
        return ["array" if isinstance(value, np.ndarray) else "number", len(arrays) - 1]
    if value is None or type(value) in (bool, int, float, str):
        return value
    if type(value) in (list, tuple):
        return [type(value).__name__, *(_write(one, arrays) for one in value)]
    if isinstance(value, Mapping):
        pairs = [[_write(key, arrays), _write(one, arrays)] for key, one in value.items()]
        return ["dict", *pairs]
    name = f"{type(value).__module__}:{type(value).__qualname__}"
    if is_dataclass(value) and name in KINDS:
        pairs = [[one.name, _write(getattr(value, one.name), arrays)] for one in fields(value)]
        return [name, *pairs]
    raise TypeError(f"a {name} cannot be kept: it is not among {__name__}.KINDS")


def _read(value: Any, arrays: list[NDArray[Any]]) -> Any:
    """Return the value that something of JSON stands for."""
    if not isinstance(value, list):
        return value
    kind, *parts = value
    if kind == "array":
        return arrays[parts[0]]
    if kind == "number":
        return arrays[parts[0]][()]
    if kind in ("list", "tuple"):
        found = [_read(one, arrays) for one in parts]
        return found if kind == "list" else tuple(found)
    if kind == "dict":
        return {_read(key, arrays): _read(one, arrays) for key, one in parts}
    return _kind(kind)(**{name: _read(one, arrays) for name, one in parts})


@cache
def _kind(name: str) -> Callable[..., Any]:
    """Return a dataclass of this project by its name."""
    if name not in KINDS:
        raise TypeError(f"a {name} cannot be kept")
    module, _, kind = name.partition(":")
    found: Callable[..., Any] = getattr(import_module(module), kind)
    return found


def _arrays(about: list[dict[str, Any]], content: bytes, place: int) -> list[NDArray[Any]]:
    """Return the arrays that lie behind the structure, of their own memory each."""
    found = []
    for one in about:
        kind = np.dtype(one["type"])
        if kind.kind not in _ARRAYS:
            raise TypeError(f"an array of {kind} cannot be kept")
        count = math.prod(one["shape"])
        flat = np.frombuffer(content, kind, count, place)
        found.append(flat.reshape(one["shape"], order=one["order"]).copy("K"))
        place += count * kind.itemsize
    return found


def _order(array: NDArray[Any]) -> str:
    """Return how an array lies in memory: what is computed of it depends on it, in a last bit."""
    return "F" if array.flags.f_contiguous and not array.flags.c_contiguous else "C"
