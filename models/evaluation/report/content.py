"""What stands in the report, whatever it is written as."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from models.evaluation.findings import Cell, Table, as_text
from models.evaluation.part import Part
from models.evaluation.report.headlines import headlines

PAPER: Final = (
    "L. Diener, S. Amiriparian, C. Botelho, K. Scheck, D. Küster, I. Trancoso, B. W. Schuller, "
    "T. Schultz: Towards Silent Paralinguistics: Deriving Speaking Mode and Speaker ID from "
    "Electromyographic Signals. Proc. Interspeech 2020, pp. 3117–3121. "
    "[doi:10.21437/Interspeech.2020-2848](https://doi.org/10.21437/Interspeech.2020-2848)"
)
_SPLITS: Final = ("train", "test")
_MODES: Final = ("audible", "whispered", "silent")


@dataclass(frozen=True)
class Content:
    """A report.

    Attributes
    ----------
    title : str
        Of the page.
    byline : str
        Which evaluation this is.
    summary : list of str
        What must be known before any figure; Markdown, a paragraph each.
    warnings : list of str
        What forbids to take the figures at face value; Markdown.
    headlines, data, incomplete, runs, configuration : Table
        The parts around the experiments.
    parts : list of Part
        The experiments.
    references : list of str
        Markdown.
    """

    title: str
    byline: str
    summary: list[str]
    warnings: list[str]
    headlines: Table
    data: Table
    incomplete: Table
    runs: Table
    configuration: Table
    parts: list[Part]
    references: list[str]


def content_of(parts: Sequence[Part], outdated: Sequence[str]) -> Content:
    """Put a report together.

    Parameters
    ----------
    parts : sequence of Part
        Experiments on one corpus with one set of settings; one or more.
    outdated : sequence of str
        Names of those that other code, or other libraries, found.

    Returns
    -------
    Content
        To be written.
    """
    latest = max((part.about for part in parts), key=lambda about: str(about["created"]))
    data = latest["data"]
    settings = latest["configuration"]
    title = f"Silent paralinguistics on {data['corpus']}"
    byline = (
        f"streamer {latest['versions']['streamer']}, {latest['created'][:10]}, "
        f"size {settings['size']}, seed {settings['seed']}, "
        f"corpus {data['fingerprint'][:12]}"
    )
    return Content(
        title=title,
        byline=byline,
        summary=_summary(data, settings),
        warnings=_warnings(data, settings, parts, outdated),
        headlines=headlines(parts),
        data=_data(data),
        incomplete=_incomplete(data),
        runs=_runs(parts),
        configuration=_configuration(latest),
        parts=list(parts),
        references=[f"This evaluation: {as_text(f'{title}. {byline}')}.", PAPER],
    )


def _summary(data: dict[str, Any], settings: dict[str, Any]) -> list[str]:
    sessions = data["sessions"].values()
    speakers = {one["speaker"] for one in sessions}
    utterances = sum(sum(one["utterances"].values()) for one in sessions)
    minutes = sum(one["minutes"] for one in sessions)
    reduced = " Some experiments are smaller here than in the paper; each says how."
    return [
        "Speech, speaker and speaking mode from the activity of facial muscles: the experiments "
        "of Diener et al. (2020), and what lies beyond them.",
        f"{_counted(len(sessions), 'recording session')} of {_counted(len(speakers), 'speaker')}, "
        f"{utterances} utterances, {minutes:.0f} minutes of six-channel EMG.",
        "The paper's figures rest on the 63 sessions and 8 speakers of the full EMG-UKA corpus. "
        "Figures of another set of sessions stand beside them, not in their place."
        + (reduced if settings["size"] == "default" else ""),
    ]


def _warnings(
    data: dict[str, Any], settings: dict[str, Any], parts: Sequence[Part], outdated: Sequence[str]
) -> list[str]:
    found = []
    if data["simulated"]:
        found.append("**Simulated**: nobody spoke these recordings.")
    if settings["size"] == "quick":
        found.append(
            "**Quick**: nets and data are so small that these figures prove that everything runs, "
            "and nothing else. Compare them with nothing."
        )
    titles = [part.findings.title for part in parts if part.findings.name in outdated]
    if titles:
        found.append(
            f"**Found by other code or other libraries** than the rest: {', '.join(titles)}. "
            "The same command with `--experiment` brings it up to date."
        )
    return found


def _data(data: dict[str, Any]) -> Table:
    subsets = [
        subset
        for subset in (f"{split}.{mode}" for split in _SPLITS for mode in _MODES)
        if any(subset in one["utterances"] for one in data["sessions"].values())
    ]
    rows: list[tuple[Cell, ...]] = [
        (
            name,
            one["speaker"],
            *(one["utterances"].get(subset) for subset in subsets),
            one["minutes"],
        )
        for name, one in data["sessions"].items()
    ]
    totals = [
        sum(one["utterances"].get(subset, 0) for one in data["sessions"].values())
        for subset in subsets
    ]
    minutes = sum(one["minutes"] for one in data["sessions"].values())
    rows.append(("all", len({row[1] for row in rows}), *totals, minutes))
    heads = (subset.replace(".", " ") for subset in subsets)
    note = (
        "Utterances by subset. Jobs that choose read training subsets only; what was looked for "
        "after a test figure had been seen is said in its experiment."
    )
    if data["left_out"]:
        note += f" Without any usable utterance: {', '.join(map(as_text, data['left_out']))}."
    return Table("What was read", ("session", "speaker", *heads, "minutes"), tuple(rows), 1, note)


def _incomplete(data: dict[str, Any]) -> Table:
    rows: list[tuple[Cell, ...]] = [
        (name, reason, len(utterances), what)
        for name, one in data["sessions"].items()
        for what, reasons in (("left out", one["skipped"]), ("used", one["incomplete"]))
        for reason, utterances in reasons.items()
    ]
    return Table(
        "What was damaged or incomplete",
        ("session", "what", "utterances", ""),
        tuple(rows),
        note="" if rows else "Nothing: every utterance is whole.",
    )


def _runs(parts: Sequence[Part]) -> Table:
    rows: list[tuple[Cell, ...]] = [
        (
            part.findings.title,
            part.about["created"][:16].replace("T", " "),
            part.about["run"]["jobs"],
            part.about["run"]["kept_jobs"],
            duration(part.about["run"]["job_s"]),
            duration(part.about["run"]["wall_s"]),
            str(part.about["configuration"]["workers"]),
            part.about["configuration"]["device"],
        )
        for part in parts
    ]
    total_s = sum(part.about["run"]["job_s"] for part in parts)
    return Table(
        "Run times",
        ("experiment", "done (UTC)", "jobs", "kept", "work", "waited", "workers", "device"),
        tuple(rows),
        note=f"*Work* is the time of all jobs on one core each, {duration(total_s)} in total; "
        "*waited* is how long the last call took; *kept* jobs were there from earlier calls.",
    )


def _configuration(about: dict[str, Any]) -> Table:
    settings = about["configuration"]
    sessions = settings["sessions"]
    rows: list[tuple[Cell, ...]] = [
        ("size", settings["size"]),
        ("seed", str(settings["seed"])),
        ("sessions", sessions if isinstance(sessions, str) else ", ".join(sessions)),
        ("corpus", f"{about['data']['corpus']}, SHA-256 {about['data']['fingerprint'][:16]}…"),
        ("machine", ", ".join(f"{value} {key}" if key == "cores" else str(value)
                              for key, value in about["machine"].items())),
        *about["versions"].items(),
    ]  # fmt: skip
    return Table("Configuration and versions", ("", "value"), tuple(rows))


def duration(seconds: float) -> str:
    """Say how long something took: ``"8.5 s"``, ``"12 min"``, ``"3 h 05 min"``."""
    if seconds < 59.5:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
