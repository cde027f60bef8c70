"""One picture of a run: what came in, what came out, and who was thought to speak how."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import soundfile
from numpy.typing import NDArray

from drivers.recordings.recording import Recording
from streamer.envelope import Envelope
from streamer.outputs import OutputError, RunDirectory
from streamer.palette import CLASS_COLOURS
from streamer.summary import Summary, UtteranceResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes

OVERVIEW = "overview.png"
LONGEST_S = 60.0
"""The picture shows this much of a run, from its beginning."""

_RATE_HZ = 16000
_WINDOW = 400  # 25 ms
_HOP = 80  # 5 ms
_RANGE_DB = 60.0
_WIDTH_IN = 12.0
_NAME_IN = 0.075  # of one letter of an utterance's name
_GREY = "#777777"
_STRIP = (1.1, 0.14)  # bottom and height of the answers, above the probabilities

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Answered:
    """A classifier's answer at one instant.

    Attributes
    ----------
    time_s : float
        When.
    epoch : int
        In which epoch; nothing is carried from one to the next.
    label : str
        What was said: a class, ``"unsure"`` or ``"no speech"``.
    probabilities : dict of str to float
        By class.
    """

    time_s: float
    epoch: int
    label: str
    probabilities: dict[str, float]


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
        The picture cannot be written.
    """
    # Importing matplotlib takes a second and drawing holds the interpreter's lock: not
    # before the run is over.
    from matplotlib.figure import Figure

    shown_s = min(summary.seconds, LONGEST_S)
    speech, _ = soundfile.read(directory.audio, frames=round(shown_s * _RATE_HZ), dtype="float64")
    if len(speech) < _WINDOW:
        return None
    utterances = [u for u in summary.utterances if u.start_s < shown_s]
    original = _natural_speech(utterances, natural, len(speech))
    courses = {
        name: course
        for name in ("mode", "speaker")
        if (course := read_course(directory.estimates, name, shown_s))
    }

    heights = [3.0, 1.5] + [1.5] * (original is not None) + [1.1] * len(courses)
    figure = Figure(figsize=(_WIDTH_IN, 1.0 + sum(heights)), layout="constrained")
    axes = figure.subplots(len(heights), 1, sharex=True, height_ratios=heights, squeeze=False)
    rows = iter(axes[:, 0])

    emg = next(rows)
    _draw_emg(emg, envelope, shown_s)
    _draw_names(emg, utterances, shown_s)
    _draw_spectrogram(next(rows), speech, "synthesised\nspeech")
    if original is not None:
        _draw_spectrogram(next(rows), original, "natural\nspeech")
    for name, course in courses.items():
        _draw_course(next(rows), course, name)
    for row in axes[:, 0]:
        for utterance in utterances[1:]:
            row.axvline(utterance.start_s, color=_GREY, linewidth=0.6)
    axes[-1, 0].set_xlim(0, shown_s)
    axes[-1, 0].set_xlabel("EMG time (s)")
    figure.align_ylabels(axes[:, 0])
    figure.suptitle(_title(directory.path.name, summary, shown_s), x=0.01, ha="left", fontsize=11)

    path = directory.path / OVERVIEW
    try:
        figure.savefig(path, dpi=150)
    except OSError as error:
        raise OutputError(f"file {path}", value=error.strerror) from None
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
        estimates = [json.loads(line) for line in lines]
    return [
        Answered(
            estimate["time_s"],
            estimate["epoch"],
            estimate[name]["label"],
            estimate[name]["probabilities"],
        )
        for estimate in estimates
        if estimate[name] is not None and estimate["time_s"] <= end_s
    ]


def _natural_speech(
    utterances: Sequence[UtteranceResult],
    natural: Callable[[str], Recording | None] | None,
    samples: int,
) -> Values | None:
    """Natural speech on the timeline of the synthesised one, None where there is none."""
    speech = np.zeros(samples)
    found = False
    for utterance in utterances if natural is not None else ():
        assert natural is not None
        recording = natural(utterance.utterance)
        if recording is None or recording.audio is None or recording.audio_rate_hz != _RATE_HZ:
            continue
        found = True
        start = round(utterance.start_s * _RATE_HZ)
        end = min(start + round(utterance.seconds * _RATE_HZ), samples)
        audio = recording.audio[: end - start]
        speech[start : start + len(audio)] = audio
    return speech if found else None


def _draw_emg(axes: "Axes", envelope: Envelope, end_s: float) -> None:
    """Draw each channel in a lane of its own, scaled to its own range."""
    times_s, low_uv, high_uv = envelope.extremes()
    kept = times_s <= end_s
    times_s, low_uv, high_uv = times_s[kept], low_uv[kept], high_uv[kept]
    channels = low_uv.shape[1]
    size_uv = np.maximum(np.abs(low_uv), np.abs(high_uv))
    for channel in range(channels):
        known = size_uv[np.isfinite(size_uv[:, channel]), channel]
        # A few artefacts must not flatten the rest.
        range_uv = max(float(np.percentile(known, 99.5)), 1.0) if len(known) else 1.0
        centre = channels - channel
        axes.fill_between(
            times_s,
            centre + np.clip(low_uv[:, channel] / range_uv, -1, 1) * 0.48,
            centre + np.clip(high_uv[:, channel] / range_uv, -1, 1) * 0.48,
            color="#222222",
            linewidth=0.3,
        )
        axes.text(
            1.005,
            centre,
            f"\N{PLUS-MINUS SIGN}{range_uv:.0f} \N{MICRO SIGN}V",
            transform=axes.get_yaxis_transform(),
            va="center",
            fontsize=8,
        )
    axes.set_yticks(range(channels, 0, -1), [str(n) for n in range(1, channels + 1)])
    axes.set_ylim(0.4, channels + 0.6)
    axes.tick_params(axis="y", length=0)
    axes.set_ylabel("EMG channel")


