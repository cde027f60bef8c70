"""The network of all sessions as a file: it takes longest, and every session starts from it."""

import hashlib
import json
import zipfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from drivers.errors import StreamerError
from models.signal.operator import Array
from models.training.causal import Base, CausalSettings
from models.training.examples import Parallel

_ABOUT = "about"
_SHARED, _LAYER = "shared", "layer"
_VERSION = 2  # of the network's parts and their names


def write_base(file: Path, base: Base, learned: dict[str, str]) -> None:
    """Write a base.

    Parameters
    ----------
    file : Path
        NumPy's ``.npz``, whatever it is called.
    base : Base
        What was learned.
    learned : dict of str to str
        `fingerprint` of what it learned from, by session.

    Raises
    ------
    StreamerError
        The file cannot be written.
    """
    about = json.dumps(
        {"version": _VERSION, "settings": asdict(base.settings), "learned": learned}, sort_keys=True
    )
    arrays = {f"{_SHARED}/{name}": value for name, value in base.shared.items()}
    for session, layer in base.layers.items():
        arrays |= {f"{_LAYER}/{session}/{name}": value for name, value in layer.items()}
    part = file.with_name(f".{file.name}.part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as opened:
            np.savez(opened, **{_ABOUT: np.array(about)}, **arrays)  # type: ignore[arg-type]
        part.replace(file)
    except OSError as error:
        raise StreamerError(
            f"base {file} cannot be written: {error.strerror or error}",
            way_out="choose a train.base that you may write to",
        ) from None


def read_base(file: Path, settings: CausalSettings, learned: dict[str, str]) -> Base:
    """Read a base.

    Parameters
    ----------
    file : Path
        As `write_base` writes it.
    settings : CausalSettings
        Of the network that is to start from it.
    learned : dict of str to str
        What it must have learned from, likewise.

    Returns
    -------
    Base
        What was learned.

    Raises
    ------
    StreamerError
        It is no such file, or was learned from other data or with other settings.
    """
    try:
        with np.load(file, allow_pickle=False) as content:
            about = json.loads(str(content[_ABOUT]))
            arrays = {name: content[name] for name in content.files if name != _ABOUT}
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise StreamerError(
            f"base {file}", value=str(error), allowed="a file that `streamer train` wrote",
            way_out="remove it, and it is trained anew",
        ) from None  # fmt: skip
    for what, found, wanted in (
        ("version", about.get("version"), _VERSION),
        ("settings", about.get("settings"), asdict(settings)),
        ("training utterances", about.get("learned"), learned),
    ):
        if found != wanted:
            raise StreamerError(
                f"{what} of base {file}", value=_short(found), allowed=_short(wanted),
                way_out="name another train.base, or remove it, and it is trained anew",
            )  # fmt: skip
    shared: dict[str, Array] = {}
    layers: dict[str, dict[str, Array]] = {}
    for key, value in arrays.items():
        kind, _, name = key.partition("/")
        if kind == _SHARED:
            shared[name] = value
        else:
            session, _, name = name.partition("/")
            layers.setdefault(session, {})[name] = value
    return Base(settings, shared, layers)


def fingerprint(parallel: Parallel) -> str:
    """Tell training data from others: their number, and a digest of their features.

    Parameters
    ----------
    parallel : Parallel
        Of one session.

    Returns
    -------
    str
        ``"40 utterances, 1f0c..."``.
    """
    digest = hashlib.sha256()
    for frames in parallel.frames:
        digest.update(np.ascontiguousarray(frames, dtype=np.float32).tobytes())
    return f"{len(parallel)} utterances, {digest.hexdigest()[:12]}"


def _short(content: Any) -> str:
    return json.dumps(content, sort_keys=True)
