"""One picture of a run: what came in, what came out, and who was thought to speak how."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import soundfile

from drivers.outside.names import shown
from drivers.outside.texts import parse_json
from drivers.recordings.recording import Recording
from models.signal.operator import Array
from streamer.results.envelope import Envelope
from streamer.results.outputs import OutputError, RunDirectory
from streamer.results.panels import (
    GREY,
    MARKER,
    RATE_HZ,
    WIDTH_IN,
    WINDOW,
    Answered,
    draw_course,
    draw_emg,
    draw_markers,
    draw_names,
    draw_spectrogram,
)
from streamer.results.summary import Summary, UtteranceResult

OVERVIEW = "overview.png"
LONGEST_S = 60.0
"""The picture shows this much of a run, from its beginning."""

_TITLE_LETTERS = 60  # of the directory's name


def draw_overview(
    directory: RunDirectory,
    summary: Summary,
    envelope: Envelope,
    natural: Callable[[str], Recording | None] | None = None,
) -> Path | None:
    """Draw ``overview.png`` from the outputs of a run; its first minute, if it is longer.

    Parameters
    ----------
    directory : RunDirectory
        With its outputs.
    summary : Summary
        Of the run.
    envelope : Envelope
        Its EMG.
    natural : callable, optional
        Recording of an utterance by its name, or None.

    Returns
    -------
    Path or None
        The picture; None for a run that is too short to draw.

    Raises
    ------
    OutputError
        The outputs cannot be read, as where they were moved, or the picture cannot be written.
    """
    try:
        return _draw_overview(directory, summary, envelope, natural)
    except (OSError, soundfile.SoundFileError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise OutputError(f"picture {directory.path / OVERVIEW}", value=reason) from None


def _draw_overview(
    directory: RunDirectory,
    summary: Summary,
    envelope: Envelope,
    natural: Callable[[str], Recording | None] | None,
) -> Path | None:
    # Importing matplotlib takes a second and drawing holds the interpreter's lock: not
    # before the run is over.
    from matplotlib.figure import Figure

    shown_s = min(summary.seconds, LONGEST_S)
    speech, _ = soundfile.read(directory.audio, frames=round(shown_s * RATE_HZ), dtype="float64")
    if len(speech) < WINDOW:
        return None
    utterances = [u for u in summary.utterances if u.start_s < shown_s]
    recordings = [natural(one.utterance) if natural is not None else None for one in utterances]
    original = _natural_speech(utterances, recordings, len(speech))
    courses = {
        name: course
        for name in ("mode", "speaker")
        if (course := read_course(directory.estimates, name, shown_s))
    }

    heights = [3.0, 1.5] + [1.5] * (original is not None) + [1.25] * len(courses)
    figure = Figure(figsize=(WIDTH_IN, 1.0 + sum(heights)), layout="constrained")
    axes = figure.subplots(len(heights), 1, sharex=True, height_ratios=heights, squeeze=False)
    rows = iter(axes[:, 0])

    emg = next(rows)
    draw_emg(emg, envelope, shown_s)
    draw_names(emg, utterances, shown_s)
    draw_markers(emg, summary.markers, shown_s)
    draw_spectrogram(next(rows), speech, "synthesised\nspeech")
    if original is not None:
        draw_spectrogram(next(rows), original, "natural\nspeech")
    for name, course in courses.items():
        known = [
            (one.start_s, one.seconds, getattr(recording, name))
            for one, recording in zip(utterances, recordings, strict=True)
            if recording is not None and getattr(recording, name) is not None
        ]
        draw_course(next(rows), course, known, name)
    for row in axes[:, 0]:
        for utterance in utterances[1:]:
            row.axvline(utterance.start_s, color=GREY, linewidth=0.6)
        marked_s = [one.time_s for one in summary.markers if one.time_s < shown_s]
        row.vlines(marked_s, 0, 1, MARKER, linewidth=0.6, transform=row.get_xaxis_transform())
    axes[-1, 0].set_xlim(0, shown_s)
    axes[-1, 0].set_xlabel("EMG time (s)")
    figure.align_ylabels(axes[:, 0])
    title = _title(directory.path.name, summary, shown_s)
    figure.suptitle(title, x=0.01, ha="left", fontsize=11, parse_math=False)

    path = directory.path / OVERVIEW
    part = path.with_name(f".{path.name}.part")
    try:
        figure.savefig(part, dpi=150, format="png")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return path


def read_course(file: Path, name: str, end_s: float) -> list[Answered]:
    """Read a classifier's answers from ``estimates.jsonl``.

    Parameters
    ----------
    file : Path
        The file.
    name : str
        ``"mode"`` or ``"speaker"``.
    end_s : float
        Leave out what is later.

    Returns
    -------
    list of Answered
        Empty where it never answered.
    """
    with file.open(encoding="utf-8") as lines:
        # A full disk can leave the last line incomplete.
        estimates = [parse_json(line, str(file)) for line in lines if line.endswith("\n")]
    return [
        Answered(
            estimate["time_s"],
            estimate["epoch"],
            estimate[name]["answer"],
            estimate[name]["probabilities"],
        )
        for estimate in estimates
        if estimate[name] is not None and estimate["time_s"] <= end_s
    ]


def _natural_speech(
    utterances: Sequence[UtteranceResult],
    recordings: Sequence[Recording | None],
    samples: int,
) -> Array | None:
    """Natural speech on the timeline of the synthesised one, None where there is none."""
    speech = np.zeros(samples)
    found = False
    for utterance, recording in zip(utterances, recordings, strict=True):
        if recording is None or recording.audio is None or recording.audio_rate_hz != RATE_HZ:
            continue
        found = True
        start = round(utterance.start_s * RATE_HZ)
        end = min(start + round(utterance.seconds * RATE_HZ), samples)
        audio = recording.audio[: max(0, end - start)]  # the file may be shorter than the run
        speech[start : start + len(audio)] = audio
    return speech if found else None


def _title(name: str, summary: Summary, shown_s: float) -> str:
    words = [shown(name, _TITLE_LETTERS), f"{summary.seconds:.1f} s of EMG"]
    if shown_s < summary.seconds:
        words[-1] += f", the first {shown_s:.0f} s shown"
    if summary.mcd_db is not None:
        words.append(f"mel-cepstral distortion {summary.mcd_db:.2f} dB")
    return "    ".join(words)