def _draw_names(axes: "Axes", utterances: Sequence[UtteranceResult], shown_s: float) -> None:
    """Write the utterances' names above, shortened to their number where there is no room."""
    for utterance in utterances:
        end_s = min(utterance.start_s + utterance.seconds, shown_s)
        room = (end_s - utterance.start_s) / shown_s * (_WIDTH_IN - 1.5) / _NAME_IN
        name = utterance.utterance
        if len(name) > room:
            name = name.rpartition("-")[2]
        if len(name) <= room:
            axes.annotate(
                name,
                (utterance.start_s, 1.0),
                xycoords=axes.get_xaxis_transform(),
                xytext=(2, 3),
                textcoords="offset points",
                fontsize=8,
                color=_GREY,
            )


def _draw_spectrogram(axes: "Axes", speech: Values, label: str) -> None:
    level_db = spectrogram_db(speech)
    top_db = float(np.percentile(level_db, 99.9))  # rumble and clicks are louder than speech
    image = axes.imshow(
        level_db,
        origin="lower",
        aspect="auto",
        extent=(0.0, len(speech) / _RATE_HZ, 0.0, _RATE_HZ / 2000),
        vmin=top_db - _RANGE_DB,
        vmax=top_db,
        cmap="magma",
        interpolation="antialiased",
        interpolation_stage="data",
    )
    bar = axes.figure.colorbar(image, cax=axes.inset_axes((1.008, 0.0, 0.008, 1.0)))
    bar.set_ticks([top_db - _RANGE_DB, top_db], labels=[f"\N{MINUS SIGN}{_RANGE_DB:.0f} dB", "0"])
    bar.ax.tick_params(labelsize=8, length=2)
    axes.set_yticks([0, 2, 4, 6, 8])
    axes.set_ylabel(f"{label}\n(kHz)")


def spectrogram_db(speech: Values) -> Values:
    """Return the level of speech over frequency and time.

    Parameters
    ----------
    speech : ndarray, shape (samples,)
        At 16 kHz, at least 25 ms of it.

    Returns
    -------
    ndarray, shape (201, n)
        Of 25 ms Hann windows every 5 ms, in dB; frequency by time.
    """
    frames = np.lib.stride_tricks.sliding_window_view(speech, _WINDOW)[::_HOP]
    power = np.abs(np.fft.rfft(frames * np.hanning(_WINDOW), axis=1)) ** 2
    level_db: Values = 10 * np.log10(np.maximum(power.T, 1e-12))
    return level_db


def _draw_course(axes: "Axes", course: Sequence[Answered], name: str) -> None:
    """Draw probabilities, and above them a strip of what was said."""
    epochs = [list(answers) for _, answers in groupby(course, key=lambda answer: answer.epoch)]
    for index, label in enumerate(course[0].probabilities):
        colour = CLASS_COLOURS[index % len(CLASS_COLOURS)]
        for number, answers in enumerate(epochs):
            axes.plot(
                [answer.time_s for answer in answers],
                [answer.probabilities[label] for answer in answers],
                color=colour,
                linewidth=1.2,
                label=label if number == 0 else None,
            )
            axes.broken_barh(_said(answers, label), _STRIP, color=colour, linewidth=0)
    axes.set_ylim(-0.03, sum(_STRIP) + 0.03)
    axes.set_yticks([0, 0.5, 1, _STRIP[0] + _STRIP[1] / 2], labels=["0", "0.5", "1", "answer"])
    axes.tick_params(axis="y", length=0)
    axes.set_ylabel(f"{name}\n(probability)")
    axes.legend(
        loc="upper left", bbox_to_anchor=(1.0, 1.05), frameon=False, fontsize=8, handlelength=1.2
    )


def _said(answers: Sequence[Answered], label: str) -> list[tuple[float, float]]:
    """Start and length of each stretch of an epoch in which `label` was the answer."""
    stretches = []
    for said, group in groupby(range(len(answers)), key=lambda k: answers[k].label):
        first, *rest = group
        end = min((rest or [first])[-1] + 1, len(answers) - 1)
        if said == label and end > first:
            stretches.append((answers[first].time_s, answers[end].time_s - answers[first].time_s))
    return stretches


def _title(name: str, summary: Summary, shown_s: float) -> str:
    words = [name, f"{summary.seconds:.1f} s of EMG"]
    if shown_s < summary.seconds:
        words[-1] += f", the first {shown_s:.0f} s shown"
    if summary.mcd_db is not None:
        words.append(f"mel-cepstral distortion {summary.mcd_db:.2f} dB")
    return "    ".join(words)
