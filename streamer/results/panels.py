"""The panels of the overview, one under the other on one time axis."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from drivers.outside.names import shown
from models.signal.operator import Array
from streamer.results.envelope import Envelope
from streamer.results.palette import CLASS_COLOURS
from streamer.results.summary import Event, UtteranceResult

if TYPE_CHECKING:  # importing matplotlib takes a second
    from matplotlib.axes import Axes

RATE_HZ = 16000
WINDOW = 400  # 25 ms
GREY = "#777777"
MARKER = "#1f6fb4"
WIDTH_IN = 12.0

_HOP = 80  # 5 ms
_RANGE_DB = 60.0
_NAME_IN = 0.075  # of one letter of an utterance's name
_MARGINS_IN = 1.5
_LINE_IN = 0.12  # of a marker's label, which is turned
_LABEL_LETTERS = 24
# Bottom and height of the answers, above the probabilities, and of what is known.
_ANSWERS = (1.1, 0.14)
_KNOWN = (1.32, 0.14)


@dataclass(frozen=True)
class Answered:
    """A classifier's answer at one instant.

    Attributes
    ----------
    time_s : float
        When.
    epoch : int
        In which epoch; nothing is carried from one to the next.
    answer : str
        What was said: a class, ``"unsure"`` or ``"no speech"``.
    probabilities : dict of str to float
        By class.
    """

    time_s: float
    epoch: int
    answer: str
    probabilities: dict[str, float]


def draw_emg(axes: "Axes", envelope: Envelope, end_s: float) -> None:
    """Draw each channel in a lane of its own, scaled to its own range.

    Parameters
    ----------
    axes : Axes
        The panel.
    envelope : Envelope
        The EMG.
    end_s : float
        Leave out what is later.
    """
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


def draw_names(axes: "Axes", utterances: Sequence[UtteranceResult], shown_s: float) -> None:
    """Write the utterances' names above, shortened to their number where there is no room.

    Parameters
    ----------
    axes : Axes
        The topmost panel.
    utterances : sequence of UtteranceResult
        Those that are shown.
    shown_s : float
        Length of the time axis.
    """
    for utterance in utterances:
        end_s = min(utterance.start_s + utterance.seconds, shown_s)
        room = (end_s - utterance.start_s) / shown_s * (WIDTH_IN - _MARGINS_IN) / _NAME_IN
        name = shown(utterance.utterance)
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
                color=GREY,
                parse_math=False,
            )


def draw_markers(axes: "Axes", markers: Sequence[Event], shown_s: float) -> None:
    """Write the markers' labels into a panel, as many as can be read beside each other.

    Parameters
    ----------
    axes : Axes
        The panel.
    markers : sequence of Event
        In the order of time.
    shown_s : float
        Length of the time axis.
    """
    room_s = _LINE_IN / (WIDTH_IN - _MARGINS_IN) * shown_s
    free_s = 0.0
    for marker in markers:
        if free_s <= marker.time_s < shown_s:
            free_s = marker.time_s + room_s
            axes.annotate(
                shown(marker.label, _LABEL_LETTERS),
                (marker.time_s, 0.0),
                xycoords=axes.get_xaxis_transform(),
                xytext=(2, 3),
                textcoords="offset points",
                rotation=90,
                va="bottom",
                fontsize=8,
                color=MARKER,
                bbox={"facecolor": "white", "alpha": 0.85, "linewidth": 0, "pad": 1.0},
                parse_math=False,
            )


def draw_spectrogram(axes: "Axes", speech: Array, label: str) -> None:
    """Draw the spectrogram of speech at 16 kHz, its loudest 60 dB.

    Parameters
    ----------
    axes : Axes
        The panel.
    speech : ndarray, shape (samples,)
        At least 25 ms.
    label : str
        What it is.
    """
    level_db = spectrogram_db(speech)
    top_db = float(np.percentile(level_db, 99.9))  # rumble and clicks are louder than speech
    image = axes.imshow(
        level_db,
        origin="lower",
        aspect="auto",
        extent=(0.0, len(speech) / RATE_HZ, 0.0, RATE_HZ / 2000),
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


def spectrogram_db(speech: Array) -> Array:
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
    frames = np.lib.stride_tricks.sliding_window_view(speech, WINDOW)[::_HOP]
    power = np.abs(np.fft.rfft(frames * np.hanning(WINDOW), axis=1)) ** 2
    level_db: Array = 10 * np.log10(np.maximum(power.T, 1e-12))
    return level_db


def draw_course(
    axes: "Axes", course: Sequence[Answered], known: Sequence[tuple[float, float, str]], name: str
) -> None:
    """Draw probabilities; above them what was said, and what the recordings are known to be.

    Parameters
    ----------
    axes : Axes
        The panel.
    course : sequence of Answered
        The classifier's answers, not empty.
    known : sequence of (float, float, str)
        Start and length in seconds of each utterance whose class is known, and the class.
    name : str
        What is told apart.
    """
    epochs = [list(answers) for _, answers in groupby(course, key=lambda answer: answer.epoch)]
    for index, label in enumerate(course[0].probabilities):
        colour = CLASS_COLOURS[index % len(CLASS_COLOURS)]
        for number, answers in enumerate(epochs):
            axes.plot(
                [answer.time_s for answer in answers],
                [answer.probabilities[label] for answer in answers],
                color=colour,
                linewidth=1.2,
                label=shown(label, _LABEL_LETTERS) if number == 0 else None,
            )
            axes.broken_barh(_said(answers, label), _ANSWERS, color=colour, linewidth=0)
        stretches = [(start_s, length_s) for start_s, length_s, truth in known if truth == label]
        axes.broken_barh(stretches, _KNOWN, color=colour, linewidth=0)
    strips = {"answer": _ANSWERS, "recorded": _KNOWN} if known else {"answer": _ANSWERS}
    axes.set_ylim(-0.03, sum(list(strips.values())[-1]) + 0.05)
    axes.set_yticks(
        [0, 0.5, 1, *(bottom + height / 2 for bottom, height in strips.values())],
        labels=["0", "0.5", "1", *strips],
    )
    axes.tick_params(axis="y", length=0)
    axes.set_ylabel(f"{name}\n(probability)")
    legend = axes.legend(
        loc="upper left", bbox_to_anchor=(1.0, 1.05), frameon=False, fontsize=8, handlelength=1.2
    )
    for text in legend.get_texts():
        text.set_parse_math(False)


def _said(answers: Sequence[Answered], label: str) -> list[tuple[float, float]]:
    """Start and length of each stretch of an epoch in which `label` was the answer."""
    stretches = []
    for said, group in groupby(range(len(answers)), key=lambda k: answers[k].answer):
        first, *rest = group
        end = min((rest or [first])[-1] + 1, len(answers) - 1)
        if said == label and end > first:
            stretches.append((answers[first].time_s, answers[end].time_s - answers[first].time_s))
    return stretches
