"""What an evaluation's directory holds of each experiment, from one call to the next."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from drivers.errors import StreamerError
from drivers.outside.strict_json import plain, write_json
from drivers.outside.texts import read_json
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
        content = read_json(file, str(file))
        found = content["findings"]
        tables = [
            Table(
                **one | {"columns": tuple(one["columns"]), "rows": tuple(map(tuple, one["rows"]))}
            )
            for one in found["tables"]
        ]
        drawings = [Drawing(**one) for one in found["drawings"]]
        return Part(Findings(**found | {"tables": tables, "drawings": drawings}), content["about"])
    except (OSError, StreamerError, ValueError, TypeError, KeyError):
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
    content: dict[str, Any] = plain(found.figures | {"about": part.about | notes})
    return content
