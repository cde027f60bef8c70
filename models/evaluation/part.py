"""What an evaluation's directory holds of each experiment, from one call to the next."""

import json
import math
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from models.evaluation.findings import Drawing, Findings, Table


@dataclass(frozen=True)
class Part:
    """One experiment's part of the report.

    Attributes
    ----------
    findings : Findings
        What it found.
    about : dict
        What it rests on, of plain types: see `about`.
    """

    findings: Findings
    about: dict[str, Any]


def write_part(part: Part, file: Path) -> None:
    """Write all that the report needs."""
    write_json({"findings": asdict(part.findings), "about": part.about}, file)


def read_part(file: Path) -> Part | None:
    """Read what `write_part` wrote; None where it is not there, or damaged."""
    try:
        content = json.loads(file.read_text("utf-8"))
        found = content["findings"]
        tables = [
            Table(
                **one | {"columns": tuple(one["columns"]), "rows": tuple(map(tuple, one["rows"]))}
            )
            for one in found["tables"]
        ]
        drawings = [Drawing(**one) for one in found["drawings"]]
        return Part(Findings(**found | {"tables": tables, "drawings": drawings}), content["about"])
    except (OSError, ValueError, TypeError, KeyError):
        return None


def write_figures(part: Part, file: Path) -> None:
    """Write an experiment's figures for scripts.

    Parameters
    ----------
    part : Part
        Of the experiment.
    file : Path
        ``DIR/<experiment>.json``.
    """
    write_json(figures_of(part), file)


def figures_of(part: Part) -> dict[str, Any]:
    """Return all figures of an experiment, and in ``about`` what they rest on."""
    found = part.findings
    notes = {"differs": found.differs, "tuned": found.tuned, "missing": found.missing}
    content: dict[str, Any] = _plain(found.figures | {"about": part.about | notes})
    return content


def write_json(content: dict[str, Any], file: Path) -> None:
    """Write JSON, whole or not at all.

    Parameters
    ----------
    content : dict
        A number that is not finite could not be measured: it becomes null.
    file : Path
        Where.
    """
    text = json.dumps(_plain(content), indent=2, ensure_ascii=False, allow_nan=False)
    write_text(text + "\n", file)


def write_text(text: str, file: Path) -> None:
    """Write a text, whole or not at all: a reader may open it at any moment."""
    part = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        part.write_text(text, "utf-8")
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return value
