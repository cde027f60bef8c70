"""``streamer info``: what a file holds."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from streamer.cli.options import as_json, configured, print_json, say

if TYPE_CHECKING:
    from drivers.recordings.info import FileInfo

_MOST_NAMES = 8


@click.command()
@click.argument("path", metavar="FILE", type=Path)
@as_json
@configured
def info(path: Path, json_: bool, config_file: Path | None, assignments: tuple[str, ...]) -> None:
    """Say what a recording holds.

    FILE is a recording of any known format, told by its content, or a corpus directory.
    What a file does not say, or says wrongly, is set by recordings.stream, .channels, .unit.

    \b
    Examples:
      streamer info runs/first/recording.xdf
      streamer info lab.xdf --set recordings.stream=Amp --set recordings.unit=uV
    """  # noqa: D301 - \b is click's, not Python's
    from drivers.recordings.info import describe
    from streamer.config import load_config

    config = load_config(config_file, assignments, {"recordings.path": path})
    found = describe(path, config.recordings.choices)
    if json_:
        print_json(found.as_dict())
        return
    for name, line in _lines(found):
        say(f"{name:10} {line}")


def _lines(found: "FileInfo") -> list[tuple[str, str]]:
    """Put it in words; what is not there has no line."""
    rate = "" if found.rate_hz is None else f" at {found.rate_hz:g} Hz"
    lost = 100 * found.lost_samples / max(1, found.samples)
    at = "" if found.recorded_at is None else f", recorded at {found.recorded_at}"
    audio_rate = "" if found.audio_rate_hz is None else f" at {found.audio_rate_hz:g} Hz"
    beside = {
        f"natural speech{audio_rate}": found.audio,
        "transcript": found.transcripts,
        "phones": found.phones,
        "EMG before the start": found.lead_ins,
    }
    lines = [
        ("file", f"{found.path} ({found.format})"),
        ("recordings", f"{found.recordings}, {found.duration_s:.2f} s in all{at}"),
        ("named", _few(found.names)),
        ("signal", f"{len(found.channels)} channels{rate}"),
        ("channels", ", ".join(f"{c.label} ({c.type}, {c.unit})" for c in found.channels)),
        ("samples", f"{found.samples}, {found.lost_samples} of them lost ({lost:.3g} %)"),
        (
            "markers",
            f"{found.markers}{', beside those that begin a recording' * (found.recordings > 1)}",
        ),
        ("with", _counted({name: n for name, n in beside.items() if n})),
        ("modes", _counted(found.modes)),
        ("speakers", _counted(found.speakers)),
        ("sessions", _counted(found.sessions)),
        ("splits", _counted(found.splits)),
        ("provenance", _counted(found.provenances)),
        *found.details.items(),
        *(("attention", note) for note in found.notes),
    ]
    if found.signals > 1:
        lines.insert(3, ("attention", f"{found.signals} different sets of channels and rates"))
    return [(name, line) for name, line in lines if line]


def _few(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return ", ".join(names[:_MOST_NAMES]) + more


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} ({count})" for name, count in counts.items())
