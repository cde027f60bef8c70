"""The directory of an evaluation: of one corpus with one set of settings, and nothing else's."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from drivers.errors import StreamerError
from drivers.outside.strict_json import write_json
from drivers.outside.texts import read_json
from models.evaluation.part import Part, read_part, write_figures, write_part

PARTS = "parts"
CACHE = "cache"
_IDENTITY = "evaluation.json"
_WAY_OUT = "choose another --out"


@dataclass(frozen=True)
class Directory:
    """Where an evaluation lies.

    Attributes
    ----------
    path : Path
        ``--out``.
    """

    path: Path

    @property
    def cache(self) -> Path:
        """Results of jobs; may be removed, which costs nothing but time."""
        return self.path / CACHE

    def write(self, part: Part) -> None:
        """Write an experiment's figures for scripts, and all of it for the report."""
        name = part.findings.name
        write_part(part, self.path / PARTS / f"{name}.json")
        write_figures(part, self.path / f"{name}.json")

    def read(self, names: tuple[str, ...]) -> list[Part]:
        """Return the experiments that are there, of those named and in their order."""
        found = (read_part(self.path / PARTS / f"{name}.json") for name in names)
        return [part for part in found if part is not None]


def open_directory(path: Path, identity: dict[str, Any]) -> Directory:
    """Make an evaluation's directory, or go on with one.

    Parameters
    ----------
    path : Path
        New, empty, or of an evaluation with the same identity.
    identity : dict
        What must not be mixed, of plain types.

    Returns
    -------
    Directory
        Ready to be written to.

    Raises
    ------
    StreamerError
        It holds something else, or cannot be written.
    """
    file = path / PARTS / _IDENTITY
    try:
        if file.is_file():
            before = _read_identity(file, path)
            differing = [key for key, value in identity.items() if before.get(key) != value]
            if differing:
                raise StreamerError(
                    f"{path} holds another evaluation",
                    value="; ".join(_said(key, before.get(key)) for key in differing),
                    allowed="; ".join(_said(key, identity[key]) for key in differing),
                    way_out=_WAY_OUT,
                )
        elif path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise StreamerError(
                f"{path}", value="something that is no evaluation", way_out=_WAY_OUT
            )
        else:
            file.parent.mkdir(parents=True, exist_ok=True)
            write_json(identity, file)
    except OSError as error:
        raise StreamerError(f"{path} cannot be used: {error}", way_out=_WAY_OUT) from None
    return Directory(path)


def _read_identity(file: Path, path: Path) -> dict[str, Any]:
    try:
        before = read_json(file, file.name)
    except StreamerError as error:
        raise StreamerError(f"{path} cannot be used: {error}", way_out=_WAY_OUT) from None
    return before if isinstance(before, dict) else {}


def _said(key: str, value: object) -> str:
    if isinstance(value, list):
        value = ", ".join(map(str, value)) or "all"
    return f"{key} {str(value)[:40]}"
