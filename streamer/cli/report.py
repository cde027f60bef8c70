"""What came of a run, for people."""

from collections import Counter
from pathlib import Path

from streamer.cli.options import say
from streamer.cli.tables import ResultTable
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
    if summary.utterances:
        _utterances(summary).show()
        say("")
    for line in (*_lines(summary), *_marked(summary)):
        say(line)
    for problem in summary.problems:
        say(f"! {problem}", "yellow")
    if not Path(summary.directory).is_dir():  # the problems say so
        return
    outputs = ["audio.wav", *([picture.name] if picture else [])]
    say(f"outputs    {summary.directory}: {', '.join(outputs)} and more")


def _utterances(summary: Summary) -> ResultTable:
    table = ResultTable()
    table.column("utterance")
    table.column("length", justify="right")
    table.column("distortion", justify="right")
    if known := any(utterance.recorded_mode for utterance in summary.utterances):
        table.column("recorded")
    table.column("mode")
    table.column("speaker")
    for utterance in summary.utterances:
        table.row(
            utterance.utterance,
            f"{utterance.seconds:.1f} s",
            "" if utterance.mcd_db is None else f"{utterance.mcd_db:.2f} dB",
            *([utterance.recorded_mode or ""] if known else []),
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
    return f"{answer.label} ({answer.probability:.2f}{doubt})"


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
