"""What came of a run, for people."""

import sys
from collections import Counter
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from drivers.outside.names import shown
from streamer.cli.options import say
from streamer.engine.answers import Answer
from streamer.results.summary import Summary

_ENDED = {
    "source": "with the source",
    "duration": "after the duration that was asked for",
    "stopped": "by hand",
    "error": "with an error",
}


def report(summary: Summary, picture: Path | None) -> None:
    """Print a summary on standard output.

    Parameters
    ----------
    summary : Summary
        Of the run.
    picture : Path or None
        Its overview.
    """
    # Lines that go into a file are not cut.
    console = Console(markup=False, highlight=False, soft_wrap=not sys.stdout.isatty())
    if summary.utterances:
        console.print(_utterances(summary))
        console.print()
    for line in (*_lines(summary), *_marked(summary)):
        say(line)
    for problem in summary.problems:
        say(f"! {problem}", "yellow")
    if not Path(summary.directory).is_dir():  # the problems say so
        return
    outputs = ["audio.wav", *([picture.name] if picture else [])]
    say(f"outputs    {summary.directory}: {', '.join(outputs)} and more")


def _utterances(summary: Summary) -> Table:
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    table.add_column("utterance")
    table.add_column("length", justify="right")
    table.add_column("distortion", justify="right")
    if known := any(utterance.recorded_mode for utterance in summary.utterances):
        table.add_column("recorded")
    table.add_column("mode")
    table.add_column("speaker")
    for utterance in summary.utterances:
        table.add_row(
            shown(utterance.utterance),
            f"{utterance.seconds:.1f} s",
            "" if utterance.mcd_db is None else f"{utterance.mcd_db:.2f} dB",
            *([shown(utterance.recorded_mode or "")] if known else []),
            _answer(utterance.mode),
            _answer(utterance.speaker),
        )
    return table


def _without_distortion(summary: Summary) -> list[str]:
    """Say why utterances have none, those of a reason together."""
    reasons = Counter(one.no_mcd for one in summary.utterances if one.no_mcd is not None)
    return [
        f"distortion none of {count} {'utterance' if count == 1 else 'utterances'}: {reason}"
        for reason, count in reasons.items()
    ]


def _marked(summary: Summary) -> list[str]:
    """Say what the markers of the source gave."""
    if not summary.markers:
        return []
    line = f"markers    {len(summary.markers)}, see the picture"
    if summary.stretches:
        line += f"; utterances cut by them: {len(summary.stretches)}, see utterances"
    return [line]


def _answer(answer: Answer | None) -> str:
    if answer is None:
        return ""
    doubt = "" if answer.answer == answer.label else f", {answer.answer}"
    return shown(f"{answer.label} ({answer.probability:.2f}{doubt})")


def _lines(summary: Summary) -> list[str]:
    """Put the figures in words."""
    latency = summary.latency_ms
    lines = [
        f"EMG        {summary.seconds:.1f} s in {len(summary.utterances)} utterances, "
        f"{summary.realtime_factor:.1f} times real time"
    ]
    if summary.mcd_db is not None:
        lines.append(f"distortion {summary.mcd_db:.2f} dB on average (mel-cepstral)")
    lines += _without_distortion(summary)
    computing = "none"
    if latency["compute_p50"] is not None:
        computing = f"{latency['compute_p50']:.2f} ms a frame, p99 {latency['compute_p99']:.2f} ms"
    design = f"{latency['algorithmic']:.0f} ms by design"
    if (total := latency["total"]) is not None:
        design += f", {total['p50']:.0f} ms in all ({total['class']})"
    lines.append(f"latency    {design}; computing {computing}")
    models = [f"{what} by {by}" for what, by in summary.models.items() if by and what != "bundle"]
    lines.append(f"models     {', '.join((str(summary.models['bundle']), *models))}")
    lines.append(f"ended      {_ENDED[summary.ended]}")
    lines.append(
        f"counts     frames {summary.frames}, lost samples {summary.lost_samples}, "
        f"underruns {summary.underruns}"
    )
    return lines
