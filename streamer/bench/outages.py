"""A source that is killed again and again: how the voice goes and comes back.

The gate is open all the time, so that the voice is never silent by itself, and digital
silence at the monitor is an outage.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streamer.bench.figure import Figure
from streamer.bench.process import Performance

_SILENT_S = 0.3
_EDGE_S = 0.03
_LONGEST_S = 2.0
_LARGEST_OFF_MS = 20.0
_BESIDE_S, _FADE_S, _VOICE_S = 0.001, 0.005, 0.025
_LARGEST_EDGE = 0.5
_AUDIBLE = 0.001  # of full scale: what is softer is no click, whatever is beside it


@dataclass(frozen=True)
class Outage:
    """Digital silence in the middle of a voice.

    Attributes
    ----------
    begin, end : int
        Samples, end exclusive.
    """

    begin: int
    end: int


def find_outages(audio: NDArray[np.float32], rate_hz: int) -> list[Outage]:
    """Find where a voice is gone and comes back.

    Parameters
    ----------
    audio : ndarray of float32, shape (n,)
        As heard.
    rate_hz : int
        Sampling rate.

    Returns
    -------
    list of Outage
        In their order; neither the silence before the voice nor the one after it.
    """
    sounding = np.flatnonzero(audio)
    gaps = np.flatnonzero(np.diff(sounding) > _SILENT_S * rate_hz)
    return [Outage(int(sounding[k]) + 1, int(sounding[k + 1])) for k in gaps]


def largest_steps(
    audio: NDArray[np.float32], outages: Sequence[Outage], rate_hz: int
) -> tuple[float, float]:
    """Compare the steps from sample to sample where a voice goes and comes with all others.

    Parameters
    ----------
    audio : ndarray of float32, shape (n,)
        As heard.
    outages : sequence of Outage
        In it.
    rate_hz : int
        Sampling rate.

    Returns
    -------
    at_edges, elsewhere : float
        The largest ones; full scale is 1.
    """
    steps = np.abs(np.diff(audio, prepend=np.float32(0)))
    near = np.zeros(len(audio), dtype=np.bool_)
    reach = round(_EDGE_S * rate_hz)
    for outage in outages:
        for edge in (outage.begin, outage.end):
            near[max(0, edge - reach) : edge + reach] = True
    return float(steps[near].max(initial=0.0)), float(steps[~near].max(initial=0.0))


def largest_edge(audio: NDArray[np.float32], outages: Sequence[Outage], rate_hz: int) -> float:
    """Compare the last millisecond before silence, and the first after it, with the voice there.

    A voice that is cut off has as large samples as ever right beside the silence; one that fades
    over 5 ms has a fifth.

    Parameters
    ----------
    audio : ndarray of float32, shape (n,)
        As heard.
    outages : sequence of Outage
        In it.
    rate_hz : int
        Sampling rate.

    Returns
    -------
    float
        The largest sample of that millisecond over the largest of the 20 ms beyond 5 ms; of all
        edges the largest.
    """
    edge, fade, whole = (round(s * rate_hz) for s in (_BESIDE_S, _FADE_S, _VOICE_S))
    ratios = [0.0]
    for outage in outages:
        before = audio[max(0, outage.begin - whole) : outage.begin][::-1]
        for part in (before, audio[outage.end : outage.end + whole]):
            size = np.abs(part)
            loudest = float(size[:edge].max())
            if loudest >= _AUDIBLE:
                ratios.append(loudest / max(float(size[fade:].max(initial=0.0)), _AUDIBLE))
    return max(ratios)


def outage_figures(
    performance: Performance, audio: NDArray[np.float32], rate_hz: int, kills: int, emg_hz: float
) -> list[Figure]:
    """Say how a session took it that its source was killed.

    Parameters
    ----------
    performance : Performance
        Of the session.
    audio : ndarray of float32, shape (n,)
        What was heard of it, up to the end of its last epoch.
    rate_hz : int
        Its sampling rate.
    kills : int
        How often at the least.
    emg_hz : float
        Rate of the EMG.

    Returns
    -------
    list of Figure
        Figures.
    """
    outages = find_outages(audio, rate_hz)
    at_edges, elsewhere = largest_steps(audio, outages, rate_hz)
    counters, epochs = performance.summary["counters"], performance.epochs
    returns = len(epochs) - 1
    lost = sum(epoch["lost_samples"] for epoch in epochs)
    samples = sum(epoch["samples"] for epoch in epochs)
    # What came and what was counted as lost fill the time from the first to the last sample.
    filled_s = (samples + lost - 1) / emg_hz
    off_ms = 1000 * abs(epochs[-1]["last_s"] - epochs[0]["started_s"] - filled_s)
    longest_s = max((o.end - o.begin for o in outages), default=0) / rate_hz
    source, starved = counters["source"], counters["audio"]["starved"]
    miscounted = (
        abs(source["reconnects"] - returns)
        + abs(source["lost_samples"] - lost)
        + abs(starved - returns)
    )
    return [
        Figure("outages", returns, "", None, "times that the source was gone for 1 s", least=kills),
        Figure(
            "outages_not_heard",
            abs(len(outages) - returns),
            "",
            0,
            "of these, times that the voice was not silent or did not come back",
        ),
        Figure(
            "outage_longest_s",
            longest_s if outages else float("inf"),
            "s",
            _LONGEST_S,
            "longest silence at the monitor",
        ),
        Figure(
            "outage_step_ratio",
            at_edges / elsewhere if elsewhere else float("inf"),
            "",
            1.0,
            f"largest step of a sample around an outage, {at_edges:.2g}, over the largest of "
            f"the voice itself, {elsewhere:.2g}",
        ),
        Figure(
            "outage_edge_ratio",
            largest_edge(audio, outages, rate_hz),
            "",
            _LARGEST_EDGE,
            "largest sample within 1 ms of the silence over the largest of the voice there: "
            "1 is cut off, 0.2 a fade",
        ),
        Figure(
            "outage_miscounted",
            miscounted,
            "",
            0,
            f"reconnections, lost samples and starved buffers off the {returns} new epochs and "
            f"{lost} samples that the chunks say",
        ),
        Figure(
            "outage_time_off_ms",
            off_ms,
            "ms",
            _LARGEST_OFF_MS,
            f"{samples} samples and {lost} lost ones against the time that passed",
        ),
        Figure("outage_underruns", performance.underruns(), "", 0, "holes that no outage explains"),
    ]
