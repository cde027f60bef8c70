"""How long EMG takes to sound: the same EMG twice, once with bursts in it.

Until a burst sounds, both runs give the same voice, sample by sample. Where they begin to
differ, it has arrived.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from drivers.errors import StreamerError
from drivers.recordings.recording import Recording
from drivers.source import Samples
from streamer.bench.heard import Heard

BURST_S = 0.1
BURST_UV = 300.0

_BEFORE_S = 1.0
_AFTER_S = 0.8
_LEAD_IN_S = 0.5
_LEAST_PAUSE_S = 0.25  # of the voice, until it has begun
_LARGEST_SHIFT_S = 0.06  # two runs may begin so far apart
_SAME = 0.05  # difference before the burst, as a share of the voice
_ABOVE_NOISE = 10.0
_ABOVE_VOICE = 0.1
_SMOOTH_S = 0.001


@dataclass(frozen=True, eq=False)
class Burst:
    """An utterance, with and without a burst.

    Attributes
    ----------
    plain, burst : Recording
        The same but for the burst.
    begin : int
        EMG sample at which it begins.
    """

    plain: Recording
    burst: Recording
    begin: int


def with_bursts(recordings: Iterable[Recording], count: int) -> list[Burst]:
    """Cut pieces out of recordings, and put a burst into all channels of each.

    Parameters
    ----------
    recordings : iterable of Recording
        Those that are too short are left out; used again where they are too few.
    count : int
        How many pieces.

    Returns
    -------
    list of Burst
        Each around the quietest tenth of a second of its recording.
    """
    there = [r for r in recordings if r.duration_s > _BEFORE_S + BURST_S + _AFTER_S]
    if not there:
        raise StreamerError(
            "recordings for bursts",
            value="none is long enough",
            allowed=f"more than {_BEFORE_S + BURST_S + _AFTER_S:g} s",
            way_out="choose others, or --set bench.acoustic.bursts=0",
        )
    random = np.random.default_rng(0)
    return [_burst(there[k % len(there)], k, random) for k in range(count)]


def _burst(recording: Recording, number: int, random: np.random.Generator) -> Burst:
    rate_hz = recording.rate_hz
    before, after = round(_BEFORE_S * rate_hz), round(_AFTER_S * rate_hz)
    length = round(BURST_S * rate_hz)
    centre = quietest(recording.emg_uv[before : len(recording.emg_uv) - after], length) + before
    # Not always at the same place within a frame and within an audio block.
    first = centre - before + int(random.integers(0, round(0.02 * rate_hz)))
    lead = first - round(_LEAD_IN_S * rate_hz)
    cut = replace(
        recording,
        name=f"{recording.name}-{number}",
        emg_uv=recording.emg_uv[first : first + before + after],
        lead_in_uv=recording.emg_uv[max(0, lead) : first] if first else recording.lead_in_uv,
        markers=(),
        audio=None,
        audio_rate_hz=None,
        phones=(),
    )
    emg_uv = cut.emg_uv.copy()
    begin = centre - first
    emg_uv[begin : begin + length] += random.normal(0, BURST_UV, (length, emg_uv.shape[1]))
    return Burst(cut, replace(cut, emg_uv=emg_uv), begin)


def quietest(emg_uv: Samples, length: int) -> int:
    """Return where the stretch of least power begins, over all channels."""
    centred = np.nan_to_num(emg_uv - np.nanmedian(emg_uv, axis=0)).astype(np.float64)
    power = np.concatenate(([0.0], np.cumsum((centred**2).sum(axis=1))))
    return int(np.argmin(power[length:] - power[:-length]))


def reaction_ms(
    plain: Heard, plain_s: float, burst: Heard, burst_s: float, begin_s: float
) -> float | None:
    """Measure when a burst was heard.

    The two voices are laid over each other where they are still the same. They differ where
    over a millisecond their difference exceeds ten times the one that they had before, and a
    tenth of the voice.

    Parameters
    ----------
    plain, burst : Heard
        What was heard of either run.
    plain_s, burst_s : float
        When the utterance began in either.
    begin_s : float
        Of the burst, since the utterance began.

    Returns
    -------
    float or None
        From the burst's acquisition to the first difference; None where the runs differ
        before it already, or never.
    """
    rate_hz = burst.rate_hz
    margin_s = _LARGEST_SHIFT_S
    from_s, to_s = _LEAST_PAUSE_S, begin_s + _AFTER_S
    x, _ = plain.between(plain_s + from_s, plain_s + to_s)
    y, first_s = burst.between(burst_s + from_s - margin_s, burst_s + to_s + margin_s)
    calm = round((begin_s - from_s) * rate_hz)
    shift = _shift(x[:calm].astype(np.float64), y.astype(np.float64), round(2 * margin_s * rate_hz))
    n = min(len(x), len(y) - shift)
    difference = np.abs(y[shift : shift + n].astype(np.float64) - x[:n])
    voice = float(np.sqrt((x[:calm].astype(np.float64) ** 2).mean()))
    noise = float(np.sqrt((difference[:calm] ** 2).mean()))
    if voice == 0 or noise > _SAME * voice:
        return None
    smooth = round(_SMOOTH_S * rate_hz)
    course = np.sqrt(np.convolve(difference**2, np.full(smooth, 1 / smooth), "full")[:n])
    later = np.flatnonzero(course[calm:] > max(_ABOVE_NOISE * noise, _ABOVE_VOICE * voice))
    if not len(later):
        return None
    heard_s = first_s + (shift + calm + int(later[0])) * burst.period_s
    return 1000 * (heard_s - (burst_s + begin_s))


def _shift(x: NDArray[np.float64], y: NDArray[np.float64], largest: int) -> int:
    """Return where in `y` what is in `x` begins."""
    size = len(x) + largest
    windows = y[:size]
    spectrum = np.fft.rfft(windows, 2 * size) * np.conj(np.fft.rfft(x, 2 * size))
    products = np.fft.irfft(spectrum)[: largest + 1]
    power = np.concatenate(([0.0], np.cumsum(windows**2)))
    power = power[len(x) : len(x) + largest + 1] - power[: largest + 1]
    return int(np.argmax(products / np.sqrt(np.maximum(power, 1e-12))))


def spread(values_ms: Sequence[float]) -> tuple[float, float]:
    """Return median and standard deviation; infinite where there are none."""
    if not values_ms:
        return float("inf"), float("inf")
    return float(np.median(values_ms)), float(np.std(values_ms))
